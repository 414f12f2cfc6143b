import { GHASH } from "@noble/ciphers/_polyval.js";
import { assert, type Bytes, concatBytes, hex } from "@ostrom/base";

// SM4: GB/T 32907-2016, as in draft-ribose-cfrg-sm4-10, whose letters are used here. In Galois counter mode: SP 800-38D, RFC 8998.

const KEY_LENGTH = 16;
const BLOCK_BYTES = 16;
const TAG_LENGTH = 16;
/** A nonce of this length becomes the first counter as it is (SP 800-38D, 7.1). */
const NONCE_LENGTH = 12;
const ROUNDS = 32;

/** Section 6.2. */
const S_BOX: Bytes = hex(
  "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa441326498606999c4250f491ef987a33540b43edcfac62" +
    "e4b31ca9c908e89580df94fa758f3fa64707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35" +
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89eeabf8ad240c738b5a3f7f2cef96115a1" +
    "e0ae5da49b341a55ad933230f58cb1e31df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51" +
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b08969974a0c96777e65b9f109c56ec684" +
    "18f07dec3adc4d2079ee5f3ed7cb3948",
);

/** FK of section 7.3. */
const FAMILY_KEY: readonly number[] = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];

/** @param key 16 bytes. @returns the 32 round keys. */
export function sm4RoundKeys(key: Bytes): Uint32Array {
  assert(key.length === KEY_LENGTH, "an SM4 key must have 16 bytes");
  const words = readBlock(key, 0).map((word, index) => word ^ (FAMILY_KEY[index] ?? 0));
  const roundKeys = new Uint32Array(ROUNDS);
  for (let round = 0; round < ROUNDS; round++) {
    const mixed = substitute(at(words, 1) ^ at(words, 2) ^ at(words, 3) ^ constantKey(round));
    const next = at(words, 0) ^ mixed ^ rotateLeft(mixed, 13) ^ rotateLeft(mixed, 23);
    words.copyWithin(0, 1);
    words[3] = next;
    roundKeys[round] = next;
  }
  return roundKeys;
}

/** One block of 16 bytes; with the round keys in reverse, this decrypts. */
export function sm4Block(roundKeys: Uint32Array, block: Bytes): Bytes {
  const input = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
  let [a, b, c, d] = [input.getInt32(0), input.getInt32(4), input.getInt32(8), input.getInt32(12)];
  for (let round = 0; round < ROUNDS; round += 4) {
    a ^= spread(substitute(b ^ c ^ d ^ at(roundKeys, round)));
    b ^= spread(substitute(c ^ d ^ a ^ at(roundKeys, round + 1)));
    c ^= spread(substitute(d ^ a ^ b ^ at(roundKeys, round + 2)));
    d ^= spread(substitute(a ^ b ^ c ^ at(roundKeys, round + 3)));
  }
  const output = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(output.buffer);
  view.setInt32(0, d);
  view.setInt32(4, c);
  view.setInt32(8, b);
  view.setInt32(12, a);
  return output;
}

/** L of section 6.2. */
function spread(word: number): number {
  return word ^ rotateLeft(word, 2) ^ rotateLeft(word, 10) ^ rotateLeft(word, 18) ^ rotateLeft(word, 24);
}

/** SM4-GCM. @param key 16 bytes. @param nonce 12 bytes, never the same twice under one key. @returns ciphertext || tag (16 bytes). */
export function sealSm4Gcm(key: Bytes, nonce: Bytes, additional: Bytes, plain: Bytes): Bytes {
  const roundKeys = sm4RoundKeys(key);
  const ciphertext = applyCounters(roundKeys, nonce, plain);
  return concatBytes(ciphertext, tagOf(roundKeys, nonce, additional, ciphertext));
}

/** @returns undefined if it was not sealed so. */
export function openSm4Gcm(key: Bytes, nonce: Bytes, additional: Bytes, sealed: Bytes): Bytes | undefined {
  if (sealed.length < TAG_LENGTH) return undefined;
  const roundKeys = sm4RoundKeys(key);
  const ciphertext = sealed.subarray(0, -TAG_LENGTH);
  const expected = tagOf(roundKeys, nonce, additional, ciphertext);
  let difference = 0;
  for (const [index, byte] of sealed.subarray(-TAG_LENGTH).entries())
    difference |= byte ^ at(expected, index);
  return difference === 0 ? applyCounters(roundKeys, nonce, ciphertext) : undefined;
}

/** Counters begin at 2: the first one masks the tag. */
function applyCounters(roundKeys: Uint32Array, nonce: Bytes, data: Bytes): Bytes {
  const output = new Uint8Array(data.length);
  for (let offset = 0, counter = 2; offset < data.length; offset += BLOCK_BYTES, counter++) {
    const mask = sm4Block(roundKeys, counterBlock(nonce, counter));
    for (let index = offset; index < Math.min(offset + BLOCK_BYTES, data.length); index++)
      output[index] = at(data, index) ^ at(mask, index - offset);
  }
  return output;
}

function tagOf(roundKeys: Uint32Array, nonce: Bytes, additional: Bytes, ciphertext: Bytes): Bytes {
  const authenticator = new GHASH(sm4Block(roundKeys, new Uint8Array(BLOCK_BYTES)));
  authenticator.update(additional).update(ciphertext);
  const lengths = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(lengths.buffer);
  view.setBigUint64(0, 8n * BigInt(additional.length));
  view.setBigUint64(8, 8n * BigInt(ciphertext.length));
  const digest = authenticator.update(lengths).digest();
  const mask = sm4Block(roundKeys, counterBlock(nonce, 1));
  return mask.map((byte, index) => byte ^ at(digest, index));
}

function counterBlock(nonce: Bytes, counter: number): Bytes {
  assert(nonce.length === NONCE_LENGTH, "a nonce must have 12 bytes");
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(nonce);
  new DataView(block.buffer).setUint32(NONCE_LENGTH, counter);
  return block;
}

/** CK of section 7.3: byte j of word i is 7 (4 i + j) modulo 256. */
function constantKey(round: number): number {
  let word = 0;
  for (let index = 0; index < 4; index++) word = (word << 8) | ((7 * (4 * round + index)) & 0xff);
  return word;
}

/** The S-box on each byte of a word. */
function substitute(word: number): number {
  return (
    (at(S_BOX, word >>> 24) << 24) |
    (at(S_BOX, (word >>> 16) & 0xff) << 16) |
    (at(S_BOX, (word >>> 8) & 0xff) << 8) |
    at(S_BOX, word & 0xff)
  );
}

function readBlock(bytes: Bytes, offset: number): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, BLOCK_BYTES);
  return Uint32Array.from({ length: 4 }, (_, index) => view.getUint32(4 * index));
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function at(values: Uint8Array | Uint32Array, index: number): number {
  return values[index] ?? 0;
}
