import { assert, type Bytes } from "@ostrom/base";

/** Paths in a trie are nibbles (half bytes, the high one first), one a byte of a Uint8Array. */

/** Splits bytes into nibbles. */
export function toNibbles(bytes: Bytes): Bytes {
  const nibbles = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    nibbles[2 * i] = byte >> 4;
    nibbles[2 * i + 1] = byte & 15;
  }
  return nibbles;
}

/** Joins nibbles into bytes; asserts that there is an even number of them. */
export function fromNibbles(nibbles: Bytes): Bytes {
  assert(nibbles.length % 2 === 0, "a key must consist of whole bytes");
  return Uint8Array.from(
    { length: nibbles.length / 2 },
    (_, i) => (nibbles[2 * i]! << 4) | nibbles[2 * i + 1]!,
  );
}

/** How many nibbles `a` from `offsetOfA` on and the whole of `b` have in common. */
export function commonPrefixLength(a: Bytes, offsetOfA: number, b: Bytes): number {
  const limit = Math.min(a.length - offsetOfA, b.length);
  let length = 0;
  while (length < limit && a[offsetOfA + length] === b[length]) length++;
  return length;
}

/** `path` and `nibble` after it. */
export function appendNibble(path: Bytes, nibble: number): Bytes {
  const longer = new Uint8Array(path.length + 1);
  longer.set(path);
  longer[path.length] = nibble;
  return longer;
}

const LEAF_FLAG = 2;
const ODD_FLAG = 1;

/** Bytes of the packed path that is left of a key. @param from in nibbles. */
export function hexPrefixLength(key: Bytes, from: number): number {
  return ((key.length - from) >> 1) + 1;
}

/** Packs the path of a leaf or an extension: what is left of a key. Source: Yellow Paper, appendix C ("hex-prefix").
 * @param from in nibbles. @returns where it ends in `out`. */
export function writeHexPrefix(out: Bytes, at: number, key: Bytes, from: number, isLeaf: boolean): number {
  const odd = (key.length - from) & 1;
  const flags = (isLeaf ? LEAF_FLAG : 0) | (odd === 1 ? ODD_FLAG : 0);
  out[at] = (flags << 4) | (odd === 1 ? key[from]! : 0);
  let end = at + 1;
  for (let i = from + odd; i < key.length; i += 2) out[end++] = (key[i]! << 4) | key[i + 1]!;
  return end;
}

/** Unpacks what `writeHexPrefix` packed. @returns undefined if the flags or the padding are not canonical. */
export function decodeHexPrefix(
  packed: Bytes,
): { readonly path: Bytes; readonly isLeaf: boolean } | undefined {
  const first = packed[0];
  if (first === undefined || first >> 4 > (LEAF_FLAG | ODD_FLAG)) return undefined;
  const odd = (first >> 4) & ODD_FLAG;
  if (odd === 0 && (first & 15) !== 0) return undefined;
  const path = new Uint8Array(2 * (packed.length - 1) + odd);
  if (odd === 1) path[0] = first & 15;
  for (let i = 1; i < packed.length; i++) {
    path[2 * i - 2 + odd] = packed[i]! >> 4;
    path[2 * i - 1 + odd] = packed[i]! & 15;
  }
  return { path, isLeaf: ((first >> 4) & LEAF_FLAG) !== 0 };
}
