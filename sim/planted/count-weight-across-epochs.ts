import { type Bytes, bytesToUint64, concatBytes, uint64ToBytes } from "@ostrom/base";
import { CHAIN_TABLES, type Store } from "@ostrom/storage";
import type { PlantedBug } from "./planted-bug.ts";

/** A validator that was restarted counts votes with the weights of the epoch before (concordium#1197). */
export const countWeightAcrossEpochs: PlantedBug = {
  name: "count weight across epochs",
  seams: {
    environment: (environment) =>
      environment.votedMark().epoch !== undefined
        ? { ...environment, openStore: () => oneEpochBehind(environment.openStore()) }
        : environment,
  },
  faults: ["crash", "crash-at-await", "loss"],
  epochs: true,
  breaks: ["agreement", "certificate", "accusation", "failure"],
  within: 20,
};

function oneEpochBehind(store: Store): Store {
  const get = (key: Bytes): Bytes | undefined =>
    store.get(key[0] === CHAIN_TABLES.validatorSet ? before(key) : key);
  return { ...store, get };
}

/** The first sets stay what they are. */
function before(key: Bytes): Bytes {
  const epoch = bytesToUint64(key, 1);
  return epoch < 2 ? key : concatBytes(key.subarray(0, 1), uint64ToBytes(epoch - 1));
}
