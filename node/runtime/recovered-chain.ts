import { Epoch, type Hash, Height, must, unwrap, View } from "@ostrom/base";
import {
  decodeBlock,
  decodeCertificate,
  decodeStateCertificate,
  type Executed,
  type FinalizedTip,
  type OrderedBlock,
  type StateCertificate,
} from "@ostrom/consensus";
import {
  readCertifiedHeight,
  readHead,
  readHeader,
  readOrdered,
  readStateCertificate,
  type StoreView,
} from "@ostrom/storage";
import type { EpochSets } from "./epoch-sets.ts";

/** Own results older than this are not signed again: who asks for them gets the certificate of a descendant. */
const MAX_RESIGNED_RESULTS = 256;

/** What a restarted node finds in its store. */
export type RecoveredChain = {
  /** The newest executed block: all below it is final. If it is the last of its epoch, the next epoch begins on it. */
  readonly tip: FinalizedTip;
  /** The newest state certificate. */
  readonly certificate: StateCertificate | undefined;
  /** Own results above it, the newest of them, in height order. */
  readonly results: readonly Executed[];
  /** Executed blocks above the certificate that the tip carries, in height order: they count in the execution window. */
  readonly uncertified: readonly { readonly block: OrderedBlock; readonly digest: Hash }[];
};

/** Reads it. What was stored by this program must be readable: damage throws StorageError. */
export function recoverChain(store: StoreView, sets: EpochSets): RecoveredChain {
  const head = must(readHead(store), "an open chain has a head");
  const { epoch, view, timestampMs, orderDigest } = head.origin;
  const ordered = head.height === 0 ? undefined : readBlockAt(store, head.height);
  const stateCertificate = ordered?.block.stateCertificate;
  const record = readOrdered(store, head.height);
  const isLastOfEpoch = head.height === sets.bounds(epoch).lastHeight;
  const shared = { height: Height(head.height), digest: orderDigest, timestampMs, stateCertificate };
  const tip: FinalizedTip = isLastOfEpoch
    ? { ...shared, epoch: Epoch(epoch + 1), view: View(0), finalization: undefined }
    : {
        ...shared,
        epoch: Epoch(epoch),
        view: View(view),
        finalization: record === undefined ? undefined : unwrap(decodeCertificate(record.finalization)),
      };
  const certified = readCertifiedHeight(store) ?? 0;
  const certificateBytes = readStateCertificate(store, certified);
  const firstResult = Math.max(certified, head.height - MAX_RESIGNED_RESULTS) + 1;
  const firstUncertified = (stateCertificate?.executed.height ?? 0) + 1;
  return {
    tip,
    certificate:
      certificateBytes === undefined ? undefined : unwrap(decodeStateCertificate(certificateBytes)),
    results: range(firstResult, head.height).map((height) => resultAt(store, height)),
    uncertified: range(firstUncertified, head.height).map((height) => readBlockAt(store, height)),
  };
}

function readBlockAt(
  store: StoreView,
  height: number,
): { readonly block: OrderedBlock; readonly digest: Hash } {
  const { block } = must(readOrdered(store, height), "every executed block was ordered");
  const { origin } = must(readHeader(store, height), "every executed block has a header");
  return { block: unwrap(decodeBlock(block)), digest: origin.orderDigest };
}

function resultAt(store: StoreView, height: number): Executed {
  const { hash, origin } = must(readHeader(store, height), "every executed block has a header");
  return {
    epoch: Epoch(origin.epoch),
    height: Height(height),
    orderDigest: origin.orderDigest,
    executedHash: hash,
    nextSetHash: origin.nextSetHash,
  };
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
