import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "./index.ts";

const MASK = 0xffff_ffffn;

/** The generator again, on bigints, straight from its authors' C: xoshiro128** 1.1, state from splitmix32. */
function* reference(seed: number): Generator<number> {
  let mix = BigInt(seed) & MASK;
  const next = (): bigint => {
    mix = (mix + 0x9e3779b9n) & MASK;
    let z = mix;
    z = ((z ^ (z >> 16n)) * 0x85ebca6bn) & MASK;
    z = ((z ^ (z >> 13n)) * 0xc2b2ae35n) & MASK;
    return z ^ (z >> 16n);
  };
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & MASK;
  const s = [next(), next(), next(), next()] as [bigint, bigint, bigint, bigint];
  for (;;) {
    yield Number((rotate((s[1] * 5n) & MASK, 7n) * 9n) & MASK);
    const t = (s[1] << 9n) & MASK;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
  }
}

test("the generator is xoshiro128** seeded by splitmix32", () => {
  for (const seed of [0, 1, 42, 0xffff_ffff]) {
    const random = createRandom(seed);
    const expected = reference(seed);
    for (let i = 0; i < 200; i++) assert.equal(random.nextUint32(), expected.next().value);
  }
});

test("the same seed gives the same sequence, another seed another", () => {
  const sequence = (seed: number): string => createRandom(seed).bytes(32).join();
  assert.equal(sequence(7), sequence(7));
  assert.notEqual(sequence(7), sequence(8));
});

test("numbers below a bound are below it, and each comes up", () => {
  const random = createRandom(3);
  for (const bound of [1, 2, 3, 7, 0x8000_0001, 2 ** 32]) {
    for (let i = 0; i < 200; i++) {
      const value = random.below(bound);
      assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
    }
  }
  assert.equal(new Set(Array.from({ length: 500 }, () => random.below(10))).size, 10);
});

test("a chance of nothing never comes, and a certainty always", () => {
  const random = createRandom(5);
  for (let i = 0; i < 100; i++) {
    assert.equal(random.chance(0, 5), false);
    assert.equal(random.chance(5, 5), true);
  }
  const hits = Array.from({ length: 4_000 }, () => random.chance(1, 4)).filter(Boolean).length;
  assert.ok(hits > 850 && hits < 1_150, `${hits} of 4000`);
});
