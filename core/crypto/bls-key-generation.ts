import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { assert, type Bytes, bigintToBytes, bytesToBigint, concatBytes, utf8 } from "@ostrom/base";
import { BLS_ORDER, SECRET_KEY_LENGTH } from "./secret-keys.ts";

const MIN_ENTROPY_LENGTH = 32;
/** ceil((3 * ceil(log2 r)) / 16) bytes of key material make the bias of the reduction negligible. */
const KEY_MATERIAL_LENGTH = 48;
const FIRST_SALT = utf8("BLS-SIG-KEYGEN-SALT-");

/** Derives a BLS12-381 secret key from secret bytes: the same ones always give the same key.
 * @param entropy at least 32 uniformly random bytes.
 * @returns 32 bytes, big-endian, in [1, r).
 * Source: draft-irtf-cfrg-bls-signature-05, 2.3 KeyGen, without key_info (EIP-2333's hkdf_mod_r). */
export function deriveBlsSecretKey(entropy: Bytes): Bytes {
  assert(entropy.length >= MIN_ENTROPY_LENGTH, "a BLS key must come from at least 32 bytes of entropy");
  const keyMaterial = concatBytes(entropy, Uint8Array.of(0));
  const info = Uint8Array.of(0, KEY_MATERIAL_LENGTH);
  let salt = FIRST_SALT;
  for (;;) {
    salt = sha256(salt);
    const secret = bytesToBigint(hkdf(sha256, keyMaterial, salt, info, KEY_MATERIAL_LENGTH)) % BLS_ORDER;
    if (secret !== 0n) return bigintToBytes(secret, SECRET_KEY_LENGTH);
  }
}
