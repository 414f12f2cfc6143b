import { type Address, addressToWord, bytesToBigint, EMPTY_BYTES, must, toHexDigits } from "@ostrom/base";
import { touchesMemory } from "../compiler/emit-host.ts";
import type { Entered } from "../enter.ts";
import { enterCreation, enterMessage, executeMessage, runUntilExit } from "../execute-message.ts";
import { forkRules } from "../fork-rules.ts";
import { endWith, endWithFault, type Frame, gasLeft, type Machine, setGasLeft } from "../frame.ts";
import { instructionsOf } from "../instruction-set.ts";
import { leave, resume } from "../leave.ts";
import { forkPrecompiles } from "../precompile-set.ts";
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
import { createRuntime } from "../runtime/runtime.ts";
import { isNodeFault } from "../runtime/webassembly.ts";
import type { ExecutionContext, Message, Outcome } from "../types.ts";
import { Arena, heapEnd, layFrame, pushResult } from "./arena.ts";
import { type CompiledContract, ContractCache, type ContractCounts } from "./compiled-contract.ts";

/** Above this an i64 could not hold the gas with room for what is charged before it is checked. */
const MAX_COMPILED_GAS = 2n ** 62n;

export type EngineOptions = {
  /** Shorter code is left to the reference. */
  readonly minimumCodeSize?: number;
  /** How far the engine's memory may grow, in pages of 64 KB; what needs more is run by the reference. */
  readonly maximumPages?: number;
};

/** How often each path was taken. */
export type EngineCounts = {
  /** Messages that ran here, and that the reference ran as a whole: because they are traced, or have too much gas. */
  messages: number;
  referenceMessages: number;
  /** Frames by who ran them. */
  compiledFrames: number;
  referenceFrames: number;
  /** Messages that began here and were run by the reference because of a fault of the node. */
  nodeFaults: number;
  readonly contracts: ContractCounts;
};

export type CompiledEngine = {
  /** As executeMessage, the reference, and with the same results. */
  readonly execute: (context: ExecutionContext, message: Message) => Outcome;
  readonly counts: EngineCounts;
};

/** A frame on the list of those that run or wait. */
type ActiveFrame = {
  readonly frame: Frame;
  /** undefined: the reference runs it. */
  readonly contract: CompiledContract | undefined;
  /** In linear memory. */
  readonly address: number;
  /** Where on the heap a frame that it calls may begin, if the reference runs it. */
  readonly heapStart: number;
};

/** An engine that compiles contracts to WebAssembly when they are first called. It has its own linear memory and is for one
 * thread; a message must end before the next begins. */
export function createCompiledEngine(options: EngineOptions = {}): CompiledEngine {
  const engine = new Engine(options);
  return { execute: (context, message) => engine.execute(context, message), counts: engine.counts };
}

class Engine {
  readonly #arena: Arena;
  readonly #contracts: ContractCache;
  readonly counts: EngineCounts;
  /** What the host function works on: the frame that runs. */
  #machine: Machine | undefined;
  #running: ActiveFrame | undefined;
  /** Numbers of the accounts whose storage frames of this message work on. */
  readonly #storageIds = new Map<string, number>();

  constructor({ minimumCodeSize, maximumPages }: EngineOptions) {
    const runtime = createRuntime(maximumPages);
    this.#arena = new Arena(runtime.memory);
    const host = (opcode: number | bigint): number => this.#runInHost(Number(opcode));
    this.#contracts = new ContractCache(runtime, host, minimumCodeSize);
    this.counts = {
      messages: 0,
      referenceMessages: 0,
      compiledFrames: 0,
      referenceFrames: 0,
      nodeFaults: 0,
      contracts: this.#contracts.counts,
    };
  }

  execute(context: ExecutionContext, message: Message): Outcome {
    if (context.onStep !== undefined || message.gas > MAX_COMPILED_GAS) {
      this.counts.referenceMessages++;
      return executeMessage(context, message);
    }
    this.counts.messages++;
    const checkpoint = context.state.checkpoint();
    try {
      return this.#execute(context, message);
    } catch (error) {
      // Never a result: all is undone, and the reference says what the result is.
      if (!isNodeFault(error)) throw error;
      this.counts.nodeFaults++;
      context.state.revertTo(checkpoint);
      return executeMessage(context, message);
    } finally {
      this.#machine = undefined;
      this.#running = undefined;
    }
  }

  #execute(context: ExecutionContext, message: Message): Outcome {
    const machine: Machine = {
      context,
      rules: forkRules(context.fork),
      precompiles: context.precompiles ?? forkPrecompiles(context.fork),
      instructions: instructionsOf(context.fork),
    };
    const entered: Entered =
      message.to === undefined ? enterCreation(machine, message) : enterMessage(machine, message);
    if (entered.kind === "done") return entered.outcome;
    this.#machine = machine;
    this.#writeTransaction(context);
    return this.#runFrames(machine, entered.frame);
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

