import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, EMPTY_BYTES, type Hash, hashFromWord, uint64ToBytes } from "@ostrom/base";
import { encodeStoredReceipts, type Receipt } from "@ostrom/execution";
import { SNAPSHOT_TABLES, STATE_TABLES, type WriteOperation } from "@ostrom/state";
import { adoptOrderedOperation } from "./adopted-chain.ts";
import { batchOperations, orderedBatchOperations, readBatch } from "./batch-records.ts";
import {
  type BatchesOfBlock,
  floorOperation,
  MAX_PRUNED_PER_BLOCK,
  MIN_KEPT_BLOCKS,
  NO_FLOOR,
  pruneOperations,
  readFloor,
} from "./chain-floor.ts";
import { CHAIN_TABLES, heightKey } from "./chain-keys.ts";
import { createMemoryStore, type Store } from "./index.ts";
import { isLogIndexed, logIndexOperations, readLogHeights } from "./log-index.ts";

const NO_BATCHES: BatchesOfBlock = () => [];

const TABLES = [CHAIN_TABLES.body, CHAIN_TABLES.receipts, CHAIN_TABLES.ordered];

/** Blocks without transactions, all certified. */
async function storeOf(blocks: number, certified: number, keptBlocks: number): Promise<Store> {
  const store = createMemoryStore();
  const empty = Uint8Array.of(0xc0);
  const operations: WriteOperation[][] = Array.from({ length: blocks + 1 }, (_, height) =>
    [...TABLES, CHAIN_TABLES.header].map((table) => ({ key: heightKey(table, height), value: empty })),
  );
  // Nothing is read of them but which batches they refer to.
  const ordered = { block: EMPTY_BYTES, finalization: EMPTY_BYTES };
  for (let height = 1; height <= blocks; height++) operations.push([adoptOrderedOperation(height, ordered)]);
  const head = { key: Uint8Array.of(CHAIN_TABLES.certifiedHead), value: uint64ToBytes(certified) };
  await store.write([...operations.flat(), head, floorOperation({ ...NO_FLOOR, keptBlocks })], {
    sync: true,
  });
  return store;
}

test("a store that says nothing keeps all", async () => {
  const store = createMemoryStore();
  assert.deepEqual(readFloor(store), NO_FLOOR);
  assert.deepEqual(pruneOperations(store, 1_000_000, NO_BATCHES), []);
});

test("pruning forgets bodies, receipts and ordered blocks, a few with each block, and keeps headers and genesis", async () => {
  const blocks = MIN_KEPT_BLOCKS + 20;
  const store = await storeOf(blocks, blocks, MIN_KEPT_BLOCKS);
  let rounds = 0;
  for (;;) {
    const before = readFloor(store).bodies;
    await store.write(pruneOperations(store, blocks, NO_BATCHES), { sync: true });
    const { bodies } = readFloor(store);
    if (bodies === before) break;
    assert.ok(bodies - Math.max(1, before) <= MAX_PRUNED_PER_BLOCK);
    rounds += 1;
  }
  assert.equal(rounds, 20 / MAX_PRUNED_PER_BLOCK);
  assert.equal(readFloor(store).bodies, 21);
  for (let height = 0; height <= blocks; height++) {
    const isKept = height === 0 || height >= 21;
    for (const table of TABLES)
      assert.equal(store.get(heightKey(table, height)) !== undefined, isKept, `${height}`);
    assert.ok(store.get(heightKey(CHAIN_TABLES.header, height)) !== undefined);
  }
});

const LOGGED: Receipt = {
  type: 2,
  succeeded: true,
  cumulativeGasUsed: 21_000n,
  gasUsed: 21_000n,
  effectiveGasPrice: 1n,
  bloom: new Uint8Array(256),
  contractAddress: undefined,
  logs: [
    { address: Address(new Uint8Array(20).fill(3)), topics: [hashFromWord(4n)], data: Uint8Array.of(1) },
  ],
};

test("pruning takes a block's logs out of the index, and keeps those of blocks that are kept", async () => {
  const blocks = MIN_KEPT_BLOCKS + 2;
  const store = await storeOf(blocks, blocks, MIN_KEPT_BLOCKS);
  for (const height of [1, 2, 3])
    await store.write(
      [
        { key: heightKey(CHAIN_TABLES.receipts, height), value: encodeStoredReceipts([LOGGED]) },
        ...logIndexOperations(store, [LOGGED], height),
      ],
      { sync: true },
    );
  await store.write(pruneOperations(store, blocks, NO_BATCHES), { sync: true });
  assert.equal(readFloor(store).bodies, 3);
  const term = { position: 0, value: LOGGED.logs[0]!.address } as const;
  for (const one of [term, undefined]) assert.deepEqual(await readLogHeights(store, one, 0, blocks, 10), [3]);
  assert.ok(!isLogIndexed(store, term, 2));
});

test("pruning forgets the batches of a block, but for those that a later block or no block refers to", async () => {
  const blocks = MIN_KEPT_BLOCKS + 2;
  const store = await storeOf(blocks, blocks, MIN_KEPT_BLOCKS);
  const [once, twice, waiting] = [1n, 2n, 3n].map(hashFromWord) as [Hash, Hash, Hash];
  const bytes = Uint8Array.of(9);
  const ordered = uint64ToBytes(1);
  await store.write(
    [
      ...batchOperations({ epoch: 1, author: 0, sequence: 1, expiryHeight: 9_999, digest: waiting, bytes }),
      ...orderedBatchOperations(once, 1, bytes),
      ...orderedBatchOperations(twice, 1, bytes),
      // The same bytes under another number.
      ...orderedBatchOperations(twice, 3, undefined),
      adoptOrderedOperation(1, { block: ordered, finalization: bytes }),
    ],
    { sync: true },
  );
  // What was never ordered here stays, whoever names it.
  const batchesOf: BatchesOfBlock = (block) => (block.length === 8 ? [once, twice, waiting] : []);
  await store.write(pruneOperations(store, blocks, batchesOf), { sync: true });
  assert.equal(readBatch(store, once), undefined);
  assert.deepEqual(readBatch(store, twice), bytes);
  assert.deepEqual(readBatch(store, waiting), bytes);
});

test("what no certificate covers yet is kept, however old", async () => {
  const blocks = 3 * MIN_KEPT_BLOCKS;
  const store = await storeOf(blocks, MIN_KEPT_BLOCKS, MIN_KEPT_BLOCKS);
  assert.deepEqual(pruneOperations(store, blocks, NO_BATCHES), []);
});

test("tables of snapshots overlap with none of the chain's and of state's", () => {
  const all = [CHAIN_TABLES, STATE_TABLES, SNAPSHOT_TABLES].flatMap((tables) => Object.values(tables));
  assert.equal(new Set<number>(all).size, all.length);
});
