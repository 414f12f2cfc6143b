import { assert, type Bytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { Log } from "@ostrom/state";

/** Bytes of a logs bloom filter: 2048 bits. Source: Yellow Paper, 4.3.1. */
export const BLOOM_LENGTH = 256;
/** Of no logs; nobody may change it. */
const EMPTY_BLOOM: Bytes = new Uint8Array(BLOOM_LENGTH);
const BITS_OF_AN_ENTRY = 3;
const BIT_INDEX_MASK = 2047;

/** The filter of all addresses and topics of these logs. */
export function logsBloom(logs: readonly Log[]): Bytes {
  if (logs.length === 0) return EMPTY_BLOOM;
  const bloom = new Uint8Array(BLOOM_LENGTH);
  for (const log of logs) {
    setBits(bloom, log.address);
    for (const topic of log.topics) setBits(bloom, topic);
  }
  return bloom;
}

/** The filter that contains what any of these contains. */
export function mergeBlooms(blooms: readonly Bytes[]): Bytes {
  const merged = new Uint8Array(BLOOM_LENGTH);
  for (const bloom of blooms) {
    assert(bloom.length === BLOOM_LENGTH, "a logs bloom must have 256 bytes");
    if (bloom === EMPTY_BLOOM) continue;
    for (let i = 0; i < BLOOM_LENGTH; i++) merged[i]! |= bloom[i]!;
  }
  return merged;
}

/** False if no log has this address or topic; true if one may have.
 * @param entry an address (20 bytes) or a topic (32 bytes). */
export function bloomMayContain(bloom: Bytes, entry: Bytes): boolean {
  return bitsOf(entry).every((bit) => (bloom[byteOf(bit)]! & (1 << (bit & 7))) !== 0);
}

function setBits(bloom: Bytes, entry: Bytes): void {
  for (const bit of bitsOf(entry)) bloom[byteOf(bit)]! |= 1 << (bit & 7);
}

function bitsOf(entry: Bytes): number[] {
  const hash = keccak256(entry);
  const bits: number[] = [];
  for (let i = 0; i < 2 * BITS_OF_AN_ENTRY; i += 2)
    bits.push(((hash[i]! << 8) | hash[i + 1]!) & BIT_INDEX_MASK);
  return bits;
}

/** Bit 0 is the last bit of the last byte. */
function byteOf(bit: number): number {
  return BLOOM_LENGTH - 1 - (bit >> 3);
}
