import { createRandom } from "@ostrom/base";
import { enterCreation, enterMessage, executeMessage } from "../execute-message.ts";
import { createMachine } from "../machine.ts";
import type { MessageEngine } from "../message-engine.ts";
import type { RiscvCompileService } from "../riscv/index.ts";
import { BLOB_HASHES } from "../runtime/memory-layout.ts";
import { isNodeFault, NodeFault, type WasmMemory } from "../runtime/webassembly.ts";
import type { ExecutionContext, Message, Outcome } from "../types.ts";
import { type CompileService, createInlineCompileService } from "./compile-service.ts";
import { type FrameCounts, type FramePolicy, FrameRunner } from "./frame-runner.ts";
import { createProgramRunners } from "./program-runners.ts";
import { Tier1Cache, type Tier1Counts } from "./tier1-cache.ts";
import { verifyMessage } from "./verify-message.ts";
import { warmUp } from "./warm-up-messages.ts";

/** Gas is an i64 there, and a number in the host: exact, even where what is charged before it is checked makes it negative. */
const MAX_TIERED_GAS = 2n ** 51n;

/** Who runs code:
 * - `mixed`, as a node does: tier 0 at first, tier 1 once the code has spent enough gas and has been compiled;
 * - `tier0`, `tier1`: that tier alone (code that cannot be compiled is tier 0's);
 * - `reference`: neither. */
export type EngineTiers = "reference" | "tier0" | "tier1" | "mixed";

export type EngineOptions = {
  /** `mixed` unless told. */
  readonly tiers?: EngineTiers;
  /** Where `mixed` has code compiled: on this thread at once unless told. */
  readonly compileService?: CompileService;
  /** As compileService, for programs in RISC-V. */
  readonly riscvCompileService?: RiscvCompileService;
  /** How much gas code has to spend before `mixed` has it compiled, and again for each 4 KB: COMPILE_GAS unless told. */
  readonly compileGas?: number;
  /** Of all compiled modules: MODULE_CACHE_BYTES unless told. */
  readonly moduleCacheBytes?: number;
  /** For tests of `mixed`: each frame goes to a tier, or to the reference, at random, by this seed. */
  readonly mixedBySeed?: number;
  /** Runs each so manieth message in the reference too, and stops at a difference; never unless told. */
  readonly verifyEvery?: number;
  /** Is told of each fault of the node that was overcome, and the tiers in which it happened. */
  readonly onNodeFault?: (error: unknown, tiers: EngineTiers) => void;
  /** How far the engine's memory may grow, in pages of 64 KB. */
  readonly maximumPages?: number;
  /** For tests of faults: sees the engine's memory each time before code runs on it, and may damage it or throw. */
  readonly disturb?: (memory: WasmMemory) => void;
};

export type EngineCounts = {
  /** Messages that had code to run. */
  messages: number;
  /** Those of them that the reference ran whole: traced, with too much gas, because of node faults, or because it was to. */
  referenceMessages: number;
  /** Faults of the node; each has undone a message, which was then run again. */
  nodeFaults: number;
  /** Messages that ran in the reference too, with the same result. */
  verified: number;
  readonly frames: FrameCounts;
  readonly tier1: Tier1Counts;
};

export type ContractEngine = {
  /** As executeMessage, the reference, and with the same results.
   * Throws EngineDivergence if a message that was run twice had two results; NodeFault if even the reference failed. */
  readonly execute: MessageEngine;
  /** Changes who runs code from the next message on. */
  readonly setTiers: (tiers: EngineTiers) => void;
  /** Runs code of its own until tier 0 is fast: V8 compiles what runs, and optimizes what runs often. */
  readonly warmUp: () => void;
  readonly counts: EngineCounts;
};

/** What is tried in place of tiers in which the node has failed. */
const NEXT_TIERS: Readonly<Record<EngineTiers, EngineTiers | undefined>> = {
  mixed: "tier0",
  tier1: "tier0",
  tier0: "reference",
  reference: undefined,
};

/** An engine that runs contracts in tiers. It has its own linear memory and is for one thread; a message must end before the
 * next begins. */
