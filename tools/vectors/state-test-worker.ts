import { parentPort, workerData } from "node:worker_threads";
import { must } from "@ostrom/base";
import { createCompiledEngine, type EngineCounts, type Fork, installMessageEngine } from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { runStateTestFile, type StateTestReport } from "./state-tests.ts";

export type WorkerStart = { readonly forks: readonly Fork[]; readonly engine: "reference" | "compiled" };

/** What came of one file, and what the compiled engine has done since the worker began. */
export type WorkerAnswer = { readonly report: StateTestReport; readonly counts: EngineCounts | undefined };

/** Runs the files whose paths it is sent, one after the other, and answers each with its report. */
const port = must(parentPort ?? undefined, "this file must run in a worker thread");
const { forks, engine } = workerData as WorkerStart;
const compiled = engine === "compiled" ? createCompiledEngine() : undefined;

installNativeCrypto();
installMessageEngine(compiled?.execute);
port.on("message", (path: string) => {
  const answer: WorkerAnswer = { report: runStateTestFile(path, forks), counts: compiled?.counts };
  port.postMessage(answer);
});
