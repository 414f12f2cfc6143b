import {
  type Address,
  addressFromHex,
  addressFromWord,
  addressToWord,
  type Bytes,
  EMPTY_BYTES,
  type Failure,
  fail,
  ok,
  type Result,
  toHexDigits,
  utf8,
  Weight,
  wordToBytes,
} from "@ostrom/base";
import { type ValidatorScheme, validatorScheme } from "@ostrom/crypto";
import type { GenesisAccount, SlotChange, StateReader } from "@ostrom/state";
import { arraySlot, bytesStorage, mappingSlot, type ReadWord, readStoredBytes } from "./solidity-storage.ts";

/** The account whose storage holds who validates. It has nonce 1 and no code, so EIP-161 never removes it.
 *
 * Its storage has the layout that Solidity gives these variables, so that a contract can take it over:
 * ```solidity
 * struct Validator {
 *   address feeRecipient; uint64 weight; uint16 port;   // one slot, feeRecipient in its low 20 bytes
 *   bytes consensusKey; bytes proofOfPossession; bytes transportKey; string name; string host;
 * }
 * struct KeyPair { bytes consensusKey; bytes proofOfPossession; }
 * uint256 formatVersion;     // slot 0: 1
 * uint128 schemeId;          // slot 1, low half: the signature scheme of consensusKey
 * uint128 keyPlace;          // slot 1, high half. 0: keys and proofs are in `validators`; 1: in `otherKeys`
 * Validator[] validators;    // slot 2: their count; the entries from keccak256(uint256(2)), six slots each
 * mapping(uint256 => KeyPair) otherKeys; // slot 5: by the validators' indices
 * ```
 * A contract gathers the keys of another scheme in the place that does not count, and then writes slot 1: keys of thousands of bytes are written
 * once, and all validators change in one step. */
export const VALIDATOR_SET_ADDRESS: Address = addressFromHex("000000000000000000000000000000000056a11d");

/** More validators than a set may have. */
export const MAX_VALIDATOR_COUNT = 1024;

const FORMAT_VERSION = 1n;
const FORMAT_VERSION_SLOT = 0n;
const SCHEME_ID_SLOT = 1n;
const VALIDATORS_SLOT = 2n;
const SLOTS_OF_A_VALIDATOR = 6n;
const OTHER_KEYS_SLOT = 5n;
const KEY_PLACE_SHIFT = 128n;
const SCHEME_MASK = (1n << KEY_PLACE_SHIFT) - 1n;
const UINT64_MASK = (1n << 64n) - 1n;
const MAX_WEIGHT = BigInt(Number.MAX_SAFE_INTEGER);

/** Sizes of transport keys: Ed25519, SM2, ML-DSA-44. All validators of a set have the same kind. */
export const TRANSPORT_KEY_LENGTHS: readonly number[] = [32, 64, 1312];
/** Of any scheme: those of ML-DSA-65. They bound what a read may cost. */
const MAX_CONSENSUS_KEY_BYTES = 1952;
const MAX_PROOF_BYTES = 3309;
const MAX_TRANSPORT_KEY_BYTES = 1312;
/** What a validator's name and host may be; both bound what a read may cost. */
export const NAME_PATTERN: RegExp = /^[A-Za-z0-9._-]{1,64}$/;
export const HOST_PATTERN: RegExp = /^[A-Za-z0-9.:_-]{1,253}$/;
const MAX_NAME_BYTES = 64;
const MAX_HOST_BYTES = 253;

/** One validator, as genesis admits it and state keeps it. */
export type Validator = {
  /** For people and logs; letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** Receives the fees of the blocks it proposes. */
  readonly address: Address;
  readonly weight: Weight;
  /** Public key of the set's scheme, that its votes are checked with. */
  readonly consensusKey: Bytes;
  /** Proves that the validator holds the secret key, as the scheme has it (core/crypto/validator-scheme.ts). */
  readonly proofOfPossession: Bytes;
  /** Raw public key that its links are pinned to. */
  readonly transportKey: Bytes;
  /** Where the others find it at first; a node's own configuration may say otherwise. */
  readonly host: string;
  readonly port: number;
};

/** Members of a chain, in the order of their indices. With an epoch it is consensus' ValidatorSet. */
export type ValidatorSet = {
  /** Signature scheme of the consensus keys: one of `VALIDATOR_SCHEME_IDS` of core/crypto. */
  readonly schemeId: number;
  readonly validators: readonly Validator[];
};

/** The account at `VALIDATOR_SET_ADDRESS` that holds this set, without a contract. */
export function validatorSetAccount(set: ValidatorSet): GenesisAccount {
  const storage = validatorSetStorage(set);
  return { address: VALIDATOR_SET_ADDRESS, nonce: 1n, balance: 0n, code: EMPTY_BYTES, storage };
}

