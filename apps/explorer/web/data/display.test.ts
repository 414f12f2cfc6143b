import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveBlock } from "./live-chain.ts";
import { certificateDelays, intervals, leads, median, throughput, transactionRate } from "./live-figures.ts";
import { formatUnits, groupDigits, shorten } from "./quantity.ts";
import { pushBounded } from "./ring.ts";
import { directTarget, isHash } from "./search-target.ts";
import { settingsOf } from "./settings.ts";

const block = (number: number, change: Partial<LiveBlock> = {}): LiveBlock => ({
  number,
  hash: undefined,
  miner: "0xAA",
  timestamp: 1_000 + number,
  gasUsed: 0,
  gasLimit: 30_000_000,
  baseFeePerGas: 0n,
  transactions: 2,
  heardMs: undefined,
  certifiedMs: undefined,
  ...change,
});

test("amounts are exact, whatever their size", () => {
  assert.equal(formatUnits(1_500_000_000_000_000_000n), "1.5");
  assert.equal(formatUnits(1n), "0.000000000000000001");
  assert.equal(formatUnits(-25n, 1), "-2.5");
  assert.equal(formatUnits(7n, 0), "7");
  assert.equal(groupDigits(formatUnits(2n ** 255n)).slice(0, 12), "57,896,044,6");
  assert.equal(shorten(`0x${"ab".repeat(32)}`), "0xababab…abab");
});

test("rings forget the oldest and never change what they were made from", () => {
  const ring = [1, 2, 3];
  assert.deepEqual(pushBounded(ring, [4, 5], 4), [2, 3, 4, 5]);
  assert.deepEqual(pushBounded(ring, [4, 5, 6, 7, 8], 3), [6, 7, 8]);
  assert.deepEqual(ring, [1, 2, 3]);
});

test("rates and plots go by the headers' times", () => {
  const blocks = [block(1), block(2), block(9), block(10)];
  assert.equal(transactionRate(blocks, 1_010), 0.8);
  const { seconds, transactions } = throughput(blocks, 1_010);
  assert.equal(seconds.at(-1), 1_010);
  assert.deepEqual(transactions.slice(-3), [0, 2, 2]);
});

test("delays are of what the page itself saw", () => {
  const blocks = [block(1), block(2, { heardMs: 100, certifiedMs: 180 }), block(3, { heardMs: 350 })];
  assert.deepEqual(intervals(blocks), [null, null, 250]);
  assert.deepEqual(certificateDelays(blocks), [null, 80, null]);
  assert.equal(median([null, 5, 1, 3]), 3);
  assert.equal(median([null]), undefined);
});

test("leads are counted by address, whatever its letters' case", () => {
  assert.deepEqual(leads([block(1), block(2, { miner: "0xaa" }), block(3, { miner: "0xbb" })]), [
    { leader: "0xaa", blocks: 2 },
    { leader: "0xbb", blocks: 1 },
  ]);
});

test("a query that says itself what it is leads there at once", () => {
  assert.equal(directTarget(" 1,234 "), "/block/1234");
  assert.equal(directTarget(`0x${"AB".repeat(20)}`), `/address/0x${"ab".repeat(20)}`);
  assert.equal(directTarget(`0x${"ab".repeat(32)}`), undefined);
  assert.equal(directTarget("Commons"), undefined);
  assert.equal(isHash(`0x${"ab".repeat(32)}`), true);
});

test("stored settings of any shape give settings", () => {
  const defaults = { theme: "system", language: "system", node: 0 };
  for (const stored of [undefined, null, 5, "x", {}, { theme: 7, language: "fr", node: -1 }])
    assert.deepEqual(settingsOf(stored), defaults);
  assert.deepEqual(settingsOf({ theme: "dark", language: "zh", node: 2 }), {
    theme: "dark",
    language: "zh",
    node: 2,
  });
});
