import { addressFromHex, type Epoch, fromHex, unwrap, Weight } from "@ostrom/base";
import type { ValidatorSet } from "@ostrom/consensus";
import { SCHEME_BLS12381 } from "@ostrom/crypto";

/** One validator as ostrom_getValidators tells of it. */
export type ToldValidator = {
  readonly address: string;
  readonly consensusKey: string;
  readonly transportKey: string;
  readonly weight: string;
};

/** The set of an epoch as consensus has it, from what JSON-RPC tells. */
export function toldSet(epoch: Epoch, told: readonly ToldValidator[]): ValidatorSet {
  return {
    epoch,
    schemeId: SCHEME_BLS12381,
    validators: told.map(({ address, consensusKey, transportKey, weight }) => ({
      address: addressFromHex(address),
      consensusKey: unwrap(fromHex(consensusKey)),
      transportKey: unwrap(fromHex(transportKey)),
      weight: Weight(Number(weight)),
    })),
  };
}