export function createContractEngine(options: EngineOptions = {}): ContractEngine {
  const engine = new Engine(options);
  return {
    execute: (context, message) => engine.execute(context, message),
    setTiers: (tiers) => engine.setTiers(tiers),
    warmUp: () => warmUp((context, message) => engine.execute(context, message)),
    counts: engine.counts,
  };
}

class Engine {
  readonly #options: EngineOptions;
  #tiers: EngineTiers;
  readonly #cache: Tier1Cache;
  /** One at a time, because the cache's instances are of its memory. */
  #running: { readonly tiers: EngineTiers; readonly runner: FrameRunner } | undefined;
  readonly counts: EngineCounts;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#tiers = options.tiers ?? "mixed";
    const { compileService, compileGas, moduleCacheBytes } = options;
    this.#cache = new Tier1Cache(
      compileService ?? createInlineCompileService(),
      compileGas,
      moduleCacheBytes,
    );
    this.counts = {
      messages: 0,
      referenceMessages: 0,
      nodeFaults: 0,
      verified: 0,
      frames: { tier0: 0, tier1: 0, program: 0, reference: 0 },
      tier1: this.#cache.counts,
    };
  }

  setTiers(tiers: EngineTiers): void {
    this.#tiers = tiers;
  }

  execute(context: ExecutionContext, message: Message): Outcome {
    const { verifyEvery } = this.#options;
    const isVerified = verifyEvery !== undefined && (this.counts.messages + 1) % verifyEvery === 0;
    if (!isVerified || isWatched(context)) return this.#execute(context, message);
    const outcome = verifyMessage(context, message, (recorded) => this.#execute(recorded, message));
    this.counts.verified++;
    return outcome;
  }

  /** Runs a message in the first tiers in which the node does not fail. */
  #execute(context: ExecutionContext, message: Message): Outcome {
    const checkpoint = context.state.checkpoint();
    let tiers = isForReference(context, message) ? "reference" : this.#tiers;
    for (;;) {
      try {
        return this.#executeIn(tiers, context, message);
      } catch (error) {
        // Never a result: all is undone, and other tiers, on memory and instances of their own, say what the result is.
        if (!isNodeFault(error)) throw error;
        this.counts.nodeFaults++;
        this.#running = undefined;
        const next = NEXT_TIERS[tiers];
        if (next === undefined) throw beyondHelp(error);
        this.#options.onNodeFault?.(error, tiers);
        context.state.revertTo(checkpoint);
        tiers = next;
      }
    }
  }

  #executeIn(tiers: EngineTiers, context: ExecutionContext, message: Message): Outcome {
    if (tiers === "reference") {
      this.counts.referenceMessages++;
      return executeMessage(context, message);
    }
    const machine = createMachine(context);
    const entered =
      message.to === undefined ? enterCreation(machine, message) : enterMessage(machine, message);
    if (entered.kind === "done") return entered.outcome;
    this.counts.messages++;
    return this.#runner(tiers).runMessage(machine, entered.frame);
  }

  #runner(tiers: Exclude<EngineTiers, "reference">): FrameRunner {
    if (this.#running?.tiers === tiers) return this.#running.runner;
    const { mixedBySeed, maximumPages, disturb, riscvCompileService, compileGas } = this.#options;
    const policy: FramePolicy =
      tiers === "mixed" && mixedBySeed !== undefined ? { bySeed: createRandom(mixedBySeed) } : tiers;
    const runner = new FrameRunner({
      cache: this.#cache,
      policy,
      counts: this.counts.frames,
      programs: createProgramRunners({ tiers, compileService: riscvCompileService, compileGas }),
      maximumPages,
      disturb,
    });
    this.#running = { tiers, runner };
    return runner;
  }
}

function beyondHelp(error: unknown): NodeFault {
  const why = error instanceof Error ? error.message : String(error);
  return new NodeFault(`a message cannot be run on this machine, not even by the reference: ${why}`, {
    cause: error,
  });
}

function isForReference(context: ExecutionContext, { gas }: Message): boolean {
  const { blobVersionedHashes } = context.transaction;
  return isWatched(context) || gas > MAX_TIERED_GAS || blobVersionedHashes.length > BLOB_HASHES.room;
}

function isWatched({ onStep, observer }: ExecutionContext): boolean {
  return onStep !== undefined || observer !== undefined;
}
