import {
  assert,
  type Bytes,
  compareBytes,
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  type Hash,
  must,
  unwrap,
} from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { appendNibble, commonPrefixLength, toNibbles } from "./nibbles.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import {
  BRANCH_WIDTH,
  type BranchNode,
  decodeNode,
  type ExtensionNode,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  hashOfReference,
  type LeafNode,
  MIN_HASHED_NODE_BYTES,
  referenceTo,
  type TrieNode,
  type TrieReference,
} from "./trie-node.ts";
import type { TrieNodeReader } from "./types.ts";

/** Merkle Patricia Trie (Yellow Paper, appendix D), updated in batches.
 *
 * Nodes are stored by their *path* from the root, not by their hash: a node that replaces another overwrites it, so
 * there is nothing to prune. Stored are the root and all nodes of 32 bytes or more; shorter ones exist only inlined in
 * their parents. An update goes down once with the whole sorted batch, reads each node on the way once, and encodes
 * and hashes each changed node once on the way up. */

/** Sets the value of a key (not empty), or deletes the key where `value` is undefined. */
export type TrieUpdate = { readonly key: Bytes; readonly value: Bytes | undefined };

/** What to store at a path (nibbles, one a byte); undefined: remove what is there. */
export type TrieNodeChange = { readonly path: Bytes; readonly node: Bytes | undefined };

/** Longer than any key of ours; bounds the recursion, which goes one level down for each nibble. */
export const MAX_TRIE_KEY_BYTES = 256;

/** A trie without nodes. */
export const EMPTY_TRIE_NODES: TrieNodeReader = { node: () => undefined };

/** A key in nibbles, and its new value. */
type Entry = { readonly key: Bytes; readonly value: Bytes | undefined };
/** A node that this update made, at a place where a node was stored before or not. */
type Draft = { readonly node: TrieNode<Child>; readonly replacesStored: boolean };
type Child = TrieReference | Draft;

/** Applies a batch to a trie.
 * @param root of the trie that `nodes` holds.
 * @param updates sorted by key, each key once; keys may have any length up to MAX_TRIE_KEY_BYTES.
 * @returns the new root, and the nodes to store or remove, each path once. Deleting what is not there changes nothing. */
export function updateTrie(
  nodes: TrieNodeReader,
  root: Hash,
  updates: readonly TrieUpdate[],
  hash: TrieHash = keccak256,
): { readonly root: Hash; readonly nodeChanges: readonly TrieNodeChange[] } {
  const entries = updates.map(({ key, value }, index) => {
    assert(key.length <= MAX_TRIE_KEY_BYTES, "a trie key must not be too long");
    assert(value === undefined || value.length > 0, "a trie value must not be empty");
    assert(
      index === 0 || compareBytes(updates[index - 1]!.key, key) < 0,
      "updates must be sorted, without duplicates",
    );
    return { key: toNibbles(key), value };
  });
  const update = new Update(nodes, hash);
  const before = rootReference(nodes, root, hash);
  const after = update.child(EMPTY_BYTES, before, entries);
  if (after === before) return { root, nodeChanges: [] };
  if (after === undefined) return { root: emptyTrieRoot(hash), nodeChanges: update.nodeChanges };
  const encoded = update.encode(EMPTY_BYTES, (after as Draft).node);
  update.nodeChanges.push({ path: EMPTY_BYTES, node: encoded });
  return { root: hash(encoded), nodeChanges: update.nodeChanges };
}

/** Reads the value of a key.
 * @param root of the trie that `nodes` holds. @returns undefined if the key is not in the trie. */
export function readTrie(
  nodes: TrieNodeReader,
  root: Hash,
  key: Bytes,
  hash: TrieHash = keccak256,
): Bytes | undefined {
  const nibbles = toNibbles(key);
  let reference = rootReference(nodes, root, hash);
  let depth = 0;
  while (reference !== undefined) {
    const step: TrieStep = stepDown(readNode(nodes, nibbles.subarray(0, depth), reference), nibbles, depth);
    if (step.kind === "end") return step.value;
    reference = step.child;
    depth = step.depth;
  }
  return undefined;
}

/** The root of a trie of values under their indices, as blocks commit to transactions, receipts and withdrawals.
 * Source: Yellow Paper, 4.3.2 (keys are RLP of the index). */
export function orderedTrieRoot(values: readonly Bytes[], hash: TrieHash = keccak256): Hash {
  const updates = values.map((value, index) => ({ key: encodeRlp(rlpUint(index)), value }));
  updates.sort((a, b) => compareBytes(a.key, b.key));
  return updateTrie(EMPTY_TRIE_NODES, emptyTrieRoot(hash), updates, hash).root;
}

/** Where a key leads from a node: to a child, or to its end. */
export type TrieStep =
  | { readonly kind: "end"; readonly value: Bytes | undefined }
  | { readonly kind: "child"; readonly child: TrieReference; readonly depth: number };

