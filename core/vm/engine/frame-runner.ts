import {
  type Address,
  addressToWord,
  assert,
  bytesToBigint,
  EMPTY_BYTES,
  must,
  type Random,
  toHexDigits,
} from "@ostrom/base";
import { HOST_FUNCTION, RUN_FUNCTION } from "../compiler/compile-contract.ts";
import { touchesMemory } from "../compiler/emit-host.ts";
import type { ProgramRunner } from "../contract-host/types.ts";
import { runUntilExit } from "../execute-message.ts";
import { endWith, endWithFault, type Frame, gasLeft, type Machine, setGasLeft } from "../frame.ts";
import { createInterpreter, type Interpreter } from "../interpreter/index.ts";
import { leave, resume } from "../leave.ts";
import { FAULT_OF_STATUS, STATUS } from "../runtime/exit-status.ts";
import {
  FRAME,
  frameAddress,
  OPERANDS,
  SLOT,
  SLOT_TABLE,
  STORAGE_GENERATION,
  TRANSACTION_WORDS,
  WORD_BYTES,
} from "../runtime/memory-layout.ts";
import { createRuntime, type Runtime } from "../runtime/runtime.ts";
import { MEMORY_NAME, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import {
  instantiateWasm,
  type WasmFunction,
  type WasmMemory,
  type WasmModule,
} from "../runtime/webassembly.ts";
import type { ExecutionContext, Outcome } from "../types.ts";
import { Arena, heapEnd, layFrame, pushResult } from "./arena.ts";
import { checkFrame, damaged, type LaidFrame, takeGas } from "./frame-integrity.ts";
import type { ProgramRunners } from "./program-runners.ts";
import type { CodeUse, Tier1Cache } from "./tier1-cache.ts";

/** How frames are given to tiers. All but `mixed` wait for code to be compiled; code that cannot be compiled is always tier
 * 0's. `bySeed` is for tests: each frame goes to a tier, or to the reference, at random. */
export type FramePolicy = "tier0" | "tier1" | "mixed" | { readonly bySeed: Random };

/** How many frames ran where. */
export type FrameCounts = { tier0: number; tier1: number; program: number; reference: number };

/** A frame on the list of those that run or wait. */
type ActiveFrame = {
  readonly frame: Frame;
  /** Where on the heap a frame that it calls may begin, if it has nothing there itself. */
  readonly heapStart: number;
  /** undefined: it has nothing in linear memory, because a runner of programs or the reference runs it. */
  readonly laid: TieredFrame | undefined;
  readonly runProgram: ProgramRunner | undefined;
};

/** A frame that runs in a tier, on linear memory. */
type TieredFrame = LaidFrame & {
  /** (frame, entry) -> status. */
  readonly run: WasmFunction;
  /** Where what it spends is counted. */
  readonly use: CodeUse | undefined;
};

export type FrameRunnerOptions = {
  readonly cache: Tier1Cache;
  readonly policy: FramePolicy;
  readonly counts: FrameCounts;
  readonly programs: ProgramRunners;
  readonly maximumPages: number | undefined;
  /** For tests of faults: sees the memory each time before code runs on it. */
  readonly disturb: ((memory: WasmMemory) => void) | undefined;
};

/** One frame of so many is left to the reference where a seed decides. */
const REFERENCE_SHARE = 10;

/** Runs the frames of messages in tiers 0 and 1, on a linear memory of its own. For one thread; a message must end before the
 * next begins. Once it has thrown, it must not be used again. */
export class FrameRunner {
  readonly #runtime: Runtime;
  readonly #arena: Arena;
  readonly #interpreter: Interpreter;
  readonly #host: WasmFunction;
  readonly #options: FrameRunnerOptions;
  readonly #frames: ActiveFrame[] = [];
  readonly #instantiate = (module: WasmModule): WasmFunction => this.#instance(module);
  /** What the host function works on: the frame that runs. */
  #machine: Machine | undefined;
  #running: ActiveFrame | undefined;
  /** Numbers of the accounts whose storage frames of this message work on. */
  readonly #storageIds = new Map<string, number>();

  constructor(options: FrameRunnerOptions) {
    this.#options = options;
    this.#runtime = createRuntime(options.maximumPages);
    this.#arena = new Arena(this.#runtime.memory);
    this.#host = (opcode) => this.#runInHost(Number(opcode));
    this.#interpreter = createInterpreter(this.#runtime, this.#host);
    // Instances of another memory would run on it.
    options.cache.forgetInstances();
  }

  #instance(module: WasmModule): WasmFunction {
    const exports = instantiateWasm(module, {
      [RUNTIME_MODULE]: {
        ...this.#runtime.functions,
        [MEMORY_NAME]: this.#runtime.memory,
        [HOST_FUNCTION]: this.#host,
      },
    });
    return must(exports[RUN_FUNCTION], "a compiled contract exports its function");
  }

  /** Runs a message whose outermost frame has been entered. */
  runMessage(machine: Machine, outermost: Frame): Outcome {
    this.#machine = machine;
    this.#frames.length = 0;
    this.#interpreter.codeArea.beginMessage();
    this.#writeTransaction(machine.context);
    const outcome = this.#runFrames(machine, outermost);
    this.#machine = undefined;
    this.#running = undefined;
    return outcome;
  }

  #writeTransaction({ block, transaction }: ExecutionContext): void {
    const arena = this.#arena;
    arena.refresh();
    this.#forgetSlots();
    this.#storageIds.clear();
    arena.setWord(TRANSACTION_WORDS.origin, addressToWord(transaction.origin));
    arena.setWord(TRANSACTION_WORDS.gasPrice, transaction.gasPrice);
    arena.setWord(TRANSACTION_WORDS.coinbase, addressToWord(block.coinbase));
    arena.setWord(TRANSACTION_WORDS.timestamp, block.timestamp);
    arena.setWord(TRANSACTION_WORDS.number, block.number);
    arena.setWord(TRANSACTION_WORDS.prevRandao, bytesToBigint(block.prevRandao));
    arena.setWord(TRANSACTION_WORDS.gasLimit, block.gasLimit);
    arena.setWord(TRANSACTION_WORDS.chainId, block.chainId);
    arena.setWord(TRANSACTION_WORDS.baseFee, block.baseFeePerGas);
    arena.setWord(TRANSACTION_WORDS.blobBaseFee, block.blobBaseFee);
  }

  /** The trampoline: as the reference's, with frames of all kinds on one list.
   * @param first runs, and all that it calls, above the frames that wait already. */
  #runFrames(machine: Machine, first: Frame): Outcome {
    const frames = this.#frames;
    const below = frames.length;
    let entry = this.#begin(machine, first);
    for (;;) {
      const active = must(frames[frames.length - 1], "a frame must run");
      this.#run(machine, active, entry);
      const exit = must(active.frame.exit, "a frame must stop for a reason");
      if (exit.kind === "enter") {
        entry = this.#begin(machine, exit.child);
        continue;
      }
      const outcome = leave(machine, active.frame, exit);
      if (outcome.status !== "success") this.#forgetSlots();
      frames.pop();
      if (frames.length === below) return outcome;
      const waiting = must(frames[frames.length - 1], "a frame must wait");
      if (waiting.laid !== undefined) this.#showMemory(waiting.frame, waiting.laid);
      resume(waiting.frame, outcome);
      if (waiting.laid !== undefined) entry = this.#prepareToGoOn(waiting.frame, waiting.laid);
    }
  }

  #run(machine: Machine, active: ActiveFrame, entry: number): void {
    if (active.laid !== undefined) {
      this.#runLaid(machine, active, active.laid, entry);
      return;
    }
    const { frame, runProgram } = active;
    if (runProgram === undefined) runUntilExit(machine, frame);
    else this.#runProgram(machine, frame, runProgram);
    // It may have changed slots.
    this.#forgetSlots();
  }

  /** A program's calls run inside it, on V8's stack. */
  #runProgram(machine: Machine, frame: Frame, run: ProgramRunner): void {
    const program = must(frame.program, "a program runs");
    run(machine, frame, program, (child) => {
      this.#forgetSlots();
      return this.#runFrames(machine, child);
    });
    assert(frame.exit?.kind === "halt", "a program that has run has ended");
  }

  /** Puts a frame on the list. @returns the entry at which it begins. */
  #begin(machine: Machine, frame: Frame): number {
    const caller = this.#frames[this.#frames.length - 1];
    const heapStart =
      caller === undefined || caller.laid !== undefined
        ? heapEnd(this.#arena, caller?.laid?.address)
        : caller.heapStart;
    const { policy, counts, programs } = this.#options;
    const isReference = typeof policy === "object" && policy.bySeed.chance(1, REFERENCE_SHARE);
    const runProgram = frame.program === undefined || isReference ? undefined : programs[frame.program.kind];
    if (frame.program === undefined && !isReference) {
      this.#frames.push({ frame, heapStart, runProgram, laid: this.#lay(machine, frame, heapStart) });
      return 0;
    }
    if (runProgram === undefined) counts.reference++;
    else counts.program++;
    this.#frames.push({ frame, heapStart, runProgram, laid: undefined });
    return 0;
  }

  /** Decides who runs a frame, and lays it out for a tier. */
  #lay({ context: { fork } }: Machine, frame: Frame, heapStart: number): TieredFrame | undefined {
    const { cache, policy, counts } = this.#options;
    const use = policy === "tier0" ? undefined : cache.use(frame.code, fork);
    const compiled = use === undefined ? undefined : this.#compiled(use, frame);
    const address = frameAddress(frame.depth);
    let inputStart = heapStart;
    if (compiled === undefined) {
      counts.tier0++;
      inputStart = this.#interpreter.codeArea.attach(address, frame.code, fork, heapStart);
      this.#arena.refresh();
    } else counts.tier1++;
    const gas = gasLeft(frame);
    const storageId = this.#storageId(frame.address);
    const memoryBase = layFrame(this.#arena, address, inputStart, {
      gas,
      input: frame.input,
      address: addressToWord(frame.address),
      caller: addressToWord(frame.caller),
      value: frame.value,
      storageId,
    });
    const run = compiled ?? this.#interpreter.run;
    return { run, use: compiled === undefined ? use : undefined, address, memoryBase, storageId, gas };
  }

  #compiled(use: CodeUse, { code }: Frame): WasmFunction | undefined {
    const { cache, policy } = this.#options;
    if (typeof policy === "object" && policy.bySeed.chance(1, 2)) return undefined;
    if (policy !== "mixed") cache.demand(use, code);
    cache.poll();
    return cache.find(use, this.#instantiate);
  }

  #storageId(address: Address): number {
    const key = toHexDigits(address);
    const known = this.#storageIds.get(key) ?? this.#storageIds.size;
    this.#storageIds.set(key, known);
    return known;
  }

  /** What compiled code knows of storage may be wrong from now on: it has to ask again. */
  #forgetSlots(): void {
    const arena = this.#arena;
    arena.refresh();
    let generation = arena.number(STORAGE_GENERATION) + 1;
    if (generation === 2 ** 32) {
      // Before numbers come again, nothing may be left of the generations that had them.
      arena.fill(SLOT_TABLE.at, SLOT.size * 2 ** SLOT_TABLE.indexBits);
      generation = 1;
    }
    arena.setNumber(STORAGE_GENERATION, generation);
  }

  /** Runs a frame's code until it ends or enters another frame. */
  #runLaid(machine: Machine, active: ActiveFrame, laid: TieredFrame, firstEntry: number): void {
    const { frame } = active;
    const { disturb } = this.#options;
    const arena = this.#arena;
    this.#running = active;
    let entry = firstEntry;
    for (;;) {
      disturb?.(this.#runtime.memory);
      const before = laid.gas;
      const status = laid.run(laid.address, entry) as number;
      arena.refresh();
      checkFrame(arena, laid, status);
      if (laid.use !== undefined) this.#countGas(laid, laid.use, frame, before, status);
      if (status < STATUS.call) {
        this.#end(frame, laid, status);
        return;
      }
      this.#runInstruction(machine, frame, laid, status - STATUS.call);
      if (frame.exit !== undefined) return;
      entry = this.#prepareToGoOn(frame, laid);
    }
  }

  /** A fault has spent all that there was. */
  #countGas(laid: TieredFrame, use: CodeUse, { code }: Frame, before: bigint, status: number): void {
    const left = FAULT_OF_STATUS[status] === undefined ? takeGas(this.#arena, laid) : 0n;
    this.#options.cache.spend(use, code, Number(before - left));
  }

  #end(frame: Frame, laid: TieredFrame, status: number): void {
    if (status === STATUS.endedByHost) return;
    const fault = FAULT_OF_STATUS[status];
    if (fault !== undefined) {
      endWithFault(frame, fault);
      return;
    }
    const arena = this.#arena;
    setGasLeft(frame, takeGas(arena, laid));
    if (status === STATUS.stop) {
      endWith(frame, "success", EMPTY_BYTES);
      return;
    }
    const size = arena.number(laid.address + FRAME.outputSize);
    const from = laid.memoryBase + arena.number(laid.address + FRAME.outputOffset);
    const output = size === 0 ? EMPTY_BYTES : arena.copy(from, size);
    endWith(frame, status === STATUS.return ? "success" : "revert", output);
  }

  /** Tells a frame in a tier what came of its call. @returns the entry at which it goes on. */
  #prepareToGoOn(frame: Frame, laid: TieredFrame): number {
    const arena = this.#arena;
    const { address } = laid;
    laid.gas = gasLeft(frame);
    arena.setGas(address, laid.gas);
    pushResult(arena, address, must(frame.stack.pop(), "a call leaves its result on the stack"));
    arena.setNumber(address + FRAME.returnDataSize, frame.returnData.length);
    // What lies beyond was used by the frames that have run meanwhile.
    arena.setNumber(address + FRAME.memoryClean, arena.number(address + FRAME.memorySize));
    return arena.number(address + FRAME.resumeEntry);
  }

  /** Called by code, for an instruction that needs the state. @returns 1 if the frame has ended, else 0. */
  #runInHost(opcode: number): number {
    const arena = this.#arena;
    const { frame, laid } = must(this.#running, "only a frame that runs calls the host");
    const tiered = must(laid, "the reference does not call the host");
    arena.refresh();
    this.#runInstruction(must(this.#machine, "a message must run"), frame, tiered, opcode);
    if (frame.exit !== undefined) return 1;
    tiered.gas = gasLeft(frame);
    arena.setGas(tiered.address, tiered.gas);
    const result = frame.stack.pop();
    if (result !== undefined) arena.setWord(OPERANDS, result);
    return 0;
  }

  /** Runs the reference's own instruction on the operands that lie in OPERANDS. */
  #runInstruction(machine: Machine, frame: Frame, laid: TieredFrame, opcode: number): void {
    const arena = this.#arena;
    const instruction = machine.instructions[opcode];
    if (instruction === undefined) throw damaged("instruction");
    for (let position = instruction.pops - 1; position >= 0; position--) {
      frame.stack.push(arena.word(OPERANDS + position * WORD_BYTES));
    }
    setGasLeft(frame, takeGas(arena, laid));
    if (touchesMemory(opcode)) this.#showMemory(frame, laid);
    instruction.run(machine, frame);
  }

  /** Lets the reference's code see the frame's memory, which code may have moved or grown. */
  #showMemory(frame: Frame, laid: TieredFrame): void {
    const arena = this.#arena;
    arena.refresh();
    const size = arena.number(laid.address + FRAME.memorySize);
    frame.memory.bytes = arena.view(laid.memoryBase, size);
    frame.memory.size = size;
  }
}
