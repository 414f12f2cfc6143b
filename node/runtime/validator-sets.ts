import { Address, Epoch } from "@ostrom/base";
import { SCHEME_BLS12381, type ValidatorSet } from "@ostrom/consensus";
import type { ValidatorSet as StoredValidatorSet } from "@ostrom/execution";

/** The set that state holds, as consensus sees it in an epoch. */
export function consensusSet(stored: StoredValidatorSet, epoch: number): ValidatorSet {
  return {
    epoch: Epoch(epoch),
    schemeId: SCHEME_BLS12381,
    validators: stored.validators.map((validator) => ({
      address: Address(validator.address),
      consensusKey: validator.consensusKey,
      transportKey: validator.transportKey,
      weight: validator.weight,
    })),
  };
}
