import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { assert, type Bytes, concatBytes } from "@ostrom/base";
import {
  keyAgreement,
  ML_KEM_768_CIPHERTEXT_LENGTH,
  ML_KEM_768_PUBLIC_KEY_LENGTH,
  ML_KEM_768_SECRET_KEY_LENGTH,
  X25519_KEY_LENGTH,
} from "./key-agreement.ts";

// X-Wing: X25519 and ML-KEM-768 in one; who wants its secret must break both.
// Source: draft-connolly-cfrg-xwing-kem-09, whose letters are used here.

/** A seed. */
export const X_WING_SECRET_KEY_LENGTH = 32;
/** ML-KEM-768's key, then X25519's. */
export const X_WING_PUBLIC_KEY_LENGTH: number = ML_KEM_768_PUBLIC_KEY_LENGTH + X25519_KEY_LENGTH;
/** ML-KEM-768's ciphertext, then an ephemeral key of X25519. */
export const X_WING_CIPHERTEXT_LENGTH: number = ML_KEM_768_CIPHERTEXT_LENGTH + X25519_KEY_LENGTH;
/** 32 bytes for ML-KEM-768, then the ephemeral secret of X25519. */
export const X_WING_RANDOMNESS_LENGTH = 64;

const KEM_RANDOMNESS_LENGTH = 32;
/** `\.//^\`: an X, drawn. */
const LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

type Expanded = { readonly mlKem: Bytes; readonly x25519: Bytes };

/** @param secretKey the seed. @returns X_WING_PUBLIC_KEY_LENGTH bytes. */
export function xWingPublicKey(secretKey: Bytes): Bytes {
  const expanded = expand(secretKey);
  const { mlKem768PublicKey, x25519PublicKey } = keyAgreement();
  const publicKey = concatBytes(mlKem768PublicKey(expanded.mlKem), x25519PublicKey(expanded.x25519));
  forget(expanded);
  return publicKey;
}

/** @param randomness X_WING_RANDOMNESS_LENGTH bytes, fresh. @returns undefined for what is no public key. */
export function xWingEncapsulate(
  publicKey: Bytes,
  randomness: Bytes,
): { readonly ciphertext: Bytes; readonly sharedSecret: Bytes } | undefined {
  assert(randomness.length === X_WING_RANDOMNESS_LENGTH, "randomness must have its length");
  if (publicKey.length !== X_WING_PUBLIC_KEY_LENGTH) return undefined;
  const engine = keyAgreement();
  const ephemeral = randomness.subarray(KEM_RANDOMNESS_LENGTH);
  const recipient = publicKey.subarray(ML_KEM_768_PUBLIC_KEY_LENGTH);
  const made = engine.mlKem768Encapsulate(
    publicKey.subarray(0, ML_KEM_768_PUBLIC_KEY_LENGTH),
    randomness.subarray(0, KEM_RANDOMNESS_LENGTH),
  );
  const shared = engine.x25519(ephemeral, recipient);
  if (made === undefined || shared === undefined) return undefined;
  const ephemeralKey = engine.x25519PublicKey(ephemeral);
  const sharedSecret = combine(made.sharedSecret, shared, ephemeralKey, recipient);
  return { ciphertext: concatBytes(made.ciphertext, ephemeralKey), sharedSecret };
}

/** A ciphertext that was made for another key gives a secret that nobody else has.
 * @returns 32 bytes; undefined for a ciphertext of another length, or with an X25519 key of small order. */
export function xWingDecapsulate(secretKey: Bytes, ciphertext: Bytes): Bytes | undefined {
  if (ciphertext.length !== X_WING_CIPHERTEXT_LENGTH) return undefined;
  const engine = keyAgreement();
  const expanded = expand(secretKey);
  const ephemeralKey = ciphertext.subarray(ML_KEM_768_CIPHERTEXT_LENGTH);
  const fromMlKem = engine.mlKem768Decapsulate(
    expanded.mlKem,
    ciphertext.subarray(0, ML_KEM_768_CIPHERTEXT_LENGTH),
  );
  const fromX25519 = engine.x25519(expanded.x25519, ephemeralKey);
  const recipient = engine.x25519PublicKey(expanded.x25519);
  forget(expanded);
  if (fromMlKem === undefined || fromX25519 === undefined) return undefined;
  return combine(fromMlKem, fromX25519, ephemeralKey, recipient);
}

function expand(secretKey: Bytes): Expanded {
  assert(secretKey.length === X_WING_SECRET_KEY_LENGTH, "a secret key must have its length");
  const bytes = shake256(secretKey, { dkLen: ML_KEM_768_SECRET_KEY_LENGTH + X25519_KEY_LENGTH });
  return {
    mlKem: bytes.subarray(0, ML_KEM_768_SECRET_KEY_LENGTH),
    x25519: bytes.subarray(ML_KEM_768_SECRET_KEY_LENGTH),
  };
}

function forget({ mlKem, x25519 }: Expanded): void {
  mlKem.fill(0);
  x25519.fill(0);
}

function combine(fromMlKem: Bytes, fromX25519: Bytes, ephemeralKey: Bytes, recipient: Bytes): Bytes {
  const joined = concatBytes(fromMlKem, fromX25519, ephemeralKey, recipient, LABEL);
  const secret = sha3_256(joined);
  joined.fill(0);
  fromMlKem.fill(0);
  fromX25519.fill(0);
  return secret;
}
