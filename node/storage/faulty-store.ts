import type { Bytes, Random } from "@ostrom/base";
import type { WriteOperation } from "@ostrom/state";
import { openValue, sealValue } from "./checked-value.ts";
import { StorageError } from "./errors.ts";
import { MemoryTable, storeOn } from "./memory-store.ts";
import type { Store, StoreView } from "./types.ts";

/** How often things go wrong: once in so many times, or never where undefined. */
export type StoreFaults = {
  /** Writes that find the disk full. They change nothing, and the store refuses all later writes until it is opened anew. */
  readonly writeFailsOneIn?: number;
  /** Reads of a value of which the disk has changed a bit. */
  readonly bitRotOneIn?: number;
};

/** A database for the simulator: its contents outlive crashes of the node that uses it. */
export type FaultyStore = {
  /** Opens it; one user at a time, or it throws `storage/locked`. */
  readonly open: () => Store;
  /** Cuts the power: the open store is dead, a batch is there wholly or not at all, batches are lost only from the end,
   * and none that was synced (or came before one that was). */
  readonly crash: () => void;
  /** Changes how often things go wrong from here on. */
  readonly setFaults: (faults: StoreFaults) => void;
};

/** All that goes wrong is drawn from `random`: the same seed gives the same history. */
export function createFaultyStore(random: Random, faults: StoreFaults = {}): FaultyStore {
  const strikes = (oneIn: number | undefined): boolean => oneIn !== undefined && random.chance(1, oneIn);
  const durable = new MemoryTable();
  let unsynced: (readonly WriteOperation[])[] = [];
  let current: Store | undefined;
  let currentFaults = faults;

  const sync = (): void => {
    for (const batch of unsynced) durable.write(batch);
    unsynced = [];
  };
  const view = (inner: StoreView): StoreView =>
    mapValues(inner, (key, value) => (strikes(currentFaults.bitRotOneIn) ? rot(random, key, value) : value));

  const open = (): Store => {
    if (current !== undefined)
      throw new StorageError("storage/locked", "the simulated database is open already");
    const live = new MemoryTable();
    durable.copyTo(live);
    const inner = storeOn(live);
    let hasFailed = false;
    const store: Store = {
      ...view(inner),
      // Without a wait inside, a crash comes before a write or after it.
      write: async (batch, options) => {
        if (current !== store) throw new StorageError("storage/closed", "the store was closed");
        if (hasFailed)
          throw new StorageError("storage/failed", "an earlier write failed: open the store anew");
        hasFailed = strikes(currentFaults.writeFailsOneIn);
        if (hasFailed) throw new StorageError("storage/disk-full", "the simulated disk is full");
        live.write(batch);
        unsynced.push(batch);
        if (options.sync) sync();
      },
      snapshot: () => {
        const snapshot = inner.snapshot();
        return { ...view(snapshot), release: snapshot.release };
      },
      close: async () => {
        if (current === store) {
          current = undefined;
          sync();
        }
        await inner.close();
      },
    };
    current = store;
    return store;
  };
  const crash = (): void => {
    unsynced = unsynced.slice(0, random.below(unsynced.length + 1));
    sync();
    const dead = current;
    current = undefined;
    void dead?.close();
  };
  const setFaults = (next: StoreFaults): void => {
    currentFaults = next;
  };
  return { open, crash, setFaults };
}

function mapValues(inner: StoreView, change: (key: Bytes, value: Bytes) => Bytes): StoreView {
  return {
    get: (key) => {
      const value = inner.get(key);
      return value === undefined ? undefined : change(key, value);
    },
    entries: async function* (range): AsyncGenerator<readonly [Bytes, Bytes], void, undefined> {
      for await (const [key, value] of inner.entries(range)) yield [key, change(key, value)];
    },
  };
}

/** Reads a value of which one bit has changed. */
function rot(random: Random, key: Bytes, value: Bytes): Bytes {
  const sealed = sealValue(key, value);
  const bit = random.below(8 * sealed.length);
  sealed[bit >> 3] = sealed[bit >> 3]! ^ (1 << (bit & 7));
  return openValue(key, sealed);
}
