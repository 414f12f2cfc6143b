import {
  type Address,
  addressFromHex,
  addressFromWord,
  addressToWord,
  assert,
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  EMPTY_BYTES,
  utf8,
  Weight,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { GenesisAccount, SlotChange, StateReader } from "@ostrom/state";

/** The account whose storage holds who validates. It has nonce 1 and no code, so EIP-161 never removes it.
 *
 * Its storage has the layout that Solidity gives these variables, so that a contract can take it over:
 * ```solidity
 * struct Validator {
 *   address feeRecipient; uint64 weight; uint16 port;   // one slot, feeRecipient in its low 20 bytes
 *   bytes consensusKey; bytes proofOfPossession; bytes transportKey; string name; string host;
 * }
 * uint256 formatVersion;     // slot 0: 1
 * uint256 schemeId;          // slot 1: the signature scheme of consensusKey
 * Validator[] validators;    // slot 2: their count; the entries from keccak256(uint256(2)), six slots each
 * ``` */
export const VALIDATOR_SET_ADDRESS: Address = addressFromHex("000000000000000000000000000000000056a11d");

/** More validators than a set may have. */
export const MAX_VALIDATOR_COUNT = 1024;

const FORMAT_VERSION = 1n;
const FORMAT_VERSION_SLOT = 0n;
const SCHEME_ID_SLOT = 1n;
const VALIDATORS_SLOT = 2n;
const SLOTS_OF_A_VALIDATOR = 6n;
const MAX_INLINE_BYTES = 31;
/** Longer than any key, proof or name of a validator; bounds what a read may cost. */
const MAX_FIELD_BYTES = 65_536;
const UINT64_MASK = (1n << 64n) - 1n;

/** One validator, as genesis admits it and state keeps it. */
export type Validator = {
  /** For people and logs; letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** Receives the fees of the blocks it proposes. */
  readonly address: Address;
  readonly weight: Weight;
  /** Public key that its votes are checked with (BLS12-381: 48 bytes). */
  readonly consensusKey: Bytes;
  /** Proves that the validator holds the secret key (BLS12-381: 96 bytes). */
  readonly proofOfPossession: Bytes;
  /** Raw Ed25519 public key (32 bytes) that its links are pinned to. */
  readonly transportKey: Bytes;
  /** Where the others find it at first; a node's own configuration may say otherwise. */
  readonly host: string;
  readonly port: number;
};

/** Members of a chain, in the order of their indices. With an epoch it is consensus' ValidatorSet. */
export type ValidatorSet = {
  /** Signature scheme of the consensus keys, such as `SCHEME_BLS12381` of core/crypto. */
  readonly schemeId: number;
  readonly validators: readonly Validator[];
};

/** The account at `VALIDATOR_SET_ADDRESS` that holds this set. */
export function validatorSetAccount(set: ValidatorSet): GenesisAccount {
  const storage = validatorSetStorage(set);
  return { address: VALIDATOR_SET_ADDRESS, nonce: 1n, balance: 0n, code: EMPTY_BYTES, storage };
}

function validatorSetStorage(set: ValidatorSet): SlotChange[] {
  const words: SlotChange[] = [
    { slot: FORMAT_VERSION_SLOT, value: FORMAT_VERSION },
    { slot: SCHEME_ID_SLOT, value: BigInt(set.schemeId) },
    { slot: VALIDATORS_SLOT, value: BigInt(set.validators.length) },
  ];
  set.validators.forEach((validator, index) => {
    const first = firstSlotOf(index);
    const packed =
      addressToWord(validator.address) |
      (BigInt(validator.weight) << 160n) |
      (BigInt(validator.port) << 224n);
    words.push({ slot: first, value: packed });
    bytesFields(validator).forEach((field, i) => {
      words.push(...bytesStorage(first + 1n + BigInt(i), field));
    });
  });
  return words;
}

/** Reads the validator set of a block's state. The set was checked when it was admitted, so it asserts its shape. */
export function readValidatorSet(state: Pick<StateReader, "storage">): ValidatorSet {
  const word = (slot: bigint): bigint => state.storage(VALIDATOR_SET_ADDRESS, slot);
  assert(word(FORMAT_VERSION_SLOT) === FORMAT_VERSION, "state must hold a validator set of format 1");
  const count = word(VALIDATORS_SLOT);
  assert(count > 0n && count <= BigInt(MAX_VALIDATOR_COUNT), "a validator set must have 1 to 1024 members");
  const validators = Array.from({ length: Number(count) }, (_, index) => readValidator(word, index));
  return { schemeId: Number(word(SCHEME_ID_SLOT)), validators };
}

function readValidator(word: (slot: bigint) => bigint, index: number): Validator {
  const first = firstSlotOf(index);
  const packed = word(first);
  const [consensusKey, proofOfPossession, transportKey, name, host] = Array.from({ length: 5 }, (_, i) =>
    readBytes(word, first + 1n + BigInt(i)),
  );
  return {
    name: asciiText(name),
    address: addressFromWord(packed),
    weight: Weight(Number((packed >> 160n) & UINT64_MASK)),
    consensusKey: consensusKey ?? EMPTY_BYTES,
    proofOfPossession: proofOfPossession ?? EMPTY_BYTES,
    transportKey: transportKey ?? EMPTY_BYTES,
    host: asciiText(host),
    port: Number((packed >> 224n) & 0xffffn),
  };
}

/** In the order of their slots. */
function bytesFields(validator: Validator): Bytes[] {
  const { consensusKey, proofOfPossession, transportKey, name, host } = validator;
  return [consensusKey, proofOfPossession, transportKey, utf8(name), utf8(host)];
}

function firstSlotOf(index: number): bigint {
  return arrayStart(VALIDATORS_SLOT) + SLOTS_OF_A_VALIDATOR * BigInt(index);
}

/** Where Solidity puts the content of a dynamic array or of long bytes. */
function arrayStart(slot: bigint): bigint {
  return bytesToBigint(keccak256(wordToBytes(slot)));
}

function bytesStorage(slot: bigint, bytes: Bytes): SlotChange[] {
  if (bytes.length <= MAX_INLINE_BYTES) {
    return [{ slot, value: leftAligned(bytes) | BigInt(2 * bytes.length) }];
  }
  const words: SlotChange[] = [{ slot, value: BigInt(2 * bytes.length + 1) }];
  const start = arrayStart(slot);
  for (let offset = 0; offset < bytes.length; offset += 32) {
    words.push({
      slot: start + BigInt(offset / 32),
      value: leftAligned(bytes.subarray(offset, offset + 32)),
    });
  }
  return words;
}

function readBytes(word: (slot: bigint) => bigint, slot: bigint): Bytes {
  const head = word(slot);
  if ((head & 1n) === 0n) return wordToBytes(head).slice(0, Number((head & 0xffn) >> 1n));
  const length = head >> 1n;
  assert(length <= BigInt(MAX_FIELD_BYTES), "a field of a validator must have 65536 bytes at most");
  const start = arrayStart(slot);
  const parts: Bytes[] = [];
  for (let i = 0n; i * 32n < length; i++) parts.push(bigintToBytes(word(start + i), 32));
  return concatBytes(...parts).slice(0, Number(length));
}

function leftAligned(bytes: Bytes): bigint {
  return bytesToBigint(bytes) << BigInt(8 * (32 - bytes.length));
}

function asciiText(bytes: Bytes | undefined): string {
  return Array.from(bytes ?? EMPTY_BYTES, (code) => String.fromCharCode(code)).join("");
}
