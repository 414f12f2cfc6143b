import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, createRandom, hex, toHex, ZERO_HASH } from "@ostrom/base";
import { HASH_KECCAK256, keccak256 } from "@ostrom/crypto";
import { EMPTY_TRIE_ROOT } from "@ostrom/state";
import { applyBlock, type BlockInput } from "./apply-block.ts";
import { nextBaseFee } from "./fees.ts";
import { EMPTY_OMMERS_HASH, EMPTY_REQUESTS_HASH, hashHeader } from "./header.ts";
import { addressOfSecretKey } from "./signature.ts";
import { BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS } from "./system-contracts.ts";
import { mixedAccounts, mixedPayload, WRITER } from "./testing/mixed-payloads.ts";
import { randomTransaction, testKey } from "./testing/random-transactions.ts";
import {
  funded,
  GENESIS_TIME_MS,
  PROPOSER,
  TEST_CHAIN_ID,
  TestChain,
  testGenesis,
} from "./testing/test-chain.ts";
import { signTransaction, type TransactionFields } from "./transaction.ts";
import type { SignedTransaction } from "./types.ts";

const KEY = testKey(0);
const SENDER = addressOfSecretKey(KEY);
const TO = addressFromHex("00000000000000000000000000000000000000aa");
const FEE = 10n ** 12n;

function transfer(fields: Partial<TransactionFields> = {}, key = KEY): SignedTransaction {
  return signTransaction(
    { chainId: TEST_CHAIN_ID, gasLimit: 21_000n, maxFeePerGas: FEE, to: TO, value: 1n, ...fields },
    key,
  );
}

function chainWith(options: Partial<Parameters<typeof testGenesis>[0]> = {}): TestChain {
  return new TestChain(testGenesis({ accounts: [funded(SENDER)], ...options }));
}

function inputFor(
  chain: TestChain,
  transactions: readonly Uint8Array[],
  timestampMs = GENESIS_TIME_MS + 5_000,
): BlockInput {
  const { header } = chain.head;
  return {
    rules: chain.genesis.rules,
    parent: header,
    state: chain.state,
    blockHash: chain.blockHash,
    ordered: {
      height: header.number + 1,
      timestampMs,
      orderDigest: keccak256(hex("01")),
      proposer: PROPOSER,
      transactions,
    },
  };
}

test("the header has what the protocol says of it", () => {
  const chain = chainWith();
  const applied = applyBlock(inputFor(chain, [transfer().raw], GENESIS_TIME_MS + 1_999));
  const { header } = applied;
  assert.deepEqual(header.parentHash, chain.head.hash);
  assert.deepEqual(header.coinbase, PROPOSER);
  assert.deepEqual(header.extraData, keccak256(hex("01")));
  assert.deepEqual(header.prevRandao, keccak256(keccak256(hex("01"))));
  assert.equal(header.timestamp, GENESIS_TIME_MS / 1000 + 1);
  assert.equal(header.number, 1);
  assert.equal(header.gasUsed, 21_000n);
  assert.equal(header.gasLimit, chain.genesis.rules.blockGasLimit);
  assert.equal(header.baseFeePerGas, nextBaseFee(chain.head.header, chain.genesis.rules));
  assert.deepEqual(header.ommersHash, EMPTY_OMMERS_HASH);
  assert.deepEqual(header.withdrawalsRoot, EMPTY_TRIE_ROOT);
  assert.deepEqual(header.parentBeaconBlockRoot, ZERO_HASH);
  assert.deepEqual(header.requestsHash, EMPTY_REQUESTS_HASH);
  assert.deepEqual([header.blobGasUsed, header.excessBlobGas, header.difficulty], [0n, 0n, 0n]);
});

test("the same inputs come to the same blocks, twice, also with senders known beforehand", () => {
  const run = (): TestChain => {
    const random = createRandom(7);
    const chain = new TestChain(testGenesis({ accounts: mixedAccounts() }));
    for (let i = 0; i < 12; i++) chain.execute(mixedPayload(chain, random));
    return chain;
  };
  const hashesOf = (chain: TestChain): string[] => chain.blocks.map(({ hash }) => toHex(hash));
  const first = run();
  assert.deepEqual(hashesOf(first), hashesOf(run()));

  const again = new TestChain(first.genesis);
  for (const block of first.blocks.slice(1)) {
    const senders = new Map(block.transactions.map(({ hash, sender }) => [toHex(hash), { sender }]));
    again.execute(
      block.transactions.map(({ raw }) => raw),
      undefined,
      (hash) => senders.get(toHex(hash)),
    );
  }
  assert.deepEqual(hashesOf(again), hashesOf(first));
});

test("a sender that is known already is not recovered again", () => {
  const chain = chainWith({ accounts: [funded(SENDER), funded(TO)] });
  const transaction = transfer();
  const asked: string[] = [];
  const applied = applyBlock({
    ...inputFor(chain, [transaction.raw]),
    knownSender: (hash) => {
      asked.push(toHex(hash));
      return { sender: TO };
    },
  });
  assert.deepEqual(asked, [toHex(transaction.hash)]);
  assert.deepEqual(applied.transactions[0]?.sender, TO);
});

