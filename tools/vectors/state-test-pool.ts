import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Fork } from "@ostrom/vm";
import { isSlow } from "./slow-list.ts";
import type { StateTestReport } from "./state-tests.ts";
import { jsonFilesBelow } from "./vector-run.ts";

export type StateTestRun = {
  /** In the order in which files ended. */
  readonly reports: readonly StateTestReport[];
  /** Paths left out because they are on the slow list. */
  readonly leftOut: readonly string[];
};

/** Runs all state tests below some folders (or files), on worker threads.
 * @param options.workers as many as there are processors unless told.
 * @param options.slow also runs what is on the slow list. */
export async function runStateTests(
  paths: readonly string[],
  options: {
    readonly forks: readonly Fork[];
    readonly slow?: boolean;
    readonly workers?: number;
    readonly onReport?: (report: StateTestReport) => void;
  },
): Promise<StateTestRun> {
  const files = paths.flatMap(jsonFilesBelow);
  const leftOut = options.slow === true ? [] : files.filter(isSlow);
  const queue = files.filter((file) => !leftOut.includes(file));
  const reports: StateTestReport[] = [];
  const take = (report: StateTestReport): void => {
    reports.push(report);
    options.onReport?.(report);
  };
  const count = Math.min(options.workers ?? availableParallelism(), queue.length);
  await Promise.all(Array.from({ length: count }, () => drain(queue, options.forks, take)));
  return { reports, leftOut };
}

/** One worker that takes files from the queue until it is empty. Rejects if the worker dies. */
function drain(
  queue: string[],
  forks: readonly Fork[],
  take: (report: StateTestReport) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, "state-test-worker.ts"), { workerData: { forks } });
    const sendNext = (): void => {
      const next = queue.shift();
      if (next === undefined) worker.terminate().then(() => resolve(), reject);
      else worker.postMessage(next);
    };
    worker.on("error", reject);
    worker.on("message", (report: StateTestReport) => {
      take(report);
      sendNext();
    });
    sendNext();
  });
}
