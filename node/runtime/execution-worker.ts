import { parentPort } from "node:worker_threads";
import { must } from "@ostrom/base";
import { openLevelStore } from "@ostrom/storage";
import type { ExecutionWorkerVocabulary } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { connectWorker } from "./worker-calls.ts";

installNativeCrypto();
let executor: Executor | undefined;
let close: () => Promise<void> = async () => undefined;
// Blocks run one after another even if they are asked for at once.
let last: Promise<unknown> = Promise.resolve();

connectWorker<ExecutionWorkerVocabulary, Record<never, never>>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    open: async ({ databasePath, genesis, historyBlocks }) => {
      const store = await openLevelStore(databasePath);
      close = () => store.close();
      executor = await Executor.open(store, genesis, historyBlocks);
      return executor.head();
    },
    execute: (input) => {
      const run = last.then(() => must(executor, "a worker is opened before it executes").execute(input));
      last = run.catch(() => undefined);
      return run;
    },
    close: async () => {
      await last;
      await close();
      return undefined;
    },
  },
);