  /** The trampoline: as the reference's, with frames of both kinds on one list. */
  #runFrames(machine: Machine, outermost: Frame): Outcome {
    const frames: ActiveFrame[] = [];
    let entry = this.#begin(frames, outermost);
    for (;;) {
      const active = must(frames[frames.length - 1], "a frame must run");
      if (active.contract === undefined) {
        runUntilExit(machine, active.frame);
        this.#forgetSlots();
      } else this.#runCompiled(active, active.contract, entry);
      const exit = must(active.frame.exit, "a frame must stop for a reason");
      if (exit.kind === "enter") {
        entry = this.#begin(frames, exit.child);
        continue;
      }
      const outcome = leave(machine, active.frame, exit);
      if (outcome.status !== "success") this.#forgetSlots();
      frames.pop();
      const waiting = frames[frames.length - 1];
      if (waiting === undefined) return outcome;
      if (waiting.contract !== undefined) this.#showMemory(waiting);
      resume(waiting.frame, outcome);
      if (waiting.contract !== undefined) entry = this.#prepareToGoOn(waiting);
    }
  }

  /** Puts a frame on the list. @returns the entry at which it begins. */
  #begin(frames: ActiveFrame[], frame: Frame): number {
    const arena = this.#arena;
    const caller = frames[frames.length - 1];
    const heapStart =
      caller === undefined || caller.contract !== undefined
        ? heapEnd(arena, caller?.address)
        : caller.heapStart;
    const contract = this.#contracts.find(frame.code, this.#mustMachine().context.fork);
    const address = frameAddress(frame.depth);
    frames.push({ frame, contract, address, heapStart });
    if (contract === undefined) {
      this.counts.referenceFrames++;
      return 0;
    }
    this.counts.compiledFrames++;
    layFrame(arena, address, heapStart, {
      gas: gasLeft(frame),
      input: frame.input,
      address: addressToWord(frame.address),
      caller: addressToWord(frame.caller),
      value: frame.value,
      storageId: this.#storageId(frame.address),
    });
    return 0;
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
  #runCompiled(active: ActiveFrame, contract: CompiledContract, firstEntry: number): void {
    const { frame, address } = active;
    const machine = this.#mustMachine();
    const arena = this.#arena;
    this.#running = active;
    let entry = firstEntry;
    for (;;) {
      const status = contract.run(address, entry) as number;
      arena.refresh();
      if (status < STATUS.call) {
        this.#end(active, status);
        return;
      }
      this.#runInstruction(machine, active, status - STATUS.call);
      if (frame.exit !== undefined) return;
      entry = this.#prepareToGoOn(active);
    }
  }

  #end({ frame, address }: ActiveFrame, status: number): void {
    if (status === STATUS.endedByHost) return;
    const fault = FAULT_OF_STATUS[status];
    if (fault !== undefined) {
      endWithFault(frame, fault);
      return;
    }
    const arena = this.#arena;
    setGasLeft(frame, arena.gas(address));
    if (status === STATUS.stop) {
      endWith(frame, "success", EMPTY_BYTES);
      return;
    }
    const size = arena.number(address + FRAME.outputSize);
    const from = arena.number(address + FRAME.memoryBase) + arena.number(address + FRAME.outputOffset);
    const output = size === 0 ? EMPTY_BYTES : arena.copy(from, size);
    endWith(frame, status === STATUS.return ? "success" : "revert", output);
  }

  /** Tells a compiled frame what came of its call. @returns the entry at which it goes on. */
  #prepareToGoOn({ frame, address }: ActiveFrame): number {
    const arena = this.#arena;
    arena.setGas(address, gasLeft(frame));
    pushResult(arena, address, must(frame.stack.pop(), "a call leaves its result on the stack"));
    arena.setNumber(address + FRAME.returnDataSize, frame.returnData.length);
    // What lies beyond was used by the frames that have run meanwhile.
    arena.setNumber(address + FRAME.memoryClean, arena.number(address + FRAME.memorySize));
    return arena.number(address + FRAME.resumeEntry);
  }

  /** Called by compiled code, for an instruction that needs the state. @returns 1 if the frame has ended, else 0. */
  #runInHost(opcode: number): number {
    const arena = this.#arena;
    const active = must(this.#running, "only a frame that runs calls the host");
    const { frame, address } = active;
    arena.refresh();
    this.#runInstruction(this.#mustMachine(), active, opcode);
    if (frame.exit !== undefined) return 1;
    arena.setGas(address, gasLeft(frame));
    const result = frame.stack.pop();
    if (result !== undefined) arena.setWord(OPERANDS, result);
    return 0;
  }

  /** Runs the reference's own instruction on the operands that lie in OPERANDS. */
  #runInstruction(machine: Machine, active: ActiveFrame, opcode: number): void {
    const arena = this.#arena;
    const { frame, address } = active;
    const instruction = must(machine.instructions[opcode], "only instructions of the fork are compiled");
    for (let position = instruction.pops - 1; position >= 0; position--) {
      frame.stack.push(arena.word(OPERANDS + position * WORD_BYTES));
    }
    setGasLeft(frame, arena.gas(address));
    if (touchesMemory(opcode)) this.#showMemory(active);
    instruction.run(machine, frame);
  }

  /** Lets the reference's code see the frame's memory, which compiled code may have moved or grown. */
  #showMemory({ frame, address }: ActiveFrame): void {
    const arena = this.#arena;
    arena.refresh();
    const size = arena.number(address + FRAME.memorySize);
    frame.memory.bytes = arena.view(arena.number(address + FRAME.memoryBase), size);
    frame.memory.size = size;
  }

  #mustMachine(): Machine {
    return must(this.#machine, "a message must run");
  }
}
