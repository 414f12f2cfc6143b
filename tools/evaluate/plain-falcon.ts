import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concatBytes } from "@ostrom/base";

/** Falcon-512's verification, written from its specification (round 3, version 1.2) apart from the engine that it is compared with: slow, with a
 * product of polynomials as on paper. */
const DEGREE = 512;
const MODULUS = 12_289;
const NONCE_BYTES = 40;
const PUBLIC_KEY_BYTES = 897;
const SIGNATURE_BYTES = 666;
/** Table 3.3: the square of the longest signature. */
const MAX_NORM = 34_034_726;
/** Multiples of q below 2^16 that are evenly spread (algorithm 3). */
const HASH_LIMIT = 61_445;
const KEY_HEADER = 0x09;
const SIGNATURE_HEADER = 0x39;
const KEY_BITS = 14;

export function verifyPlainFalcon(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (publicKey[0] !== KEY_HEADER || signature[0] !== SIGNATURE_HEADER) return false;
  const key = readKey(publicKey.subarray(1));
  const second = decompress(signature.subarray(1 + NONCE_BYTES));
  if (key === undefined || second === undefined) return false;
  const hashed = hashToPoint(signature.subarray(1, 1 + NONCE_BYTES), message);
  const product = multiply(second, key);
  let norm = 0;
  for (let index = 0; index < DEGREE; index++) {
    const first = centered((hashed[index] ?? 0) - (product[index] ?? 0));
    norm += first * first + (second[index] ?? 0) ** 2;
  }
  return norm <= MAX_NORM;
}

/** Section 3.11.4: 512 numbers of 14 bits. */
function readKey(bytes: Bytes): number[] | undefined {
  const bits = bitsOf(bytes);
  const key = Array.from({ length: DEGREE }, (_, index) =>
    numberOf(bits.slice(KEY_BITS * index, KEY_BITS * (index + 1))),
  );
  return key.every((coefficient) => coefficient < MODULUS) ? key : undefined;
}

/** Algorithm 18: a sign, seven low bits, and as many zeros as the high part is, with a one behind. The rest is zeros. */
function decompress(bytes: Bytes): number[] | undefined {
  const bits = bitsOf(bytes);
  const numbers: number[] = [];
  let at = 0;
  while (numbers.length < DEGREE) {
    const isNegative = bits[at] === 1;
    const low = numberOf(bits.slice(at + 1, at + 8));
    at += 8;
    let high = 0;
    while (bits[at] === 0) {
      high++;
      at++;
    }
    if (bits[at] !== 1) return undefined;
    at++;
    const value = 128 * high + low;
    if (isNegative && value === 0) return undefined;
    numbers.push(isNegative ? -value : value);
  }
  return bits.slice(at).every((bit) => bit === 0) ? numbers : undefined;
}

/** Algorithm 3. */
function hashToPoint(nonce: Bytes, message: Bytes): number[] {
  const stream = shake256(concatBytes(nonce, message), { dkLen: 8 * DEGREE });
  const point: number[] = [];
  for (let at = 0; point.length < DEGREE; at += 2) {
    const value = 256 * (stream[at] ?? 0) + (stream[at + 1] ?? 0);
    if (value < HASH_LIMIT) point.push(value % MODULUS);
  }
  return point;
}

/** Modulo x^512 + 1 and q. */
function multiply(first: readonly number[], second: readonly number[]): number[] {
  const product = new Array<number>(DEGREE).fill(0);
  for (const [i, a] of first.entries()) {
    for (const [j, b] of second.entries()) {
      const at = (i + j) % DEGREE;
      const term = i + j < DEGREE ? a * b : -a * b;
      product[at] = ((product[at] ?? 0) + term) % MODULUS;
    }
  }
  return product;
}

function centered(value: number): number {
  const rest = ((value % MODULUS) + MODULUS) % MODULUS;
  return rest > MODULUS >> 1 ? rest - MODULUS : rest;
}

function bitsOf(bytes: Bytes): number[] {
  return [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> (7 - bit)) & 1));
}

function numberOf(bits: readonly number[]): number {
  return bits.reduce((value, bit) => 2 * value + bit, 0);
}
