import { checkpointQuorum, encodeCheckpointSet, keyedWeight } from "@ostrom/consensus";
import { type EpochSchedule, lastHeight } from "@ostrom/execution";
import type { CheckpointReads, EpochCheckpoint } from "@ostrom/rpc";
import {
  readCertifiedHeight,
  readCheckpoint,
  readCheckpointEvidence,
  readCheckpointSet,
  readNewestCheckpoint,
  type StoreView,
} from "@ostrom/storage";
import { storedCheckpointSet } from "./checkpoint-sets.ts";

/** Epoch checkpoints as the database of this thread has them; undefined on a chain without. */
export function createCheckpointReads(
  store: StoreView,
  schedule: EpochSchedule,
): CheckpointReads | undefined {
  if (storedCheckpointSet(store, 0) === undefined) return undefined;
  return {
    newest: () => readNewestCheckpoint(store),
    of: (epoch) => checkpointOf(store, schedule, epoch),
  };
}

function checkpointOf(store: StoreView, schedule: EpochSchedule, epoch: number): EpochCheckpoint | undefined {
  const set = storedCheckpointSet(store, epoch);
  if (set === undefined) return undefined;
  const certificate = readCheckpoint(store, epoch);
  const height = lastHeight(schedule, epoch);
  return {
    status: certificate === undefined ? statusOf(store, epoch, height) : "certified",
    height: certificate === undefined ? undefined : height,
    set: encodeCheckpointSet(set),
    nextSet: readCheckpointSet(store, epoch + 1),
    weightWithKeys: keyedWeight(set),
    weightNeeded: checkpointQuorum(set),
    certificate,
    evidence: readCheckpointEvidence(store, epoch),
  };
}

function statusOf(store: StoreView, epoch: number, height: number): EpochCheckpoint["status"] {
  if ((readNewestCheckpoint(store) ?? -1) > epoch) return "missing";
  return (readCertifiedHeight(store) ?? 0) >= height ? "pending" : "undecided";
}