/** Follows a key (nibbles) from the node at `depth` one step down. */
export function stepDown(node: TrieNode, key: Bytes, depth: number): TrieStep {
  if (node.kind === "branch") {
    if (depth === key.length) return { kind: "end", value: node.value };
    const child = node.children[key[depth]!];
    return child === undefined
      ? { kind: "end", value: undefined }
      : { kind: "child", child, depth: depth + 1 };
  }
  const isOnPath = commonPrefixLength(key, depth, node.path) === node.path.length;
  const next = depth + node.path.length;
  if (node.kind === "leaf")
    return { kind: "end", value: isOnPath && next === key.length ? node.value : undefined };
  return isOnPath ? { kind: "child", child: node.child, depth: next } : { kind: "end", value: undefined };
}

/** The reference that leads to the root, undefined for an empty trie; asserts that the stored root node is the one
 * meant, because a stale root would make every node below it wrong. */
export function rootReference(nodes: TrieNodeReader, root: Hash, hash: TrieHash): TrieReference | undefined {
  if (equalBytes(root, emptyTrieRoot(hash))) return undefined;
  const stored = must(nodes.node(EMPTY_BYTES), "the root node of a trie that is not empty must be stored");
  assert(equalBytes(hash(stored), root), "the stored root node must be the one that the root names");
  return root;
}

/** Reads the node that a reference at a path names. */
export function readNode(nodes: TrieNodeReader, path: Bytes, reference: TrieReference): TrieNode {
  const isInlined = hashOfReference(reference) === undefined;
  const encoded = isInlined ? reference : must(nodes.node(path), "a node that a parent names must be stored");
  return unwrap(decodeNode(encoded));
}

/** One pass over a trie. */
class Update {
  readonly nodeChanges: TrieNodeChange[] = [];
  readonly #nodes: TrieNodeReader;
  readonly #hash: TrieHash;

  constructor(nodes: TrieNodeReader, hash: TrieHash) {
    this.#nodes = nodes;
    this.#hash = hash;
  }

  /** Applies entries, all of which begin with `path`, to what stands at `path`.
   * @returns the same child if nothing changed, undefined if nothing remains. */
  child(path: Bytes, child: Child | undefined, entries: readonly Entry[]): Child | undefined {
    const before = child === undefined ? undefined : this.#resolve(path, child);
    const after = this.#node(path, before, entries);
    if (after === before) return child;
    const replacesStored = child !== undefined && isStored(child);
    if (after !== undefined) return { node: after, replacesStored };
    if (replacesStored) this.nodeChanges.push({ path, node: undefined });
    return undefined;
  }

  /** Encodes a node and, before it, the drafts below it, and notes what is to be stored. */
  encode(path: Bytes, node: TrieNode<Child>): Bytes {
    switch (node.kind) {
      case "leaf":
        return encodeLeaf(node.path, node.value);
      case "extension":
        return encodeExtension(node.path, this.#settle(concatBytes(path, node.path), node.child));
      case "branch": {
        const children = node.children.map((child, nibble) =>
          child === undefined || child instanceof Uint8Array
            ? child
            : this.#settle(appendNibble(path, nibble), child),
        );
        return encodeBranch(children, node.value);
      }
    }
  }

  #settle(path: Bytes, child: Child): TrieReference {
    if (child instanceof Uint8Array) return child;
    const encoded = this.encode(path, child.node);
    if (encoded.length >= MIN_HASHED_NODE_BYTES) this.nodeChanges.push({ path, node: encoded });
    else if (child.replacesStored) this.nodeChanges.push({ path, node: undefined });
    return referenceTo(encoded, this.#hash);
  }

  #resolve(path: Bytes, child: Child): TrieNode<Child> {
    return child instanceof Uint8Array ? readNode(this.#nodes, path, child) : child.node;
  }

  #node(
    path: Bytes,
    node: TrieNode<Child> | undefined,
    entries: readonly Entry[],
  ): TrieNode<Child> | undefined {
    if (entries.length === 0) return node;
    switch (node?.kind) {
      case undefined:
        return build(entries.filter(hasValue), path.length);
      case "leaf":
        return updateLeaf(path, node, entries);
      case "extension":
        return this.#extension(path, node, entries);
      case "branch":
        return this.#branch(path, node, entries);
    }
  }

