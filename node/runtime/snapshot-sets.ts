import { type Bytes, toHexDigits } from "@ostrom/base";
import { decodeCheckpointSet } from "@ostrom/consensus";
import {
  type AnyGenesis,
  readLeaderSeed,
  readValidatorSet,
  type ValidatorSet as StateSet,
  type Validator,
} from "@ostrom/execution";
import type { StateReader, WriteOperation } from "@ostrom/state";
import type { StoredValidatorSet } from "@ostrom/storage";
import { adoptedCheckpointOperations } from "./checkpoint-sets.ts";

type FetchedState = Pick<StateReader, "storage">;

/** A set as it is kept, where certificates name only keys, addresses, weights and their order: names, hosts, ports and proofs of possession are those that
 * the fetched state has for the same consensus keys. Of a validator that state has no more they are as they were told.
 * @param isNewest the set is the one that state was asked for last, whose leader seed it holds then; it is state's word alone that counts. */
export function settledSet(
  state: FetchedState,
  claimed: StoredValidatorSet,
  isNewest: boolean,
): StoredValidatorSet {
  const { schemeId, leaderSeed } = claimed;
  const validators = settledValidators(state, claimed);
  const seed = isNewest ? readLeaderSeed(state) : leaderSeed;
  return { schemeId, validators, ...(seed === undefined ? {} : { leaderSeed: seed }) };
}

function settledValidators(state: FetchedState, { schemeId, validators }: StateSet): readonly Validator[] {
  const read = readValidatorSet(state);
  // Keys of another scheme have other lengths: those of the set before a change of schemes are found nowhere.
  const known = read.ok && read.value.schemeId === schemeId ? read.value.validators : [];
  const byKey = new Map(known.map((validator) => [toHexDigits(validator.consensusKey), validator]));
  return validators.map((validator) => {
    const found = byKey.get(toHexDigits(validator.consensusKey));
    if (found === undefined) return validator;
    const { name, host, port, proofOfPossession } = found;
    return { ...validator, name, host, port, proofOfPossession };
  });
}

/** The writes that fix by which keys the validators of an epoch certify checkpoints, as state has them; none on a chain without checkpoints.
 * Who has registered another key since the set was decided is known by that one, in this node alone and until the epoch is over.
 * @param claimed record that a peer has for that epoch: it tells only which keys need not be proved again, and so can lend
 * nobody a key that its validator's own account has not registered. */
export function settledCheckpoints(
  state: FetchedState,
  { checkpointKeys, rules }: Pick<AnyGenesis, "checkpointKeys" | "rules">,
  set: StoredValidatorSet,
  epoch: number,
  claimed: Bytes | undefined,
): readonly WriteOperation[] {
  if (checkpointKeys === undefined) return [];
  const told = claimed === undefined ? undefined : decodeCheckpointSet(claimed);
  const members = told?.ok === true ? told.value.members : [];
  return adoptedCheckpointOperations(state, rules.chainId, set, epoch, members);
}
