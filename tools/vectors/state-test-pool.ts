import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { EngineCounts, Fork } from "@ostrom/vm";
import { isSlow } from "./slow-list.ts";
import type { WorkerAnswer, WorkerStart } from "./state-test-worker.ts";
import type { StateTestReport } from "./state-tests.ts";
import { jsonFilesBelow } from "./vector-run.ts";

export type StateTestRun = {
  /** In the order in which files ended. */
  readonly reports: readonly StateTestReport[];
  /** Paths left out because they are on the slow list. */
  readonly leftOut: readonly string[];
  /** What the engines have done, one of each worker. */
  readonly counts: readonly EngineCounts[];
};

/** Runs all state tests below some folders (or files), on worker threads.
 * @param options.workers as many as there are processors unless told.
 * @param options.slow also runs what is on the slow list.
 * @param options.part runs one file in so many, from `index` on.
 * @param options.engine which engine runs the messages: the reference unless told. */
export async function runStateTests(
  paths: readonly string[],
  options: {
    readonly forks: readonly Fork[];
    readonly slow?: boolean;
    readonly part?: { readonly of: number; readonly index: number };
    readonly workers?: number;
    readonly engine?: WorkerStart["engine"];
    readonly onReport?: (report: StateTestReport) => void;
  },
): Promise<StateTestRun> {
  const files = paths.flatMap(jsonFilesBelow);
  const leftOut = options.slow === true ? [] : files.filter(isSlow);
  const { of, index } = options.part ?? { of: 1, index: 0 };
  const queue = files.filter((file) => !leftOut.includes(file)).filter((_, at) => at % of === index);
  const reports: StateTestReport[] = [];
  const take = (report: StateTestReport): void => {
    reports.push(report);
    options.onReport?.(report);
  };
  const count = Math.min(options.workers ?? availableParallelism(), queue.length);
  const start: WorkerStart = { forks: options.forks, engine: options.engine ?? "reference" };
  const counts = await Promise.all(Array.from({ length: count }, () => drain(queue, start, take)));
  return { reports, leftOut, counts: counts.filter((count) => count !== undefined) };
}

/** One worker that takes files from the queue until it is empty. Rejects if the worker dies.
 * @returns what its engine has done. */
function drain(
  queue: string[],
  start: WorkerStart,
  take: (report: StateTestReport) => void,
): Promise<EngineCounts | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, "state-test-worker.ts"), { workerData: start });
    let counts: EngineCounts | undefined;
    const sendNext = (): void => {
      const next = queue.shift();
      if (next === undefined) worker.terminate().then(() => resolve(counts), reject);
      else worker.postMessage(next);
    };
    worker.on("error", reject);
    worker.on("message", (answer: WorkerAnswer) => {
      counts = answer.counts;
      take(answer.report);
      sendNext();
    });
    sendNext();
  });
}
