import { Address, type Bytes, concatBytes, EMPTY_BYTES, type Hash, utf8 } from "@ostrom/base";
import { encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import {
  addressOfPublicKey,
  keccak256,
  SCHEME_BLS12381,
  SCHEME_SECP256K1,
  type SignatureScheme,
  signatureScheme,
  verifySignature,
} from "@ostrom/crypto";
import { type AccountKey, AGILE_TRANSACTION_TYPE, type KeyAuthorization } from "./types.ts";

/** Most keys of an account, and most signatures of one transaction. */
export const MAX_KEYS = 8;
export const MAX_AUTHORIZATIONS = 8;

const ADDRESS_OFFSET = 12;
const TRANSACTION_CONTEXT = utf8("ostrom/transaction");

/** What ML-DSA and SLH-DSA sign a transaction's message under; nothing for the others, which have no contexts. */
export function transactionContext(schemeId: number): Bytes {
  return signatureScheme(schemeId)?.takesContext === true ? TRANSACTION_CONTEXT : EMPTY_BYTES;
}

/** A scheme that accounts may sign with. @returns undefined for validators' schemes and for ids that this version does not know. */
export function accountScheme(schemeId: number): SignatureScheme | undefined {
  return schemeId === SCHEME_BLS12381 ? undefined : signatureScheme(schemeId);
}

export function isPostQuantumScheme(schemeId: number): boolean {
  return accountScheme(schemeId)?.isPostQuantum === true;
}

/** The address that keys have by themselves, before any key set is on chain. Of one key: Ethereum's for secp256k1, else
 * keccak256(scheme id || public key)[12:] (as EIP-7932 has it); of several: keccak256(0x60 || rlp([threshold, [[scheme id, public key], ...]]))[12:]. */
export function addressOfKeys(threshold: number, keys: readonly AccountKey[]): Address {
  const [first] = keys;
  if (keys.length === 1 && first !== undefined) return addressOfKey(first);
  const policy = encodeRlp([rlpUint(threshold), keys.map(keyItems)]);
  return addressOfHash(keccak256(concatBytes(Uint8Array.of(AGILE_TRANSACTION_TYPE), policy)));
}

/** The address of one key by itself. */
export function addressOfKey({ schemeId, publicKey }: AccountKey): Address {
  if (schemeId === SCHEME_SECP256K1) return addressOfPublicKey(publicKey);
  return addressOfHash(keyHash({ schemeId, publicKey }));
}

/** keccak256(scheme id || public key): what a pre-commitment is. */
export function keyHash({ schemeId, publicKey }: AccountKey): Hash {
  return keccak256(concatBytes(Uint8Array.of(schemeId), publicKey));
}

/** Names the keys by which the signatures of a transaction were checked. */
export function keysDigest(keys: readonly AccountKey[]): Hash {
  return keccak256(concatBytes(...keys.map(keyHash)));
}

/** Whether a key signed a transaction's message. */
export function isAuthorizedBy(key: AccountKey, message: Hash, authorization: KeyAuthorization): boolean {
  const { schemeId, publicKey } = key;
  if (schemeId !== authorization.schemeId) return false;
  return verifySignature(schemeId, publicKey, message, authorization.signature, transactionContext(schemeId));
}

/** Whether signatures suffice where elliptic-curve keys count for nothing; without post-quantum keys none do.
 * @param schemeIds of all keys. @param signers scheme ids of the keys that signed. */
export function isPostQuantumQuorum(
  threshold: number,
  schemeIds: readonly number[],
  signers: readonly number[],
): boolean {
  const needed = Math.min(threshold, schemeIds.filter(isPostQuantumScheme).length);
  return needed > 0 && signers.filter(isPostQuantumScheme).length >= needed;
}

export function keyItems({ schemeId, publicKey }: AccountKey): RlpItem {
  return [rlpUint(schemeId), publicKey];
}

function addressOfHash(hash: Hash): Address {
  return Address(hash.slice(ADDRESS_OFFSET));
}
