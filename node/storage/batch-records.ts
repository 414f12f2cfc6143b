import { type Bytes, bytesToUint64, concatBytes, Hash, uint64ToBytes } from "@ostrom/base";
import { encodeRlp, readRlpBytes, readRlpCount, rlpUint } from "@ostrom/codec";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES, chainKey, hashKey, heightKey } from "./chain-keys.ts";
import { decodeRecord } from "./chain-records.ts";
import type { StoreView } from "./types.ts";

/** A batch of transactions as this node holds it, for whoever refers to it. */
export type StoredBatch = {
  readonly epoch: number;
  readonly author: number;
  readonly sequence: number;
  /** The last block that may refer to it. */
  readonly expiryHeight: number;
  readonly digest: Hash;
  readonly bytes: Bytes;
};

/** The writes that keep a batch that is not ordered yet, and what this node has said of it: they are synced before it says so. */
export function batchOperations(batch: StoredBatch): WriteOperation[] {
  return [
    { key: hashKey(CHAIN_TABLES.batch, batch.digest), value: batch.bytes },
    { key: batchSequenceKey(batch), value: encodeRlp([batch.digest, rlpUint(batch.expiryHeight)]) },
    { key: expiryKey(batch.expiryHeight, batch.digest), value: batchSequenceKey(batch) },
  ];
}

/** The writes that make a batch stay: an executed block refers to it, so its expiry spares it.
 * @param height of that block. @param bytes unless they are stored already. */
export function orderedBatchOperations(
  digest: Hash,
  height: number,
  bytes: Bytes | undefined,
): WriteOperation[] {
  const mark = { key: hashKey(CHAIN_TABLES.orderedBatch, digest), value: uint64ToBytes(height) };
  return bytes === undefined ? [mark] : [mark, { key: hashKey(CHAIN_TABLES.batch, digest), value: bytes }];
}

/** The writes that forget a batch together with a block that refers to it; none while a later block refers to the same bytes.
 * @param height of the block that is forgotten. */
export function forgetBatchOperations(store: KeyValueReader, digest: Hash, height: number): WriteOperation[] {
  const newest = store.get(hashKey(CHAIN_TABLES.orderedBatch, digest));
  if (newest === undefined || bytesToUint64(newest) > height) return [];
  return [CHAIN_TABLES.orderedBatch, CHAIN_TABLES.batch].map((table) => ({
    key: hashKey(table, digest),
    value: undefined,
  }));
}

/** The encoded batch of a digest.
 * This and all readers below throw StorageError `storage/damaged`. */
export function readBatch(store: KeyValueReader, digest: Hash): Bytes | undefined {
  return store.get(hashKey(CHAIN_TABLES.batch, digest))?.slice();
}

/** The batch that this node has attested to for a sequence number of an author. */
export function readBatchDigest(
  store: KeyValueReader,
  batch: Pick<StoredBatch, "epoch" | "author" | "sequence">,
): Bytes | undefined {
  const bytes = store.get(batchSequenceKey(batch));
  if (bytes === undefined) return undefined;
  return decodeRecord(bytes, "attested batch", 2, (fields) => readRlpBytes(fields[0], "digest"));
}

/** The write that keeps the newest sequence number of this node's own batches of an epoch. */
export function ownSequenceOperation(epoch: number, sequence: number): WriteOperation {
  return { key: chainKey(CHAIN_TABLES.ownBatches), value: encodeRlp([rlpUint(epoch), rlpUint(sequence)]) };
}

/** @returns 0 if there is none of that epoch. */
export function readOwnSequence(store: KeyValueReader, epoch: number): number {
  const bytes = store.get(chainKey(CHAIN_TABLES.ownBatches));
  if (bytes === undefined) return 0;
  return decodeRecord(bytes, "own batches", 2, (fields) =>
    readRlpCount(fields[0], "epoch") === epoch ? readRlpCount(fields[1], "sequence") : 0,
  );
}

/** The write that keeps the cursors after a block. @param cursors as core/dissemination encodes them. */
export function batchCursorsOperation(cursors: Bytes): WriteOperation {
  return { key: chainKey(CHAIN_TABLES.batchCursors), value: cursors };
}

/** The cursors after the newest executed block. */
export function readBatchCursors(store: KeyValueReader): Bytes | undefined {
  return store.get(chainKey(CHAIN_TABLES.batchCursors))?.slice();
}

/** The writes that forget batches which no block may refer to any more and none has, `limit` of them at most. */
export async function expiredBatchOperations(
  store: StoreView,
  height: number,
  limit: number,
): Promise<WriteOperation[]> {
  const operations: WriteOperation[] = [];
  const range = {
    start: heightKey(CHAIN_TABLES.batchExpiry, 0),
    end: heightKey(CHAIN_TABLES.batchExpiry, height),
    limit,
  };
  for await (const [key, sequenceKey] of store.entries(range)) {
    const digest = Hash(key.slice(1 + HEIGHT_BYTES));
    operations.push({ key: key.slice(), value: undefined });
    operations.push({ key: sequenceKey.slice(), value: undefined });
    const isOrdered = store.get(hashKey(CHAIN_TABLES.orderedBatch, digest)) !== undefined;
    if (!isOrdered) operations.push({ key: hashKey(CHAIN_TABLES.batch, digest), value: undefined });
  }
  return operations;
}

const HEIGHT_BYTES = 8;

function expiryKey(expiryHeight: number, digest: Hash): Bytes {
  return concatBytes(heightKey(CHAIN_TABLES.batchExpiry, expiryHeight), digest);
}

function batchSequenceKey({
  epoch,
  author,
  sequence,
}: Pick<StoredBatch, "epoch" | "author" | "sequence">): Bytes {
  return concatBytes(
    heightKey(CHAIN_TABLES.attestedBatch, epoch),
    uint64ToBytes(author),
    uint64ToBytes(sequence),
  );
}
