import {
  type ContractEngine,
  createContractEngine,
  type EngineTiers,
  installMessageEngine,
} from "@ostrom/vm";
import { CompileThread } from "./compile-thread.ts";
import type { Log } from "./ports.ts";

/** How a node runs contracts; its own choice, because no result depends on it. */
export type EngineSettings = {
  /** `mixed` but for debugging. */
  readonly tiers: EngineTiers;
  /** Each so manieth message is run a second time, by the reference, and compared; 0: none. */
  readonly verifyEvery: number;
};

export const DEFAULT_ENGINE: EngineSettings = { tiers: "mixed", verifyEvery: 0 };

/** Megabytes of stack of a thread that runs contracts. Programs in WebAssembly and RISC-V call each other on it, 1,025 deep;
 * Node gives a worker what it is asked for, and what is not touched costs nothing (README.md). */
export const CONTRACT_STACK_MB = 256;

export type InstalledEngine = {
  /** Changes who runs contracts from the next message on. */
  readonly setTiers: (tiers: EngineTiers) => void;
  readonly counts: ContractEngine["counts"];
  readonly stop: () => Promise<void>;
};

/** Has all messages of this thread run by the contract engine, made warm, with a thread that compiles for it. */
export function installContractEngine({ tiers, verifyEvery }: EngineSettings, log: Log): InstalledEngine {
  const compileThread = new CompileThread();
  const engine = createContractEngine({
    tiers,
    compileService: compileThread.evm,
    riscvCompileService: compileThread.riscv,
    ...(verifyEvery > 0 ? { verifyEvery } : {}),
    onNodeFault: (error, failed) => {
      const reason = error instanceof Error ? error.message : String(error);
      log("warn", "this machine failed to run a message; it was undone and run again", {
        tiers: failed,
        reason,
      });
    },
  });
  engine.warmUp();
  installMessageEngine(engine.execute);
  return {
    setTiers: engine.setTiers,
    counts: engine.counts,
    stop: async () => {
      installMessageEngine();
      await compileThread.stop();
    },
  };
}
