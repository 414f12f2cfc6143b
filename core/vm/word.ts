import type { Bytes } from "@ostrom/base";

/** A word is an unsigned integer of 256 bits. */
export const WORD_BITS = 256;
export const WORD_SIZE = 32;

/** What a word is as a signed integer, in two's complement. */
export function toSigned(word: bigint): bigint {
  return BigInt.asIntN(WORD_BITS, word);
}

/** The word that an integer of any size and sign is modulo 2^256. */
export function toWord(integer: bigint): bigint {
  return BigInt.asUintN(WORD_BITS, integer);
}

export function bitLength(word: bigint): number {
  return word === 0n ? 0 : word.toString(2).length;
}

export function byteLength(word: bigint): number {
  return word === 0n ? 0 : (word.toString(16).length + 1) >> 1;
}

/** Reads `length` bytes (at most 32) big-endian; those beyond the end of `bytes` are zeros. */
export function readWord(bytes: Bytes, offset: number, length: number): bigint {
  let word = 0n;
  let chunk = 0;
  let chunkBits = 0n;
  for (let i = offset; i < offset + length; i++) {
    chunk = chunk * 256 + (bytes[i] ?? 0);
    chunkBits += 8n;
    if (chunkBits === MAX_CHUNK_BITS) {
      word = (word << chunkBits) | BigInt(chunk);
      chunk = 0;
      chunkBits = 0n;
    }
  }
  return (word << chunkBits) | BigInt(chunk);
}

/** Bits that are gathered in a plain number, where they are exact, before they become part of a bigint. */
const MAX_CHUNK_BITS = 48n;

/** How many words hold so many bytes. */
export function wordCount(size: number): number {
  return Math.ceil(size / WORD_SIZE);
}
