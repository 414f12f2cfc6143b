import { assert, must, type Random } from "@ostrom/base";
import { HOST_FUNCTION, RUN_FUNCTION } from "../compiler/compile-contract.ts";
import { touchesMemory } from "../compiler/emit-host.ts";
import type { ProgramRunner } from "../contract-host/types.ts";
import { runUntilExit } from "../execute-message.ts";
import type { Frame, Machine } from "../frame.ts";
import { createInterpreter, type Interpreter } from "../interpreter/index.ts";
import { leave, resume } from "../leave.ts";
import { OP } from "../opcodes.ts";
import { FAULT_OF_STATUS, STATUS } from "../runtime/exit-status.ts";
import { frameAddress, OPERANDS, WORD_BYTES } from "../runtime/memory-layout.ts";
import { createRuntime, type Runtime } from "../runtime/runtime.ts";
import { MEMORY_NAME, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import { SlotJournal } from "../runtime/slot-journal.ts";
import {
  instantiateWasm,
  type WasmFunction,
  type WasmMemory,
  type WasmModule,
} from "../runtime/webassembly.ts";
import type { Outcome } from "../types.ts";
import { AddressBook } from "./address-book.ts";
import { Arena, heapEnd, layFrame, putOnHeap, type Region } from "./arena.ts";
import { checkFrame, damaged, takeGas } from "./frame-integrity.ts";
import type { ProgramRunners } from "./program-runners.ts";
import { beginTierCall, inputOf, isCall, leaveTierCall } from "./tier-calls.ts";
import { runTierInstruction, type TierHost } from "./tier-host.ts";
import type { CodeUse, Tier1Cache } from "./tier1-cache.ts";
import { endTiered, prepareToGoOn, showMemory, type TieredFrame } from "./tiered-frame.ts";
import { writeTransaction } from "./transaction-words.ts";

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
  /** Where its input is in linear memory, if a frame that is laid there has called it. */
  readonly input: Region | undefined;
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
  readonly #slots: SlotJournal;
  readonly #book = new AddressBook();
  readonly #tierHost: TierHost;
  /** The input of the frame that is about to begin, if a frame in linear memory has called it. */
  #nextInput: Region | undefined;

  constructor(options: FrameRunnerOptions) {
    this.#options = options;
    this.#runtime = createRuntime(options.maximumPages);
    this.#arena = new Arena(this.#runtime.memory);
    this.#slots = new SlotJournal(this.#runtime.memory);
    this.#tierHost = { arena: this.#arena, book: this.#book, blockHashes: new Map() };
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
    this.#nextInput = undefined;
    this.#book.begin(machine);
    this.#tierHost.blockHashes.clear();
    this.#interpreter.codeArea.beginMessage();
    this.#arena.refresh();
    this.#slots.drop();
    writeTransaction(this.#arena, machine.context);
    const outcome = this.#runFrames(machine, outermost);
    this.#machine = undefined;
    this.#running = undefined;
    this.#book.end();
    return outcome;
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
      if (active.laid !== undefined && exit.status === "success") this.#tellSlots(machine);
      const waiting = frames.length - 1 > below ? frames[frames.length - 2] : undefined;
      if (waiting?.laid !== undefined && isTierCall(waiting.frame, active)) {
        leaveTierCall(machine, active.frame, exit, waiting.frame, this.#arena, waiting.laid.memoryBase);
        if (exit.status !== "success") this.#slots.drop();
        frames.pop();
        entry = prepareToGoOn(this.#arena, waiting.frame, waiting.laid);
        continue;
      }
      const outcome = leave(machine, active.frame, exit);
      if (outcome.status !== "success") this.#slots.drop();
      frames.pop();
      if (waiting === undefined) return outcome;
      entry = this.#resume(waiting, outcome);
    }
  }

  /** @returns the entry at which the frame goes on. */
  #resume(waiting: ActiveFrame, outcome: Outcome): number {
    const { frame, laid } = waiting;
    if (laid === undefined) {
      this.#showInput(waiting);
      resume(frame, outcome);
      return 0;
    }
    showMemory(this.#arena, frame, laid);
    resume(frame, outcome);
    return prepareToGoOn(this.#arena, frame, laid);
  }

  #run(machine: Machine, active: ActiveFrame, entry: number): void {
    if (active.laid !== undefined) {
      this.#runLaid(machine, active, active.laid, entry);
      return;
    }
    const { frame, runProgram } = active;
    if (runProgram === undefined) runUntilExit(machine, frame);
    else this.#runProgram(machine, active, runProgram);
    // It may have changed slots.
    this.#slots.forget();
  }

  /** A program's calls run inside it, on V8's stack. */
  #runProgram(machine: Machine, active: ActiveFrame, run: ProgramRunner): void {
    const { frame } = active;
    const program = must(frame.program, "a program runs");
    run(machine, frame, program, (child) => {
      this.#slots.forget();
      const outcome = this.#runFrames(machine, child);
      this.#showInput(active);
      return outcome;
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
    const input = this.#nextInput;
    this.#nextInput = undefined;
    const isReference = typeof policy === "object" && policy.bySeed.chance(1, REFERENCE_SHARE);
    const runProgram = frame.program === undefined || isReference ? undefined : programs[frame.program.kind];
    if (frame.program === undefined && !isReference) {
      const laid = this.#lay(machine, frame, heapStart, input);
      this.#frames.push({ frame, heapStart, runProgram, laid, input });
      return 0;
    }
    if (runProgram === undefined) counts.reference++;
    else counts.program++;
    const active = { frame, heapStart, runProgram, laid: undefined, input };
    this.#frames.push(active);
    this.#showInput(active);
    return 0;
  }

  /** Decides who runs a frame, and lays it out for a tier.
   * @param input where it is, if it is in linear memory already. */
  #lay(
    { context: { fork } }: Machine,
    frame: Frame,
    heapStart: number,
    input: Region | undefined,
  ): TieredFrame {
    const { cache, policy, counts } = this.#options;
    const arena = this.#arena;
    const use = policy === "tier0" ? undefined : cache.use(frame.code, fork);
    const compiled = use === undefined ? undefined : this.#compiled(use, frame);
    const address = frameAddress(frame.depth);
    let start = heapStart;
    if (compiled === undefined) {
      counts.tier0++;
      start = this.#interpreter.codeArea.attach(address, frame.code, fork, heapStart);
      arena.refresh();
    } else counts.tier1++;
    const inputRegion = input ?? { address: start, size: frame.input.length };
    if (input === undefined) start = putOnHeap(arena, start, frame.input);
    const { gas } = frame;
    const account = this.#book.of(frame.address);
    const memoryBase = layFrame(arena, address, start, {
      gas,
      input: inputRegion,
      address: account,
      caller: this.#book.of(frame.caller),
      value: frame.value,
    });
    const { storageId } = account;
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

  /** Before anything else may look at the state: what code wrote to storage without the host. */
  #tellSlots({ context: { state } }: Machine): void {
    this.#slots.tell(state, (id) => {
      const address = this.#book.withStorageId(id);
      if (address === undefined) throw damaged("account of a slot");
      return address;
    });
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
      this.#slots.open(frame.isStatic);
      const status = laid.run(laid.address, entry) as number;
      arena.refresh();
      checkFrame(arena, laid, status);
      if (laid.use !== undefined) this.#countGas(laid, laid.use, frame, before, status);
      if (status < STATUS.call) {
        endTiered(arena, frame, laid, status);
        return;
      }
      this.#tellSlots(machine);
      this.#runCall(machine, frame, laid, status - STATUS.call);
      if (frame.exit !== undefined) return;
      entry = prepareToGoOn(this.#arena, frame, laid);
    }
  }

  /** A fault has spent all that there was. */
  #countGas(laid: TieredFrame, use: CodeUse, { code }: Frame, before: number, status: number): void {
    const left = FAULT_OF_STATUS[status] === undefined ? takeGas(this.#arena, laid) : 0;
    this.#options.cache.spend(use, code, before - left);
  }

  /** Called by code, for an instruction that needs the state. @returns 1 if the frame has ended, else 0. */
  #runInHost(opcode: number): number {
    const arena = this.#arena;
    const { frame, laid } = must(this.#running, "only a frame that runs calls the host");
    const tiered = must(laid, "the reference does not call the host");
    arena.refresh();
    const machine = must(this.#machine, "a message must run");
    frame.gas = takeGas(arena, tiered);
    if (!runTierInstruction(machine, frame, opcode, tiered.address, this.#tierHost))
      this.#runByReference(machine, frame, tiered, opcode);
    if (frame.exit !== undefined) return 1;
    tiered.gas = frame.gas;
    arena.setGas(tiered.address, tiered.gas);
    return 0;
  }

  #runByReference(machine: Machine, frame: Frame, laid: TieredFrame, opcode: number): void {
    const arena = this.#arena;
    const isSlot = opcode === OP.SLOAD || opcode === OP.SSTORE;
    const slot = isSlot ? arena.word(OPERANDS) : 0n;
    if (opcode === OP.SSTORE) this.#tellSlots(machine);
    this.#runInstruction(machine, frame, laid, opcode);
    if (frame.exit !== undefined) return;
    if (isSlot) this.#slots.tellOriginal(machine.context.state, frame.address, slot);
    const result = frame.stack.pop();
    if (result !== undefined) arena.setWord(OPERANDS, result);
  }

  /** CALL or CREATE. */
  #runCall(machine: Machine, frame: Frame, laid: TieredFrame, opcode: number): void {
    const arena = this.#arena;
    const { policy } = this.#options;
    frame.gas = takeGas(arena, laid);
    let input: Region | undefined;
    if (isCall(opcode)) {
      const { address, size } = inputOf(arena, opcode);
      input = { address: laid.memoryBase + address, size };
    }
    const isGeneral =
      input === undefined ||
      (typeof policy === "object" && policy.bySeed.chance(1, 2)) ||
      !beginTierCall(machine, frame, opcode, arena, this.#book, laid.memoryBase);
    if (isGeneral) this.#runInstruction(machine, frame, laid, opcode);
    if (frame.exit?.kind === "enter") this.#nextInput = input;
  }

  /** Runs the reference's own instruction on the operands that lie in OPERANDS. */
  #runInstruction(machine: Machine, frame: Frame, laid: TieredFrame, opcode: number): void {
    const arena = this.#arena;
    const instruction = machine.instructions[opcode];
    if (instruction === undefined) throw damaged("instruction");
    for (let position = instruction.pops - 1; position >= 0; position--) {
      frame.stack.push(arena.word(OPERANDS + position * WORD_BYTES));
    }
    if (touchesMemory(opcode)) showMemory(this.#arena, frame, laid);
    instruction.run(machine, frame);
  }

  /** Lets a frame see its input where it lies, of which a view is good until the memory grows. */
  #showInput({ frame, input }: ActiveFrame): void {
    if (input === undefined || input.size === 0) return;
    this.#arena.refresh();
    frame.input = this.#arena.view(input.address, input.size);
  }
}

function isTierCall(waiting: Frame, ended: ActiveFrame): boolean {
  return ended.laid !== undefined && ended.frame.kind === "call" && waiting.pending?.kind === "call";
}