  #branch(path: Bytes, branch: BranchNode<Child>, entries: readonly Entry[]): TrieNode<Child> | undefined {
    const depth = path.length;
    const children = [...branch.children];
    const own = entries[0]!.key.length === depth ? entries[0]! : undefined;
    const value = own === undefined ? branch.value : own.value;
    let isChanged = own !== undefined && !sameValue(own.value, branch.value);
    forEachNibble(own === undefined ? entries : entries.slice(1), depth, (nibble, group) => {
      const after = this.child(appendNibble(path, nibble), children[nibble], group);
      if (after === children[nibble]) return;
      children[nibble] = after;
      isChanged = true;
    });
    if (!isChanged) return branch;
    const remaining = children.filter((child) => child !== undefined).length;
    if (remaining > 1 || (remaining === 1 && value !== undefined)) return { kind: "branch", children, value };
    if (remaining === 0) return value === undefined ? undefined : { kind: "leaf", path: EMPTY_BYTES, value };
    const nibble = children.findIndex((child) => child !== undefined);
    return this.#lengthen(path, Uint8Array.of(nibble), must(children[nibble], "one child must remain"));
  }

  #extension(
    path: Bytes,
    extension: ExtensionNode<Child>,
    entries: readonly Entry[],
  ): TrieNode<Child> | undefined {
    const depth = path.length;
    // Deletions of keys that leave the extension's path find nothing; only a new value there splits it.
    let shared = extension.path.length;
    for (const { key, value } of entries) {
      if (value !== undefined) shared = Math.min(shared, commonPrefixLength(key, depth, extension.path));
    }
    const prefix = extension.path.subarray(0, shared);
    const below = entries.filter(({ key }) => commonPrefixLength(key, depth, prefix) === shared);
    const end = concatBytes(path, prefix);
    if (shared === extension.path.length) {
      const after = this.child(end, extension.child, below);
      if (after === extension.child) return extension;
      return after === undefined ? undefined : this.#lengthen(path, prefix, after);
    }
    const rest = extension.path.subarray(shared + 1);
    const children = new Array<Child | undefined>(BRANCH_WIDTH).fill(undefined);
    children[extension.path[shared]!] =
      rest.length === 0
        ? extension.child
        : { node: { kind: "extension", path: rest, child: extension.child }, replacesStored: false };
    const after = this.#branch(end, { kind: "branch", children, value: undefined }, below);
    if (after === undefined || shared === 0) return after;
    return this.#lengthen(path, prefix, { node: after, replacesStored: false });
  }

  /** The node at `path` that leads by `prefix` (not empty) to a child: an extension above a branch; a leaf or an
   * extension moves up to `path`, which lengthens its own path. */
  #lengthen(path: Bytes, prefix: Bytes, child: Child): TrieNode<Child> {
    const place = concatBytes(path, prefix);
    const node = this.#resolve(place, child);
    if (node.kind === "branch") return { kind: "extension", path: prefix, child };
    if (isStored(child)) this.nodeChanges.push({ path: place, node: undefined });
    return { ...node, path: concatBytes(prefix, node.path) };
  }
}

function isStored(child: Child): boolean {
  return child instanceof Uint8Array ? hashOfReference(child) !== undefined : child.replacesStored;
}

function hasValue(entry: Entry): entry is Entry & { readonly value: Bytes } {
  return entry.value !== undefined;
}

function sameValue(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

/** Calls `visit` for each run of entries with the same nibble at `depth`, in order. */
function forEachNibble<E extends Entry>(
  entries: readonly E[],
  depth: number,
  visit: (nibble: number, group: readonly E[]) => void,
): void {
  for (let start = 0; start < entries.length; ) {
    const nibble = entries[start]!.key[depth]!;
    let end = start + 1;
    while (end < entries.length && entries[end]!.key[depth] === nibble) end++;
    visit(nibble, entries.slice(start, end));
    start = end;
  }
}

/** Puts the leaf among the entries, unless one of them replaces it, and builds anew what stands at `path`. */
function updateLeaf(path: Bytes, leaf: LeafNode, entries: readonly Entry[]): TrieNode<Child> | undefined {
  const key = concatBytes(path, leaf.path);
  const smaller = entries.filter((entry) => compareBytes(entry.key, key) < 0);
  const same = entries[smaller.length];
  const isReplaced = same !== undefined && equalBytes(same.key, key);
  const greater = entries.slice(smaller.length + (isReplaced ? 1 : 0));
  const value = isReplaced ? same.value : leaf.value;
  const all = [...smaller, { key, value }, ...greater].filter(hasValue);
  const isUnchanged = all.length === 1 && equalBytes(all[0]!.key, key) && sameValue(value, leaf.value);
  return isUnchanged ? leaf : build(all, path.length);
}

/** Builds the node for entries whose keys agree up to `depth`. */
function build(
  entries: readonly (Entry & { readonly value: Bytes })[],
  depth: number,
): TrieNode<Child> | undefined {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return undefined;
  if (entries.length === 1) return { kind: "leaf", path: first.key.subarray(depth), value: first.value };
  // Sorted: what the first and the last share, all share.
  const shared = commonPrefixLength(last.key, depth, first.key.subarray(depth));
  const end = depth + shared;
  const endsHere = first.key.length === end;
  const children = new Array<Child | undefined>(BRANCH_WIDTH).fill(undefined);
  forEachNibble(endsHere ? entries.slice(1) : entries, end, (nibble, group) => {
    const node = must(build(group, end + 1), "a group of entries must make a node");
    children[nibble] = { node, replacesStored: false };
  });
  const branch: BranchNode<Child> = { kind: "branch", children, value: endsHere ? first.value : undefined };
  if (shared === 0) return branch;
  return {
    kind: "extension",
    path: first.key.subarray(depth, end),
    child: { node: branch, replacesStored: false },
  };
}
