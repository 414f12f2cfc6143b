import { must } from "@ostrom/base";
import { type ConsensusDomain, consensusDomain, type SchemeId, validatorSetHash } from "@ostrom/consensus";
import { chainHash, type EpochSchedule } from "@ostrom/execution";
import type { ValidatorReads } from "@ostrom/rpc";
import { readEvidenceFrom, readHead, readHeader, readMeta, type StoreView } from "@ostrom/storage";
import { EpochSets } from "./epoch-sets.ts";
import { createParticipation } from "./participation.ts";

/** Who validates, as JSON-RPC sees it: from the database of its thread. */
export function createValidatorReads(store: StoreView, schedule: EpochSchedule): ValidatorReads {
  const sets = new EpochSets(store, schedule);
  let participation: ReturnType<typeof createParticipation> | undefined;
  return {
    epochs: { length: schedule.epochLength, lead: schedule.epochLead },
    currentEpoch: () => sets.epochOf((readHead(store)?.height ?? 0) + 1),
    set: (epoch) => {
      const set = sets.of(epoch);
      if (set === undefined) return undefined;
      const hash = chainHash(must(readMeta(store), "an open chain has a name"));
      return { ...set.stored, hash: validatorSetHash({ hash }, set.validators) };
    },
    participation: (epoch, blocks) => {
      const set = sets.of(epoch);
      if (set === undefined) return undefined;
      participation ??= createParticipation(store, sets, domainOf(store, set.validators.schemeId));
      return participation(epoch, blocks);
    },
    evidence: (fromEpoch, limit) => readEvidenceFrom(store, fromEpoch, limit),
  };
}

function domainOf(store: StoreView, schemeId: SchemeId): ConsensusDomain {
  const { hashId } = must(readMeta(store), "an open chain has a name");
  const { hash } = must(readHeader(store, 0), "genesis is always kept");
  return consensusDomain(hash, hashId, schemeId);
}
