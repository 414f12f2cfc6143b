import { toHex, wordToBytes } from "@ostrom/base";
import { inconsistent, type Place, readAmount, readChoice, readCount, readObject } from "./json-reader.ts";

/** The functions that a chain's work can be made of: fast ones for which machines exist, or a memory-hard one. */
export type PowHashName = "sha256" | "sm3" | "scrypt";
export const POW_HASH_NAMES: readonly PowHashName[] = ["sha256", "sm3", "scrypt"];

/** Parameters of proof of work that all nodes of a chain must share. Times in milliseconds. */
export type PowParameters = {
  readonly engine: "pow";
  readonly hash: PowHashName;
  /** Between blocks, on average. */
  readonly targetIntervalMs: number;
  /** How far the chain must be off its schedule until difficulty is halved or doubled (aserti3-2d). */
  readonly halflifeMs: number;
  /** The greatest work hash, as a number of 256 bits, that block 1 may have; difficulty is never lower. */
  readonly initialTarget: bigint;
  /** A block this far below the head is told to clients as final. */
  readonly finalityDepth: number;
  /** A heavier branch that forks deeper below the head stops the node, for its operator to decide. */
  readonly maxReorgDepth: number;
  /** Wei that are made with each block, for its miner. */
  readonly blockReward: bigint;
  readonly fetchRetryMs: number;
  /** How far a block's time may be ahead of the clock of who checks it. */
  readonly clockToleranceMs: number;
  readonly maxPayloadBytes: number;
};

/** As in genesis.json: the target as 32 bytes of hex, the reward as decimal text. */
export type PowParametersJson = Omit<PowParameters, "initialTarget" | "blockReward"> & {
  readonly initialTarget: string;
  readonly blockReward: string;
};

/** The node keeps the way back of so many blocks at least; more than a day's reorganisation is no accident. */
const MAX_REORG_DEPTH = 10_000;
const MAX_INTERVAL_MS = 86_400_000;
const MAX_HALFLIFE_MS = 30 * MAX_INTERVAL_MS;
const MAX_TARGET = 2n ** 256n - 1n;
const MAX_REWARD = 2n ** 96n;

/** @param readMaxPayloadBytes reads the setting that all engines have. */
export function readPowParameters(
  place: Place,
  readMaxPayloadBytes: (place: Place) => number,
): PowParameters {
  const fields = readObject(place, [
    "engine",
    "hash",
    "targetIntervalMs",
    "halflifeMs",
    "initialTarget",
    "finalityDepth",
    "maxReorgDepth",
    "blockReward",
    "fetchRetryMs",
    "clockToleranceMs",
    "maxPayloadBytes",
  ]);
  const parameters: PowParameters = {
    engine: readChoice(fields.engine, ["pow"]),
    hash: readChoice(fields.hash, POW_HASH_NAMES),
    targetIntervalMs: readCount(fields.targetIntervalMs, 1, MAX_INTERVAL_MS),
    halflifeMs: readCount(fields.halflifeMs, 1, MAX_HALFLIFE_MS),
    initialTarget: readAmount(fields.initialTarget, 1n, MAX_TARGET),
    finalityDepth: readCount(fields.finalityDepth, 1, MAX_REORG_DEPTH),
    maxReorgDepth: readCount(fields.maxReorgDepth, 1, MAX_REORG_DEPTH),
    blockReward: readAmount(fields.blockReward, 0n, MAX_REWARD),
    fetchRetryMs: readCount(fields.fetchRetryMs, 1, MAX_INTERVAL_MS),
    clockToleranceMs: readCount(fields.clockToleranceMs, 0, MAX_INTERVAL_MS),
    maxPayloadBytes: readMaxPayloadBytes(fields.maxPayloadBytes),
  };
  if (parameters.maxReorgDepth < parameters.finalityDepth) {
    throw inconsistent(fields.maxReorgDepth, `must be at least finalityDepth, ${parameters.finalityDepth}`);
  }
  return parameters;
}

export function formatPowParameters(parameters: PowParameters): PowParametersJson {
  return {
    engine: parameters.engine,
    hash: parameters.hash,
    targetIntervalMs: parameters.targetIntervalMs,
    halflifeMs: parameters.halflifeMs,
    initialTarget: toHex(wordToBytes(parameters.initialTarget)),
    finalityDepth: parameters.finalityDepth,
    maxReorgDepth: parameters.maxReorgDepth,
    blockReward: parameters.blockReward.toString(),
    fetchRetryMs: parameters.fetchRetryMs,
    clockToleranceMs: parameters.clockToleranceMs,
    maxPayloadBytes: parameters.maxPayloadBytes,
  };
}
