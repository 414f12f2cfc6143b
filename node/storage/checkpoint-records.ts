import { type Bytes, bytesToUint64, uint64ToBytes } from "@ostrom/base";
import { encodeRlp, readRlpBytes } from "@ostrom/codec";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES, chainKey, heightKey } from "./chain-keys.ts";
import { decodeRecord } from "./chain-records.ts";

/** Pieces of evidence that are kept of one epoch. */
const MAX_EVIDENCE_PER_EPOCH = 64;

/** The write that fixes by which keys the validators of an epoch certify checkpoints. It goes with the block that decides the epoch's validators.
 * @param set as consensus encodes it, like all values here. */
export function checkpointSetOperation(epoch: number, set: Bytes): WriteOperation {
  return { key: heightKey(CHAIN_TABLES.checkpointSet, epoch), value: set };
}

/** undefined while it is not decided, and on chains without checkpoints.
 * This and all readers below throw StorageError `storage/damaged`. */
export function readCheckpointSet(store: KeyValueReader, epoch: number): Bytes | undefined {
  return store.get(heightKey(CHAIN_TABLES.checkpointSet, epoch))?.slice();
}

/** The writes that keep the certificate of an epoch's checkpoint, the newest of all. */
export function checkpointOperations(epoch: number, certificate: Bytes): WriteOperation[] {
  return [
    { key: heightKey(CHAIN_TABLES.checkpoint, epoch), value: certificate },
    { key: chainKey(CHAIN_TABLES.newestCheckpoint), value: uint64ToBytes(epoch) },
  ];
}

export function readCheckpoint(store: KeyValueReader, epoch: number): Bytes | undefined {
  return store.get(heightKey(CHAIN_TABLES.checkpoint, epoch))?.slice();
}

/** The newest epoch whose checkpoint is certified. */
export function readNewestCheckpoint(store: KeyValueReader): number | undefined {
  const bytes = store.get(chainKey(CHAIN_TABLES.newestCheckpoint));
  return bytes === undefined ? undefined : bytesToUint64(bytes, 0);
}

/** The write that keeps a piece of evidence with the others of its epoch; none where there are as many as are kept. */
export function checkpointEvidenceOperations(
  store: KeyValueReader,
  epoch: number,
  evidence: Bytes,
): WriteOperation[] {
  const before = readCheckpointEvidence(store, epoch);
  if (before.length >= MAX_EVIDENCE_PER_EPOCH) return [];
  return [
    { key: heightKey(CHAIN_TABLES.checkpointEvidence, epoch), value: encodeRlp([...before, evidence]) },
  ];
}

export function readCheckpointEvidence(store: KeyValueReader, epoch: number): readonly Bytes[] {
  const bytes = store.get(heightKey(CHAIN_TABLES.checkpointEvidence, epoch));
  if (bytes === undefined) return [];
  return decodeRecord(bytes, "checkpoint evidence", undefined, (items) =>
    items.map((item) => readRlpBytes(item, "evidence")),
  );
}
