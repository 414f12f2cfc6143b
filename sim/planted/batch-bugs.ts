import { CHAIN_TABLES, type Store } from "@ostrom/storage";
import type { PlantedBug } from "./planted-bug.ts";

/** A restarted validator does not know which batches were ordered. */
const forgetTheCursors: PlantedBug = {
  name: "forget the cursors",
  seams: {
    environment: (environment) => ({
      ...environment,
      openStore: () => withoutCursors(environment.openStore()),
    }),
  },
  faults: ["crash", "crash-of-all", "byzantine"],
  epochs: false,
  batches: "all",
  actors: ["repeater"],
  breaks: ["batch-order"],
  within: 20,
};

function withoutCursors(store: Store): Store {
  return {
    ...store,
    get: (key) => (key[0] === CHAIN_TABLES.batchCursors ? undefined : store.get(key)),
  };
}

/** Batches and attestations leave before they are on the disk. */
const attestBeforeTheSync: PlantedBug = {
  name: "attest before the sync",
  seams: {
    environment: (environment) => ({ ...environment, openStore: () => hasty(environment.openStore()) }),
  },
  faults: ["crash", "crash-of-all"],
  epochs: false,
  batches: "all",
  breaks: ["batch-held", "accusation"],
  within: 5,
};

function hasty(store: Store): Store {
  return {
    ...store,
    write: (operations, options) => {
      const isAttested = operations.some(({ key }) => key[0] === CHAIN_TABLES.attestedBatch);
      return store.write(operations, isAttested ? { ...options, sync: false } : options);
    },
  };
}

/** Who votes for a block says that it keeps the batches, and writes nothing. */
const voteWithoutKeeping: PlantedBug = {
  name: "vote without keeping the batches",
  seams: {
    environment: (environment) => ({ ...environment, openStore: () => forgetful(environment.openStore()) }),
  },
  faults: [],
  epochs: false,
  batches: "minority",
  breaks: ["batch-held"],
  within: 5,
};

const KEPT_TABLES: ReadonlySet<number> = new Set([CHAIN_TABLES.batch, CHAIN_TABLES.attestedBatch]);

/** Only what its own number goes with is kept. */
function forgetful(store: Store): Store {
  return {
    ...store,
    write: (operations, options) => {
      const isOwn = operations.some(({ key }) => key[0] === CHAIN_TABLES.ownBatches);
      const kept = operations.filter(({ key }) => isOwn || !KEPT_TABLES.has(key[0] ?? 0));
      return store.write(kept, options);
    },
  };
}

/** Those who are to check a batch believe what it claims. */
const attestUnchecked: PlantedBug = {
  name: "attest unchecked",
  seams: {
    checker: (checker) => ({
      ...checker,
      checkBatch:
        checker.checkBatch === undefined
          ? undefined
          : async (check) => checker.checkBatch!({ ...check, believes: true }),
    }),
  },
  faults: ["byzantine"],
  epochs: false,
  batches: "minority",
  actors: ["batchLiar"],
  breaks: ["validity"],
  within: 20,
};

/** Bugs in what nodes do with batches. */
export const BATCH_BUGS: readonly PlantedBug[] = [
  forgetTheCursors,
  attestBeforeTheSync,
  voteWithoutKeeping,
  attestUnchecked,
];
