import { type Bytes, concatBytes, EMPTY_BYTES, fail, must, ok, type Result, utf8 } from "@ostrom/base";
import {
  CIPHER_AES_256_GCM,
  type CipherEngine,
  cipher,
  HASH_SHA256,
  hkdfExpand,
  hkdfExtract,
  X_WING_CIPHERTEXT_LENGTH,
  X_WING_RANDOMNESS_LENGTH,
  xWingDecapsulate,
  xWingEncapsulate,
} from "@ostrom/crypto";
import type { EncryptionFailure } from "./encryption-failure.ts";
import { type Entropy, wipe } from "./key-pair.ts";

// HPKE (RFC 9180), mode base, single-shot, of X-Wing (X25519 and ML-KEM-768; KEM 0x647a, draft-ietf-hpke-pq), HKDF-SHA256 and AES-256-GCM.

const KEM_ID = 0x647a;
const KDF_ID = 0x0001;
const AEAD_ID = 0x0002;
const MODE_BASE = 0;
const VERSION = utf8("HPKE-v1");
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;

/** The suite's name inside HPKE's labels (RFC 9180, 5.1). */
const SUITE: Bytes = concatBytes(utf8("HPKE"), ...[KEM_ID, KDF_ID, AEAD_ID].map(twoBytes));

export type HpkeKeys = { readonly key: Bytes; readonly nonce: Bytes };

/** Bytes that a ciphertext has more than its message. */
export const HYBRID_OVERHEAD: number = X_WING_CIPHERTEXT_LENGTH + 16;

/** @param publicKey of scheme `x-wing`. @param info what the message is for: both sides must say the same.
 * @returns the encapsulated key, then the ciphertext. Errors: `encryption/key`. */
export function encryptHybrid(
  publicKey: Bytes,
  message: Bytes,
  entropy: Entropy,
  info: Bytes = EMPTY_BYTES,
  additional: Bytes = EMPTY_BYTES,
): Result<Bytes, EncryptionFailure> {
  const randomness = entropy(X_WING_RANDOMNESS_LENGTH);
  const made = xWingEncapsulate(publicKey, randomness);
  wipe(randomness);
  if (made === undefined) return fail("encryption/key", "this is no public key of x-wing");
  const { key, nonce } = hpkeKeys(SUITE, KEY_LENGTH, made.sharedSecret, info);
  const sealed = engine().seal(key, nonce, additional, message);
  wipe(made.sharedSecret, key, nonce);
  return ok(concatBytes(made.ciphertext, sealed));
}

/** Errors: `encryption/malformed`, `encryption/tampered` (or for another key). */
export function decryptHybrid(
  secretKey: Bytes,
  ciphertext: Bytes,
  info: Bytes = EMPTY_BYTES,
  additional: Bytes = EMPTY_BYTES,
): Result<Bytes, EncryptionFailure> {
  if (ciphertext.length < HYBRID_OVERHEAD)
    return fail("encryption/malformed", "it is no ciphertext of x-wing: too short");
  const shared = xWingDecapsulate(secretKey, ciphertext.subarray(0, X_WING_CIPHERTEXT_LENGTH));
  if (shared === undefined) return fail("encryption/malformed", "its encapsulated key is none");
  const { key, nonce } = hpkeKeys(SUITE, KEY_LENGTH, shared, info);
  const message = engine().open(key, nonce, additional, ciphertext.subarray(X_WING_CIPHERTEXT_LENGTH));
  wipe(shared, key, nonce);
  return message === undefined
    ? fail("encryption/tampered", "it was encrypted to another key, or changed")
    : ok(message);
}

/** The key schedule of mode base (RFC 9180, 5.1). @param suite "HPKE" and the ids of KEM, KDF (HKDF-SHA256) and cipher. */
export function hpkeKeys(suite: Bytes, keyLength: number, sharedSecret: Bytes, info: Bytes): HpkeKeys {
  const extract = (salt: Bytes, label: string, material: Bytes): Bytes =>
    hkdfExtract(HASH_SHA256, salt, concatBytes(VERSION, suite, utf8(label), material));
  const expand = (key: Bytes, label: string, context: Bytes, length: number): Bytes =>
    hkdfExpand(HASH_SHA256, key, concatBytes(twoBytes(length), VERSION, suite, utf8(label), context), length);
  const context = concatBytes(
    Uint8Array.of(MODE_BASE),
    extract(EMPTY_BYTES, "psk_id_hash", EMPTY_BYTES),
    extract(EMPTY_BYTES, "info_hash", info),
  );
  const secret = extract(sharedSecret, "secret", EMPTY_BYTES);
  const keys = {
    key: expand(secret, "key", context, keyLength),
    nonce: expand(secret, "base_nonce", context, NONCE_LENGTH),
  };
  wipe(secret);
  return keys;
}

function twoBytes(value: number): Bytes {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function engine(): CipherEngine {
  return must(cipher(CIPHER_AES_256_GCM), "there is always an engine of AES-256-GCM");
}
