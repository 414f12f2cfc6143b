import { assert, type Bytes, type Hash } from "@ostrom/base";
import { encodeRlp, readRlpCount, rlpUint } from "@ostrom/codec";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";
import { forgetBatchOperations } from "./batch-records.ts";
import { CHAIN_TABLES, chainKey, hashKey, heightKey } from "./chain-keys.ts";
import { decodeRecord } from "./chain-records.ts";
import { readBody, readCertifiedHeight, readOrdered, readReceipts } from "./chain-store.ts";
import { logIndexRemovals } from "./log-index.ts";

/** From where on a store has what: a node that began with a snapshot or prunes has no blocks below. Genesis is always there. */
export type ChainFloor = {
  /** Lowest block from which on all headers are there. */
  readonly headers: number;
  /** Lowest block from which on all transactions, receipts and ordered blocks are there. */
  readonly bodies: number;
  /** Lowest block whose state was ever here. */
  readonly state: number;
  /** So many of the newest blocks keep all; 0: all do. */
  readonly keptBlocks: number;
};

/** A store that has everything. */
export const NO_FLOOR: ChainFloor = { headers: 0, bodies: 0, state: 0, keptBlocks: 0 };

/** Blocks that a pruning node keeps at least: a restart looks for ordered blocks, and peers for those that they missed. */
export const MIN_KEPT_BLOCKS = 1_024;

/** Blocks that are pruned with one block at most: one a block keeps the distance, more shorten it when pruning was turned on later. */
export const MAX_PRUNED_PER_BLOCK = 4;

export function readFloor(store: KeyValueReader): ChainFloor {
  const bytes = store.get(chainKey(CHAIN_TABLES.floor));
  if (bytes === undefined) return NO_FLOOR;
  return decodeRecord(bytes, "record of what is kept", 4, ([headers, bodies, state, keptBlocks]) => ({
    headers: readRlpCount(headers, "headers"),
    bodies: readRlpCount(bodies, "bodies"),
    state: readRlpCount(state, "state"),
    keptBlocks: readRlpCount(keptBlocks, "kept blocks"),
  }));
}

export function floorOperation({ headers, bodies, state, keptBlocks }: ChainFloor): WriteOperation {
  const value = encodeRlp([headers, bodies, state, keptBlocks].map(rlpUint));
  return { key: chainKey(CHAIN_TABLES.floor), value };
}

/** The digests of the batches that an ordered block refers to. */
export type BatchesOfBlock = (orderedBlock: Bytes) => readonly Hash[];

/** The writes that forget blocks which are too old, a few at a time: transactions, receipts, where transactions and logs are found, ordered
 * blocks and their batches. Headers and certificates stay. Only what is below the newest state certificate is forgotten.
 * They belong into the batch of the block at `height`; none if the floor says that all blocks are kept.
 * @param store as it is before the batch. */
export function pruneOperations(
  store: KeyValueReader,
  height: number,
  batchesOf: BatchesOfBlock,
): WriteOperation[] {
  const floor = readFloor(store);
  const { keptBlocks } = floor;
  if (keptBlocks === 0) return [];
  assert(keptBlocks >= MIN_KEPT_BLOCKS, "a pruning node keeps what a restart needs");
  const first = Math.max(1, floor.bodies);
  const certified = readCertifiedHeight(store) ?? 0;
  const bound = Math.min(height - keptBlocks + 1, certified - keptBlocks + 1, first + MAX_PRUNED_PER_BLOCK);
  if (bound <= first) return [];
  const operations: WriteOperation[] = [];
  for (let at = first; at < bound; at++) {
    for (const { hash } of readBody(store, at) ?? [])
      operations.push({ key: hashKey(CHAIN_TABLES.transactionLocation, hash), value: undefined });
    operations.push(...logIndexRemovals(readReceipts(store, at) ?? [], at));
    const ordered = readOrdered(store, at);
    for (const digest of ordered === undefined ? [] : batchesOf(ordered.block))
      operations.push(...forgetBatchOperations(store, digest, at));
    for (const table of [CHAIN_TABLES.body, CHAIN_TABLES.receipts, CHAIN_TABLES.ordered])
      operations.push({ key: heightKey(table, at), value: undefined });
  }
  operations.push(floorOperation({ ...floor, bodies: bound }));
  return operations;
}
