import { assert, type Bytes, bigintToBytes, bytesToBigint, concatBytes, utf8 } from "@ostrom/base";
import { sm3 } from "./engine.ts";
import { rfc6979Nonces } from "./rfc6979.ts";
import { HASH_SM3 } from "./schemes.ts";
import { assertSm2SecretKey, SM2_ORDER } from "./secret-keys.ts";
import type { SignatureEngine } from "./signature-engine.ts";
import { readSm2Point, SM2_A, SM2_B, SM2_BASE_X, SM2_BASE_Y, Sm2Points, writeSm2Point } from "./sm2-curve.ts";

// SM2 signatures: GB/T 32918.2-2016, as in draft-shen-sm2-ecdsa-02, section 5, whose letters are used here.

/** What GM/T 0009-2012 tells all who agree on no other identifier to use. */
const DEFAULT_IDENTIFIER = "1234567812345678";

const WORD = 32;
const IDENTIFIER = utf8(DEFAULT_IDENTIFIER);
const CURVE_PARAMETERS: Bytes = concatBytes(
  ...[SM2_A, SM2_B, SM2_BASE_X, SM2_BASE_Y].map((value) => bigintToBytes(value, WORD)),
);

/** The portable engine of SM2 signatures. */
export const nobleSm2: SignatureEngine = {
  name: "noble",
  publicKey: sm2PublicKey,
  sign: (secretKey, message) => sign(secretKey, sm2MessageHash(sm2PublicKey(secretKey), message)),
  verify: (publicKey, message, signature) => verify(publicKey, sm2MessageHash(publicKey, message), signature),
};

/** Z_A, which ties a message's hash to its signer and the curve (5.1.4.4).
 * @param publicKey x || y, 64 bytes. @param identifier at most 8191 bytes. @returns 32 bytes. */
export function sm2SignerHash(publicKey: Bytes, identifier: Bytes = IDENTIFIER): Bytes {
  const bits = 8 * identifier.length;
  assert(bits <= 0xffff, "an SM2 identifier's length in bits must fit 16 bits");
  return sm3(concatBytes(Uint8Array.of(bits >> 8, bits & 0xff), identifier, CURVE_PARAMETERS, publicKey));
}

/** e = SM3(Z_A || M): what SM2 signs. */
export function sm2MessageHash(publicKey: Bytes, message: Bytes): Bytes {
  return sm3(concatBytes(sm2SignerHash(publicKey), message));
}

/** @param secretKey 32 bytes in [1, n - 1). @returns x || y, 64 bytes. */
export function sm2PublicKey(secretKey: Bytes): Bytes {
  assertSm2SecretKey(secretKey);
  return writeSm2Point(Sm2Points.BASE.multiply(bytesToBigint(secretKey)));
}

function sign(secretKey: Bytes, hash: Bytes): Bytes {
  for (const nonce of rfc6979Nonces(HASH_SM3, SM2_ORDER, secretKey, hash)) {
    const signature = signSm2WithNonce(secretKey, hash, nonce);
    if (signature !== undefined) return signature;
  }
  assert(false, "nonces never end");
}

/** Steps A4 to A7 of 5.2.1. The standard draws the nonce at random; who calls this must never use one twice.
 * @param nonce in [1, n). @returns undefined if another nonce must be taken. */
export function signSm2WithNonce(secretKey: Bytes, hash: Bytes, nonce: bigint): Bytes | undefined {
  const d = bytesToBigint(secretKey);
  const order = Sm2Points.Fn;
  const r = order.create(bytesToBigint(hash) + Sm2Points.BASE.multiply(nonce).toAffine().x);
  if (r === 0n || r + nonce === SM2_ORDER) return undefined;
  // (k - r d) / (1 + d) is (k + r) / (1 + d) - r, with the secret in one place only.
  const s = order.create((nonce + r) * order.inv(1n + d) - r);
  return s === 0n ? undefined : concatBytes(bigintToBytes(r, WORD), bigintToBytes(s, WORD));
}

/** Section 5.3.1. */
function verify(publicKey: Bytes, hash: Bytes, signature: Bytes): boolean {
  const point = readSm2Point(publicKey);
  if (point === undefined) return false;
  const r = bytesToBigint(signature.subarray(0, WORD));
  const s = bytesToBigint(signature.subarray(WORD));
  if (r === 0n || r >= SM2_ORDER || s === 0n || s >= SM2_ORDER) return false;
  const t = Sm2Points.Fn.create(r + s);
  if (t === 0n) return false;
  const sum = Sm2Points.BASE.multiply(s).add(point.multiplyUnsafe(t));
  return !sum.is0() && Sm2Points.Fn.create(bytesToBigint(hash) + sum.toAffine().x) === r;
}
