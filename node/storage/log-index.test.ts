import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Address, type Hash, hashFromWord } from "@ostrom/base";
import type { Receipt } from "@ostrom/execution";
import { openLevelStore } from "./level-store.ts";
import {
  isLogIndexed,
  type LogTerm,
  logIndexOperations,
  logIndexRemovals,
  readLogHeights,
  readLogIndexStart,
} from "./log-index.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { Store } from "./types.ts";

const addressOf = (n: number): Address => Address(new Uint8Array(20).fill(n));

/** One receipt with one log. */
function logged(address: number, ...topics: Hash[]): Receipt {
  return {
    type: 2,
    succeeded: true,
    cumulativeGasUsed: 21_000n,
    gasUsed: 21_000n,
    effectiveGasPrice: 1n,
    bloom: new Uint8Array(256),
    contractAddress: undefined,
    logs: [{ address: addressOf(address), topics, data: new Uint8Array(0) }],
  };
}

const ofAddress = (n: number): LogTerm => ({ position: 0, value: addressOf(n) });

async function index(store: Store, height: number, receipts: readonly Receipt[]): Promise<void> {
  await store.write(logIndexOperations(store, receipts, height), { sync: false });
}

const all = (
  store: Store,
  term: LogTerm | undefined,
  from = 0,
  to = 10_000_000,
): Promise<readonly number[]> => readLogHeights(store, term, from, to, 1_000);

async function onEachStore(use: (store: Store) => Promise<void>): Promise<void> {
  await use(createMemoryStore());
  const folder = await mkdtemp(join(tmpdir(), "ostrom-log-index-"));
  const store = await openLevelStore(folder);
  try {
    await use(store);
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}

test("blocks are found by address, by topic at its position, and by having any log", () =>
  onEachStore(async (store) => {
    const [a, b] = [hashFromWord(1n), hashFromWord(2n)];
    await index(store, 1, [logged(1, a, b)]);
    await index(store, 2, []);
    await index(store, 300, [logged(2, b), logged(2, b), logged(1)]);
    await index(store, 1_000_000, [logged(1, b, b, b, a)]);
    assert.deepEqual(await all(store, ofAddress(1)), [1, 300, 1_000_000]);
    assert.deepEqual(await all(store, ofAddress(2)), [300]);
    assert.deepEqual(await all(store, ofAddress(3)), []);
    assert.deepEqual(await all(store, { position: 1, value: b }), [300, 1_000_000]);
    assert.deepEqual(await all(store, { position: 2, value: b }), [1, 1_000_000]);
    assert.deepEqual(await all(store, { position: 4, value: a }), [1_000_000]);
    assert.deepEqual(await all(store, undefined), [1, 300, 1_000_000]);
    assert.deepEqual(await all(store, ofAddress(1), 1, 300), [1, 300]);
    assert.deepEqual(await all(store, ofAddress(1), 2, 299), []);
    assert.deepEqual(await readLogHeights(store, ofAddress(1), 0, 2_000_000, 2), [1, 300]);
    assert.equal(isLogIndexed(store, ofAddress(1), 300), true);
    assert.equal(isLogIndexed(store, ofAddress(2), 1), false);
  }));

test("however many logs say the same, a block has one entry for each value", () => {
  const store = createMemoryStore();
  const topic = hashFromWord(7n);
  const receipts = Array.from({ length: 100 }, () => logged(1, topic));
  // Address, topic, any log, and where the index begins.
  assert.equal(logIndexOperations(store, receipts, 5).length, 4);
  assert.equal(logIndexOperations(store, [], 5).length, 1);
});

test("addresses as topics, numbers and texts keep apart", async () => {
  const store = createMemoryStore();
  const values = ["0".repeat(24) + "11".repeat(20), "0".repeat(24) + "12".repeat(20), `${"0".repeat(63)}1`];
  const texts = [`414243${"0".repeat(58)}`, `414244${"0".repeat(58)}`];
  const topics = [...values, ...texts].map((digits) => hashFromWord(BigInt(`0x${digits}`)));
  for (const [height, topic] of topics.entries()) await index(store, height, [logged(1, topic)]);
  for (const [height, topic] of topics.entries()) {
    assert.deepEqual(await all(store, { position: 1, value: topic }), [height]);
  }
});

test("a block that is unwound or pruned leaves nothing, and the index says where it began", async () => {
  const store = createMemoryStore();
  assert.equal(readLogIndexStart(store), undefined);
  const receipts = [logged(1, hashFromWord(1n))];
  await index(store, 40, receipts);
  await index(store, 41, receipts);
  assert.equal(readLogIndexStart(store), 40);
  await store.write(logIndexRemovals(receipts, 41), { sync: false });
  assert.deepEqual(await all(store, ofAddress(1)), [40]);
  assert.deepEqual(await all(store, undefined), [40]);
  await index(store, 41, [logged(2)]);
  assert.deepEqual(await all(store, ofAddress(2)), [41]);
  assert.equal(readLogIndexStart(store), 40);
});
