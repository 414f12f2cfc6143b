import type { PowGenesisRequest, PowHashName } from "@ostrom/execution";

const COIN = 10n ** 18n;
const BLOCK_REWARD = 2n * COIN;
const MAX_TARGET = 2n ** 256n - 1n;
const MS_PER_SECOND = 1_000n;

/** What one node of a network on one machine may search, so that the machine stays usable: a few percent of a core. */
const POLITE_HASHES_PER_SECOND: Readonly<Record<PowHashName, number>> = {
  sha256: 20_000,
  sm3: 10_000,
  scrypt: 20,
};

/** What one thread of an ordinary machine searches. */
const THREAD_HASHES_PER_SECOND: Readonly<Record<PowHashName, number>> = {
  sha256: 400_000,
  sm3: 100_000,
  scrypt: 300,
};

/** Parameters of a chain whose nodes share one machine, and the limit on each of them. One node alone makes a block in two seconds;
 * several begin faster, and difficulty rises until they too take two seconds. What is final stays so: a branch that would change it
 * stops the node for its operator, here as in `sharedPowParameters`. */
export function localPowParameters(hash: PowHashName): {
  readonly pow: PowGenesisRequest["pow"];
  readonly maxHashesPerSecond: number;
} {
  const maxHashesPerSecond = POLITE_HASHES_PER_SECOND[hash];
  const targetIntervalMs = 2_000;
  const pow = {
    hash,
    targetIntervalMs,
    halflifeMs: 60_000,
    initialTarget: targetFor(maxHashesPerSecond, targetIntervalMs),
    finalityDepth: 12,
    maxReorgDepth: 12,
    blockReward: BLOCK_REWARD,
  };
  return { pow, maxHashesPerSecond };
}

/** Parameters of a chain of many machines: one thread alone makes a block in ten seconds, and difficulty rises with all others. */
export function sharedPowParameters(hash: PowHashName): PowGenesisRequest["pow"] {
  const targetIntervalMs = 10_000;
  return {
    hash,
    targetIntervalMs,
    halflifeMs: 3_600_000,
    initialTarget: targetFor(THREAD_HASHES_PER_SECOND[hash], targetIntervalMs),
    finalityDepth: 60,
    maxReorgDepth: 60,
    blockReward: BLOCK_REWARD,
  };
}

/** The target that so many hashes a second meet once in an interval, on average. */
export function targetFor(hashesPerSecond: number, intervalMs: number): bigint {
  const hashes = (BigInt(hashesPerSecond) * BigInt(intervalMs)) / MS_PER_SECOND;
  return MAX_TARGET / (hashes > 1n ? hashes : 1n);
}
