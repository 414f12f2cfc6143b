import {
  type Address,
  addressFromWord,
  addressToWord,
  assert,
  type Bytes,
  bytesToBigint,
  concatBytes,
  type Hash,
  hashFromWord,
  must,
  toHexDigits,
  utf8,
  wordToBytes,
  ZERO_ADDRESS,
} from "@ostrom/base";
import { keccak256, signatureScheme, validatorScheme } from "@ostrom/crypto";
import type { GenesisAccount, SlotChange, StateReader } from "@ostrom/state";
import { CHECKPOINT_KEYS_CODE } from "./checkpoint-keys-code.ts";
import { mappingSlot, type ReadWord, readStoredBytes } from "./solidity-storage.ts";
import type { Validator, ValidatorSet } from "./validator-set.ts";

/** The contract that holds validators' checkpoint keys (languages/solidity/checkpoints/CheckpointKeys.sol): "ckptkeys" in ASCII. Chains whose
 * genesis names none have no such account, and no checkpoints. */
export const CHECKPOINT_KEYS_ADDRESS: Address = addressFromWord(bytesToBigint(utf8("ckptkeys")));

/** What ML-DSA signatures of a registration are made under. */
export const CHECKPOINT_KEY_CONTEXT: Bytes = utf8("ostrom/checkpoint-key");
const REGISTRATION_TEXT = "ostrom/checkpoint-registration/1";
const REGISTRATION: Hash = keccak256(utf8(REGISTRATION_TEXT));

const REGISTRATIONS_SLOT = 0n;
/** Fields of a registration: keyHash, sequence, consensusProof. */
const SEQUENCE_OFFSET = 1n;
const PROOF_OFFSET = 2n;
const MAX_PROOF_BYTES = 96;

/** Checks a signature of a consensus key, by the scheme of its set. */
export type VerifyConsensusSignature = (
  schemeId: number,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
) => boolean;

/** As the schemes of core/crypto have it. */
export function verifyConsensusSignature(
  schemeId: number,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
): boolean {
  return validatorScheme(schemeId)?.verify(publicKey, message, signature) ?? false;
}

/** What an account has registered for a consensus key. */
export type CheckpointRegistration = {
  /** keccak256 of the checkpoint key. */
  readonly keyHash: Hash;
  /** How many there have been; 0: this one is genesis'. */
  readonly sequence: bigint;
  /** undefined: too long, or nothing that Solidity has written. */
  readonly consensusProof: Bytes | undefined;
};

/** What the keys of a registration sign.
 * @param sequence one more than that of the registration before, of which there is none at 0. */
export function registrationDigest(
  chainId: bigint,
  account: Address,
  consensusKeyHash: Hash,
  keyHash: Hash,
  sequence: bigint,
): Hash {
  const words = [wordToBytes(chainId), wordToBytes(addressToWord(account)), consensusKeyHash, keyHash];
  return keccak256(concatBytes(REGISTRATION, ...words, wordToBytes(sequence)));
}

/** What the consensus key signs: no vote begins like this. */
export function consensusRegistrationMessage(digest: Hash): Bytes {
  return concatBytes(utf8(REGISTRATION_TEXT), digest);
}

/** Reads what the contract keeps of an account, or else has from genesis. @returns undefined if there is nothing. */
export function readCheckpointRegistration(
  state: Pick<StateReader, "storage">,
  consensusKeyHash: Hash,
  account: Address,
): CheckpointRegistration | undefined {
  const word: ReadWord = (slot) => state.storage(CHECKPOINT_KEYS_ADDRESS, slot);
  const own = registrationSlot(consensusKeyHash, account);
  const slot = word(own) === 0n ? registrationSlot(consensusKeyHash, ZERO_ADDRESS) : own;
  const keyHash = word(slot);
  if (keyHash === 0n) return undefined;
  return {
    keyHash: hashFromWord(keyHash),
    sequence: BigInt.asUintN(64, word(slot + SEQUENCE_OFFSET)),
    consensusProof: readStoredBytes(word, slot + PROOF_OFFSET, MAX_PROOF_BYTES),
  };
}

/** The hashes of the checkpoint keys of a set's validators, as state has them at the height at which the set is decided; undefined for who has
 * none. It is what the validator's own account registered for the consensus key that it has in this set, and that this key has signed; where a set votes
 * by a post-quantum scheme and nothing is registered, the consensus key itself. A key that an earlier validator of the set has counts for that one alone.
 * @param proved keys that were found signed before, as `provedName` names them: those of the set before. */
export function readCheckpointKeys(
  state: Pick<StateReader, "storage">,
  chainId: bigint,
  { schemeId, validators }: ValidatorSet,
  proved: ReadonlySet<string>,
  verify: VerifyConsensusSignature,
): readonly (Hash | undefined)[] {
  const isPostQuantum = signatureScheme(schemeId)?.isPostQuantum === true;
  const taken = new Set<string>();
  return validators.map((validator) => {
    const registered = registeredKey(state, chainId, schemeId, validator, proved, verify);
    const keyHash = registered ?? (isPostQuantum ? keccak256(validator.consensusKey) : undefined);
    if (keyHash === undefined || taken.has(toHexDigits(keyHash))) return undefined;
    taken.add(toHexDigits(keyHash));
    return keyHash;
  });
}

/** Names a consensus key together with a checkpoint key, for `proved`. */
export function provedName(consensusKeyHash: Hash, keyHash: Hash): string {
  return `${toHexDigits(consensusKeyHash)}:${toHexDigits(keyHash)}`;
}

function registeredKey(
  state: Pick<StateReader, "storage">,
  chainId: bigint,
  schemeId: number,
  { address, consensusKey }: Validator,
  proved: ReadonlySet<string>,
  verify: VerifyConsensusSignature,
): Hash | undefined {
  const consensusKeyHash = keccak256(consensusKey);
  const found = readCheckpointRegistration(state, consensusKeyHash, address);
  if (found === undefined) return undefined;
  const { keyHash, sequence, consensusProof } = found;
  if (sequence === 0n || proved.has(provedName(consensusKeyHash, keyHash))) return keyHash;
  if (consensusProof === undefined) return undefined;
  const digest = registrationDigest(chainId, address, consensusKeyHash, keyHash, sequence);
  const isSigned = verify(schemeId, consensusKey, consensusRegistrationMessage(digest), consensusProof);
  return isSigned ? keyHash : undefined;
}

/** The contract as genesis has it. None where genesis names no keys.
 * @param keyHashes one for each validator, in their order. */
export function checkpointKeysAccounts(
  keyHashes: readonly Hash[] | undefined,
  { validators }: ValidatorSet,
): readonly GenesisAccount[] {
  if (keyHashes === undefined) return [];
  assert(keyHashes.length === validators.length, "each validator of genesis has a checkpoint key");
  const storage: SlotChange[] = validators.map(({ consensusKey }, index) => ({
    slot: registrationSlot(keccak256(consensusKey), ZERO_ADDRESS),
    value: bytesToBigint(must(keyHashes[index], "there are as many keys as validators")),
  }));
  return [{ address: CHECKPOINT_KEYS_ADDRESS, nonce: 1n, balance: 0n, code: CHECKPOINT_KEYS_CODE, storage }];
}

function registrationSlot(consensusKeyHash: Hash, account: Address): bigint {
  const ofKey = mappingSlot(consensusKeyHash, REGISTRATIONS_SLOT);
  return mappingSlot(wordToBytes(addressToWord(account)), ofKey);
}
