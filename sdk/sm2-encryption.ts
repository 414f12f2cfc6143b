import { assert, type Bytes, concatBytes, equalBytes, fail, ok, padLeft, type Result } from "@ostrom/base";
import { isSm2SecretKey, keyAgreement, sm3 } from "@ostrom/crypto";
import { DER_OCTET_STRING, DerError, DerReader, derInteger, derOctets, derSequence } from "./der.ts";
import type { EncryptionFailure } from "./encryption-failure.ts";
import { type Entropy, wipe } from "./key-pair.ts";

// Public key encryption by SM2: GM/T 0003.4-2012 (GB/T 32918.4-2016), whose letters are used here. Ciphertexts are C1 || C3 || C2.

const COORDINATE = 32;
const DIGEST = 32;
const UNCOMPRESSED = 4;
const C1_LENGTH: number = 1 + 2 * COORDINATE;
/** Bytes that a ciphertext has more than its message. */
const SM2_OVERHEAD = C1_LENGTH + DIGEST;

/** @param publicKey x || y, 64 bytes. @param message at least one byte. @returns 04 || x || y, C3, C2.
 * Errors: `encryption/key` (no public key). */
export function encryptSm2(
  publicKey: Bytes,
  message: Bytes,
  entropy: Entropy,
): Result<Bytes, EncryptionFailure> {
  assert(message.length > 0, "SM2 encrypts at least one byte");
  for (;;) {
    const nonce = entropy(COORDINATE);
    if (!isSm2SecretKey(nonce)) continue;
    const shared = keyAgreement().sm2SharedPoint(nonce, publicKey);
    if (shared === undefined) {
      wipe(nonce);
      return fail("encryption/key", "this is no public key of SM2");
    }
    const ephemeral = keyAgreement().sm2PublicKey(nonce);
    wipe(nonce);
    const mask = deriveMask(shared, message.length);
    // A mask of zeros would show the message: for one byte that is one in 256.
    if (mask.every((byte) => byte === 0)) continue;
    const hidden = mask.map((byte, index) => byte ^ message[index]!);
    const check = checkOf(shared, message);
    wipe(shared, mask);
    return ok(concatBytes(Uint8Array.of(UNCOMPRESSED), ephemeral, check, hidden));
  }
}

/** Errors: `encryption/malformed`, `encryption/tampered` (or for another key). */
export function decryptSm2(secretKey: Bytes, ciphertext: Bytes): Result<Bytes, EncryptionFailure> {
  if (ciphertext.length <= SM2_OVERHEAD || ciphertext[0] !== UNCOMPRESSED)
    return fail("encryption/malformed", "it is no ciphertext of SM2 (04 || x || y, C3, C2)");
  const shared = keyAgreement().sm2SharedPoint(secretKey, ciphertext.subarray(1, C1_LENGTH));
  if (shared === undefined) return fail("encryption/malformed", "its first part is no point of the curve");
  const hidden = ciphertext.subarray(SM2_OVERHEAD);
  const mask = deriveMask(shared, hidden.length);
  const isMasked = mask.some((byte) => byte !== 0);
  const message = mask.map((byte, index) => byte ^ hidden[index]!);
  const check = checkOf(shared, message);
  wipe(shared, mask);
  if (isMasked && equalBytes(check, ciphertext.subarray(C1_LENGTH, SM2_OVERHEAD))) return ok(message);
  wipe(message);
  return fail("encryption/tampered", "it was encrypted to another key, or changed");
}

/** As openssl writes it (GM/T 0009-2012, 7.2): SEQUENCE of x, y, C3, C2. @param ciphertext of `encryptSm2`. */
export function sm2CiphertextToDer(ciphertext: Bytes): Bytes {
  assert(ciphertext.length > SM2_OVERHEAD, "a ciphertext is longer than what it adds");
  return derSequence(
    derInteger(ciphertext.subarray(1, 1 + COORDINATE)),
    derInteger(ciphertext.subarray(1 + COORDINATE, C1_LENGTH)),
    derOctets(ciphertext.subarray(C1_LENGTH, SM2_OVERHEAD)),
    derOctets(ciphertext.subarray(SM2_OVERHEAD)),
  );
}

/** The other way. Errors: `encryption/malformed`. */
export function sm2CiphertextFromDer(der: Bytes): Result<Bytes, EncryptionFailure> {
  try {
    const reader = new DerReader(der);
    const inner = reader.enter();
    reader.end();
    const [x, y] = [inner.integer(), inner.integer()];
    const check = inner.expect(DER_OCTET_STRING);
    const hidden = inner.expect(DER_OCTET_STRING);
    inner.end();
    if (x.length > COORDINATE || y.length > COORDINATE || check.length !== DIGEST || hidden.length === 0)
      throw new DerError("a part has another length");
    const point = [x, y].map((coordinate) => padLeft(coordinate, COORDINATE));
    return ok(concatBytes(Uint8Array.of(UNCOMPRESSED), ...point, check, hidden));
  } catch (error) {
    if (error instanceof DerError) return fail("encryption/malformed", error.message);
    throw error;
  }
}

/** KDF of 5.4.3: SM3 of the point and a counter from 1. */
function deriveMask(shared: Bytes, length: number): Bytes {
  const mask = new Uint8Array(length);
  const counter = new Uint8Array(4);
  for (let offset = 0, block = 1; offset < length; offset += DIGEST, block++) {
    new DataView(counter.buffer).setUint32(0, block);
    const digest = sm3(concatBytes(shared, counter));
    mask.set(digest.subarray(0, Math.min(DIGEST, length - offset)), offset);
  }
  return mask;
}

/** C3: SM3(x2 || M || y2). */
function checkOf(shared: Bytes, message: Bytes): Bytes {
  return sm3(concatBytes(shared.subarray(0, COORDINATE), message, shared.subarray(COORDINATE)));
}
