import { validatorSetHash } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import type { EpochSchedule } from "@ostrom/execution";
import type { ValidatorReads } from "@ostrom/rpc";
import { readEvidenceFrom, readHead, type StoreView } from "@ostrom/storage";
import { EpochSets } from "./epoch-sets.ts";

/** Who validates, as JSON-RPC sees it: from the database of its thread. */
export function createValidatorReads(store: StoreView, schedule: EpochSchedule): ValidatorReads {
  const sets = new EpochSets(store, schedule);
  return {
    epochs: { length: schedule.epochLength, lead: schedule.epochLead },
    currentEpoch: () => sets.epochOf((readHead(store)?.height ?? 0) + 1),
    set: (epoch) => {
      const set = sets.of(epoch);
      if (set === undefined) return undefined;
      return { ...set.stored, hash: validatorSetHash({ hash: keccak256 }, set.validators) };
    },
    evidence: (fromEpoch, limit) => readEvidenceFrom(store, fromEpoch, limit),
  };
}
