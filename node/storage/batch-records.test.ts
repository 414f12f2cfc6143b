import assert from "node:assert/strict";
import { test } from "node:test";
import { Hash } from "@ostrom/base";
import {
  batchCursorsOperation,
  batchOperations,
  expiredBatchOperations,
  forgetBatchOperations,
  orderedBatchOperations,
  ownSequenceOperation,
  readBatch,
  readBatchCursors,
  readBatchDigest,
  readOwnSequence,
  type StoredBatch,
} from "./batch-records.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { Store } from "./types.ts";

const SYNC = { sync: true };
const MANY = 100;

function digestOf(byte: number): Hash {
  return Hash(new Uint8Array(32).fill(byte));
}

function batch(sequence: number, expiryHeight = 10): StoredBatch {
  const bytes = Uint8Array.of(sequence, 1, 2);
  return { epoch: 3, author: 2, sequence, expiryHeight, digest: digestOf(sequence), bytes };
}

async function storeWith(...batches: readonly StoredBatch[]): Promise<Store> {
  const store = createMemoryStore();
  for (const each of batches) await store.write(batchOperations(each), SYNC);
  return store;
}

async function expire(store: Store, height: number, limit = MANY): Promise<number> {
  const operations = await expiredBatchOperations(store, height, limit);
  await store.write(operations, SYNC);
  return operations.length;
}

test("batch records: a batch is found by its digest, and its digest by what was said of it", async () => {
  const store = await storeWith(batch(1), batch(2));
  assert.deepEqual(readBatch(store, digestOf(1)), batch(1).bytes);
  assert.deepEqual(readBatchDigest(store, batch(2)), digestOf(2));
  assert.equal(readBatch(store, digestOf(9)), undefined);
  for (const other of [{ epoch: 4 }, { author: 1 }, { sequence: 3 }])
    assert.equal(readBatchDigest(store, { ...batch(2), ...other }), undefined);
});

test("batch records: what no block above a height may have is forgotten with all that was said of it", async () => {
  const store = await storeWith(batch(1, 10), batch(2, 11), batch(3, 12));
  await expire(store, 10);
  assert.ok(readBatch(store, digestOf(1)) !== undefined, "a block of height 10 may have it");
  await expire(store, 12);
  for (const gone of [1, 2]) {
    assert.equal(readBatch(store, digestOf(gone)), undefined);
    assert.equal(readBatchDigest(store, batch(gone)), undefined);
  }
  assert.deepEqual(readBatch(store, digestOf(3)), batch(3).bytes);
  assert.equal(await expire(store, 12), 0, "no record of it is left");
});

test("batch records: expiry takes so many at a time, the oldest first", async () => {
  const store = await storeWith(batch(3, 3), batch(1, 1), batch(2, 2));
  await expire(store, 10, 2);
  assert.deepEqual(
    [1, 2, 3].map((each) => readBatch(store, digestOf(each)) !== undefined),
    [false, false, true],
  );
});

test("batch records: expiry spares the bodies of executed blocks, stored before or with the block", async () => {
  const store = await storeWith(batch(1), batch(2));
  await store.write(orderedBatchOperations(digestOf(1), 7, undefined), SYNC);
  await store.write(orderedBatchOperations(digestOf(5), 7, Uint8Array.of(5)), SYNC);
  await expire(store, 1_000);
  assert.deepEqual(readBatch(store, digestOf(1)), batch(1).bytes);
  assert.deepEqual(readBatch(store, digestOf(5)), Uint8Array.of(5));
  assert.equal(readBatch(store, digestOf(2)), undefined);
  assert.equal(readBatchDigest(store, batch(1)), undefined, "what was said of it is of no use any more");
});

test("batch records: a body goes with the block that has it, and with no other", async () => {
  const store = await storeWith(batch(1));
  await store.write(orderedBatchOperations(digestOf(1), 7, undefined), SYNC);
  assert.deepEqual(forgetBatchOperations(store, digestOf(1), 6), []);
  assert.deepEqual(forgetBatchOperations(store, digestOf(2), 7), []);
  await store.write(forgetBatchOperations(store, digestOf(1), 7), SYNC);
  assert.equal(readBatch(store, digestOf(1)), undefined);
});

test("batch records: the newest own number is of one epoch", async () => {
  const store = createMemoryStore();
  assert.equal(readOwnSequence(store, 3), 0);
  await store.write([ownSequenceOperation(3, 2 ** 40)], SYNC);
  assert.equal(readOwnSequence(store, 3), 2 ** 40);
  assert.equal(readOwnSequence(store, 4), 0);
});

test("batch records: cursors read as they were written; what cannot be read is damage", async () => {
  const store = await storeWith(batch(1));
  assert.equal(readBatchCursors(store), undefined);
  await store.write([batchCursorsOperation(Uint8Array.of(1, 2))], SYNC);
  assert.deepEqual(readBatchCursors(store), Uint8Array.of(1, 2));
  const [, said] = batchOperations(batch(1));
  await store.write([{ key: said!.key, value: Uint8Array.of(0xc1) }], SYNC);
  assert.throws(() => readBatchDigest(store, batch(1)), { code: "storage/damaged" });
});
