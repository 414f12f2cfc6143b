import {
  type Address,
  type Bytes,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { readSigners, writeSigners } from "@ostrom/crypto";
import { type ConsensusDomain, MAX_VALIDATORS, ValidatorIndex, type ValidatorSet } from "./types.ts";

const SET_DOMAIN = utf8("ostrom/validator-set/1");

/** The sum of all weights, W. */
export function totalWeight(set: ValidatorSet): number {
  let total = 0;
  for (const validator of set.validators) total += validator.weight;
  return total;
}

/** q = floor(2W/3) + 1: two sets of this weight share more than any third of the weight.
 * Source: Simplex in TON, 1.1. */
export function quorumWeight(set: ValidatorSet): number {
  return quorumOf(totalWeight(set));
}

/** q of a whole weight W, which is below 2^53. */
export function quorumOf(total: number): number {
  // 2W may exceed 2^53, so floor(2W/3) is taken as W - ceil(W/3).
  const third = (total + ((3 - (total % 3)) % 3)) / 3;
  return total - third + 1;
}

/** Checks a set that comes from genesis or from state.
 * Errors: `validators/empty`, `validators/too-many`, `validators/weight` (zero, or a sum of 2^53 or more),
 * `validators/duplicate` (a consensus or transport key twice). */
export function checkValidatorSet(
  set: ValidatorSet,
): Result<
  ValidatorSet,
  Failure<"validators/empty" | "validators/too-many" | "validators/weight" | "validators/duplicate">
> {
  const { validators } = set;
  if (validators.length === 0)
    return fail("validators/empty", "a validator set needs at least one validator");
  if (validators.length > MAX_VALIDATORS) {
    return fail(
      "validators/too-many",
      `${validators.length} validators, at most ${MAX_VALIDATORS} are allowed`,
    );
  }
  if (validators.some((validator) => validator.weight === 0) || !Number.isSafeInteger(totalWeight(set))) {
    return fail("validators/weight", "weights must be above 0 and sum below 2^53");
  }
  const consensusKeys = new Set(validators.map((validator) => toHexDigits(validator.consensusKey)));
  const transportKeys = new Set(validators.map((validator) => toHexDigits(validator.transportKey)));
  if (consensusKeys.size < validators.length || transportKeys.size < validators.length) {
    return fail("validators/duplicate", "each validator needs its own consensus key and transport key");
  }
  return ok(set);
}

/** What `Executed.nextSetHash` is of: scheme, epoch and all validators. */
export function validatorSetHash(domain: Pick<ConsensusDomain, "hash">, set: ValidatorSet): Hash {
  return domain.hash(
    encodeRlp([
      SET_DOMAIN,
      rlpUint(set.schemeId),
      rlpUint(set.epoch),
      set.validators.map((validator) => [
        validator.address,
        validator.consensusKey,
        validator.transportKey,
        rlpUint(validator.weight),
      ]),
    ]),
  );
}

/** @returns undefined if there is no such validator. */
export function feeRecipientOf(set: ValidatorSet, index: ValidatorIndex): Address | undefined {
  return set.validators[index]?.address;
}

/** Writes which validators signed, as Certificate.signers has it. */
export function writeSignerBitmap(set: ValidatorSet, signers: readonly ValidatorIndex[]): Bytes {
  return writeSigners(set.validators.length, signers);
}

/** Reads a bitmap: the signers in ascending order.
 * Errors: `certificate/bitmap` (wrong length, or a bit beyond the last validator). */
export function readSignerBitmap(
  set: ValidatorSet,
  bitmap: Bytes,
): Result<readonly ValidatorIndex[], Failure<"certificate/bitmap">> {
  const signers = readSigners(set.validators.length, bitmap);
  return signers.ok
    ? ok(signers.value.map(ValidatorIndex))
    : fail("certificate/bitmap", signers.error.message);
}

/** The weight of distinct signers together. */
export function weightOf(set: ValidatorSet, signers: readonly ValidatorIndex[]): number {
  let weight = 0;
  for (const signer of signers) weight += set.validators[signer]?.weight ?? 0;
  return weight;
}
