import { type Bytes, EMPTY_BYTES, type Failure, fail, Hash, ok, type Result } from "@ostrom/base";
import {
  decodeRlp,
  encodeRlp,
  type RlpItem,
  rlpListHeaderLength,
  rlpListLength,
  rlpStringLength,
  writeRlpListHeader,
  writeRlpString,
  writeRlpStringHeader,
} from "@ostrom/codec";
import { decodeHexPrefix, hexPrefixLength, writeHexPrefix } from "./nibbles.ts";

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

const EMPTY_STRING = 0x80;
const HASH_PREFIX = 0xa0;
const LIST_OF_ONE_LENGTH_BYTE = 0xf8;
const LIST_OF_TWO_LENGTH_BYTES = 0xf9;

export type TrieNodeFailure = Failure<"trie/malformed-node">;

/** The hash in a reference, or undefined if the reference is an inlined node. */
export function hashOfReference(reference: TrieReference): Hash | undefined {
  return reference.length === MIN_HASHED_NODE_BYTES ? Hash(reference) : undefined;
}

/** How a node is named in its parent. @param hash of `encoded`; asked for only if it is long enough. */
export function referenceTo(encoded: Bytes, hash: (data: Bytes) => Hash): TrieReference {
  return encoded.length < MIN_HASHED_NODE_BYTES ? encoded : hash(encoded);
}

/** @param key nibbles. @param from where in the key the leaf's own path begins. */
export function encodeLeaf(key: Bytes, value: Bytes, from = 0): Bytes {
  const out = new Uint8Array(pathNodeLength(key, from, rlpStringLength(value)));
  writeLeaf(out, key, value, from);
  return out;
}

/** How a leaf is named in its parent, where nobody needs the leaf itself. @param hash must not keep what it is given. */
export function leafReference(
  key: Bytes,
  value: Bytes,
  from: number,
  hash: (data: Bytes) => Hash,
): TrieReference {
  const length = pathNodeLength(key, from, rlpStringLength(value));
  if (length < MIN_HASHED_NODE_BYTES || length > scratch.length) {
    return referenceTo(encodeLeaf(key, value, from), hash);
  }
  writeLeaf(scratch, key, value, from);
  return hash(scratch.subarray(0, length));
}

/** @param key nibbles. @param from where in the key the extension's own path begins. */
export function encodeExtension(key: Bytes, child: TrieReference, from = 0): Bytes {
  const childLength = referenceLength(child);
  const out = new Uint8Array(pathNodeLength(key, from, childLength));
  writeReference(out, writePath(out, key, from, false, childLength), child);
  return out;
}

/** Leaves of transactions and receipts are mostly shorter. */
const SCRATCH_BYTES = 4_096;
const scratch: Bytes = new Uint8Array(SCRATCH_BYTES);

function writeLeaf(out: Bytes, key: Bytes, value: Bytes, from: number): void {
  writeRlpString(out, writePath(out, key, from, true, rlpStringLength(value)), value);
}

/** @param secondLength of what follows the path, as an item. */
function pathNodeLength(key: Bytes, from: number, secondLength: number): number {
  const payload = packedItemLength(hexPrefixLength(key, from)) + secondLength;
  return rlpListLength(payload);
}

/** A packed path of one byte is below 0x80 and stands for itself. */
function packedItemLength(packedLength: number): number {
  return packedLength === 1 ? 1 : rlpListHeaderLength(packedLength) + packedLength;
}

/** Writes the beginning of a node: the header and the path. @returns where it ends. */
function writePath(out: Bytes, key: Bytes, from: number, isLeaf: boolean, secondLength: number): number {
  const packedLength = hexPrefixLength(key, from);
  let at = writeRlpListHeader(out, 0, packedItemLength(packedLength) + secondLength);
  if (packedLength > 1) at = writeRlpStringHeader(out, at, packedLength);
  return writeHexPrefix(out, at, key, from, isLeaf);
}

export function encodeBranch(
  children: readonly (TrieReference | undefined)[],
  value: Bytes | undefined,
): Bytes {
  let payload = value === undefined ? 1 : rlpStringLength(value);
  for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
    const child = children[nibble];
    payload += child === undefined ? 1 : referenceLength(child);
  }
  const out = new Uint8Array(rlpListLength(payload));
  let at = writeRlpListHeader(out, 0, payload);
  for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
    const child = children[nibble];
    at = child === undefined ? writeRlpString(out, at, EMPTY_BYTES) : writeReference(out, at, child);
  }
  writeRlpString(out, at, value ?? EMPTY_BYTES);
  return out;
}

/** A reference's length as an item of its parent: an inlined node stands there as the list that it is. */
function referenceLength(reference: TrieReference): number {
  return reference.length === MIN_HASHED_NODE_BYTES ? 1 + MIN_HASHED_NODE_BYTES : reference.length;
}

function writeReference(out: Bytes, at: number, reference: TrieReference): number {
  if (reference.length === MIN_HASHED_NODE_BYTES) return writeRlpString(out, at, reference);
  out.set(reference, at);
  return at + reference.length;
}

/** Decodes a node; its parts share memory with `encoded`.
 * Errors: `trie/malformed-node`. Strict: whatever `encode...` would not have written is refused, except that how short
 * the node is, is the caller's matter (only a root may be shorter than 32 bytes and not inlined). */
export function decodeNode(encoded: Bytes): Result<TrieNode, TrieNodeFailure> {
  const branch = decodeHashedBranch(encoded);
  if (branch !== undefined) return ok(branch);
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

/** Most of what is read: a branch without a value whose children are all named by their hashes, in the only form that an encoder gives it.
 * @returns undefined for anything else, which the general decoder judges. */
function decodeHashedBranch(encoded: Bytes): BranchNode<TrieReference> | undefined {
  const { length } = encoded;
  const start = encoded[0] === LIST_OF_TWO_LENGTH_BYTES ? 3 : encoded[0] === LIST_OF_ONE_LENGTH_BYTE ? 2 : 0;
  if (start === 0 || length < start) return undefined;
  const payload = start === 3 ? (encoded[1]! << 8) | encoded[2]! : encoded[1]!;
  if (payload !== length - start || rlpListHeaderLength(payload) !== start) return undefined;
  const children: (TrieReference | undefined)[] = [];
  let at = start;
  let entries = 0;
  for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
    const prefix = encoded[at++];
    if (prefix === EMPTY_STRING) {
      children.push(undefined);
      continue;
    }
    if (prefix !== HASH_PREFIX || at + MIN_HASHED_NODE_BYTES >= length) return undefined;
    children.push(encoded.slice(at, at + MIN_HASHED_NODE_BYTES));
    at += MIN_HASHED_NODE_BYTES;
    entries++;
  }
  if (entries < 2 || at !== length - 1 || encoded[at] !== EMPTY_STRING) return undefined;
  return { kind: "branch", children, value: undefined };
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
