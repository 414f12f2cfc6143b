import assert from "node:assert/strict";
import { test } from "node:test";
import { uint64ToBytes } from "@ostrom/base";
import { SNAPSHOT_TABLES, STATE_TABLES } from "@ostrom/state";
import {
  floorOperation,
  MAX_PRUNED_PER_BLOCK,
  MIN_KEPT_BLOCKS,
  NO_FLOOR,
  pruneOperations,
  readFloor,
} from "./chain-floor.ts";
import { CHAIN_TABLES, heightKey } from "./chain-keys.ts";
import { createMemoryStore, type Store } from "./index.ts";

const TABLES = [CHAIN_TABLES.body, CHAIN_TABLES.receipts, CHAIN_TABLES.ordered];

/** Blocks without transactions, all certified. */
async function storeOf(blocks: number, certified: number, keptBlocks: number): Promise<Store> {
  const store = createMemoryStore();
  const empty = Uint8Array.of(0xc0);
  const operations = Array.from({ length: blocks + 1 }, (_, height) =>
    [...TABLES, CHAIN_TABLES.header].map((table) => ({ key: heightKey(table, height), value: empty })),
  );
  const head = { key: Uint8Array.of(CHAIN_TABLES.certifiedHead), value: uint64ToBytes(certified) };
  await store.write([...operations.flat(), head, floorOperation({ ...NO_FLOOR, keptBlocks })], {
    sync: true,
  });
  return store;
}

test("a store that says nothing keeps all", async () => {
  const store = createMemoryStore();
  assert.deepEqual(readFloor(store), NO_FLOOR);
  assert.deepEqual(pruneOperations(store, 1_000_000), []);
});

test("pruning forgets bodies, receipts and ordered blocks, a few with each block, and keeps headers and genesis", async () => {
  const blocks = MIN_KEPT_BLOCKS + 20;
  const store = await storeOf(blocks, blocks, MIN_KEPT_BLOCKS);
  let rounds = 0;
  for (;;) {
    const before = readFloor(store).bodies;
    await store.write(pruneOperations(store, blocks), { sync: true });
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

test("what no certificate covers yet is kept, however old", async () => {
  const blocks = 3 * MIN_KEPT_BLOCKS;
  const store = await storeOf(blocks, MIN_KEPT_BLOCKS, MIN_KEPT_BLOCKS);
  assert.deepEqual(pruneOperations(store, blocks), []);
});

test("tables of snapshots overlap with none of the chain's and of state's", () => {
  const all = [CHAIN_TABLES, STATE_TABLES, SNAPSHOT_TABLES].flatMap((tables) => Object.values(tables));
  assert.equal(new Set<number>(all).size, all.length);
});
