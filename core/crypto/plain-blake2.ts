import type { Bytes } from "@ostrom/base";
import type { Blake2Engine } from "./arithmetic-engines.ts";

const MESSAGE_OFFSET = 64;
const COUNTER_OFFSET = 192;

/** The reference engine of BLAKE2b's compression function. */
export const plainBlake2: Blake2Engine = { name: "plain", compress: compressBlock };

function compressBlock(rounds: number, block: Bytes, isFinal: boolean): Bytes {
  const state = readWords(block, 0, 16);
  compress(state, readWords(block, MESSAGE_OFFSET, 32), readWords(block, COUNTER_OFFSET, 4), isFinal, rounds);
  const output = new Uint8Array(64);
  const view = new DataView(output.buffer);
  for (let i = 0; i < state.length; i++) view.setInt32(4 * i, state[i]!, true);
  return output;
}

/** 32-bit halves, low before high, of 64-bit little-endian words. */
function readWords(input: Bytes, offset: number, count: number): Int32Array {
  const view = new DataView(input.buffer, input.byteOffset + offset);
  const words = new Int32Array(count);
  for (let i = 0; i < count; i++) words[i] = view.getInt32(4 * i, true);
  return words;
}

/** Halves of the initialization vector, low before high (RFC 7693, 2.6). */
export const BLAKE2_INITIALIZATION_VECTOR: Int32Array = Int32Array.of(
  0xf3bcc908,
  0x6a09e667,
  0x84caa73b,
  0xbb67ae85,
  0xfe94f82b,
  0x3c6ef372,
  0x5f1d36f1,
  0xa54ff53a,
  0xade682d1,
  0x510e527f,
  0x2b3e6c1f,
  0x9b05688c,
  0xfb41bd6b,
  0x1f83d9ab,
  0x137e2179,
  0x5be0cd19,
);

/** Which message word each mixing takes, sixteen in each of ten rounds (RFC 7693, 2.7). */
export const BLAKE2_PERMUTATIONS: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
/** The same as places of low halves, in one row. */
const SIGMA: Uint8Array = Uint8Array.from(BLAKE2_PERMUTATIONS.flat(), (word) => 2 * word);

/** F of RFC 7693, 3.2, on 32-bit halves, because 64-bit integers are slow in JavaScript.
 * @param state h: 8 words; changed. @param message m: 16 words. @param counter t: 2 words. */
function compress(
  state: Int32Array,
  message: Int32Array,
  counter: Int32Array,
  isFinal: boolean,
  rounds: number,
): void {
  const v = new Int32Array(32);
  v.set(state);
  v.set(BLAKE2_INITIALIZATION_VECTOR, 16);
  for (let half = 0; half < 4; half++) v[24 + half]! ^= counter[half]!;
  if (isFinal) {
    v[28] = ~v[28]!;
    v[29] = ~v[29]!;
  }
  let row = 0;
  for (let round = 0; round < rounds; round++) {
    mix(v, 0, 8, 16, 24, message, SIGMA[row]!, SIGMA[row + 1]!);
    mix(v, 2, 10, 18, 26, message, SIGMA[row + 2]!, SIGMA[row + 3]!);
    mix(v, 4, 12, 20, 28, message, SIGMA[row + 4]!, SIGMA[row + 5]!);
    mix(v, 6, 14, 22, 30, message, SIGMA[row + 6]!, SIGMA[row + 7]!);
    mix(v, 0, 10, 20, 30, message, SIGMA[row + 8]!, SIGMA[row + 9]!);
    mix(v, 2, 12, 22, 24, message, SIGMA[row + 10]!, SIGMA[row + 11]!);
    mix(v, 4, 14, 16, 26, message, SIGMA[row + 12]!, SIGMA[row + 13]!);
    mix(v, 6, 8, 18, 28, message, SIGMA[row + 14]!, SIGMA[row + 15]!);
    row = row + 16 === SIGMA.length ? 0 : row + 16;
  }
  for (let i = 0; i < 16; i++) state[i]! ^= v[i]! ^ v[16 + i]!;
}

/** 1 if two 32-bit numbers overflowed when they were added to `sum`: twice as fast as adding them as floats. */
function carry(a: number, b: number, sum: number): number {
  return ((a & b) | ((a | b) & ~sum)) >>> 31;
}

/** G of RFC 7693, 3.1, on the words whose low halves lie at a, b, c, d, with the message words at x and y. */
function mix(
  v: Int32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  message: Int32Array,
  x: number,
  y: number,
): void {
  let aLow = v[a]!;
  let aHigh = v[a + 1]!;
  let bLow = v[b]!;
  let bHigh = v[b + 1]!;
  let cLow = v[c]!;
  let cHigh = v[c + 1]!;
  let dLow = v[d]!;
  let dHigh = v[d + 1]!;

  // a += b + x
  let sum = (aLow + bLow) | 0;
  aHigh = (aHigh + bHigh + carry(aLow, bLow, sum)) | 0;
  let held = message[x]!;
  aLow = (sum + held) | 0;
  aHigh = (aHigh + message[x + 1]! + carry(sum, held, aLow)) | 0;
  held = dHigh ^ aHigh; // d = (d ^ a) >>> 32
  dHigh = dLow ^ aLow;
  dLow = held;
  // c += d
  sum = (cLow + dLow) | 0;
  cHigh = (cHigh + dHigh + carry(cLow, dLow, sum)) | 0;
  cLow = sum;
  // b = (b ^ c) >>> 24
  bLow ^= cLow;
  bHigh ^= cHigh;
  held = (bLow >>> 24) | (bHigh << 8);
  bHigh = (bHigh >>> 24) | (bLow << 8);
  bLow = held;
  // a += b + y
  sum = (aLow + bLow) | 0;
  aHigh = (aHigh + bHigh + carry(aLow, bLow, sum)) | 0;
  held = message[y]!;
  aLow = (sum + held) | 0;
  aHigh = (aHigh + message[y + 1]! + carry(sum, held, aLow)) | 0;
  dLow ^= aLow; // d = (d ^ a) >>> 16
  dHigh ^= aHigh;
  held = (dLow >>> 16) | (dHigh << 16);
  dHigh = (dHigh >>> 16) | (dLow << 16);
  dLow = held;
  // c += d
  sum = (cLow + dLow) | 0;
  cHigh = (cHigh + dHigh + carry(cLow, dLow, sum)) | 0;
  cLow = sum;
  // b = (b ^ c) >>> 63
  bLow ^= cLow;
  bHigh ^= cHigh;
  held = (bLow << 1) | (bHigh >>> 31);
  bHigh = (bHigh << 1) | (bLow >>> 31);
  bLow = held;

  v[a] = aLow;
  v[a + 1] = aHigh;
  v[b] = bLow;
  v[b + 1] = bHigh;
  v[c] = cLow;
  v[c + 1] = cHigh;
  v[d] = dLow;
  v[d + 1] = dHigh;
}
