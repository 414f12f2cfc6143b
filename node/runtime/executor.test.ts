import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  concatBytes,
  createRandom,
  must,
  toHex,
  toHexDigits,
  utf8,
  Weight,
  wordToBytes,
} from "@ostrom/base";
import { validatorSetHash } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  encodePayload,
  type SignedTransaction,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  type ValidatorSet,
} from "@ostrom/execution";
import { readUndo, storeReader } from "@ostrom/state";
import {
  createFaultyStore,
  createMemoryStore,
  readBody,
  readHead,
  readHeader,
  readOrdered,
  readReceipts,
  readSkipped,
  readStoredValidatorSet,
  readTransactionLocation,
  type Store,
} from "@ostrom/storage";
import type { OrderedInput } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { clientKey, simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";
import { consensusSet } from "./validator-sets.ts";

installNativeCrypto();
const HISTORY_BLOCKS = 4;

const nonceOf = (store: Store, client: number): bigint =>
  storeReader(store).account(addressOfSecretKey(clientKey(client)))?.nonce ?? -1n;

test("an empty store becomes genesis' chain; opening it again changes nothing", async () => {
  const chain = new OrderedChain();
  const store = createMemoryStore();
  const first = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  assert.equal(toHex(first.head().blockHash), toHex(chain.domain.genesisHash));
  const again = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  assert.deepEqual(again.head(), first.head());
});

test("a store of another chain is refused, and left as it is", async () => {
  const store = createMemoryStore();
  const mine = await Executor.open(store, new OrderedChain().genesis, HISTORY_BLOCKS);
  const other = simulatedGenesis({ validators: 4, clients: 3 });
  await assert.rejects(Executor.open(store, other, HISTORY_BLOCKS), {
    code: "chain/wrong-genesis",
    message: /put the right genesis\.json back/,
  });
  assert.deepEqual(readHead(store)?.blockHash, mine.head().blockHash);
});

test("a block is stored whole: header, body, receipts, ordered block, finalization, locations, state", async () => {
  const chain = new OrderedChain();
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  const transfers = [simulatedTransfer(0, 0), simulatedTransfer(1, 0)];
  chain.append(transfers);
  const input = chain.inputOf(1);
  const report = await executor.execute(input);
  assert.deepEqual(
    report.included,
    transfers.map(({ hash }) => hash),
  );
  const { hash, header, origin } = must(readHeader(store, 1), "the header is stored");
  assert.equal(toHex(hash), toHex(report.executedHash));
  assert.equal(toHex(header.extraData), toHex(chain.at(1).digest));
  assert.equal(toHex(header.parentHash), toHex(chain.domain.genesisHash));
  assert.deepEqual([origin.view, origin.timestampMs], [1, input.timestampMs]);
  assert.deepEqual(
    readBody(store, 1)?.map(({ sender }) => toHex(sender)),
    transfers.map(({ sender }) => toHex(sender)),
  );
  assert.equal(readReceipts(store, 1)?.length, 2);
  assert.deepEqual(readOrdered(store, 1), { block: input.orderedBlock, finalization: input.finalization });
  assert.deepEqual(readTransactionLocation(store, transfers[1]!.hash), { blockNumber: 1, index: 1 });
  assert.deepEqual([nonceOf(store, 0), nonceOf(store, 1)], [1n, 1n]);
  assert.equal(executor.head().nextBaseFee, report.nextBaseFee);
});

test("what cannot run is skipped and remembered with its reason", async () => {
  const chain = new OrderedChain();
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  const gap = simulatedTransfer(0, 7);
  chain.append([gap, simulatedTransfer(1, 0)]);
  const report = await executor.execute(chain.inputOf(1));
  assert.equal(report.included.length, 1);
  assert.deepEqual(
    report.skipped.map(({ reason }) => reason.code),
    ["execution/nonce-too-high"],
  );
  assert.equal(readSkipped(store, gap.hash)?.reason.code, "execution/nonce-too-high");
});

test("senders that the node has checked need no second check, and change no result", async () => {
  const results = [];
  for (const isKnown of [false, true]) {
    const chain = new OrderedChain();
    const executor = await Executor.open(createMemoryStore(), chain.genesis, HISTORY_BLOCKS);
    const transfer = simulatedTransfer(0, 0);
    chain.append([transfer]);
    const senders = isKnown ? Uint8Array.of(...transfer.hash, ...transfer.sender) : new Uint8Array(0);
    results.push(toHex((await executor.execute({ ...chain.inputOf(1), senders })).executedHash));
  }
  assert.equal(results[0], results[1]);
});

test("a payload that cannot be read is an empty block", async () => {
  const chain = new OrderedChain();
  const executor = await Executor.open(createMemoryStore(), chain.genesis, HISTORY_BLOCKS);
  chain.append([], { payload: Uint8Array.of(9, 9) });
  const report = await executor.execute(chain.inputOf(1));
  assert.deepEqual([report.included, report.gasUsed], [[], 0n]);
  chain.append([], { payload: encodePayload([Uint8Array.of(1, 2, 3)]) });
  const next = await executor.execute(chain.inputOf(2));
  assert.equal(next.included.length, 0);
});

test("blocks are executed in height order only", async () => {
  const chain = new OrderedChain();
  const executor = await Executor.open(createMemoryStore(), chain.genesis, HISTORY_BLOCKS);
  chain.append();
  chain.append();
  await assert.rejects(executor.execute(chain.inputOf(2)), /height order/);
  await executor.execute(chain.inputOf(1));
  await assert.rejects(executor.execute(chain.inputOf(1)), /height order/);
  await executor.execute(chain.inputOf(2));
});

test("a node that restarts between any two blocks computes what one that never stopped does", async () => {
  const payloads = (height: number): readonly SignedTransaction[] => [
    simulatedTransfer(height % 3, Math.floor(height / 3)),
    simulatedTransfer(3, height - 1),
  ];
  const steady = new OrderedChain();
  const executor = await Executor.open(createMemoryStore(), steady.genesis, HISTORY_BLOCKS);
  const expected: string[] = [];
  for (let height = 1; height <= 9; height++) {
    steady.append(payloads(height));
    expected.push(toHex((await executor.execute(steady.inputOf(height))).executedHash));
  }
  const database = createFaultyStore(createRandom(3));
  for (let height = 1; height <= 9; height++) {
    const restarted = await Executor.open(database.open(), steady.genesis, HISTORY_BLOCKS);
    assert.equal(restarted.head().height, height - 1);
    assert.equal(toHex((await restarted.execute(steady.inputOf(height))).executedHash), expected[height - 1]);
    database.crash();
  }
});

test("a block whose batch does not reach the disk never was; the next is not executed on top of it", async () => {
  const chain = new OrderedChain();
  chain.append([simulatedTransfer(0, 0)]);
  chain.append();
  const database = createFaultyStore(createRandom(4));
  const executor = await Executor.open(database.open(), chain.genesis, HISTORY_BLOCKS);
  database.setFaults({ writeFailsOneIn: 1 });
  await assert.rejects(executor.execute(chain.inputOf(1)), { code: "storage/disk-full" });
  await assert.rejects(executor.execute(chain.inputOf(2)), /height order/);
  database.crash();
  database.setFaults({});
  const store = database.open();
  const again = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  assert.deepEqual([again.head().height, nonceOf(store, 0)], [0, 0n]);
  await again.execute(chain.inputOf(1));
  assert.equal(nonceOf(store, 0), 1n);
});

test("reverse differences are kept as far back as history goes, and no further", async () => {
  const chain = new OrderedChain();
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  for (let height = 1; height <= 10; height++) {
    chain.append([simulatedTransfer(0, height - 1)]);
    await executor.execute(chain.inputOf(height));
  }
  const kept = Array.from({ length: 10 }, (_, index) => index + 1).filter(
    (height) => readUndo(store, height) !== undefined,
  );
  assert.deepEqual(kept, [7, 8, 9, 10]);
});

/** A chain of short epochs whose validators client 0 decides on: sets are read at heights 2, 6, 10. */
function managedChain(): OrderedChain {
  const base = simulatedGenesis({ validators: 4, clients: 2 });
  const owner = addressOfSecretKey(clientKey(0));
  const validatorSets = { kind: "managed", owner } as const;
  return new OrderedChain({ ...base, epochLength: 4, epochLead: 2, validatorSets }, { isSigned: false });
}

/** A transaction of client 0: setWeight(bytes consensusKey, uint64 weight). */
function setWeight({ consensusKey }: Validator, weight: number, nonce: number): SignedTransaction {
  const words = [64n, BigInt(weight), BigInt(consensusKey.length)].map(wordToBytes);
  const selector = keccak256(utf8("setWeight(bytes,uint64)")).subarray(0, 4);
  const data = concatBytes(selector, ...words, consensusKey, new Uint8Array(16));
  return simulatedTransfer(0, nonce, { to: VALIDATOR_SET_ADDRESS, data, gasLimit: 300_000n, value: 0n });
}

const inputAt = (chain: OrderedChain, height: number): OrderedInput => ({
  ...chain.inputOf(height),
  epoch: Math.floor((height - 1) / 4),
});

test("the set of the next epoch is stored with the block that decides it, and hashed into results from there on", async () => {
  const chain = managedChain();
  const { domain, genesis } = chain;
  const store = createMemoryStore();
  let executor = await Executor.open(store, genesis, HISTORY_BLOCKS);
  assert.deepEqual(readStoredValidatorSet(store, 0), genesis.validatorSet);
  const [first] = genesis.validatorSet.validators as [Validator, ...Validator[]];
  const changed = {
    ...genesis.validatorSet,
    validators: genesis.validatorSet.validators.map((one) =>
      one === first ? { ...one, weight: Weight(3) } : one,
    ),
  };
  const hashOf = (set: ValidatorSet, epoch: number): string =>
    toHex(validatorSetHash({ hash: domain.hash }, consensusSet(set, epoch)));
  // Block 1 changes the set in time for epoch 1, block 3 for epoch 2.
  const blocks = [[setWeight(first, 3, 0)], [], [setWeight(first, 1, 1)], [], [], [], []];
  const expected = [
    hashOf(genesis.validatorSet, 0),
    ...Array.from({ length: 4 }, () => hashOf(changed, 1)),
    ...Array.from({ length: 2 }, () => hashOf(genesis.validatorSet, 2)),
  ];
  for (const [index, transactions] of blocks.entries()) {
    const height = index + 1;
    chain.append(transactions);
    // A restart at any height changes nothing.
    if (height % 2 === 1) executor = await Executor.open(store, genesis, HISTORY_BLOCKS);
    const report = await executor.execute(inputAt(chain, height));
    assert.equal(report.included.length, transactions.length);
    assert.equal(toHex(report.nextSetHash), expected[index], `block ${height}`);
    const decided = height === 2 ? 1 : height === 6 ? 2 : undefined;
    assert.equal(report.frozen?.epoch, decided);
    if (decided !== undefined) {
      assert.deepEqual(report.frozen, { epoch: decided, isChanged: true, refused: undefined, leftOut: [] });
      assert.deepEqual(executor.recall(inputAt(chain, height)).frozen, report.frozen);
    }
    assert.equal(readStoredValidatorSet(store, 1) === undefined, height < 2);
    assert.equal(readStoredValidatorSet(store, 2) === undefined, height < 6);
  }
  assert.deepEqual(readStoredValidatorSet(store, 1), changed);
  assert.deepEqual(readStoredValidatorSet(store, 2), genesis.validatorSet);
});

test("a set that nobody changes is the next epoch's, too", async () => {
  const base = simulatedGenesis({ validators: 4, clients: 2 });
  const chain = new OrderedChain({ ...base, epochLength: 4, epochLead: 2 }, { isSigned: false });
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS, () => false);
  for (const height of [1, 2]) {
    chain.append();
    const report = await executor.execute(inputAt(chain, height));
    const epoch = height === 2 ? 1 : 0;
    const set = consensusSet(chain.genesis.validatorSet, epoch);
    assert.equal(toHex(report.nextSetHash), toHex(validatorSetHash({ hash: chain.domain.hash }, set)));
    assert.equal(report.frozen?.isChanged, height === 2 ? false : undefined);
  }
  assert.deepEqual(readStoredValidatorSet(store, 1), chain.genesis.validatorSet);
});

