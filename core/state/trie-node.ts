import { type Bytes, type Failure, fail, Hash, ok, type Result } from "@ostrom/base";
import { decodeRlp, encodeRlp, encodeRlpListOfEncoded, splitRlpList } from "@ostrom/codec";
import { decodeHexPrefix, encodeHexPrefix } from "./nibbles.ts";

/** A node of a Merkle Patricia Trie. Source: Yellow Paper, appendix D.
 * @typeParam Child how children are named: by reference where a node is stored, otherwise while a trie is updated. */
export type TrieNode<Child = TrieReference> = LeafNode | ExtensionNode<Child> | BranchNode<Child>;

export type LeafNode = { readonly kind: "leaf"; readonly path: Bytes; readonly value: Bytes };
export type ExtensionNode<Child> = {
  readonly kind: "extension";
  readonly path: Bytes;
  readonly child: Child;
};
export type BranchNode<Child> = {
  readonly kind: "branch";
  /** 16 entries. */
  readonly children: readonly (Child | undefined)[];
  readonly value: Bytes | undefined;
};

/** A child as it stands in its parent's RLP: the hash of a node of 32 bytes or more, or a shorter node itself
 * (*inlined*). */
export type TrieReference = Bytes;

export const BRANCH_WIDTH = 16;
/** A node of fewer bytes is inlined in its parent. */
export const MIN_HASHED_NODE_BYTES = 32;

const EMPTY_STRING_PREFIX = 0x80;
const EMPTY_STRING_RLP: Bytes = Uint8Array.of(EMPTY_STRING_PREFIX);
const HASH_STRING_PREFIX = 0xa0;
const LIST_OFFSET = 0xc0;

export type TrieNodeFailure = Failure<"trie/malformed-node">;

/** The hash in a reference, or undefined if the reference is an inlined node. Shares memory. */
export function hashOfReference(reference: TrieReference): Hash | undefined {
  return reference[0] === HASH_STRING_PREFIX ? Hash(reference.subarray(1)) : undefined;
}

/** How a node is named in its parent. @param hash of `encoded`; asked for only if it is long enough. */
export function referenceTo(encoded: Bytes, hash: (data: Bytes) => Hash): TrieReference {
  if (encoded.length < MIN_HASHED_NODE_BYTES) return encoded;
  const reference = new Uint8Array(1 + MIN_HASHED_NODE_BYTES);
  reference[0] = HASH_STRING_PREFIX;
  reference.set(hash(encoded), 1);
  return reference;
}

export function encodeLeaf(path: Bytes, value: Bytes): Bytes {
  return encodeRlp([encodeHexPrefix(path, true), value]);
}

export function encodeExtension(path: Bytes, child: TrieReference): Bytes {
  return encodeRlpListOfEncoded([encodeRlp(encodeHexPrefix(path, false)), child]);
}

export function encodeBranch(
  children: readonly (TrieReference | undefined)[],
  value: Bytes | undefined,
): Bytes {
  const items = children.map((child) => child ?? EMPTY_STRING_RLP);
  items.push(value === undefined ? EMPTY_STRING_RLP : encodeRlp(value));
  return encodeRlpListOfEncoded(items);
}

/** Decodes a node; its parts share memory with `encoded`.
 * Errors: `trie/malformed-node`. Strict: whatever `encode...` would not have written is refused, except that how short
 * the node is, is the caller's matter (only a root may be shorter than 32 bytes and not inlined). */
export function decodeNode(encoded: Bytes): Result<TrieNode, TrieNodeFailure> {
  const split = splitRlpList(encoded);
  if (!split.ok) return malformed(split.error.message);
  const items = split.value;
  if (items.length === BRANCH_WIDTH + 1) return decodeBranch(items);
  if (items.length !== 2) return malformed(`${items.length} entries, neither 2 nor 17`);
  const packed = readString(items[0]!);
  const prefix = packed === undefined ? undefined : decodeHexPrefix(packed);
  if (prefix === undefined) return malformed("a path that is not in hex-prefix form");
  const { path } = prefix;
  if (prefix.isLeaf) {
    const value = readString(items[1]!);
    if (value === undefined || value.length === 0) return malformed("a leaf without a value");
    return ok({ kind: "leaf", path, value });
  }
  const child = items[1]!;
  if (!isReference(child) || path.length === 0) return malformed("an extension without a path or a child");
  return ok({ kind: "extension", path, child });
}

function decodeBranch(items: readonly Bytes[]): Result<TrieNode, TrieNodeFailure> {
  const children: (TrieReference | undefined)[] = [];
  let entries = 0;
  for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
    const item = items[nibble]!;
    const isAbsent = item[0] === EMPTY_STRING_PREFIX;
    if (!isAbsent && !isReference(item)) return malformed("a child that is neither hash nor short node");
    if (!isAbsent) entries++;
    children.push(isAbsent ? undefined : item);
  }
  const value = readString(items[BRANCH_WIDTH]!);
  if (value === undefined) return malformed("a branch whose value is a list");
  if (value.length > 0) entries++;
  if (entries < 2) return malformed("a branch with fewer than two entries");
  return ok({ kind: "branch", children, value: value.length === 0 ? undefined : value });
}

function isReference(item: Bytes): boolean {
  if (item[0]! >= LIST_OFFSET) return item.length < MIN_HASHED_NODE_BYTES;
  return item[0] === HASH_STRING_PREFIX;
}

function readString(item: Bytes): Bytes | undefined {
  const decoded = item[0]! >= LIST_OFFSET ? undefined : decodeRlp(item);
  return decoded?.ok && decoded.value instanceof Uint8Array ? decoded.value : undefined;
}

function malformed(what: string): { readonly ok: false; readonly error: TrieNodeFailure } {
  return fail("trie/malformed-node", `trie node: ${what}`);
}
