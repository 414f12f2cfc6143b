import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import {
  assert,
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  utf8,
} from "@ostrom/base";
import { P256_ORDER, SECRET_KEY_LENGTH } from "./secret-keys.ts";

/** A verifiable random function: ECVRF-P256-SHA256-TAI, suite 0x01 (RFC 9381, 5.5). Whoever holds the secret key computes one output for
 * each input, and proves it; nobody else can tell it from random before the proof is out, and there is no second output for that input.
 *
 * Public keys are 33 bytes, compressed; proofs 81: gamma (33), c (16), s (32); outputs 32. Everything is checked on the way in: lengths,
 * points on the curve, scalars in range, the key as RFC 9381, 5.4.5 has it (infinity cannot be written in 33 bytes, and the cofactor is 1).
 * A secret key is 32 bytes in [1, q); anything else is a bug of the caller and throws InvariantError.
 * Every engine answers alike on every input, hostile ones included: a test compares them.
 *
 * One rule beyond the RFC: a proof whose U or V is infinity is refused. Who knows the secret key can make one (nonce 0); no prover that
 * follows the RFC does, and the RFC does not say how infinity is written into the challenge. */
export type EcvrfEngine = {
  readonly name: string;
  readonly publicKey: (secretKey: Bytes) => Bytes;
  /** Deterministic: the nonce is RFC 6979's. */
  readonly prove: (secretKey: Bytes, alpha: Bytes) => Bytes;
  /** @returns the output, beta, or undefined if the proof is malformed or not of this key and input. */
  readonly verify: (publicKey: Bytes, proof: Bytes, alpha: Bytes) => Bytes | undefined;
};

/** P-256 as an engine of the function needs it. Points are never infinity; a `base` stands for the generator. */
export type EcvrfGroup<Point> = {
  readonly name: string;
  /** @param bytes 33. @returns undefined if they are no compressed point of the curve, with x below the field's order. */
  readonly decode: (bytes: Bytes) => Point | undefined;
  readonly encode: (point: Point) => Bytes;
  /** Must not tell the scalar by the time it takes. @param scalar 32 bytes in [1, q).
   * @param mask 32 secret bytes in [1, q), other ones for each point, for implementations that have nothing better than to split. */
  readonly multiplySecret: (scalar: Bytes, point: Point | "base", mask: Bytes) => Point;
  /** s * first - c * second, of public scalars in [0, q). @returns undefined for infinity. */
  readonly difference: (s: bigint, first: Point | "base", c: bigint, second: Point) => Point | undefined;
};

export const ECVRF_PUBLIC_KEY_LENGTH = 33;
export const ECVRF_PROOF_LENGTH = 81;
export const ECVRF_OUTPUT_LENGTH = 32;

const CHALLENGE_LENGTH = 16;
const SUITE = 0x01;
const ENCODE_TO_CURVE = 0x01;
const CHALLENGE = 0x02;
const PROOF_TO_HASH = 0x03;
const BACK = 0x00;
/** Encodings that are tried until one is a point (RFC 9381, 5.4.1.1). Each is one with probability 1/2. */
const MAX_ATTEMPTS = 256;
const EVEN_POINT = Uint8Array.of(0x02);
const MASK_DOMAIN = utf8("ostrom/ecvrf/mask");

/** The function over an implementation of the curve. */
export function createEcvrf<Point>(group: EcvrfGroup<Point>): EcvrfEngine {
  return {
    name: group.name,
    publicKey: (secretKey) => {
      assertEcvrfSecretKey(secretKey);
      return group.encode(group.multiplySecret(secretKey, "base", maskOf(secretKey, "base")));
    },
    prove: (secretKey, alpha) => prove(group, secretKey, alpha),
    verify: (publicKey, proof, alpha) => verify(group, publicKey, proof, alpha),
  };
}

/** The output of a proof that is known to be valid (RFC 9381, 5.2). @param proof 81 bytes, asserted. */
export function ecvrfOutput(proof: Bytes): Bytes {
  assert(proof.length === ECVRF_PROOF_LENGTH, "a proof of the random function has 81 bytes");
  return outputOf(proof.subarray(0, ECVRF_PUBLIC_KEY_LENGTH));
}

/** Whether bytes are a secret key: 32 bytes, big-endian, in [1, q). */
export function isEcvrfSecretKey(bytes: Bytes): boolean {
  if (bytes.length !== SECRET_KEY_LENGTH) return false;
  const value = bytesToBigint(bytes);
  return value > 0n && value < P256_ORDER;
}

/** What every engine demands before it touches a secret key. */
export function assertEcvrfSecretKey(bytes: Bytes): void {
  assert(isEcvrfSecretKey(bytes), "a secret key of the random function must be 32 bytes in [1, q)");
}

/** RFC 9381, 5.1. */
function prove<Point>(group: EcvrfGroup<Point>, secretKey: Bytes, alpha: Bytes): Bytes {
  assertEcvrfSecretKey(secretKey);
  const publicKey = group.encode(group.multiplySecret(secretKey, "base", maskOf(secretKey, "base")));
  const point = encodeToCurve(group, publicKey, alpha);
  assert(point !== undefined, "one of 256 hashes must be a point");
  const input = group.encode(point);
  const nonce = rfc6979Nonce(secretKey, input);
  const gamma = group.encode(group.multiplySecret(secretKey, point, maskOf(secretKey, "gamma", input)));
  const u = group.encode(group.multiplySecret(nonce, "base", maskOf(nonce, "u", input)));
  const v = group.encode(group.multiplySecret(nonce, point, maskOf(nonce, "v", input)));
  const challenge = challengeOf(publicKey, input, gamma, u, v);
  return concatBytes(gamma, challenge, response(secretKey, nonce, challenge, input));
}