/** What the account has in the slots above. */
export function validatorSetStorage(set: ValidatorSet): readonly SlotChange[] {
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

/** Zeros for all that the account holds of its set: what is written over it leaves no trace of longer sets before. */
export function clearedValidatorSet(state: Pick<StateReader, "storage">): readonly SlotChange[] {
  const word: ReadWord = (slot) => state.storage(VALIDATOR_SET_ADDRESS, slot);
  const count = word(VALIDATORS_SLOT);
  const slots: bigint[] = [VALIDATORS_SLOT];
  for (let index = 0; index < Number(count) && index < MAX_VALIDATOR_COUNT; index++) {
    const first = firstSlotOf(index);
    slots.push(first);
    MOST_BYTES.forEach((most, i) => {
      const slot = first + 1n + BigInt(i);
      const length = readStoredBytes(word, slot, most)?.length ?? most;
      slots.push(slot);
      for (let at = 0n; 32n * at < length; at++) slots.push(arraySlot(slot) + at);
    });
  }
  return slots.map((slot) => ({ slot, value: 0n }));
}

export type ValidatorSetErrorCode =
  | "validators/unreadable"
  | "validators/scheme"
  | "validators/count"
  | "validators/weight"
  | "validators/duplicate";
export type ValidatorSetFailure = Failure<ValidatorSetErrorCode>;

/** Reads the validator set of a block's state. A contract may have written it, so everything is checked except the proofs of
 * possession, and no more than the largest set takes is read.
 * Errors: `validators/unreadable` (another format, lengths that are not the scheme's, transport keys of different lengths, texts or numbers that
 * cannot be), `/scheme` (none that validators vote by), `/count` (none, or more than MAX_VALIDATOR_COUNT), `/weight` (zero, or a sum of 2^53 or
 * more), `/duplicate` (a consensus or transport key twice). */
export function readValidatorSet(
  state: Pick<StateReader, "storage">,
): Result<ValidatorSet, ValidatorSetFailure> {
  const word: ReadWord = (slot) => state.storage(VALIDATOR_SET_ADDRESS, slot);
  if (word(FORMAT_VERSION_SLOT) !== FORMAT_VERSION)
    return fail("validators/unreadable", "state holds no validator set of format 1");
  const packed = word(SCHEME_ID_SLOT);
  const schemeId = packed & SCHEME_MASK;
  const scheme = validatorScheme(Number(schemeId));
  if (scheme === undefined)
    return fail("validators/scheme", `validators cannot vote by the signature scheme ${schemeId}`);
  const keyPlace = packed >> KEY_PLACE_SHIFT;
  if (keyPlace > 1n) return fail("validators/unreadable", `there is no place ${keyPlace} of keys`);
  const count = word(VALIDATORS_SLOT);
  if (count === 0n || count > BigInt(MAX_VALIDATOR_COUNT))
    return fail("validators/count", `a set must have 1 to ${MAX_VALIDATOR_COUNT} validators, found ${count}`);
  const validators: Validator[] = [];
  const keys = new Set<string>();
  let total = 0;
  for (let index = 0; index < Number(count); index++) {
    const keysSlot = keyPlace === 0n ? firstSlotOf(index) + 1n : otherKeysSlotOf(index);
    const validator = readValidator(word, index, scheme, keysSlot);
    const [first = validator] = validators;
    if (validator === undefined || validator.transportKey.length !== first?.transportKey.length)
      return fail(
        "validators/unreadable",
        `a key, name, host, port or weight of validator ${index} cannot be`,
      );
    total += validator.weight;
    if (validator.weight === 0 || !Number.isSafeInteger(total))
      return fail("validators/weight", "weights must be above 0 and together below 2^53");
    keys.add(toHexDigits(validator.consensusKey)).add(toHexDigits(validator.transportKey));
    if (keys.size !== 2 * validators.push(validator))
      return fail("validators/duplicate", `validator ${index} has a key that another one has`);
  }
  return ok({ schemeId: scheme.id, validators });
}

/** @param keysSlot of the consensus key; its proof is in the next. */
function readValidator(
  word: ReadWord,
  index: number,
  scheme: ValidatorScheme,
  keysSlot: bigint,
): Validator | undefined {
  const first = firstSlotOf(index);
  const packed = word(first);
  const weight = (packed >> 160n) & UINT64_MASK;
  const port = Number((packed >> 224n) & 0xffffn);
  const consensusKey = readStoredBytes(word, keysSlot, scheme.publicKeyLength);
  const proofOfPossession = readStoredBytes(word, keysSlot + 1n, scheme.proofLength);
  const transportKey = readStoredBytes(word, first + 3n, MAX_TRANSPORT_KEY_BYTES);
  const name = readText(word, first + 4n, MAX_NAME_BYTES, NAME_PATTERN);
  const host = readText(word, first + 5n, MAX_HOST_BYTES, HOST_PATTERN);
  if (
    consensusKey?.length !== scheme.publicKeyLength ||
    proofOfPossession?.length !== scheme.proofLength ||
    transportKey === undefined ||
    !TRANSPORT_KEY_LENGTHS.includes(transportKey.length) ||
    name === undefined ||
    host === undefined ||
    port === 0 ||
    weight > MAX_WEIGHT
  )
    return undefined;
  return {
    name,
    address: addressFromWord(packed),
    weight: Weight(Number(weight)),
    consensusKey,
    proofOfPossession,
    transportKey,
    host,
    port,
  };
}

/** Of the fields below. */
const MOST_BYTES = [
  MAX_CONSENSUS_KEY_BYTES,
  MAX_PROOF_BYTES,
  MAX_TRANSPORT_KEY_BYTES,
  MAX_NAME_BYTES,
  MAX_HOST_BYTES,
];

/** In the order of their slots. */
function bytesFields(validator: Validator): Bytes[] {
  const { consensusKey, proofOfPossession, transportKey, name, host } = validator;
  return [consensusKey, proofOfPossession, transportKey, utf8(name), utf8(host)];
}

function firstSlotOf(index: number): bigint {
  return arraySlot(VALIDATORS_SLOT) + SLOTS_OF_A_VALIDATOR * BigInt(index);
}

function otherKeysSlotOf(index: number): bigint {
  return mappingSlot(wordToBytes(BigInt(index)), OTHER_KEYS_SLOT);
}

function readText(word: ReadWord, slot: bigint, maxBytes: number, pattern: RegExp): string | undefined {
  const bytes = readStoredBytes(word, slot, maxBytes);
  if (bytes === undefined) return undefined;
  const text = Array.from(bytes, (code) => String.fromCharCode(code)).join("");
  return pattern.test(text) ? text : undefined;
}
