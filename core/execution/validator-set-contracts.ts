import { addressToWord } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { GenesisAccount, SlotChange } from "@ostrom/state";
import type { ValidatorSets, WorkValidatorSets } from "./genesis-validator-sets.ts";
import { mappingSlot } from "./solidity-storage.ts";
import {
  VALIDATOR_SET_ADDRESS,
  type Validator,
  type ValidatorSet,
  validatorSetAccount,
} from "./validator-set.ts";
import { MANAGED_VALIDATOR_SET_CODE, WORK_VALIDATOR_SET_CODE } from "./validator-set-code.ts";

/** The account that holds a new chain's validator set, with the contract that changes it, if one does. The slots after the set's own are
 * those of languages/solidity/validator-sets. */
export function validatorSetContract(set: ValidatorSet, sets: ValidatorSets): GenesisAccount {
  const account = validatorSetAccount(set);
  switch (sets.kind) {
    case "fixed":
    case "module":
      return account;
    case "managed": {
      const storage = [...account.storage, ownerSlot(set, addressToWord(sets.owner)), ...seatSlots(set)];
      return { ...account, code: MANAGED_VALIDATOR_SET_CODE, storage };
    }
    case "work":
      return {
        ...account,
        code: WORK_VALIDATOR_SET_CODE,
        storage: [...account.storage, ...workSlots(sets), ...holderSlots(set)],
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

function seatSlots(set: ValidatorSet): SlotChange[] {
  return slotsByKey(set, SEATS_SLOT, (_, index) => BigInt(index + 1));
}

/** Entries of a Solidity mapping at `slot` from keccak256 of each consensus and transport key. */
function slotsByKey(
  { validators }: ValidatorSet,
  slot: bigint,
  entryOf: (validator: Validator, index: number) => bigint,
): SlotChange[] {
  return validators.flatMap((validator, index) =>
    [validator.consensusKey, validator.transportKey].map((key) => ({
      slot: mappingSlot(keccak256(key), slot),
      value: entryOf(validator, index),
    })),
  );
}

/** `mapping(bytes32 => address) holderOf` */
const HOLDERS_SLOT = 8n;

/** The keys of genesis' validators are theirs: only their own account may hand them in. Where they have none, nobody may. */
function holderSlots(set: ValidatorSet): SlotChange[] {
  return slotsByKey(
    set,
    HOLDERS_SLOT,
    ({ address }) => addressToWord(address) || addressToWord(VALIDATOR_SET_ADDRESS),
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