test("seconds never decrease, though milliseconds and parents may say so", () => {
  const chain = chainWith();
  const parent = { ...chain.head.header, timestamp: GENESIS_TIME_MS / 1000 + 100 };
  const { header } = applyBlock({ ...inputFor(chain, [], GENESIS_TIME_MS + 1_000), parent });
  assert.equal(header.timestamp, parent.timestamp);
});

test("a skipped transaction leaves no trace: fee, nonce, receipt and root are as if it had not been there", () => {
  const good = transfer();
  const skipped: readonly (readonly [SignedTransaction | Uint8Array, string, boolean])[] = [
    [transfer({ nonce: 5n }), "execution/nonce-too-high", true],
    [good, "execution/nonce-too-low", false],
    [transfer({ nonce: 1n, maxFeePerGas: 1n }), "execution/fee-below-base-fee", true],
    [transfer({ nonce: 1n, value: 10n ** 30n }), "execution/insufficient-funds", false],
    [transfer({}, testKey(9)), "execution/insufficient-funds", false],
    [transfer({ nonce: 1n, chainId: 1n }), "execution/invalid", false],
    [transfer({ nonce: 1n, gasLimit: 20_999n }), "execution/invalid", false],
    [transfer({ nonce: 1n, gasLimit: 2n ** 24n + 1n }), "execution/invalid", false],
    [hex("c0"), "execution/invalid", false],
    [new Uint8Array(0), "execution/invalid", false],
  ];
  const alone = chainWith().execute([good.raw]);
  const raws = skipped.map(([each]) => ("raw" in each ? each.raw : each));
  const block = chainWith().execute([good.raw, ...raws]);
  assert.equal(toHex(block.hash), toHex(alone.hash));
  assert.deepEqual(block.transactions, [good]);
  assert.deepEqual(
    block.skipped.map(({ hash, reason }) => [toHex(hash), reason.code, reason.retry]),
    skipped.map(([each, code, retry]) => [toHex("raw" in each ? each.hash : keccak256(each)), code, retry]),
  );
});

test("a contract cannot send (EIP-3607), an account that delegates to code can (EIP-7702)", () => {
  const code = (bytes: string) => [{ ...funded(SENDER), nonce: 0n, code: hex(bytes) }];
  const contract = chainWith({ accounts: code("00") }).execute([transfer().raw]);
  assert.deepEqual(
    contract.skipped.map(({ reason }) => reason.code),
    ["execution/sender-has-code"],
  );
  const delegating = chainWith({ accounts: code(`ef0100${"00".repeat(19)}aa`) }).execute([transfer().raw]);
  assert.equal(delegating.receipts[0]?.succeeded, true);
});

test("the block's gas limit holds; what does not fit may be tried again, and smaller ones after it still run", () => {
  const chain = chainWith({ rules: { blockGasLimit: 1_000_000n } });
  const block = chain.execute([
    transfer({ gasLimit: 990_000n }).raw,
    transfer({ nonce: 1n, gasLimit: 990_000n }).raw,
    transfer({ nonce: 1n, gasLimit: 50_000n }).raw,
    transfer({ nonce: 2n, gasLimit: 1_000_001n }).raw,
  ]);
  assert.deepEqual(
    block.transactions.map(({ gasLimit }) => gasLimit),
    [990_000n, 50_000n],
  );
  assert.deepEqual(
    block.skipped.map(({ reason }) => [reason.code, reason.retry]),
    [
      ["execution/block-gas-exceeded", true],
      ["execution/invalid", false],
    ],
  );
});

test("a blob transaction is skipped for good", () => {
  const random = createRandom(3);
  const blobs = randomTransaction(random, 3).blobVersionedHashes;
  const block = chainWith().execute([
    transfer({ type: 3, blobVersionedHashes: blobs, maxFeePerBlobGas: 10n }).raw,
  ]);
  assert.deepEqual(
    block.skipped.map(({ reason }) => [reason.code, reason.retry]),
    [["execution/invalid", false]],
  );
});

test("the proposer gets the tips, the base fee is burnt, the sender pays both", () => {
  const chain = chainWith();
  const block = chain.execute([transfer({ maxPriorityFeePerGas: 7n }).raw]);
  const { baseFeePerGas } = block.header;
  assert.equal(chain.state.account(PROPOSER)?.balance, 7n * 21_000n);
  const before = funded(SENDER).balance;
  assert.equal(chain.state.account(SENDER)?.balance, before - 1n - 21_000n * (baseFeePerGas + 7n));
  assert.equal(block.receipts[0]?.effectiveGasPrice, baseFeePerGas + 7n);
});

