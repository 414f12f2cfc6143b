import type { Bytes } from "@ostrom/base";

const SHORT_STRING = 0x80;
const LONG_STRING = 0xb7;
const SHORT_LIST = 0xc0;
const LONG_LIST = 0xf7;

/** Whether RLP has more than `limit` items, lists and what is in them counted alike. It allocates nothing: decoding makes an object
 * of each item, so two megabytes of one-byte items would take seconds and hundreds of megabytes to refuse. Malformed
 * bytes may count wrongly, but never endlessly; the decoder refuses them. */
export function hasMoreItems(bytes: Bytes, limit: number): boolean {
  let count = 0;
  for (let position = 0; position < bytes.length; position += stepAt(bytes, position)) {
    if (++count > limit) return true;
  }
  return false;
}

/** Bytes to the next item: over a string's content, into a list's. */
function stepAt(bytes: Bytes, position: number): number {
  const prefix = bytes[position]!;
  if (prefix < SHORT_STRING) return 1;
  if (prefix <= LONG_STRING) return 1 + prefix - SHORT_STRING;
  if (prefix >= SHORT_LIST) return prefix <= LONG_LIST ? 1 : 1 + prefix - LONG_LIST;
  const lengthBytes = prefix - LONG_STRING;
  let length = 0;
  for (let i = 1; i <= lengthBytes; i++) length = length * 256 + (bytes[position + i] ?? 0);
  return 1 + lengthBytes + length;
}
