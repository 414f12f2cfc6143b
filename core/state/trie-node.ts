import { type Bytes, EMPTY_BYTES, type Failure, fail, Hash, ok, type Result, unwrap } from "@ostrom/base";
import { decodeRlp, encodeRlp, type RlpItem } from "@ostrom/codec";
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

/** How a node names a child: by the 32-byte hash of a node of 32 bytes or more, or by a shorter node itself, encoded
 * (*inlined*). The length tells which. */
export type TrieReference = Bytes;

export const BRANCH_WIDTH = 16;
/** A node of fewer bytes is inlined in its parent. */
export const MIN_HASHED_NODE_BYTES = 32;

export type TrieNodeFailure = Failure<"trie/malformed-node">;

/** The hash in a reference, or undefined if the reference is an inlined node. */
export function hashOfReference(reference: TrieReference): Hash | undefined {
  return reference.length === MIN_HASHED_NODE_BYTES ? Hash(reference) : undefined;
}

/** How a node is named in its parent. @param hash of `encoded`; asked for only if it is long enough. */
export function referenceTo(encoded: Bytes, hash: (data: Bytes) => Hash): TrieReference {
  return encoded.length < MIN_HASHED_NODE_BYTES ? encoded : hash(encoded);
}

export function encodeLeaf(path: Bytes, value: Bytes): Bytes {
  return encodeRlp([encodeHexPrefix(path, true), value]);
}

export function encodeExtension(path: Bytes, child: TrieReference): Bytes {
  return encodeRlp([encodeHexPrefix(path, false), referenceItem(child)]);
}

export function encodeBranch(
  children: readonly (TrieReference | undefined)[],
  value: Bytes | undefined,
): Bytes {
  const items = children.map((child) => (child === undefined ? EMPTY_BYTES : referenceItem(child)));
  items.push(value ?? EMPTY_BYTES);
  return encodeRlp(items);
}

/** A reference as an item of its parent: an inlined node is a list there. */
function referenceItem(reference: TrieReference): RlpItem {
  return hashOfReference(reference) === undefined ? unwrap(decodeRlp(reference)) : reference;
}

/** Decodes a node; its parts share memory with `encoded`.
 * Errors: `trie/malformed-node`. Strict: whatever `encode...` would not have written is refused, except that how short
 * the node is, is the caller's matter (only a root may be shorter than 32 bytes and not inlined). */
export function decodeNode(encoded: Bytes): Result<TrieNode, TrieNodeFailure> {
  const decoded = decodeRlp(encoded);
  if (!decoded.ok) return malformed(decoded.error.message);
  const items = decoded.value;
  if (items instanceof Uint8Array) return malformed("no list");
  if (items.length === BRANCH_WIDTH + 1) return decodeBranch(items);
  if (items.length !== 2) return malformed(`${items.length} entries, neither 2 nor 17`);
  const [packed, second] = items as readonly [RlpItem, RlpItem];
  const prefix = packed instanceof Uint8Array ? decodeHexPrefix(packed) : undefined;
  if (prefix === undefined) return malformed("a path that is not in hex-prefix form");
  const { path } = prefix;
  if (prefix.isLeaf) {
    if (!(second instanceof Uint8Array) || second.length === 0) return malformed("a leaf without a value");
    return ok({ kind: "leaf", path, value: second });
  }
  const child = readReference(second);
  if (child === undefined || path.length === 0) return malformed("an extension without a path or a child");
  return ok({ kind: "extension", path, child });
}

function decodeBranch(items: readonly RlpItem[]): Result<TrieNode, TrieNodeFailure> {
  const children: (TrieReference | undefined)[] = [];
  let entries = 0;
  for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
    const item = items[nibble]!;
    const isAbsent = item instanceof Uint8Array && item.length === 0;
    const child = isAbsent ? undefined : readReference(item);
    if (!isAbsent && child === undefined) return malformed("a child that is neither hash nor short node");
    if (!isAbsent) entries++;
    children.push(child);
  }
  const value = items[BRANCH_WIDTH]!;
  if (!(value instanceof Uint8Array)) return malformed("a branch whose value is a list");
  if (value.length > 0) entries++;
  if (entries < 2) return malformed("a branch with fewer than two entries");
  return ok({ kind: "branch", children, value: value.length === 0 ? undefined : value });
}

function readReference(item: RlpItem): TrieReference | undefined {
  if (item instanceof Uint8Array) return item.length === MIN_HASHED_NODE_BYTES ? item : undefined;
  const inlined = encodeRlp(item);
  return inlined.length < MIN_HASHED_NODE_BYTES ? inlined : undefined;
}

function malformed(what: string): { readonly ok: false; readonly error: TrieNodeFailure } {
  return fail("trie/malformed-node", `trie node: ${what}`);
}
