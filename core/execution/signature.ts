import { type Address, type Bytes, bigintToBytes, bytesToBigint, concatBytes, type Hash } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { addressOfPublicKey, keccak256, recoverAddress, SECP256K1_ORDER, secp256k1 } from "@ostrom/crypto";
import type { Authorization } from "./types.ts";

const HALF_ORDER = SECP256K1_ORDER / 2n;
const AUTHORIZATION_MAGIC = Uint8Array.of(0x05);

/** An ECDSA signature as transactions carry it. */
export type TransactionSignature = { readonly yParity: 0 | 1; readonly r: bigint; readonly s: bigint };

/** True if r and s are in [1, n) and s in the lower half, so that no second signature of the same meaning exists.
 * Source: EIP-2. */
export function isCanonicalSignature(r: bigint, s: bigint): boolean {
  return r > 0n && r < SECP256K1_ORDER && s > 0n && s <= HALF_ORDER;
}

/** The account of a secret key. @param secretKey 32 bytes in [1, n). */
export function addressOfSecretKey(secretKey: Bytes): Address {
  return addressOfPublicKey(secp256k1().publicKey(secretKey));
}

/** @returns the account whose key made the signature, or undefined if it is not canonical or no key exists. */
export function recoverSigner(hash: Hash, signature: TransactionSignature): Address | undefined {
  if (!isCanonicalSignature(signature.r, signature.s)) return undefined;
  const compact = concatBytes(bigintToBytes(signature.r, 32), bigintToBytes(signature.s, 32));
  return recoverAddress(hash, compact, signature.yParity);
}

/** Signs a hash deterministically (RFC 6979) with low s. */
export function signHash(hash: Hash, secretKey: Bytes): TransactionSignature {
  const { signature, yParity } = secp256k1().sign(hash, secretKey);
  return { yParity, r: bytesToBigint(signature.subarray(0, 32)), s: bytesToBigint(signature.subarray(32)) };
}

/** What an account signs to delegate its code: keccak256(0x05 || rlp([chainId, address, nonce])). Source: EIP-7702. */
export function authorizationHash(authorization: Pick<Authorization, "chainId" | "address" | "nonce">): Hash {
  const { chainId, address, nonce } = authorization;
  return keccak256(concatBytes(AUTHORIZATION_MAGIC, encodeRlp([rlpUint(chainId), address, rlpUint(nonce)])));
}

/** The account that signed an EIP-7702 authorization, or undefined if its signature is not valid: such a tuple is
 * passed over when the transaction runs, and the transaction stays valid. */
export function recoverAuthority(authorization: Authorization): Address | undefined {
  const { yParity, r, s } = authorization;
  if (yParity > 1n) return undefined;
  return recoverSigner(authorizationHash(authorization), { yParity: yParity === 1n ? 1 : 0, r, s });
}

/** Signs an EIP-7702 authorization. */
export function signAuthorization(
  fields: Pick<Authorization, "chainId" | "address" | "nonce">,
  secretKey: Bytes,
): Authorization {
  const { yParity, r, s } = signHash(authorizationHash(fields), secretKey);
  return {
    chainId: fields.chainId,
    address: fields.address,
    nonce: fields.nonce,
    yParity: BigInt(yParity),
    r,
    s,
  };
}