/** k + c x mod q. JavaScript's integers take time by their values, so x enters as x + m, which is uniform for who does not know the
 * mask m; c m is taken off again. */
function response(secretKey: Bytes, nonce: Bytes, challenge: Bytes, input: Bytes): Bytes {
  const mask = bytesToBigint(maskOf(secretKey, "response", input));
  const c = bytesToBigint(challenge);
  const masked = (bytesToBigint(secretKey) + mask) % P256_ORDER;
  const known = (c * mask) % P256_ORDER;
  const s = (c * masked + bytesToBigint(nonce) + P256_ORDER - known) % P256_ORDER;
  return bigintToBytes(s, SECRET_KEY_LENGTH);
}

/** RFC 9381, 5.3, with the key validated. */
function verify<Point>(
  group: EcvrfGroup<Point>,
  publicKey: Bytes,
  proof: Bytes,
  alpha: Bytes,
): Bytes | undefined {
  if (publicKey.length !== ECVRF_PUBLIC_KEY_LENGTH || proof.length !== ECVRF_PROOF_LENGTH) return undefined;
  const gammaBytes = proof.subarray(0, ECVRF_PUBLIC_KEY_LENGTH);
  const challenge = proof.subarray(ECVRF_PUBLIC_KEY_LENGTH, ECVRF_PUBLIC_KEY_LENGTH + CHALLENGE_LENGTH);
  const c = bytesToBigint(challenge);
  const s = bytesToBigint(proof.subarray(ECVRF_PUBLIC_KEY_LENGTH + CHALLENGE_LENGTH));
  if (s >= P256_ORDER) return undefined;
  const key = group.decode(publicKey);
  const gamma = group.decode(gammaBytes);
  if (key === undefined || gamma === undefined) return undefined;
  const point = encodeToCurve(group, publicKey, alpha);
  if (point === undefined) return undefined;
  const u = group.difference(s, "base", c, key);
  const v = group.difference(s, point, c, gamma);
  if (u === undefined || v === undefined) return undefined;
  const expected = challengeOf(publicKey, group.encode(point), gammaBytes, group.encode(u), group.encode(v));
  return equalBytes(challenge, expected) ? outputOf(gammaBytes) : undefined;
}

/** Try and increment (RFC 9381, 5.4.1.1), salted with the public key. */
function encodeToCurve<Point>(group: EcvrfGroup<Point>, publicKey: Bytes, alpha: Bytes): Point | undefined {
  const text = concatBytes(Uint8Array.of(SUITE, ENCODE_TO_CURVE), publicKey, alpha, Uint8Array.of(0, BACK));
  const counter = text.length - 2;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    text[counter] = attempt;
    const point = group.decode(concatBytes(EVEN_POINT, nobleSha256(text)));
    if (point !== undefined) return point;
  }
  return undefined;
}

/** RFC 9381, 5.4.3. */
function challengeOf(...points: readonly Bytes[]): Bytes {
  const text = concatBytes(Uint8Array.of(SUITE, CHALLENGE), ...points, Uint8Array.of(BACK));
  return nobleSha256(text).slice(0, CHALLENGE_LENGTH);
}

function outputOf(gamma: Bytes): Bytes {
  return nobleSha256(concatBytes(Uint8Array.of(SUITE, PROOF_TO_HASH), gamma, Uint8Array.of(BACK)));
}

/** The nonce of RFC 6979, 3.2, for SHA-256 and P-256 (RFC 9381, 5.4.2.1): hash and order have the same length. */
function rfc6979Nonce(secretKey: Bytes, message: Bytes): Bytes {
  const hashed = bigintToBytes(bytesToBigint(nobleSha256(message)) % P256_ORDER, SECRET_KEY_LENGTH);
  let value: Bytes = new Uint8Array(SECRET_KEY_LENGTH).fill(1);
  let key: Bytes = new Uint8Array(SECRET_KEY_LENGTH);
  for (const step of [0, 1]) {
    key = hmac(nobleSha256, key, concatBytes(value, Uint8Array.of(step), secretKey, hashed));
    value = hmac(nobleSha256, key, value);
  }
  for (;;) {
    value = hmac(nobleSha256, key, value);
    if (isEcvrfSecretKey(value)) return value;
    key = hmac(nobleSha256, key, concatBytes(value, Uint8Array.of(0)));
    value = hmac(nobleSha256, key, value);
  }
}

/** Secret, uniform, and another one for each secret, use and point. */
function maskOf(secret: Bytes, use: string, point: Bytes = new Uint8Array()): Bytes {
  let mask = hmac(nobleSha256, secret, concatBytes(MASK_DOMAIN, utf8(use), point));
  while (!isEcvrfSecretKey(mask)) mask = hmac(nobleSha256, secret, mask);
  return mask;
}
