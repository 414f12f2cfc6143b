import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Address, type Bytes, createRandom, Hash, hex, type Random, utf8, ZERO_HASH } from "@ostrom/base";
import { HASH_KECCAK256, keccak256, SCHEME_BLS12381 } from "@ostrom/crypto";
import {
  type ExecutedBlock,
  encodeHeader,
  type Header,
  hashHeader,
  logsBloom,
  type Receipt,
  type SignedTransaction,
  type Skipped,
  signTransaction,
} from "@ostrom/execution";
import { STATE_TABLES, type WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES } from "./chain-keys.ts";
import type { BlockOrigin } from "./chain-records.ts";
import {
  blockOperations,
  checkChain,
  metaOperation,
  readBlockNumber,
  readBody,
  readCertifiedHeight,
  readHead,
  readHeader,
  readMeta,
  readOrdered,
  readReceipts,
  readSkipped,
  readStateCertificate,
  readTransaction,
  readTransactionLocation,
  SKIP_HISTORY_BLOCKS,
  stateCertificateOperations,
} from "./chain-store.ts";
import { openLevelStore } from "./level-store.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { Store } from "./types.ts";

const SECRET = hex("0101010101010101010101010101010101010101010101010101010101010101");
const EMPTY_ADDRESS = Address(new Uint8Array(20));

const transactions: readonly SignedTransaction[] = [
  signTransaction(
    { type: 0, chainId: 7n, gasLimit: 21_000n, maxFeePerGas: 5n, to: EMPTY_ADDRESS, value: 1n },
    SECRET,
  ),
  signTransaction(
    { chainId: 7n, nonce: 1n, gasLimit: 90_000n, maxFeePerGas: 5n, data: utf8("some init code") },
    SECRET,
  ),
];

function receipt(transaction: SignedTransaction, index: number, random: Random): Receipt {
  const logs = [{ address: EMPTY_ADDRESS, topics: [Hash(random.bytes(32))], data: random.bytes(100) }];
  return {
    type: transaction.type,
    succeeded: index === 0,
    cumulativeGasUsed: BigInt(21_000 * (index + 1)),
    bloom: logsBloom(logs),
    logs,
    gasUsed: 21_000n,
    effectiveGasPrice: 5n,
    contractAddress: transaction.to === undefined ? Address(random.bytes(20)) : undefined,
  };
}

function header(number: number, parentHash: Hash, orderDigest: Hash, random: Random): Header {
  return {
    parentHash,
    ommersHash: Hash(random.bytes(32)),
    coinbase: Address(random.bytes(20)),
    stateRoot: Hash(random.bytes(32)),
    transactionsRoot: Hash(random.bytes(32)),
    receiptsRoot: Hash(random.bytes(32)),
    logsBloom: random.bytes(256),
    difficulty: 0n,
    number,
    gasLimit: 30_000_000n,
    gasUsed: 42_000n,
    timestamp: 1_700_000_000 + number,
    extraData: orderDigest,
    prevRandao: Hash(random.bytes(32)),
    nonce: new Uint8Array(8),
    baseFeePerGas: 7n,
    withdrawalsRoot: Hash(random.bytes(32)),
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: Hash(random.bytes(32)),
  };
}

type Stored = {
  readonly block: ExecutedBlock;
  readonly origin: BlockOrigin;
  readonly ordered: { block: Bytes; finalization: Bytes };
};

function makeBlock(number: number, parentHash: Hash, content: Partial<ExecutedBlock> = {}): Stored {
  const random = createRandom(number + 1);
  const orderDigest = Hash(random.bytes(32));
  const made = header(number, parentHash, orderDigest, random);
  const block: ExecutedBlock = {
    header: made,
    hash: hashHeader(made, HASH_KECCAK256),
    transactions: [],
    receipts: [],
    skipped: [],
    ...content,
  };
  const origin = {
    epoch: 3,
    view: number + 10,
    timestampMs: 1_700_000_000_000 + number,
    orderDigest,
    nextSetHash: Hash(random.bytes(32)),
  };
  return { block, origin, ordered: { block: random.bytes(300), finalization: random.bytes(150) } };
}

async function append(store: Store, { block, origin, ordered }: Stored): Promise<void> {
  await store.write(blockOperations(store, { block, origin, hashId: HASH_KECCAK256, ordered }), {
    sync: true,
  });
}

