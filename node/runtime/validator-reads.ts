import { must } from "@ostrom/base";
import { validatorSetHash } from "@ostrom/consensus";
import { chainHash, type EpochSchedule } from "@ostrom/execution";
import type { ValidatorReads } from "@ostrom/rpc";
import { readEvidenceFrom, readHead, readMeta, type StoreView } from "@ostrom/storage";
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
      const hash = chainHash(must(readMeta(store), "an open chain has a name"));
      return { ...set.stored, hash: validatorSetHash({ hash }, set.validators) };
    },
    evidence: (fromEpoch, limit) => readEvidenceFrom(store, fromEpoch, limit),
  };
}
