import { addressToWord, bytesToBigint, concatBytes, wordToBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { GenesisAccount, SlotChange } from "@ostrom/state";
import type { ValidatorSets, WorkValidatorSets } from "./genesis-validator-sets.ts";
import { type ValidatorSet, validatorSetAccount } from "./validator-set.ts";
import { MANAGED_VALIDATOR_SET_CODE, WORK_VALIDATOR_SET_CODE } from "./validator-set-code.ts";

/** The account that holds a new chain's validator set, with the contract that changes it, if one does. The slots after the set's own are
 * those of languages/solidity/validator-sets. */
export function validatorSetContract(set: ValidatorSet, sets: ValidatorSets): GenesisAccount {
  const account = validatorSetAccount(set);
  switch (sets.kind) {
    case "fixed":
      return account;
    case "managed": {
      const storage = [...account.storage, ownerSlot(set, addressToWord(sets.owner)), ...seatSlots(set)];
      return { ...account, code: MANAGED_VALIDATOR_SET_CODE, storage };
    }
    case "work":
      return {
        ...account,
        code: WORK_VALIDATOR_SET_CODE,
        storage: [...account.storage, ...workSlots(sets)],
      };
    default:
      return sets satisfies never;
  }
}

/** `address owner; uint64 totalWeight` */
const OWNER_SLOT = 3n;
/** `mapping(bytes32 => uint256) seatOf` */
const SEATS_SLOT = 4n;

function ownerSlot({ validators }: ValidatorSet, owner: bigint): SlotChange {
  const totalWeight = validators.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
  return { slot: OWNER_SLOT, value: owner | (totalWeight << 160n) };
}

function seatSlots({ validators }: ValidatorSet): SlotChange[] {
  return validators.flatMap(({ consensusKey, transportKey }, index) =>
    [consensusKey, transportKey].map((key) => ({
      slot: bytesToBigint(keccak256(concatBytes(keccak256(key), wordToBytes(SEATS_SLOT)))),
      value: BigInt(index + 1),
    })),
  );
}

const TARGET_SLOT = 3n;
/** `uint32 period; uint32 ticketsInPeriod; uint32 ticketsPerPeriod; uint16 windowPeriods; uint16 minValidators; uint16 maxValidators` */
const WORK_PARAMETERS_SLOT = 5n;

function workSlots(sets: WorkValidatorSets): SlotChange[] {
  const parameters =
    (BigInt(sets.ticketsPerEpoch) << 64n) |
    (BigInt(sets.windowEpochs) << 96n) |
    (BigInt(sets.minValidators) << 112n) |
    (BigInt(sets.maxValidators) << 128n);
  return [
    { slot: TARGET_SLOT, value: sets.initialTarget },
    { slot: WORK_PARAMETERS_SLOT, value: parameters },
  ];
}
