import { Address, assert, type Bytes, type Hash } from "@ostrom/base";
import { keccak256, secp256k1 } from "./engine.ts";

const PUBLIC_KEY_LENGTH = 64;

/** Address of a secp256k1 public key x || y, 64 bytes: the last 20 bytes of its keccak256 (Yellow Paper, appendix F). */
export function addressOfPublicKey(publicKey: Bytes): Address {
  assert(publicKey.length === PUBLIC_KEY_LENGTH, "an uncompressed secp256k1 key must have 64 bytes");
  return Address(keccak256(publicKey).slice(12));
}

/** Address of who signed a hash.
 * @param signature r || s, 64 bytes; high s is accepted, EIP-2 is the caller's rule.
 * @returns undefined if no key gives that signature. */
export function recoverAddress(hash: Hash, signature: Bytes, yParity: 0 | 1): Address | undefined {
  const publicKey = secp256k1().recover(hash, signature, yParity);
  return publicKey === undefined ? undefined : addressOfPublicKey(publicKey);
}
