import {
  assert,
  type Bytes,
  bytesToBigint,
  concatBytes,
  type Hash,
  uint64ToBytes,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { expNegative } from "./fixed-point.ts";
import { MAX_EXPECTED_SEATS } from "./layout.ts";

const INPUT_DOMAIN = utf8("ostrom/staking/sortition");
const LEADER_DOMAIN = utf8("ostrom/staking/leaders");
const SEED_DOMAIN = utf8("ostrom/staking/seed");

const OUTPUT_BYTES = 32;
const OUTPUT_BITS = 256n;
/** Beyond the output's own: what the series loses is below them. */
const GUARD_BITS = 64;
/** log2(e), a little more of it: how many bits e^-x goes down by for each unit of x. */
const LOG2_E = { numerator: 1443n, denominator: 1000n } as const;

/** What validators' keys draw with, to know who sits in the committee of an epoch.
 * @param epoch whose committee it is. @param seed of the epoch before. */
export function sortitionInput(chainId: bigint, epoch: number, seed: Hash): Hash {
  return keccak256(concatBytes(INPUT_DOMAIN, wordToBytes(chainId), uint64ToBytes(epoch), seed));
}

/** Before anything is revealed. */
export function firstSeed(genesisHash: Hash): Hash {
  return keccak256(concatBytes(SEED_DOMAIN, genesisHash));
}

/** The seed after a round: the sum of what was revealed in it, modulo 2^256, on top of the seed before, so that no order counts. Whoever
 * reveals last can see what comes out with its output and without, and choose: one of two seeds for each output that it may withhold. */
export function nextSeed(seed: Hash, outputs: readonly bigint[]): Hash {
  const sum = outputs.reduce((total, output) => total + output, 0n);
  return keccak256(concatBytes(seed, wordToBytes(BigInt.asUintN(Number(OUTPUT_BITS), sum))));
}

/** What leaders of an epoch are drawn by. */
export function leaderSeedOf(seed: Hash): Hash {
  return keccak256(concatBytes(LEADER_DOMAIN, seed));
}

/** How many seats an output of the random function wins: the least k for which a Poisson variable of mean `expectedSeats * stake / total`
 * is at most k with more probability than output / 2^256. Each wei has the same chance, however it is spread over validators.
 *
 * Integers only: e^-mean to `P` bits after the point (256 + 64 + what e^-mean takes away), each further term of the distribution from the
 * one before, rounded down. That is the rule, not an approximation of it.
 * Source: Algorand (ePrint 2017/454, 5.1) draws from the binomial distribution, whose limit for many small units of stake this is.
 * @param output 32 bytes. @param stake 0 to `total`. */
export function seatsOf(output: Bytes, stake: bigint, total: bigint, expectedSeats: number): number {
  assert(output.length === OUTPUT_BYTES, "an output has 32 bytes");
  assert(stake >= 0n && stake <= total, "a stake must be part of the total");
  assert(
    expectedSeats >= 1 && expectedSeats <= MAX_EXPECTED_SEATS,
    "there must be a bounded number of seats",
  );
  if (stake === 0n) return 0;
  const numerator = BigInt(expectedSeats) * stake;
  const lost = (numerator * LOG2_E.numerator) / (total * LOG2_E.denominator) + 1n;
  const bits = OUTPUT_BITS + BigInt(GUARD_BITS) + lost;
  const target = bytesToBigint(output) << (bits - OUTPUT_BITS);
  let term = expNegative(numerator, total, Number(bits));
  let sum = term;
  let seats = 0n;
  while (sum <= target && term !== 0n) {
    seats++;
    term = (term * numerator) / (total * seats);
    sum += term;
  }
  return Number(seats);
}
