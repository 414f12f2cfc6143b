import { type Bytes, bytesToBigint, concatBytes, wordToBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { SlotChange } from "@ostrom/state";

// Where Solidity puts what a contract keeps, for those who read or write it without the contract.
// Source: Solidity documentation, "Layout of State Variables in Storage".

/** Reads one word of one account's storage. */
export type ReadWord = (slot: bigint) => bigint;

const MAX_INLINE_BYTES = 31;
const WORD_BYTES = 32;

/** Slot of the first element of a dynamic array, or of the content of long bytes, that stands at `slot`. */
export function arraySlot(slot: bigint): bigint {
  return bytesToBigint(keccak256(wordToBytes(slot)));
}

/** Slot of a mapping's entry. @param key padded to 32 bytes as Solidity pads its type; text and bytes as they are. */
export function mappingSlot(key: Bytes, slot: bigint): bigint {
  return bytesToBigint(keccak256(concatBytes(key, wordToBytes(slot))));
}

/** The words of `bytes` or a `string` at a slot: the first is the slot itself. */
export function bytesStorage(slot: bigint, bytes: Bytes): SlotChange[] {
  if (bytes.length <= MAX_INLINE_BYTES) {
    return [{ slot, value: leftAligned(bytes) | BigInt(2 * bytes.length) }];
  }
  const words: SlotChange[] = [{ slot, value: BigInt(2 * bytes.length + 1) }];
  const start = arraySlot(slot);
  for (let offset = 0; offset < bytes.length; offset += WORD_BYTES) {
    words.push({
      slot: start + BigInt(offset / WORD_BYTES),
      value: leftAligned(bytes.subarray(offset, offset + WORD_BYTES)),
    });
  }
  return words;
}

/** Reads `bytes` or a `string`.
 * @returns undefined if there are more than `maxBytes`, or none that Solidity could have written. */
export function readStoredBytes(word: ReadWord, slot: bigint, maxBytes: number): Bytes | undefined {
  const head = word(slot);
  if ((head & 1n) === 0n) {
    const length = Number((head & 0xffn) >> 1n);
    return length > MAX_INLINE_BYTES || length > maxBytes ? undefined : wordToBytes(head).slice(0, length);
  }
  const length = head >> 1n;
  if (length <= BigInt(MAX_INLINE_BYTES) || length > BigInt(maxBytes)) return undefined;
  const start = arraySlot(slot);
  const parts: Bytes[] = [];
  for (let i = 0n; i * BigInt(WORD_BYTES) < length; i++) parts.push(wordToBytes(word(start + i)));
  return concatBytes(...parts).slice(0, Number(length));
}

function leftAligned(bytes: Bytes): bigint {
  return bytesToBigint(bytes) << BigInt(8 * (WORD_BYTES - bytes.length));
}