test("BLOCKHASH reaches back as many blocks as Ethereum's, also after a restart", async () => {
  // Stores BLOCKHASH(NUMBER - calldata[0]) at slot calldata[0].
  const code = Uint8Array.fromHex("60003543034060003555");
  const probe = Uint8Array.fromHex("00000000000000000000000000000000000b10c4");
  const base = simulatedGenesis({ validators: 4, clients: 2 });
  const account = { address: probe as never, balance: 0n, nonce: 1n, code, storage: [] };
  const chain = new OrderedChain({ ...base, alloc: [...base.alloc, account] }, { isSigned: false });
  const store = createMemoryStore();
  const hashes: string[] = [toHexDigits(chain.domain.genesisHash)];
  let executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  for (let height = 1; height <= 300; height++) {
    if (height === 300) executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
    const ask = (back: number, nonce: number): SignedTransaction => {
      const data: Bytes = new Uint8Array(32);
      new DataView(data.buffer).setUint32(28, back);
      return simulatedTransfer(0, nonce, { to: probe as never, data, gasLimit: 100_000n, value: 0n });
    };
    chain.append(height === 300 ? [1, 256, 257].map((back, index) => ask(back, index)) : []);
    const report = await executor.execute(chain.inputOf(height, height));
    hashes.push(toHexDigits(report.executedHash));
    if (height === 300) assert.equal(report.included.length, 3);
  }
  const slot = (key: bigint): string =>
    storeReader(store)
      .storage(probe as never, key)
      .toString(16)
      .padStart(64, "0");
  assert.equal(slot(1n), hashes[299]);
  assert.equal(slot(256n), hashes[44]);
  assert.equal(slot(257n), "0".repeat(64));
});