test("where genesis says so, at least half the gas limit is paid for", () => {
  const chain = chainWith({ rules: { gasCharge: "used-or-half-limit" } });
  const block = chain.execute([
    transfer({ gasLimit: 100_000n }).raw,
    transfer({ nonce: 1n, gasLimit: 30_000n }).raw,
  ]);
  assert.deepEqual(
    block.receipts.map(({ gasUsed }) => gasUsed),
    [50_000n, 21_000n],
  );
  assert.equal(block.header.gasUsed, 71_000n);
});

test("from Prague on the parent's hash is kept (EIP-2935), always the beacon root (EIP-4788)", () => {
  const chain = chainWith();
  chain.execute([]);
  const block = chain.execute([]);
  const { number, parentHash, timestamp } = block.header;
  assert.equal(chain.state.storage(HISTORY_STORAGE_ADDRESS, BigInt(number - 1)), BigInt(toHex(parentHash)));
  assert.equal(chain.state.storage(BEACON_ROOTS_ADDRESS, BigInt(timestamp % 8191)), BigInt(timestamp));
  assert.equal(chain.state.storage(BEACON_ROOTS_ADDRESS, BigInt((timestamp % 8191) + 8191)), 0n);
});

test("a fork begins with the first block of its time", () => {
  const prague = GENESIS_TIME_MS / 1000 + 1;
  const rules = {
    forks: [
      { fork: "cancun", fromTimestamp: 0 },
      { fork: "prague", fromTimestamp: prague },
    ],
  } as const;
  const chain = chainWith({ rules });
  assert.equal(chain.head.header.requestsHash, undefined);
  const before = chain.execute([], 400);
  assert.equal(before.header.requestsHash, undefined);
  assert.equal(chain.state.storage(HISTORY_STORAGE_ADDRESS, 0n), 0n);
  chain.execute([], 400);
  const after = chain.execute([], 400);
  assert.equal(after.header.timestamp, prague);
  assert.deepEqual(after.header.requestsHash, EMPTY_REQUESTS_HASH);
  assert.equal(chain.state.storage(HISTORY_STORAGE_ADDRESS, 2n), BigInt(toHex(after.header.parentHash)));
});

test("a chain without the system contracts runs, and they stay absent", () => {
  const genesis = testGenesis({ accounts: [funded(SENDER)] });
  const chain = new TestChain({ ...genesis, alloc: [funded(SENDER)] });
  const block = chain.execute([transfer().raw]);
  assert.equal(block.receipts.length, 1);
  assert.equal(chain.state.account(HISTORY_STORAGE_ADDRESS), undefined);
  assert.equal(chain.state.account(BEACON_ROOTS_ADDRESS), undefined);
});

test("no payload of any bytes makes execution throw, and all of it is accounted for", () => {
  const random = createRandom(13);
  const chain = new TestChain(testGenesis({ accounts: mixedAccounts() }));
  for (let i = 0; i < 40; i++) {
    const payload = mixedPayload(chain, random).map((raw) => {
      const damaged = raw.slice();
      if (damaged.length > 0 && random.chance(2, 3))
        damaged[random.below(damaged.length)] = random.below(256);
      return damaged;
    });
    const block = chain.execute(payload);
    assert.equal(block.transactions.length + block.skipped.length, payload.length);
    assert.equal(toHex(block.hash), toHex(hashHeader(block.header, HASH_KECCAK256)));
  }
});

test("a delegation that an account signs is in its code afterwards (EIP-7702)", () => {
  const chain = new TestChain(testGenesis({ accounts: mixedAccounts() }));
  const random = createRandom(1);
  let delegations = 0;
  for (let i = 0; i < 30; i++) {
    for (const { type } of chain.execute(mixedPayload(chain, random)).transactions)
      if (type === 4) delegations++;
  }
  assert.ok(delegations > 0);
  const delegated = [0, 1, 2, 3, 4, 5].filter((index) => {
    const account = chain.state.account(addressOfSecretKey(testKey(index)))!;
    return toHex(chain.state.code(account.codeHash)) === `0xef0100${toHex(WRITER).slice(2)}`;
  });
  assert.ok(delegated.length > 0);
});

test("a mined block makes its reward, beside the fees, and has its difficulty in the header", () => {
  const chain = chainWith();
  const input = inputFor(chain, [transfer({ maxPriorityFeePerGas: 3n }).raw]);
  const balanceAfter = (mined: BlockInput["ordered"]["mined"]): bigint => {
    const { changes } = applyBlock({ ...input, ordered: { ...input.ordered, mined } });
    return changes.accounts.get(toHex(PROPOSER).slice(2))?.account?.balance ?? 0n;
  };
  const fees = balanceAfter(undefined);
  assert.equal(balanceAfter({ reward: 7n, difficulty: 5n }), fees + 7n);
  assert.equal(balanceAfter({ reward: 0n, difficulty: 5n }), fees);
  const empty = inputFor(chain, []);
  const mined = { reward: 9n, difficulty: 5n };
  const { header, changes } = applyBlock({ ...empty, ordered: { ...empty.ordered, mined } });
  assert.equal(header.difficulty, 5n);
  assert.equal(changes.accounts.get(toHex(PROPOSER).slice(2))?.account?.balance, 9n);
});
