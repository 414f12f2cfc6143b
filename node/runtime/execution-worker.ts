import { parentPort } from "node:worker_threads";
import { must } from "@ostrom/base";
import { openLevelStore } from "@ostrom/storage";
import type { ExecutionWorkerEvents, ExecutionWorkerVocabulary } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { type InstalledEngine, installContractEngine } from "./installed-engine.ts";
import { showEngine, timeBlock } from "./metrics-engine.ts";
import { timedStore } from "./metrics-storage.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { loadProgram } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { packBytes } from "./packed-bytes.ts";
import { connectWorker } from "./worker-calls.ts";

joinMetrics(() => {
  if (engine !== undefined) showEngine(engine.counts);
});
installNativeCrypto();
let executor: Executor | undefined;
let engine: InstalledEngine | undefined;
let close: () => Promise<void> = async () => undefined;
// Blocks run one after another even if they are asked for at once.
let last: Promise<unknown> = Promise.resolve();

function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const run = last.then(task);
  last = run.catch(() => undefined);
  return run;
}

const node = connectWorker<ExecutionWorkerVocabulary, Record<never, never>, ExecutionWorkerEvents>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    open: async ({ databasePath, genesis, historyBlocks, memory, engine: settings, program }) => {
      const installed = await loadProgram(program);
      const store = timedStore(await openLevelStore(databasePath));
      close = () => store.close();
      const { stateCacheBytes } = memory;
      executor = await Executor.open(store, genesis, historyBlocks, undefined, installed, stateCacheBytes);
      engine = installContractEngine(settings, (level, message, fields = {}) =>
        node.emit("log", { level, message, fields }),
      );
      return executor.head();
    },
    execute: ({ input, tiers }) =>
      inTurn(() => {
        must(engine, "a worker is opened before it executes").setTiers(tiers);
        const opened = must(executor, "a worker is opened before it executes");
        return timeBlock(async () => {
          const report = await opened.execute(input);
          return { ...report, included: packBytes(report.included) };
        });
      }),
    unwind: (height) => inTurn(() => must(executor, "a worker is opened before it unwinds").unwind(height)),
    recall: (input) => must(executor, "a worker is opened before it is asked").recall(input),
    close: async () => {
      await last;
      await engine?.stop();
      await close();
      return undefined;
    },
  },
);
