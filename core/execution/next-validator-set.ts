import { type Bytes, equalBytes, toHexDigits } from "@ostrom/base";
import { validatorScheme } from "@ostrom/crypto";
import type { StateReader } from "@ostrom/state";
import {
  readValidatorSet,
  type Validator,
  type ValidatorSet,
  type ValidatorSetFailure,
} from "./validator-set.ts";

/** Whether a proof shows that somebody holds the secret key of a public one. False for anything malformed. */
export type VerifyPossession = (publicKey: Bytes, proof: Bytes, schemeId: number) => boolean;

/** As the schemes of core/crypto have it. */
export function verifyKeyPossession(publicKey: Bytes, proof: Bytes, schemeId: number): boolean {
  return validatorScheme(schemeId)?.verifyPossession(publicKey, proof) ?? false;
}

/** The set of the next epoch, as the state after the block at its epoch's frozen height decides it. */
export type NextValidatorSet = {
  readonly set: ValidatorSet;
  /** Why the set goes on unchanged although state holds another one. */
  readonly refused: NextSetFailure | undefined;
  /** Names of those whose keys are not proved: the set is without them. */
  readonly leftOut: readonly string[];
};

export type NextSetFailure =
  | ValidatorSetFailure
  | { readonly code: "validators/possession"; readonly message: string };

/** Reads who validates in the next epoch. Never throws, whatever a contract has written.
 *
 * What cannot be a set is refused: the current one goes on. A validator with a new key that is not proved is left out, so that no
 * single one can hold up the changes of all; but if the others have no more than two thirds of the weight, the current set goes on.
 * The set may be of another scheme than the current one: then all its keys are new. Transport keys stay of the current set's kind, which genesis fixes.
 *
 * Source: protocol notes ("Epochs"); proofs of possession against rogue keys: draft-irtf-cfrg-bls-signature, 3.3.
 * @param current the set of the epoch that ends. Its keys were proved before. */
export function readNextValidatorSet(
  state: Pick<StateReader, "storage">,
  current: ValidatorSet,
  verifyPossession: VerifyPossession,
): NextValidatorSet {
  const read = readValidatorSet(state);
  if (!read.ok) return { set: current, refused: read.error, leftOut: [] };
  const { schemeId } = read.value;
  if (!hasSameTransport(current, read.value)) {
    const message = "transport keys of another kind than the chain's";
    return { set: current, refused: { code: "validators/unreadable", message }, leftOut: [] };
  }
  const known = schemeId === current.schemeId ? current.validators : [];
  const proved = new Set(known.map(({ consensusKey }) => toHexDigits(consensusKey)));
  const isProved = ({ consensusKey, proofOfPossession }: Validator): boolean =>
    proved.has(toHexDigits(consensusKey)) || verifyPossession(consensusKey, proofOfPossession, schemeId);
  const validators = read.value.validators.filter(isProved);
  const kept = new Set(validators);
  const leftOut = read.value.validators.filter((validator) => !kept.has(validator)).map(({ name }) => name);
  if (3n * weightOf(validators) <= 2n * weightOf(read.value.validators)) {
    const message = `keys of too many new validators are not proved: ${leftOut.join(", ")}`;
    return { set: current, refused: { code: "validators/possession", message }, leftOut };
  }
  return { set: { ...read.value, validators }, refused: undefined, leftOut };
}

/** Whether two sets have the same members with the same keys and weights in the same order. */
export function isSameValidatorSet(a: ValidatorSet, b: ValidatorSet): boolean {
  return (
    a.schemeId === b.schemeId &&
    a.validators.length === b.validators.length &&
    a.validators.every((validator, index) => isSameValidator(validator, b.validators[index]))
  );
}

function isSameValidator(a: Validator, b: Validator | undefined): boolean {
  return (
    b !== undefined &&
    a.weight === b.weight &&
    equalBytes(a.address, b.address) &&
    equalBytes(a.consensusKey, b.consensusKey) &&
    equalBytes(a.transportKey, b.transportKey)
  );
}

/** A set without validators has no kind. */
function hasSameTransport(current: ValidatorSet, next: ValidatorSet): boolean {
  const [before] = current.validators;
  return before === undefined || next.validators[0]?.transportKey.length === before.transportKey.length;
}

function weightOf(validators: readonly Validator[]): bigint {
  return validators.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
}
