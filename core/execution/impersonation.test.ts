import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, addressFromHex, createRandom, hex, must, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type AppliedBlock, applyBlock, type BlockInput, type BlockObserver } from "./apply-block.ts";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { impersonatedSender, impersonateTransaction } from "./impersonation.ts";
import { checkPayload, encodePayload } from "./payload.ts";
import { mixedAccounts, mixedPayload } from "./testing/mixed-payloads.ts";
import { randomTransaction } from "./testing/random-transactions.ts";
import {
  contractAt,
  funded,
  GENESIS_TIME_MS,
  PROPOSER,
  RICH,
  TEST_CHAIN_ID,
  TestChain,
  testGenesis,
} from "./testing/test-chain.ts";
import { decodeTransaction, recoverSender } from "./transaction.ts";
import type { ChainRules, SignedTransaction } from "./types.ts";

const VICTIMS = 64;
const random = createRandom(7);
const victims: readonly Address[] = Array.from({ length: VICTIMS }, () => Address(random.bytes(20)));
const CONTRACT = addressFromHex("00000000000000000000000000000000000000c5");
const TAKER = addressFromHex("00000000000000000000000000000000000000aa");
const DEVELOPED: Partial<ChainRules> = { development: {} };

function forge(sender: Address, type: 0 | 1 | 2 = 2): SignedTransaction {
  const fields = { type, chainId: TEST_CHAIN_ID, gasLimit: 21_000n, maxFeePerGas: 10n ** 12n };
  return impersonateTransaction({ ...fields, to: TAKER, value: 1n }, sender);
}

function chainOf(rules: Partial<ChainRules> = {}): TestChain {
  const accounts = [...victims.map((victim) => funded(victim)), contractAt(CONTRACT, hex("00"))];
  return new TestChain(testGenesis({ accounts, rules }));
}

function runOn(
  chain: TestChain,
  transactions: readonly Uint8Array[],
  observer?: BlockObserver,
): AppliedBlock {
  const { header } = chain.head;
  const input: BlockInput = {
    rules: chain.genesis.rules,
    parent: header,
    state: chain.state,
    blockHash: chain.blockHash,
    observer,
    ordered: {
      height: header.number + 1,
      timestampMs: GENESIS_TIME_MS + 5_000 * (header.number + 1),
      orderDigest: keccak256(hex("01")),
      proposer: PROPOSER,
      transactions,
    },
  };
  return applyBlock(input);
}

test("a block of another chain takes nothing from who is impersonated: not from accounts, not from contracts", () => {
  const forged = [0, 1, 2].flatMap((type) => victims.map((victim) => forge(victim, type as 0 | 1 | 2).raw));
  const chain = chainOf();
  const applied = runOn(chain, [...forged, forge(CONTRACT).raw]);
  assert.equal(applied.transactions.length, 0);
  assert.equal(applied.skipped.length, 3 * VICTIMS + 1);
  chain.state.commit(applied.changes);
  assert.equal(chain.state.account(TAKER), undefined);
  for (const victim of victims) {
    const { balance, nonce } = must(chain.state.account(victim), "it was funded");
    assert.deepEqual([balance, nonce], [RICH, 0n]);
  }
});

test("a development chain's block runs them in the name of each, contracts too", () => {
  const applied = runOn(
    chainOf(DEVELOPED),
    victims.map((victim) => forge(victim).raw),
  );
  assert.deepEqual(
    applied.transactions.map(({ sender }) => toHex(sender)),
    victims.map((victim) => toHex(victim)),
  );
});

test("what decodes a transaction for pools, peers and payloads never answers the impersonated account", () => {
  const { rules } = chainOf().genesis;
  for (const victim of victims) {
    const forged = forge(victim);
    const decoded = decodeTransaction(forged.raw);
    assert.ok(decoded.ok);
    const signer = recoverSender(decoded.value);
    assert.ok(!signer.ok || toHex(signer.value) !== toHex(victim));
    assert.equal(impersonatedSender(decoded.value, rules), undefined);
    const payload = encodePayload([forged.raw]);
    const timestampMs = GENESIS_TIME_MS + 5_000;
    // Also under a development chain's rules: there is no vote there, and so no payload to check.
    for (const voted of [rules, { ...rules, ...DEVELOPED }]) {
      const checked = checkPayload({ payload, rules: voted, maxPayloadBytes: 2 ** 20, timestampMs });
      const senders = checked.ok ? checked.value.transactions.map(({ sender }) => toHex(sender)) : [];
      assert.ok(!senders.includes(toHex(victim)));
    }
  }
});

test("no signature that a key has made is taken for an impersonation", () => {
  const { rules } = chainOf(DEVELOPED).genesis;
  for (let round = 0; round < 200; round++)
    assert.equal(impersonatedSender(randomTransaction(random, 2), rules), undefined);
});

test("no genesis.json says that a chain is for development", () => {
  const plain = formatGenesis(chainOf().genesis);
  assert.ok(parseGenesis(plain).ok);
  const { genesis } = chainOf(DEVELOPED);
  assert.deepEqual(formatGenesis(genesis), plain, "what is written does not say it");
  const read = parseGenesis(formatGenesis(genesis));
  assert.equal(read.ok && read.value.rules.development, undefined);
  for (const hostile of [
    { ...plain, development: {} },
    { ...plain, rules: { development: {} } },
    { ...plain, gas: { ...plain.gas, development: {} } },
    { ...plain, fees: { ...plain.fees, development: {} } },
    { ...plain, suite: { ...plain.suite, development: {} } },
    { ...plain, consensus: { ...plain.consensus, development: {} } },
    { ...plain, consensus: { engine: "instant" } },
    { ...plain, profile: "instant" },
  ])
    assert.equal(parseGenesis(JSON.parse(JSON.stringify(hostile))).ok, false);
});

test("a block is the same whether its instructions, messages and precompiles are watched or not", () => {
  const chain = new TestChain(testGenesis({ accounts: mixedAccounts() }));
  let steps = 0;
  let messages = 0;
  const observer: BlockObserver = {
    watchPrecompiles: (precompiles) => ({ ...precompiles }),
    watchOf: () => ({
      onStep: () => {
        steps++;
      },
      observer: {
        onEnter: () => {
          messages++;
        },
        onLeave: () => undefined,
        onStepEnd: () => undefined,
        onSelfDestruct: () => undefined,
      },
    }),
  };
  for (let height = 1; height <= 10; height++) {
    const payload = mixedPayload(chain, random);
    const plain = runOn(chain, payload);
    const watched = runOn(chain, payload, observer);
    for (const part of ["receipts", "skipped", "changes", "header"] as const)
      assert.deepEqual(watched[part], plain[part], `${part} of block ${height}`);
    chain.execute(payload);
    must(chain.applied, "it ran");
  }
  assert.ok(steps > 300 && messages > 15, `${steps} steps, ${messages} messages`);
});