async function makeChain(
  length: number,
  skippedAt: (number: number) => readonly Skipped[] = () => [],
): Promise<[Store, Stored[]]> {
  const store = createMemoryStore();
  const blocks: Stored[] = [];
  for (let number = 0; number < length; number++) {
    const block = makeBlock(number, blocks.at(-1)?.block.hash ?? ZERO_HASH, { skipped: skippedAt(number) });
    await append(store, block);
    blocks.push(block);
  }
  return [store, blocks];
}

test("chain store: all of a block reads as it was written", async () => {
  const store = createMemoryStore();
  const receipts = transactions.map((transaction, index) =>
    receipt(transaction, index, createRandom(index + 1)),
  );
  const stored = makeBlock(5, ZERO_HASH, { transactions, receipts });
  const { block, origin, ordered } = stored;
  await append(store, stored);
  assert.deepEqual(readHeader(store, 5), {
    header: block.header,
    hash: block.hash,
    hashId: HASH_KECCAK256,
    origin,
  });
  assert.deepEqual(readHead(store), { height: 5, blockHash: block.hash, origin });
  assert.equal(readBlockNumber(store, block.hash), 5);
  assert.deepEqual(readBody(store, 5), transactions);
  assert.deepEqual(readReceipts(store, 5), receipts);
  assert.deepEqual(readOrdered(store, 5), ordered);
  for (const [index, transaction] of transactions.entries()) {
    const location = readTransactionLocation(store, transaction.hash);
    assert.deepEqual(location, { blockNumber: 5, index });
    assert.deepEqual(readTransaction(store, location!), transaction);
  }
});

test("chain store: what was never written reads as undefined", () => {
  const store = createMemoryStore();
  const none = [
    readMeta(store),
    readHead(store),
    readCertifiedHeight(store),
    readHeader(store, 0),
    readBody(store, 0),
    readReceipts(store, 0),
    readOrdered(store, 0),
    readStateCertificate(store, 0),
    readBlockNumber(store, ZERO_HASH),
    readTransactionLocation(store, ZERO_HASH),
    readTransaction(store, { blockNumber: 0, index: 0 }),
    readSkipped(store, ZERO_HASH),
  ];
  assert.ok(none.every((value) => value === undefined));
});

test("chain store: a header of Cancun, without requests, keeps its form", async () => {
  const store = createMemoryStore();
  const { block, origin, ordered } = makeBlock(1, ZERO_HASH);
  const cancun = { ...block, header: { ...block.header, requestsHash: undefined } };
  await append(store, {
    block: { ...cancun, hash: hashHeader(cancun.header, HASH_KECCAK256) },
    origin,
    ordered,
  });
  const read = readHeader(store, 1);
  assert.deepEqual(read && encodeHeader(read.header), encodeHeader(cancun.header));
});

test("chain store: records share no memory with the store", async () => {
  const store = createMemoryStore();
  const stored = makeBlock(0, ZERO_HASH);
  await append(store, stored);
  readHeader(store, 0)?.hash.fill(0);
  readOrdered(store, 0)?.block.fill(0);
  assert.deepEqual(readHeader(store, 0)?.hash, stored.block.hash);
  assert.deepEqual(readOrdered(store, 0), stored.ordered);
});

test("chain store: it says which chain it holds, and refuses formats that it does not know", async () => {
  const store = createMemoryStore();
  const meta = {
    genesisHash: Hash(createRandom(1).bytes(32)),
    hashId: HASH_KECCAK256,
    schemeId: SCHEME_BLS12381,
  };
  const operation = metaOperation(meta);
  await store.write([operation], { sync: true });
  assert.deepEqual(readMeta(store), meta);

  const newer = operation.value!.slice();
  assert.equal(newer[1], 1, "the version is the first field");
  newer[1] = 9;
  await store.write([{ key: operation.key, value: newer }], { sync: true });
  assert.throws(() => readMeta(store), { code: "storage/unknown-version" });
  await store.write([{ key: operation.key, value: utf8("garbage") }], { sync: true });
  assert.throws(() => readMeta(store), { code: "storage/damaged" });
});

test("chain store: the newest state certificate only moves forward", async () => {
  const store = createMemoryStore();
  for (const [height, newest] of [
    [3, 3],
    [5, 5],
    [4, 5],
  ] as const) {
    await store.write(stateCertificateOperations(store, height, utf8(`certificate ${height}`)), {
      sync: false,
    });
    assert.equal(readCertifiedHeight(store), newest);
    assert.deepEqual(readStateCertificate(store, height), utf8(`certificate ${height}`));
  }
});

const skip = (name: string, message = "the nonce is 5"): Skipped => ({
  hash: keccak256(utf8(name)),
  reason: { code: "execution/nonce-too-low", message, retry: false },
});

