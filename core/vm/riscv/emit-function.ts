import { must } from "@ostrom/base";
import { type CodeBuilder, I32, I64, type Label } from "@ostrom/wasm";
import { emitControlFlow, type FlowExits, type FlowPlan } from "../control-flow/index.ts";
import {
  type Compilation,
  type CompiledFunction,
  emitLoadFuel,
  emitSetFault,
  emitStoreFuel,
} from "./compilation.ts";
import { type ClosedSignature, closedSignature } from "./compiled-signature.ts";
import { InstructionEmission } from "./emit-instruction.ts";
import { A0, A7, FUEL_OF_OPERATION, type Instruction } from "./instruction.ts";
import { BRANCH_CODE } from "./operation-code.ts";
import type { Block, PlacedInstruction, RecoveredFunction } from "./recover-functions.ts";
import { RegisterFile } from "./register-file.ts";
import { bit, HOST_OPERANDS, isCall, type RegisterSet } from "./register-use.ts";
import { WORK_FAULT } from "./work-area.ts";

/** What is charged late, at most: it is not to become much. */
const MAX_UNPAID_FUEL = 2000;

/** The pc with which a function returns whose frame has ended: nobody goes on there. */
const ENDED = 0;

/** Emits a recovered function. However it ends, it says at which pc the program goes on; who called it goes on itself if that
 * is where its call returns to, and else returns too. */
export class FunctionEmission {
  readonly #code: CodeBuilder;
  readonly #recovered: RecoveredFunction;
  readonly #function: CompiledFunction;
  readonly #compilation: Compilation;
  readonly #signature: ClosedSignature;
  readonly #registers: RegisterFile;
  readonly #instructions: InstructionEmission;
  readonly #fuel: number;
  readonly #slots: number | undefined;
  readonly #pc: number;
  /** By block: what blocks before it have not charged. */
  readonly #unpaid: Float64Array;
  readonly #edgesInto: Int32Array;
  #exit: Label | undefined;
  #outOfFuel: Label | undefined;

  constructor(
    code: CodeBuilder,
    recovered: RecoveredFunction,
    compiled: CompiledFunction,
    compilation: Compilation,
  ) {
    this.#code = code;
    this.#recovered = recovered;
    this.#function = compiled;
    this.#compilation = compilation;
    const { isOpen, tracked } = compiled.face;
    this.#signature = closedSignature(compiled.face);
    const { parameters, hasSlots } = this.#signature;
    this.#registers = isOpen
      ? new RegisterFile(code, tracked, [], 0)
      : new RegisterFile(code, tracked, parameters, hasSlots ? 2 : 1);
    this.#fuel = isOpen ? code.local(I64) : 0;
    this.#slots = isOpen ? 0 : hasSlots ? 1 : undefined;
    this.#pc = code.local(I32);
    this.#instructions = new InstructionEmission(code, this.#registers);
    this.#unpaid = new Float64Array(recovered.blocks.length);
    this.#edgesInto = new Int32Array(recovered.blocks.length);
    this.#edgesInto[0] = 1;
    for (const { successors } of recovered.blocks) for (const to of successors) this.#edgesInto[to]!++;
  }

