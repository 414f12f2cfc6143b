import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, View } from "@ostrom/base";
import { ethereumDomain, leaderOf, type ValidatorSet, validatorSetHash } from "../index.ts";
import { simulatedSet } from "../testing/signatures.ts";

const domain = ethereumDomain(Hash(new Uint8Array(32).fill(3)));
const SEED = Hash(new Uint8Array(32).fill(5));

function leaders(set: ValidatorSet, views = 60): string {
  return Array.from({ length: views }, (_, index) => leaderOf(domain, set, View(index + 1))).join(" ");
}

for (const weights of [
  [1, 1, 1, 1, 1],
  [9, 4, 3, 2, 1],
]) {
  test(`leaders of weights ${weights} follow the seed, and the epoch`, () => {
    const set = simulatedSet(weights);
    const seeded = { ...set, leaderSeed: SEED };
    assert.equal(leaders(seeded), leaders({ ...seeded }));
    assert.notEqual(leaders(seeded), leaders(set));
    assert.notEqual(leaders(seeded), leaders({ ...seeded, leaderSeed: Hash(new Uint8Array(32).fill(6)) }));
    assert.notEqual(leaders(seeded), leaders({ ...seeded, epoch: Epoch(set.epoch + 1) }));
    assert.equal(leaders({ ...set, leaderSeed: undefined }), leaders(set));
  });
}

test("with a seed weights still decide how often one leads", () => {
  const seeded = { ...simulatedSet([6, 3, 1]), leaderSeed: SEED };
  const counts = [0, 0, 0];
  for (let view = 1; view <= 10_000; view++) counts[leaderOf(domain, seeded, View(view))]!++;
  assert.ok(Math.abs(counts[0]! - 6_000) < 200 && Math.abs(counts[2]! - 1_000) < 120, counts.join());
});

test("the hash of a set is without its seed", () => {
  const set = simulatedSet([1, 2, 3]);
  assert.deepEqual(validatorSetHash(domain, { ...set, leaderSeed: SEED }), validatorSetHash(domain, set));
});
