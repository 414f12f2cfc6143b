import { decodeBlock, encodeStateCertificate } from "@ostrom/consensus";
import {
  type AnyGenesis,
  type EpochSchedule,
  formatGenesis,
  frozenHeight,
  lastHeight,
} from "@ostrom/execution";
import type { LightReads, StoredCertificate } from "@ostrom/rpc";
import { readCertifiedHeight, readOrdered, readStateCertificate, type StoreView } from "@ostrom/storage";
import { createCheckpointReads } from "./checkpoint-reads.ts";

/** Certificates are formed for most heights, but not for all: so far above a height one is looked for in the table, */
const MAX_SEARCHED_HEIGHTS = 1_024;
/** and so far in the blocks that carry them, which cost more to read. */
const MAX_SEARCHED_BLOCKS = 64;

/** What genesis' `extraData` is the hash of: the state root covers the rest. */
export function genesisParameters(genesis: AnyGenesis): string {
  const { alloc: _alloc, validators: _validators, modules: _modules, ...parameters } = formatGenesis(genesis);
  return JSON.stringify(parameters);
}

/** Certificates as the database of this thread has them. A node that was there formed or heard them; one that came later has those that
 * the ordered blocks carry, of which the first block of an epoch always has the one that named its set (rule E1). */
export function createLightReads(store: StoreView, schedule: EpochSchedule, parameters: string): LightReads {
  return {
    genesisParameters: parameters,
    newestCertificate: () => {
      const height = readCertifiedHeight(store);
      return height === undefined ? undefined : kept(store, height);
    },
    certificateFrom: (height) => certificateFrom(store, height),
    epochStep: (epoch) => epochStep(store, schedule, epoch),
    checkpoints: createCheckpointReads(store, schedule),
  };
}

function kept(store: StoreView, height: number): StoredCertificate | undefined {
  const bytes = readStateCertificate(store, height);
  return bytes === undefined ? undefined : { height, bytes };
}

/** The one that an ordered block carries, of an ancestor. */
function carriedBy(store: StoreView, height: number): StoredCertificate | undefined {
  const ordered = readOrdered(store, height);
  const block = ordered === undefined ? undefined : decodeBlock(ordered.block);
  const certificate = block?.ok === true ? block.value.stateCertificate : undefined;
  if (certificate === undefined) return undefined;
  return { height: certificate.executed.height, bytes: encodeStateCertificate(certificate) };
}

function certificateFrom(store: StoreView, from: number): StoredCertificate | undefined {
  const newest = readCertifiedHeight(store) ?? 0;
  for (let height = from; height <= newest && height < from + MAX_SEARCHED_HEIGHTS; height++) {
    const found = kept(store, height);
    if (found !== undefined) return found;
  }
  for (let height = from + 1; height <= from + MAX_SEARCHED_BLOCKS; height++) {
    const carried = carriedBy(store, height);
    if (carried !== undefined && carried.height >= from) return carried;
  }
  return undefined;
}

function epochStep(store: StoreView, schedule: EpochSchedule, epoch: number): StoredCertificate | undefined {
  const frozen = frozenHeight(schedule, epoch);
  const last = lastHeight(schedule, epoch);
  const isOfEpoch = (found: StoredCertificate | undefined): found is StoredCertificate =>
    found !== undefined && found.height >= frozen && found.height <= last;
  const carried = carriedBy(store, last + 1);
  if (isOfEpoch(carried)) return carried;
  const found = certificateFrom(store, frozen);
  return isOfEpoch(found) ? found : undefined;
}