  emit(plan: FlowPlan): void {
    const code = this.#code;
    const { isOpen, parameters, results } = this.#function.face;
    if (isOpen) {
      emitLoadFuel(code, this.#fuel);
      this.#registers.load(parameters);
    }
    this.#exit = code.block();
    this.#outOfFuel = code.block();
    emitControlFlow(code, plan, (node, exits) => this.#emitBlock(node, exits));
    code.end();
    emitSetFault(code, WORK_FAULT.outOfFuel);
    code.i32Const(ENDED).localSet(this.#pc);
    code.end();
    this.#registers.forgetAll();
    if (isOpen) this.#storeAll(results);
    code.localGet(this.#pc);
    if (isOpen) return;
    code.localGet(this.#fuel);
    for (const register of this.#signature.results) this.#registers.push(register);
  }

  #emitBlock(node: number, exits: FlowExits): void {
    const block = must(this.#recovered.blocks[node], "nodes are blocks");
    const { instructions } = block;
    this.#registers.forgetAll();
    let unpaid = this.#unpaid[node]!;
    for (let index = 0; index < instructions.length; ) {
      const placed = instructions[index]!;
      const { operation } = placed.instruction;
      unpaid += FUEL_OF_OPERATION[operation];
      if (isCall(placed.instruction) || operation === "ecall") {
        this.#charge(unpaid);
        unpaid = 0;
        if (operation === "ecall") this.#emitHostCall();
        else this.#emitCall(placed);
        index++;
        continue;
      }
      if (isLast(block, index)) break;
      const count = this.#instructions.emit(instructions, index);
      if (count === 2) unpaid += FUEL_OF_OPERATION[instructions[index + 1]!.instruction.operation];
      index += count;
    }
    this.#emitEnd(block, this.#passOn(block, unpaid), exits);
  }

  /** Lets the blocks behind charge what is unpaid, if no other path leads to them; what loops has always charged.
   * @returns what is to be charged at the end of the block. */
  #passOn({ successors }: Block, unpaid: number): number {
    const isAlone = successors.length > 0 && successors.every((to) => this.#edgesInto[to] === 1);
    if (!isAlone || unpaid > MAX_UNPAID_FUEL) return unpaid;
    for (const to of successors) this.#unpaid[to] = unpaid;
    return 0;
  }

  #charge(fuel: number): void {
    if (fuel === 0) return;
    const code = this.#code;
    code.localGet(this.#fuel).i64Const(fuel).i64Sub().localTee(this.#fuel);
    code.i64Const(0).i64LtS().brIf(must(this.#outOfFuel, "the function has begun"));
  }

  #emitEnd(block: Block, unpaid: number, exits: FlowExits): void {
    const code = this.#code;
    const { end } = block;
    if (end.kind !== "trap") this.#charge(unpaid);
    switch (end.kind) {
      case "branch":
        this.#registers.push(end.instruction.rs1);
        this.#registers.push(end.instruction.rs2);
        BRANCH_CODE[end.instruction.operation as keyof typeof BRANCH_CODE](code);
        exits.jumpIf(0);
        exits.jump(1);
        return;
      case "jump":
        exits.jump(0);
        return;
      case "leave":
        this.#emitLeave(end.target);
        return;
      case "return":
        this.#pushTarget(end.instruction);
        code.localSet(this.#pc).br(this.#exitLabel());
        return;
      case "dispatch":
        this.#emitDispatch(end.instruction, end.targets, exits);
        return;
      case "escape":
        this.#emitEscape();
        return;
      case "trap":
        emitSetFault(code, WORK_FAULT.trap);
        this.#leaveTo(ENDED);
        return;
      default:
        end satisfies never;
    }
  }

  #exitLabel(): Label {
    return must(this.#exit, "the function has begun");
  }

  #leaveTo(pc: number): void {
    this.#code.i32Const(pc).localSet(this.#pc).br(this.#exitLabel());
  }

  /** Pushes where a register says that it goes, its lowest bit included. */
  #pushTarget({ rs1, immediate }: Instruction): void {
    this.#registers.push(rs1);
    this.#code.i32WrapI64();
    if (immediate !== 0) this.#code.i32Const(immediate).i32Add();
  }

  #emitDispatch(instruction: Instruction, targets: readonly number[], exits: FlowExits): void {
    const code = this.#code;
    this.#pushTarget(instruction);
    code.localSet(this.#pc);
    const elsewhere = targets.length;
    const first = targets[0];
    if (first === undefined) {
      exits.jump(elsewhere);
      return;
    }
    const last = targets[targets.length - 1]!;
    const table = new Int32Array((last - first) / 2 + 1).fill(elsewhere);
    for (const [index, target] of targets.entries()) table[(target - first) / 2] = index;
    code.localGet(this.#pc).i32Const(first).i32Sub().i32Const(1).i32ShrU();
    exits.jumpTable(table, elsewhere);
  }

  /** Goes to where the local says: to a function that is known by its address, if this one may call such. */
  #emitEscape(): void {
    const { isOpen, results } = this.#function.face;
    if (isOpen) {
      const { pointerIndex, pointerSlots } = this.#compilation;
      this.#leaveIfTooDeep(pointerSlots, () => undefined);
      this.#storeAll(results);
      this.#code.localGet(this.#pc).i32Const(-2).i32And();
      this.#pushSlots(pointerSlots);
      this.#code.call(pointerIndex).return();
      return;
    }
    this.#code.br(this.#exitLabel());
  }

  /** Goes on in another function: called, though it does not come back here. */
  #emitLeave(target: number): void {
    const callee = this.#compilation.functions.get(target);
    if (callee === undefined) {
      this.#leaveTo(target);
      return;
    }
    this.#callDirectly(callee);
    this.#code.br(this.#exitLabel());
  }

  #emitCall({ instruction, pc, target }: PlacedInstruction): void {
    const code = this.#code;
    const back = pc + instruction.size;
    if (target === undefined) {
      this.#pushTarget(instruction);
      code.i32Const(-2).i32And().localSet(this.#pc);
    }
    this.#registers.setConstant(instruction.rd, back);
    if (target === undefined) this.#callPointer();
    else {
      const callee = this.#compilation.functions.get(target);
      if (callee === undefined) {
        this.#leaveTo(target);
        return;
      }
      this.#callDirectly(callee);
    }
    code.localGet(this.#pc).i32Const(back).i32Ne().brIf(this.#exitLabel());
  }

  /** Calls what the local says; leaves in it where to go on. */
  #callPointer(): void {
    const { pointerIndex, pointerSlots } = this.#compilation;
    this.#leaveIfTooDeep(pointerSlots, () => undefined);
    this.#storeAll(this.#function.face.results);
    this.#code.localGet(this.#pc);
    this.#pushSlots(pointerSlots);
    this.#code.call(pointerIndex).localSet(this.#pc);
    this.#loadAll();
  }

  /** Leaves in the local where to go on. */
  #callDirectly(callee: CompiledFunction): void {
    const code = this.#code;
    // One that calls nothing waits for nothing.
    if (callee.face.calls) {
      this.#leaveIfTooDeep(callee.slots, () => code.i32Const(callee.entry).localSet(this.#pc));
    }
    if (callee.face.isOpen) {
      this.#storeAll(this.#function.face.results);
      this.#pushSlots(callee.slots);
      code.call(callee.index).localSet(this.#pc);
      this.#loadAll();
      return;
    }
    const { parameters, results, hasSlots } = closedSignature(callee.face);
    code.localGet(this.#fuel);
    if (hasSlots) this.#pushSlots(callee.slots);
    for (const register of parameters) this.#registers.push(register);
    code.call(callee.index);
    for (const register of results.toReversed()) this.#registers.set(register);
    code.localSet(this.#fuel).localSet(this.#pc);
  }

  #mustSlots(): number {
    return must(this.#slots, "a function that calls knows what is left");
  }

  #pushSlots(taken: number): void {
    this.#code.localGet(this.#mustSlots()).i32Const(taken).i32Sub();
  }

  #leaveIfTooDeep(slots: number, setProgramCounter: () => void): void {
    this.#code.localGet(this.#mustSlots()).i32Const(slots).i32LtS().if();
    setProgramCounter();
    this.#code.br(this.#exitLabel()).end();
  }

  #storeAll(registers: RegisterSet): void {
    emitStoreFuel(this.#code, this.#fuel);
    this.#registers.store(registers);
  }

  #loadAll(): void {
    emitLoadFuel(this.#code, this.#fuel);
    this.#registers.load(this.#function.face.tracked);
  }

  #emitHostCall(): void {
    const code = this.#code;
    let operands = bit(A7);
    for (let index = 0; index < HOST_OPERANDS; index++) operands |= bit(A0 + index);
    this.#storeAll(operands);
    code.call(this.#compilation.hostIndex).if();
    this.#leaveTo(ENDED);
    code.end();
    emitLoadFuel(code, this.#fuel);
    this.#registers.load(bit(A0));
  }
}

/** Whether an instruction is what ends its block, and is emitted with the end. */
function isLast({ instructions, end }: Block, index: number): boolean {
  if (index !== instructions.length - 1) return false;
  const { operation, rd } = instructions[index]!.instruction;
  if (end.kind === "jump" || end.kind === "leave")
    return rd === 0 && (operation === "jal" || operation === "jalr");
  return true;
}
