import { parentPort, workerData } from "node:worker_threads";
import { must } from "@ostrom/base";
import {
  createContractEngine,
  type EngineCounts,
  type EngineTiers,
  type Fork,
  installMessageEngine,
} from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { runStateTestFile, type StateTestReport } from "./state-tests.ts";

export type WorkerStart = { readonly forks: readonly Fork[]; readonly engine: EngineTiers };

/** What came of one file, and what the engine has done since the worker began. */
export type WorkerAnswer = { readonly report: StateTestReport; readonly counts: EngineCounts };

/** Decides which tier runs a frame where they are mixed: whoever waits for tier 1 would see it seldom in short tests. */
const MIXING_SEED = 1;

/** Runs the files whose paths it is sent, one after the other, and answers each with its report. */
const port = must(parentPort ?? undefined, "this file must run in a worker thread");
const { forks, engine } = workerData as WorkerStart;
const { execute, counts } = createContractEngine({
  tiers: engine,
  ...(engine === "mixed" ? { mixedBySeed: MIXING_SEED } : {}),
});

installNativeCrypto();
installMessageEngine(execute);
port.on("message", (path: string) => {
  const answer: WorkerAnswer = { report: runStateTestFile(path, forks), counts };
  port.postMessage(answer);
});