test("chain store: why a transaction was skipped is remembered for a while, the last reason longest", async () => {
  const [often, once] = [skip("often"), skip("once")];
  const retried: Skipped = {
    hash: often.hash,
    reason: { code: "execution/nonce-too-high", message: "", retry: true },
  };
  const skippedAt: Record<number, readonly Skipped[]> = { 1: [retried, once], 3: [often] };
  const [store, blocks] = await makeChain(5, (number) => skippedAt[number] ?? []);
  assert.deepEqual(readSkipped(store, once.hash), { height: 1, reason: once.reason });
  assert.deepEqual(readSkipped(store, often.hash), { height: 3, reason: often.reason });

  const later = (number: number): Promise<void> =>
    append(store, makeBlock(number, blocks.at(-1)!.block.hash));
  await later(SKIP_HISTORY_BLOCKS);
  assert.ok(readSkipped(store, once.hash) !== undefined);
  await later(SKIP_HISTORY_BLOCKS + 1);
  assert.equal(readSkipped(store, once.hash), undefined);
  assert.deepEqual(readSkipped(store, often.hash), { height: 3, reason: often.reason });
  await later(SKIP_HISTORY_BLOCKS + 3);
  assert.equal(readSkipped(store, often.hash), undefined);
  for await (const [key] of store.entries({
    start: Uint8Array.of(CHAIN_TABLES.skipped),
    end: Uint8Array.of(CHAIN_TABLES.skipped + 1),
  })) {
    assert.fail(`nothing is left behind: ${key}`);
  }
});

test("chain store: tables of the chain and of state do not overlap", () => {
  const all = [...Object.values(CHAIN_TABLES), ...Object.values(STATE_TABLES)];
  assert.equal(new Set(all).size, all.length);
});

test("chain store: a chain whose newest blocks are whole and linked is sound", async () => {
  const [store] = await makeChain(20);
  assert.deepEqual(checkChain(store), { ok: true, value: 20 });
  assert.deepEqual(checkChain(store, 5), { ok: true, value: 5 });
  assert.deepEqual(checkChain(createMemoryStore()), { ok: true, value: 0 });
});

test("chain store: a lost or exchanged block among the newest is noticed", async () => {
  const lose = async (operations: (store: Store) => readonly WriteOperation[]): Promise<string> => {
    const [store] = await makeChain(20);
    await store.write(operations(store), { sync: true });
    const checked = checkChain(store);
    return checked.ok ? "ok" : checked.error.code;
  };
  const keyOf = (store: Store, number: number): Bytes =>
    blockOperations(store, { ...makeBlock(number, ZERO_HASH), hashId: HASH_KECCAK256 }).find(
      ({ key }) => key[0] === CHAIN_TABLES.header,
    )!.key;
  assert.equal(await lose(() => []), "ok");
  assert.equal(await lose((store) => [{ key: keyOf(store, 10), value: undefined }]), "chain/damaged");
  assert.equal(
    await lose((store) => [{ key: keyOf(store, 10), value: store.get(keyOf(store, 9)) }]),
    "chain/damaged",
  );
  assert.equal(await lose((store) => [{ key: keyOf(store, 19), value: undefined }]), "chain/damaged");
});

test("chain store: batches that LevelDB lost in silence are noticed, unless they were the last: then the chain is an earlier one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ostrom-chain-"));
  const store = await openLevelStore(folder, { create: true });
  let parent = ZERO_HASH;
  for (let number = 0; number < 200; number++) {
    const stored = makeBlock(number, parent);
    await append(store, stored);
    parent = stored.block.hash;
  }
  await store.close();
  const log = (await readdir(folder)).find((name) => name.endsWith(".log"));
  assert.ok(log !== undefined);
  const bytes = await readFile(join(folder, log));
  for (const share of [0.3, 0.6, 0.99]) {
    const damaged = Buffer.from(bytes);
    const at = Math.floor(bytes.length * share);
    damaged[at] = damaged[at]! ^ 0x10;
    const copy = await mkdtemp(join(tmpdir(), "ostrom-chain-"));
    await cp(folder, copy, { recursive: true });
    await writeFile(join(copy, log), damaged);
    const opened = await openLevelStore(copy, { create: false });
    const head = readHead(opened)?.height ?? 0;
    assert.equal(checkChain(opened).ok, head < 199, `damage at ${share}: head ${head}`);
    await opened.close();
    await rm(copy, { recursive: true });
  }
  await rm(folder, { recursive: true });
});
