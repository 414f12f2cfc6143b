import { must } from "@ostrom/base";
import { OPCODE } from "@ostrom/wasm";
import {
  createFuelAccount,
  type FuelAccount,
  giveFuelBack,
  takeFuel,
} from "../contract-host/fuel-account.ts";
import {
  BULK_BYTES_PER_FUEL,
  FUEL_PER_GAS,
  pagesGas,
  STATIC_STACK_SLOTS,
} from "../contract-host/program-gas.ts";
import { endProgram, finishHostCall, outcomeOfChild, runHostCall } from "../contract-host/run-host-call.ts";
import type { ReferenceRunner } from "../contract-host/types.ts";
import { charge, endWithFault, type Frame, type Machine } from "../frame.ts";
import { contractEntryGas } from "./contract-entry.ts";
import { type Contract, typeOfHostCall } from "./read-contract.ts";
import { readProgram } from "./read-program.ts";
import { BINARY, Trap, UNARY, type Value } from "./reference-arithmetic.ts";
import { blockArity, type Instruction, type ReferenceFunction, readFunction } from "./reference-code.ts";
import { isLoad, isStore, ReferenceMemory } from "./reference-memory.ts";

/** Thrown where fuel runs out. */
class OutOfFuel extends Error {
  override readonly name = "OutOfFuel";
}

/** A block that is open: where a branch to it goes, with how many values, and what lies below them. */
type Label = { readonly target: number; readonly arity: number; readonly height: number };

/** A function that runs or waits for one that it called. */
type Activation = {
  readonly code: ReferenceFunction;
  readonly locals: Value[];
  readonly labels: Label[];
  /** Of the operand stack, when it began. */
  readonly height: number;
  at: number;
};

/** Frames that wait for a child. */
const waiting = new WeakMap<Frame, ReferenceRun>();
const functions = new WeakMap<Contract, Map<number, ReferenceFunction>>();

/** Runs a contract as the specification and README.md say, plainly: the oracle for what runs on V8. See ReferenceRunner.
 * Source: WebAssembly core specification, "Execution". */
export const runWebAssemblyInReference: ReferenceRunner = (machine, frame, program) => {
  let run = waiting.get(frame);
  if (run === undefined) {
    const contract = readProgram(program);
    if (contract === undefined) {
      endWithFault(frame, "vm/invalid-program");
      return;
    }
    if (!charge(frame, contractEntryGas(contract))) return;
    const entry = frame.kind === "create" ? contract.deploy : contract.call;
    if (entry === undefined) {
      endProgram(frame, 0);
      return;
    }
    run = new ReferenceRun(machine, frame, contract, entry);
  }
  waiting.delete(frame);
  run.goOn();
  if (frame.exit?.kind === "enter") waiting.set(frame, run);
};

class ReferenceRun {
  readonly #machine: Machine;
  readonly #frame: Frame;
  readonly #contract: Contract;
  readonly #functions: Map<number, ReferenceFunction>;
  readonly #memory: ReferenceMemory;
  readonly #globals: Value[];
  readonly #account: FuelAccount = createFuelAccount();
  readonly #values: Value[] = [];
  readonly #activations: Activation[] = [];
  /** Functions that begin one after another, when none is active. */
  readonly #entries: number[];
  #fuel: number;
  #slots = STATIC_STACK_SLOTS;

  constructor(machine: Machine, frame: Frame, contract: Contract, entry: number) {
    this.#machine = machine;
    this.#frame = frame;
    this.#contract = contract;
    const known = functions.get(contract) ?? new Map<number, ReferenceFunction>();
    functions.set(contract, known);
    this.#functions = known;
    this.#memory = new ReferenceMemory(contract.initialPages);
    for (const { to, bytes } of contract.data) this.#memory.write(to, bytes);
    this.#globals = [...contract.globals];
    this.#entries = contract.initialize === undefined ? [entry] : [contract.initialize, entry];
    this.#fuel = takeFuel(frame, this.#account);
  }

  /** Runs until the frame has an exit. */
  goOn(): void {
    const frame = this.#frame;
    const outcome = outcomeOfChild(frame);
    if (outcome !== undefined) {
      this.#values.push(finishHostCall(this.#machine, frame, this.#memory, outcome));
      this.#fuel = takeFuel(frame, this.#account);
    }
    try {
      while (frame.exit === undefined) this.#step();
    } catch (error) {
      if (error instanceof Trap) endWithFault(frame, "vm/trap");
      else if (error instanceof OutOfFuel) endWithFault(frame, "vm/out-of-gas");
      else throw error;
    }
  }

