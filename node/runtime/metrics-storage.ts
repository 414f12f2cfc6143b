import type { LevelStore, WriteAheadLog } from "@ostrom/storage";
import { STORAGE } from "./metrics-catalog.ts";
import { observe } from "./metrics-counters.ts";

/** A database whose synced writes are timed. */
export function timedStore(store: LevelStore): LevelStore {
  return {
    ...store,
    write: async (batch, options) => {
      if (!options.sync) return store.write(batch, options);
      const beganMs = performance.now();
      await store.write(batch, options);
      observe(STORAGE.batch, (performance.now() - beganMs) / 1_000);
    },
  };
}

/** A write-ahead log whose syncs are timed; of calls that share one, each. */
export function timedLog(log: WriteAheadLog): WriteAheadLog {
  return {
    append: (records) => log.append(records),
    sync: async () => {
      const beganMs = performance.now();
      await log.sync();
      observe(STORAGE.logSync, (performance.now() - beganMs) / 1_000);
    },
    rotate: (records) => log.rotate(records),
    sizeBytes: () => log.sizeBytes(),
    close: () => log.close(),
  };
}
