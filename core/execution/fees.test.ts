import assert from "node:assert/strict";
import { test } from "node:test";
import { createBlockHeader } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createRandom } from "@ostrom/base";
import { effectiveGasPrice, effectiveTip, forkAt, nextBaseFee } from "./fees.ts";
import { TEST_CHAIN_ID, testGenesis } from "./testing/test-chain.ts";

const ETHEREUM = { baseFeeChangeDenominator: 8n, elasticityMultiplier: 2n, minBaseFeePerGas: 0n };

test("with Ethereum's parameters the base fee follows EIP-1559 as @ethereumjs/block has it", () => {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Prague });
  const random = createRandom(5);
  for (let i = 0; i < 200; i++) {
    const gasLimit = 5_000n + BigInt(random.below(60_000_000));
    const parent = {
      gasLimit,
      gasUsed: random.chance(1, 10) ? gasLimit / 2n : (gasLimit * BigInt(random.below(1001))) / 1000n,
      baseFeePerGas: BigInt(random.below(random.chance(1, 2) ? 20 : 2 ** 32)),
    };
    const theirs = createBlockHeader(
      { ...parent, number: 1n },
      { common, setHardfork: false },
    ).calcNextBaseFee();
    assert.equal(nextBaseFee(parent, ETHEREUM), theirs);
  }
});

test("the denominator of genesis bounds each step: 1/256 of the fee by default, and at least 1 upward", () => {
  const { rules } = testGenesis({ accounts: [] });
  const next = (gasUsed: bigint, baseFeePerGas: bigint): bigint =>
    nextBaseFee({ gasLimit: 60_000_000n, gasUsed, baseFeePerGas }, rules);
  assert.equal(next(60_000_000n, 256_000n), 257_000n);
  assert.equal(next(0n, 256_000n), 255_000n);
  assert.equal(next(30_000_000n, 256_000n), 256_000n);
  assert.equal(next(30_000_001n, 10n), 11n);
  assert.equal(next(0n, 255n), 255n);
  assert.equal(rules.chainId, TEST_CHAIN_ID);
});

test("the base fee does not fall below the least of genesis", () => {
  const rules = { ...ETHEREUM, minBaseFeePerGas: 100n };
  assert.equal(nextBaseFee({ gasLimit: 10n, gasUsed: 0n, baseFeePerGas: 101n }, rules), 100n);
  assert.equal(nextBaseFee({ gasLimit: 10n, gasUsed: 10n, baseFeePerGas: 100n }, rules), 112n);
});

test("a price is the base fee and the tip, within the maximum", () => {
  const transaction = { maxFeePerGas: 100n, maxPriorityFeePerGas: 30n };
  assert.equal(effectiveGasPrice(transaction, 60n), 90n);
  assert.equal(effectiveGasPrice(transaction, 80n), 100n);
  assert.equal(effectiveTip(transaction, 80n), 20n);
  assert.equal(effectiveTip(transaction, 110n), -10n);
});

test("the rule set of a block is the last whose time has come", () => {
  const rules = testGenesis({
    accounts: [],
    rules: {
      forks: [
        { fork: "cancun", fromTimestamp: 0 },
        { fork: "osaka", fromTimestamp: 50 },
      ],
    },
  }).rules;
  assert.deepEqual(
    [0, 49, 50, 51].map((timestamp) => forkAt(rules, timestamp)),
    ["cancun", "cancun", "osaka", "osaka"],
  );
});