  #step(): void {
    const activation = this.#activations[this.#activations.length - 1];
    if (activation === undefined) {
      this.#beginOrEnd();
      return;
    }
    const instruction = activation.code.instructions[activation.at++];
    if (instruction === undefined) {
      this.#leave(activation);
      return;
    }
    this.#charge(instruction.fuel);
    this.#run(activation, instruction);
  }

  #beginOrEnd(): void {
    const entry = this.#entries.shift();
    if (entry !== undefined) {
      this.#call(entry);
      return;
    }
    giveFuelBack(this.#frame, this.#account, this.#fuel);
    endProgram(this.#frame, this.#popI32());
  }

  #charge(fuel: number): void {
    this.#fuel -= fuel;
    if (this.#fuel < 0) throw new OutOfFuel("out of fuel");
  }

  #pop(): Value {
    return must(this.#values.pop(), "a valid function has its operands");
  }

  #popI32(): number {
    return this.#pop() as number;
  }

  /** An i32 without its sign. */
  #popU32(): number {
    return this.#popI32() >>> 0;
  }

  #run(activation: Activation, instruction: Instruction): void {
    const { opcode } = instruction;
    const values = this.#values;
    const binary = BINARY[opcode];
    if (binary !== undefined) {
      const right = this.#pop();
      values.push(binary(this.#pop() as never, right as never));
      return;
    }
    const unary = UNARY[opcode];
    if (unary !== undefined) {
      values.push(unary(this.#pop() as never));
      return;
    }
    if (isLoad(opcode)) {
      values.push(this.#memory.load(opcode, this.#popU32() + instruction.offset));
      return;
    }
    if (isStore(opcode)) {
      const value = this.#pop();
      this.#memory.store(opcode, this.#popU32() + instruction.offset, value);
      return;
    }
    this.#runVariable(activation, instruction);
  }

  #runVariable(activation: Activation, instruction: Instruction): void {
    const { opcode, index } = instruction;
    const values = this.#values;
    switch (opcode) {
      case OPCODE.localGet:
        values.push(activation.locals[index]!);
        return;
      case OPCODE.localSet:
        activation.locals[index] = this.#pop();
        return;
      case OPCODE.localTee:
        activation.locals[index] = values[values.length - 1]!;
        return;
      case OPCODE.globalGet:
        values.push(this.#globals[index]!);
        return;
      case OPCODE.globalSet:
        this.#globals[index] = this.#pop();
        return;
      case OPCODE.i32Const:
        values.push(index);
        return;
      case OPCODE.i64Const:
        values.push(instruction.long);
        return;
      case OPCODE.drop:
        this.#pop();
        return;
      case OPCODE.select:
      case OPCODE.selectTyped: {
        const condition = this.#popI32();
        const second = this.#pop();
        const first = this.#pop();
        values.push(condition !== 0 ? first : second);
        return;
      }
      case OPCODE.nop:
        return;
      default:
        if (!this.#runMemory(opcode)) this.#runControl(activation, instruction);
    }
  }

  #runMemory(opcode: number): boolean {
    const memory = this.#memory;
    switch (opcode) {
      case OPCODE.memorySize:
        this.#values.push(memory.pages);
        return true;
      case OPCODE.memoryGrow:
        this.#grow(this.#popU32());
        return true;
      case OPCODE.memoryCopy: {
        const count = this.#popU32();
        const from = this.#popU32();
        this.#charge(Math.ceil(count / BULK_BYTES_PER_FUEL));
        memory.copy(this.#popU32(), from, count);
        return true;
      }
      case OPCODE.memoryFill: {
        const count = this.#popU32();
        const byte = this.#popU32();
        this.#charge(Math.ceil(count / BULK_BYTES_PER_FUEL));
        memory.fill(this.#popU32(), byte, count);
        return true;
      }
      default:
        return false;
    }
  }

  #grow(pages: number): void {
    const before = this.#memory.pages;
    if (before + pages > this.#contract.maximumPages) {
      this.#values.push(-1);
      return;
    }
    this.#charge(FUEL_PER_GAS * (pagesGas(before + pages) - pagesGas(before)));
    this.#memory.grow(pages);
    this.#values.push(before);
  }

  #runControl(activation: Activation, instruction: Instruction): void {
    const { opcode, index, targets } = instruction;
    switch (opcode) {
      case OPCODE.block:
        this.#open(activation, instruction, instruction.end + 1, "results");
        return;
      case OPCODE.loop:
        this.#open(activation, instruction, activation.at, "parameters");
        return;
      case OPCODE.if: {
        const condition = this.#popI32();
        if (condition === 0 && instruction.else === undefined) {
          activation.at = instruction.end + 1;
          return;
        }
        this.#open(activation, instruction, instruction.end + 1, "results");
        if (condition === 0) activation.at = instruction.else! + 1;
        return;
      }
      case OPCODE.else:
        // The first half of an if ends here.
        activation.labels.pop();
        activation.at = instruction.end + 1;
        return;
      case OPCODE.end:
        activation.labels.pop();
        return;
      case OPCODE.br:
        this.#branch(activation, index);
        return;
      case OPCODE.brIf:
        if (this.#popI32() !== 0) this.#branch(activation, index);
        return;
      case OPCODE.brTable: {
        const chosen = this.#popU32();
        this.#branch(activation, targets[Math.min(chosen, targets.length - 1)]!);
        return;
      }
      case OPCODE.return:
        this.#leave(activation);
        return;
      case OPCODE.unreachable:
        throw new Trap("unreachable");
      case OPCODE.call:
        this.#call(index);
        return;
      default:
        this.#callIndirect(index);
    }
  }

  #open(
    activation: Activation,
    { index }: Instruction,
    target: number,
    takes: "parameters" | "results",
  ): void {
    const arity = blockArity(this.#contract, index);
    const height = this.#values.length - arity.parameters;
    activation.labels.push({ target, arity: arity[takes], height });
  }

  #branch(activation: Activation, index: number): void {
    const { labels } = activation;
    if (index === labels.length) {
      this.#leave(activation);
      return;
    }
    const place = labels.length - 1 - index;
    const { target, arity, height } = must(labels[place], "a valid branch goes to a block that is open");
    this.#keepTop(arity, height);
    activation.at = target;
    // A branch to a loop goes behind its beginning, where its label stays.
    const isLoop = activation.code.instructions[target - 1]?.opcode === OPCODE.loop;
    labels.length = isLoop ? place + 1 : place;
  }

  /** Drops what lies between `height` and the topmost values. */
  #keepTop(count: number, height: number): void {
    const values = this.#values;
    values.splice(height, values.length - height - count);
  }

  #leave(activation: Activation): void {
    this.#keepTop(activation.code.type.results.length, activation.height);
    this.#slots += activation.code.slots;
    this.#activations.pop();
  }

  #call(index: number): void {
    const { importedFunctionCount } = this.#contract.module;
    if (index < importedFunctionCount) this.#callHost(index);
    else this.#enter(index - importedFunctionCount);
  }

  #enter(place: number): void {
    let code = this.#functions.get(place);
    if (code === undefined) {
      code = readFunction(this.#contract, place);
      this.#functions.set(place, code);
    }
    if (code.slots > this.#slots) throw new Trap("too deep");
    this.#slots -= code.slots;
    const height = this.#values.length - code.type.parameters.length;
    const locals = [...this.#values.splice(height), ...code.zeros];
    this.#activations.push({ code, locals, labels: [], height, at: 0 });
  }

  #callIndirect(typeIndex: number): void {
    const { module, table } = this.#contract;
    const index = table[this.#popU32()];
    if (index === undefined || index === -1) throw new Trap("no function there");
    const wanted = must(module.types[typeIndex], "a valid module has the types of its calls");
    const found = must(module.types[module.functionTypes[index]!], "a valid module has its functions");
    const isSame =
      wanted.parameters.join() === found.parameters.join() && wanted.results.join() === found.results.join();
    if (!isSame) throw new Trap("a function of another type");
    this.#call(index);
  }

  #callHost(index: number): void {
    const call = must(this.#contract.hostCalls[index], "imports are host calls");
    const { parameters, results } = typeOfHostCall(call);
    const operands = this.#values.splice(this.#values.length - parameters.length);
    const frame = this.#frame;
    giveFuelBack(frame, this.#account, this.#fuel);
    const result = runHostCall(this.#machine, frame, this.#memory, call.number, operands);
    if (frame.exit !== undefined) return;
    this.#fuel = takeFuel(frame, this.#account);
    if (results.length === 0) return;
    this.#values.push(call.result === "i64" ? BigInt.asIntN(64, BigInt(result)) : Number(result) | 0);
  }
}
