import type { Bytes } from "@ostrom/base";

// SM3: GB/T 32905-2016, as in draft-sca-cfrg-sm3-02, whose section numbers and letters are used here.

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const LENGTH_BYTES = 8;
const ROUNDS = 64;
/** From this round on, the boolean functions are the non-linear ones. */
const SECOND_PHASE = 16;
/** Words of an expanded block: W'[j] needs W[j + 4]. */
const EXPANDED_WORDS = ROUNDS + 4;

/** Section 4.1. */
const INITIAL_STATE: Uint32Array = Uint32Array.of(
  0x7380166f,
  0x4914b2b9,
  0x172442d7,
  0xda8a0600,
  0xa96f30bc,
  0x163138aa,
  0xe38dee4d,
  0xb0fb0e4e,
);

/** T_j of section 4.2, rotated left by j as each round uses it. */
const ROUND_CONSTANTS: Uint32Array = Uint32Array.from({ length: ROUNDS }, (_, round) =>
  rotateLeft(round < SECOND_PHASE ? 0x79cc4519 : 0x7a879d8a, round % 32),
);

/** The Chinese national hash function: bytes of any length to 32 bytes. */
export function plainSm3(data: Bytes): Bytes {
  const state = INITIAL_STATE.slice();
  const expanded = new Uint32Array(EXPANDED_WORDS);
  const whole = data.length - (data.length % BLOCK_BYTES);
  for (let offset = 0; offset < whole; offset += BLOCK_BYTES) compress(state, expanded, data, offset);
  const tail = padTail(data.subarray(whole), data.length);
  for (let offset = 0; offset < tail.length; offset += BLOCK_BYTES) compress(state, expanded, tail, offset);
  const digest = new Uint8Array(DIGEST_BYTES);
  const view = new DataView(digest.buffer);
  for (const [index, word] of state.entries()) view.setUint32(4 * index, word);
  return digest;
}

/** The last one or two blocks: a bit 1, zeros, and the message's length in bits (section 5.2). */
function padTail(rest: Bytes, messageBytes: number): Bytes {
  const blocks = rest.length + 1 + LENGTH_BYTES > BLOCK_BYTES ? 2 : 1;
  const tail = new Uint8Array(blocks * BLOCK_BYTES);
  tail.set(rest);
  tail[rest.length] = 0x80;
  new DataView(tail.buffer).setBigUint64(tail.length - LENGTH_BYTES, 8n * BigInt(messageBytes));
  return tail;
}

/** Sections 5.3.2 and 5.3.3, for one block; changes `state`, and uses `w` as scratch. */
function compress(state: Uint32Array, w: Uint32Array, data: Bytes, offset: number): void {
  expand(w, data, offset);
  let [a, b, c, d, e, f, g, h] = state as unknown as readonly [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const turned = rotateLeft(a, 12);
    const ss1 = rotateLeft((turned + e + word(ROUND_CONSTANTS, round)) | 0, 7);
    const ss2 = ss1 ^ turned;
    const isFirst = round < SECOND_PHASE;
    const ff = isFirst ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = isFirst ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + ss2 + (word(w, round) ^ word(w, round + 4))) | 0;
    const tt2 = (gg + h + ss1 + word(w, round)) | 0;
    d = c;
    c = rotateLeft(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotateLeft(f, 19);
    f = e;
    e = permute0(tt2);
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) state[index] = word(state, index) ^ value;
}

function expand(w: Uint32Array, data: Bytes, offset: number): void {
  const view = new DataView(data.buffer, data.byteOffset + offset, BLOCK_BYTES);
  for (let index = 0; index < 16; index++) w[index] = view.getUint32(4 * index);
  for (let index = 16; index < EXPANDED_WORDS; index++) {
    const mixed = word(w, index - 16) ^ word(w, index - 9) ^ rotateLeft(word(w, index - 3), 15);
    w[index] = permute1(mixed) ^ rotateLeft(word(w, index - 13), 7) ^ word(w, index - 6);
  }
}

function permute0(x: number): number {
  return x ^ rotateLeft(x, 9) ^ rotateLeft(x, 17);
}

function permute1(x: number): number {
  return x ^ rotateLeft(x, 15) ^ rotateLeft(x, 23);
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> ((32 - bits) & 31));
}

function word(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}
