import { Address, Epoch } from "@ostrom/base";
import type { ValidatorSet } from "@ostrom/consensus";
import type { StoredValidatorSet } from "@ostrom/storage";

/** The set that state holds, as consensus sees it in an epoch. */
export function consensusSet(stored: StoredValidatorSet, epoch: number): ValidatorSet {
  return {
    epoch: Epoch(epoch),
    schemeId: stored.schemeId,
    leaderSeed: stored.leaderSeed,
    validators: stored.validators.map((validator) => ({
      address: Address(validator.address),
      consensusKey: validator.consensusKey,
      transportKey: validator.transportKey,
      weight: validator.weight,
    })),
  };
}
