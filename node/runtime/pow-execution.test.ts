import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { createRandom, must, toHex, toHexDigits } from "@ostrom/base";
import { STATE_TABLES } from "@ostrom/state";
import {
  createFaultyStore,
  createMemoryStore,
  openLevelStore,
  readHead,
  type Store,
  type StoreView,
} from "@ostrom/storage";
import { startExecutionWorker } from "./execution-client.ts";
import { Executor } from "./executor.ts";
import { DEFAULT_ENGINE } from "./installed-engine.ts";
import { DEFAULT_MEMORY } from "./memory-settings.ts";
import { BARE_PARTS } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { contractChain } from "./testing/contract-chain.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const BLOCKS = 6;
const HISTORY_BLOCKS = 64;
const END_OF_KEYS = Uint8Array.of(0xff);

/** All that a store holds, but code, which is never taken back. */
async function contentOf(store: StoreView): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>();
  for await (const [key, value] of store.entries({ start: new Uint8Array(0), end: END_OF_KEYS })) {
    if (key[0] !== STATE_TABLES.code) content.set(toHexDigits(key), toHexDigits(value));
  }
  return content;
}

/** Executes a chain and notes what the store holds after each block, genesis first. */
async function grow(store: Store, chain: OrderedChain): Promise<readonly ReadonlyMap<string, string>[]> {
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  const contents = [await contentOf(store)];
  for (let height = 1; height <= chain.blocks.length; height++) {
    await executor.execute(chain.inputOf(height));
    contents.push(await contentOf(store));
  }
  return contents;
}

test("blocks that are taken off leave the store as it was before them, byte for byte, code apart", async () => {
  const chain = contractChain(BLOCKS);
  const store = createMemoryStore();
  const contents = await grow(store, chain);
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  for (let height = BLOCKS; height > 0; height--) {
    const head = await executor.unwind(height);
    assert.equal(head.height, height - 1);
    assert.deepEqual(await contentOf(store), contents[height - 1]);
  }
  for (let height = 1; height <= BLOCKS; height++) await executor.execute(chain.inputOf(height));
  assert.deepEqual(await contentOf(store), contents[BLOCKS]);
});

test("another branch above a block gives what it gives to a node that never saw the first branch", async () => {
  const branch = (nonces: readonly number[]): OrderedChain => {
    const chain = new OrderedChain(undefined, { isSigned: false });
    chain.append([simulatedTransfer(0, 0)]);
    for (const nonce of nonces) chain.append([simulatedTransfer(0, nonce), simulatedTransfer(1, nonce - 1)]);
    return chain;
  };
  const first = branch([1, 2, 3]);
  const second = branch([1, 3, 2, 4]);
  const store = createMemoryStore();
  await grow(store, first);
  const executor = await Executor.open(store, first.genesis, HISTORY_BLOCKS);
  for (const height of [4, 3, 2]) await executor.unwind(height);
  for (const height of [2, 3, 4, 5]) await executor.execute(second.inputOf(height));
  const steady = createMemoryStore();
  const expected = await grow(steady, second);
  assert.deepEqual(await contentOf(store), expected.at(-1));
});

test("a power cut while a block is taken off leaves the chain with it or without it", async () => {
  const chain = contractChain(BLOCKS);
  const contents = await grow(createMemoryStore(), chain);
  for (let seed = 0; seed < 12; seed++) {
    const random = createRandom(seed);
    const faulty = createFaultyStore(random);
    let store = faulty.open();
    await grow(store, chain);
    let executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
    for (let height = BLOCKS; height > 0; ) {
      const unwinding = executor.unwind(height);
      if (random.chance(1, 2)) await unwinding;
      faulty.crash();
      await unwinding.catch(() => undefined);
      store = faulty.open();
      const found = must(readHead(store), "the chain is there").height;
      assert.ok(found === height || found === height - 1);
      assert.deepEqual(await contentOf(store), contents[found]);
      executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
      assert.equal(executor.head().height, found);
      height = found;
    }
  }
});

test("a disk that fails leaves the block where it was", async () => {
  const chain = contractChain(2);
  const faulty = createFaultyStore(createRandom(1));
  const store = faulty.open();
  const contents = await grow(store, chain);
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  faulty.setFaults({ writeFailsOneIn: 1 });
  await assert.rejects(executor.unwind(2), { code: "storage/disk-full" });
  assert.deepEqual(await contentOf(store), contents[2]);
  assert.equal(executor.head().height, 2);
});

test("through the worker too: one that is killed over it is replaced, and the chain goes on above", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "ostrom-unwind-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const databasePath = join(folder, "chain");
  const chain = contractChain(4);
  const workers: Worker[] = [];
  const options = {
    databasePath,
    genesis: chain.genesis,
    historyBlocks: HISTORY_BLOCKS,
    memory: DEFAULT_MEMORY,
    program: BARE_PARTS,
    engine: DEFAULT_ENGINE,
  };
  const store = await openLevelStore(databasePath);
  const client = await startExecutionWorker(
    options,
    () => undefined,
    (worker) => workers.push(worker),
  );
  context.after(async () => {
    await client.stop();
    await store.close();
  });
  const reports = [];
  for (let height = 1; height <= 4; height++) reports.push(await client.execute(chain.inputOf(height)));
  for (const height of [4, 3, 2]) {
    const unwinding = client.unwind(height);
    if (height !== 4) await workers.at(-1)?.terminate();
    const head = await unwinding;
    assert.deepEqual([head.height, head.blockHash], [height - 1, reports[height - 2]!.executedHash]);
    assert.equal(readHead(store)?.height, height - 1);
  }
  for (let height = 2; height <= 4; height++) {
    assert.deepEqual(await client.execute(chain.inputOf(height)), reports[height - 1]);
  }
  assert.equal(workers.length, 3);
});

test("a block is taken off once, newest first, and only while its reverse difference is kept", async () => {
  const chain = contractChain(BLOCKS);
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 2);
  for (let height = 1; height <= BLOCKS; height++) await executor.execute(chain.inputOf(height));
  await assert.rejects(executor.unwind(BLOCKS - 1), /newest first/);
  const once = await executor.unwind(BLOCKS);
  assert.deepEqual(await executor.unwind(BLOCKS), once);
  assert.equal(toHex(once.blockHash), toHex(must(readHead(store), "a head").blockHash));
  await executor.unwind(BLOCKS - 1);
  await assert.rejects(executor.unwind(BLOCKS - 2), { code: "chain/history-too-short" });
});
