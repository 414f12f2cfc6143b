import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromWord, hashFromWord } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { homeAuthor } from "./index.ts";

const GENESIS = hashFromWord(7n);

function homeOf(sender: number, weights: readonly number[], epoch = 3): number {
  return homeAuthor(keccak256, GENESIS, { epoch, weights }, addressFromWord(BigInt(sender)));
}

function shares(weights: readonly number[], senders: number): readonly number[] {
  const counts = weights.map(() => 0);
  for (let sender = 0; sender < senders; sender++) counts[homeOf(sender, weights)]!++;
  return counts.map((count) => count / senders);
}

test("D6: homes are drawn by weight", () => {
  for (const weights of [
    [1, 1, 1, 1],
    [1, 2, 3, 4],
    [1_000_000, 1, 1, 999_998],
  ]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, share] of shares(weights, 8_000).entries())
      assert.ok(Math.abs(share - weights[index]! / total) < 0.02, `${weights}: ${index} has ${share}`);
  }
});

test("D6: a single validator, and weights whose sum is near 2^53, have homes too", () => {
  assert.equal(homeOf(1, [1]), 0);
  const heavy = [2 ** 51, 2 ** 51, 2 ** 51];
  for (const share of shares(heavy, 3_000)) assert.ok(Math.abs(share - 1 / 3) < 0.04);
});

test("D6: a sender's home is the same on all nodes, and another one from epoch to epoch and chain to chain", () => {
  const weights = [1, 1, 1, 1];
  let moved = 0;
  let elsewhere = 0;
  for (let sender = 0; sender < 1_000; sender++) {
    const home = homeOf(sender, weights);
    assert.equal(homeOf(sender, [...weights]), home);
    if (homeOf(sender, weights, 4) !== home) moved++;
    const other = homeAuthor(
      keccak256,
      hashFromWord(8n),
      { epoch: 3, weights },
      addressFromWord(BigInt(sender)),
    );
    if (other !== home) elsewhere++;
  }
  for (const share of [moved / 1_000, elsewhere / 1_000]) assert.ok(share > 0.65 && share < 0.85, `${share}`);
});
