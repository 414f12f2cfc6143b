import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToBigint, Hash, hashFromWord, toHex, utf8, wordToBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import fc from "fast-check";
import { expNegative } from "./fixed-point.ts";
import { leaderSeedOf, nextSeed, seatsOf } from "./sortition.ts";

const COIN = 10n ** 18n;
const LARGEST = 2n ** 256n - 1n;

const anOutput = fc.bigInt({ min: 0n, max: LARGEST });

/** The same by exact fractions: the least k for which the first k + 1 terms of e^mean's series are more than u * e^mean, with e^mean
 * between its partial sums. No fixed point, no exponential. */
function exactSeats(output: bigint, stake: bigint, total: bigint, expectedSeats: number): number {
  const mean = { numerator: BigInt(expectedSeats) * stake, denominator: total };
  const terms = Math.ceil(4 * Number(mean.numerator / mean.denominator)) + 150;
  // All terms over one denominator: denominator^terms * terms!.
  let term = 1n;
  for (let j = 1; j <= terms; j++) term *= mean.denominator * BigInt(j);
  const sums: bigint[] = [term];
  for (let j = 1; j <= terms; j++) {
    term = (term * mean.numerator) / (mean.denominator * BigInt(j));
    sums.push(sums[j - 1]! + term);
  }
  // What follows the last term is less than twice it, because each is less than half the one before.
  const [low, high] = [sums[terms]!, sums[terms]! + 2n * term + 1n];
  const first = (whole: bigint): number => sums.findIndex((sum) => sum << 256n > output * whole);
  assert.equal(first(low), first(high), "the bounds must be close enough");
  return first(low);
}

test("e^-x is right to the last bit but one, by the series of e^x in exact fractions", () => {
  const bits = 400;
  for (const [numerator, denominator] of [
    [0n, 1n],
    [1n, 3n],
    [1n, 1n],
    [22n, 7n],
    [100n, 3n],
    [200n, 1n],
  ] as const) {
    let term = 1n;
    let sum = 1n;
    let scale = 1n;
    for (let j = 1n; j <= 900n; j++) {
      term *= numerator;
      scale = denominator * j;
      sum = sum * scale + term;
    }
    // sum / (denominator^900 * 900!) is e^x from below, to far more than 400 bits.
    let whole = 1n;
    for (let j = 1n; j <= 900n; j++) whole *= denominator * j;
    const expected = (whole << BigInt(bits)) / sum;
    const difference = expNegative(numerator, denominator, bits) - expected;
    assert.ok(
      difference >= -1n && difference <= 1n,
      `e^-(${numerator}/${denominator}) differs by ${difference}`,
    );
  }
});

test("seats are the inverse of the Poisson distribution, as exact fractions have it", () => {
  fc.assert(
    fc.property(
      anOutput,
      fc.integer({ min: 1, max: 60 }),
      fc.bigInt({ min: 0n, max: 1000n }),
      (output, seats, stake) => {
        assert.equal(
          seatsOf(wordToBytes(output), stake, 1000n, seats),
          exactSeats(output, stake, 1000n, seats),
        );
      },
    ),
    { numRuns: 400 },
  );
  for (const seats of [300, 1000]) {
    const output = bytesToBigint(keccak256(utf8(`output ${seats}`)));
    assert.equal(seatsOf(wordToBytes(output), 9n, 10n, seats), exactSeats(output, 9n, 10n, seats));
  }
});

test("more stake never wins fewer seats with the same output, nor a higher output with the same stake", () => {
  const stakes = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.bigInt({ min: 0n, max: 10n ** 24n }));
  fc.assert(
    fc.property(anOutput, anOutput, stakes, (one, other, [a, b]) => {
      const seats = (output: bigint, stake: bigint) => seatsOf(wordToBytes(output), stake, 10n ** 24n, 50);
      const [less, more] = a < b ? [a, b] : [b, a];
      const [low, high] = one < other ? [one, other] : [other, one];
      assert.ok(seats(one, less) <= seats(one, more));
      assert.ok(seats(low, a) <= seats(high, a));
    }),
  );
});

test("on average there are as many seats as stake and rules say, and no stake wins none", () => {
  const shares = [1n, 10n, 89n];
  const expectedSeats = 40;
  const rounds = 2000;
  const won = shares.map(() => 0);
  for (let round = 0; round < rounds; round++) {
    shares.forEach((share, index) => {
      const output = keccak256(utf8(`${round}/${index}`));
      won[index]! += seatsOf(output, share * COIN, 100n * COIN, expectedSeats);
    });
  }
  shares.forEach((share, index) => {
    const mean = (expectedSeats * Number(share)) / 100;
    const deviations = (won[index]! / rounds - mean) / Math.sqrt(mean / rounds);
    assert.ok(Math.abs(deviations) < 4, `share ${share}: ${won[index]! / rounds} for ${mean}`);
  });
  assert.equal(seatsOf(wordToBytes(LARGEST), 0n, 1n, 4096), 0);
});

test("the largest and the smallest outputs have an end, with one wei and with everything", () => {
  assert.equal(seatsOf(wordToBytes(0n), 1n, 1n, 1), 0);
  assert.equal(seatsOf(wordToBytes(0n), 1n, 1n, 4096), 0);
  const most = seatsOf(wordToBytes(LARGEST), 10n ** 28n, 10n ** 28n, 4096);
  assert.ok(most > 4096 && most < 3 * 4096, `${most}`);
  const least = seatsOf(wordToBytes(LARGEST), 1n, 10n ** 28n, 4096);
  assert.ok(least > 0 && least < 20, `${least}`);
});

test("seats of fixed inputs are pinned: another result is another rule", () => {
  const outputs = Array.from({ length: 6 }, (_, index) => keccak256(utf8(`pinned ${index}`)));
  assert.deepEqual(
    outputs.map((output, index) => seatsOf(output, BigInt(index + 1) * COIN, 21n * COIN, 2000)),
    [101, 199, 300, 371, 471, 590],
  );
});

test("the next seed depends on all that was revealed, not on its order", () => {
  const seed = hashFromWord(5n);
  assert.equal(toHex(nextSeed(seed, [3n, 1n, 2n])), toHex(nextSeed(seed, [1n, 2n, 3n])));
  assert.notEqual(toHex(nextSeed(seed, [1n, 2n])), toHex(nextSeed(seed, [1n, 2n, 3n])));
  assert.notEqual(toHex(nextSeed(seed, [])), toHex(seed));
  assert.notEqual(toHex(leaderSeedOf(seed)), toHex(nextSeed(seed, [])));
  assert.equal(leaderSeedOf(Hash(new Uint8Array(32))).length, 32);
});
