import {
  assert,
  type Bytes,
  compareBytes,
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  type Hash,
  must,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { commonPrefixLength, toNibbles } from "./nibbles.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import {
  BRANCH_WIDTH,
  type BranchNode,
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
import { readNode, rootReference } from "./trie-read.ts";
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
export type TrieNodeChange = {
  readonly path: Bytes;
  readonly node: Bytes | undefined;
  /** What `node` encodes, for who keeps nodes in memory. */
  readonly decoded?: TrieNode | undefined;
};

/** Longer than any key of ours; bounds the recursion, which goes one level down for each nibble. */
export const MAX_TRIE_KEY_BYTES = 256;

/** A trie without nodes. */
export const EMPTY_TRIE_NODES: TrieNodeReader = { node: () => undefined };

/** A key in nibbles, and its new value. */
type Entry = { readonly key: Bytes; readonly value: Bytes | undefined };
/** A node that this update made, at a place where a node was stored before or not. The place is the first `depth` nibbles of `key`. */
type Draft = {
  readonly node: TrieNode<Child>;
  readonly key: Bytes;
  readonly depth: number;
  readonly replacesStored: boolean;
};
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
  const update = new Update(nodes, entries, hash);
  const before = rootReference(nodes, root, hash);
  const after = update.child(0, before, 0, entries.length);
  if (after === before) return { root, nodeChanges: [] };
  if (after === undefined) return { root: emptyTrieRoot(hash), nodeChanges: update.nodeChanges };
  const { encoded, decoded } = update.encode(after as Draft);
  update.nodeChanges.push({ path: EMPTY_BYTES, node: encoded, decoded });
  return { root: hash(encoded), nodeChanges: update.nodeChanges };
}

/** One pass over a trie. Groups of entries are ranges of the sorted list: all of a group begin with the place that it is at, so that the
 * key of the first names the place, and nothing is copied on the way down. */
class Update {
  readonly nodeChanges: TrieNodeChange[] = [];
  readonly #nodes: TrieNodeReader;
  readonly #entries: readonly Entry[];
  readonly #hash: TrieHash;

  constructor(nodes: TrieNodeReader, entries: readonly Entry[], hash: TrieHash) {
    this.#nodes = nodes;
    this.#entries = entries;
    this.#hash = hash;
  }

  /** Applies the entries from `from` to before `to` to what stands at the place of `depth` nibbles with which they begin.
   * @returns the same child if nothing changed, undefined if nothing remains. */
  child(depth: number, child: Child | undefined, from: number, to: number): Child | undefined {
    if (from === to) return child;
    const { key } = this.#entries[from]!;
    const before = child === undefined ? undefined : this.#resolve(key, depth, child);
    const after = this.#node(depth, before, from, to);
    if (after === before) return child;
    const replacesStored = child !== undefined && isStored(child);
    if (after !== undefined) return { node: after, key, depth, replacesStored };
    if (replacesStored) this.nodeChanges.push({ path: key.slice(0, depth), node: undefined });
    return undefined;
  }

  /** Encodes a node and, before it, the drafts below it, and notes what is to be stored. */
  encode({ node }: Draft): { readonly encoded: Bytes; readonly decoded: TrieNode } {
    switch (node.kind) {
      case "leaf":
        return { encoded: encodeLeaf(node.path, node.value), decoded: node };
      case "extension": {
        const child = this.#settle(node.child);
        return {
          encoded: encodeExtension(node.path, child),
          decoded: { kind: "extension", path: node.path, child },
        };
      }
      case "branch": {
        const children: (TrieReference | undefined)[] = [];
        for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
          const child = node.children[nibble];
          children.push(child === undefined ? undefined : this.#settle(child));
        }
        const { value } = node;
        return { encoded: encodeBranch(children, value), decoded: { kind: "branch", children, value } };
      }
    }
  }

  #settle(child: Child): TrieReference {
    if (child instanceof Uint8Array) return child;
    const { encoded, decoded } = this.encode(child);
    const { key, depth } = child;
    if (encoded.length >= MIN_HASHED_NODE_BYTES) {
      this.nodeChanges.push({ path: key.slice(0, depth), node: encoded, decoded });
    } else if (child.replacesStored) this.nodeChanges.push({ path: key.slice(0, depth), node: undefined });
    return referenceTo(encoded, this.#hash);
  }

  #resolve(key: Bytes, depth: number, child: Child): TrieNode<Child> {
    if (!(child instanceof Uint8Array)) return child.node;
    const known = hashOfReference(child) === undefined ? undefined : this.#nodes.decoded?.(key, depth);
    return known ?? readNode(this.#nodes, key.subarray(0, depth), child);
  }

  #node(
    depth: number,
    node: TrieNode<Child> | undefined,
    from: number,
    to: number,
  ): TrieNode<Child> | undefined {
    switch (node?.kind) {
      case undefined:
        return build(this.#entries.slice(from, to).filter(hasValue), depth);
      case "leaf":
        return this.#leaf(depth, node, from, to);
      case "extension":
        return this.#extension(depth, node, from, to);
      case "branch":
        return this.#branch(depth, node, from, to);
    }
  }

  #branch(depth: number, branch: BranchNode<Child>, from: number, to: number): TrieNode<Child> | undefined {
    const first = this.#entries[from]!;
    const own = first.key.length === depth ? first : undefined;
    const value = own === undefined ? branch.value : own.value;
    let isChanged = own !== undefined && !sameValue(own.value, branch.value);
    const children = branch.children.slice();
    for (let start = own === undefined ? from : from + 1; start < to; ) {
      const nibble = this.#entries[start]!.key[depth]!;
      const end = endOfGroup(this.#entries, start, to, depth);
      const after = this.child(depth + 1, children[nibble], start, end);
      if (after !== children[nibble]) {
        children[nibble] = after;
        isChanged = true;
      }
      start = end;
    }
    return isChanged ? this.#shrink(first.key, depth, children, value) : branch;
  }

  /** What a branch is after its children have changed: it may have too few to be one. @param key begins with its place. */
  #shrink(
    key: Bytes,
    depth: number,
    children: readonly (Child | undefined)[],
    value: Bytes | undefined,
  ): TrieNode<Child> | undefined {
    let remaining = 0;
    let last = 0;
    for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
      if (children[nibble] === undefined) continue;
      remaining++;
      last = nibble;
    }
    if (remaining > 1 || (remaining === 1 && value !== undefined)) return { kind: "branch", children, value };
    if (remaining === 0) return value === undefined ? undefined : { kind: "leaf", path: EMPTY_BYTES, value };
    const child = must(children[last], "one child must remain");
    return this.#lengthen(key.slice(0, depth), Uint8Array.of(last), child);
  }

  #extension(
    depth: number,
    extension: ExtensionNode<Child>,
    from: number,
    to: number,
  ): TrieNode<Child> | undefined {
    // Deletions of keys that leave the extension's path find nothing; only a new value there splits it.
    let shared = extension.path.length;
    for (let at = from; at < to; at++) {
      const { key, value } = this.#entries[at]!;
      if (value !== undefined) shared = Math.min(shared, commonPrefixLength(key, depth, extension.path));
    }
    const prefix = extension.path.subarray(0, shared);
    const path = concatBytes(this.#entries[from]!.key.subarray(0, depth), extension.path);
    const end = depth + shared;
    // Those that share the prefix stand together, because they are sorted.
    const [first, last] = this.#below(depth, prefix, from, to);
    if (shared === extension.path.length) {
      const after = this.child(end, extension.child, first, last);
      if (after === extension.child) return extension;
      return after === undefined ? undefined : this.#lengthen(path.subarray(0, depth), prefix, after);
    }
    const rest = extension.path.subarray(shared + 1);
    const children = new Array<Child | undefined>(BRANCH_WIDTH).fill(undefined);
    const node = { kind: "extension", path: rest, child: extension.child } as const;
    children[extension.path[shared]!] =
      rest.length === 0 ? extension.child : { node, key: path, depth: end + 1, replacesStored: false };
    const after = this.#branch(end, { kind: "branch", children, value: undefined }, first, last);
    if (after === undefined || shared === 0) return after;
    const draft = { node: after, key: path, depth: end, replacesStored: false };
    return this.#lengthen(path.subarray(0, depth), prefix, draft);
  }

  /** The range of those entries that go on with `prefix`. */
  #below(depth: number, prefix: Bytes, from: number, to: number): readonly [number, number] {
    const isBelow = (at: number): boolean =>
      commonPrefixLength(this.#entries[at]!.key, depth, prefix) === prefix.length;
    let first = from;
    while (first < to && !isBelow(first)) first++;
    let last = first;
    while (last < to && isBelow(last)) last++;
    return [first, last];
  }

  /** The node at `path` that leads by `prefix` (not empty) to a child: an extension above a branch; a leaf or an
   * extension moves up to `path`, which lengthens its own path. */
  #lengthen(path: Bytes, prefix: Bytes, child: Child): TrieNode<Child> {
    const place = concatBytes(path, prefix);
    const node = this.#resolve(place, place.length, child);
    if (node.kind === "branch") return { kind: "extension", path: prefix, child };
    if (isStored(child)) this.nodeChanges.push({ path: place, node: undefined });
    return { ...node, path: concatBytes(prefix, node.path) };
  }

  /** Puts the leaf among the entries, unless one of them replaces it, and builds anew what stands there. */
  #leaf(depth: number, leaf: LeafNode, from: number, to: number): TrieNode<Child> | undefined {
    const first = this.#entries[from]!;
    if (to - from === 1 && isKeyOfLeaf(first.key, depth, leaf)) {
      if (first.value === undefined) return undefined;
      return equalBytes(first.value, leaf.value)
        ? leaf
        : { kind: "leaf", path: leaf.path, value: first.value };
    }
    const key = concatBytes(first.key.subarray(0, depth), leaf.path);
    const entries = this.#entries.slice(from, to);
    const smaller = entries.filter((entry) => compareBytes(entry.key, key) < 0);
    const same = entries[smaller.length];
    const isReplaced = same !== undefined && equalBytes(same.key, key);
    const greater = entries.slice(smaller.length + (isReplaced ? 1 : 0));
    const value = isReplaced ? same.value : leaf.value;
    const all = [...smaller, { key, value }, ...greater].filter(hasValue);
    const isUnchanged = all.length === 1 && equalBytes(all[0]!.key, key) && sameValue(value, leaf.value);
    return isUnchanged ? leaf : build(all, depth);
  }
}

function isStored(child: Child): boolean {
  return child instanceof Uint8Array ? hashOfReference(child) !== undefined : child.replacesStored;
}

function isKeyOfLeaf(key: Bytes, depth: number, { path }: LeafNode): boolean {
  return key.length - depth === path.length && commonPrefixLength(key, depth, path) === path.length;
}

type ValuedEntry = Entry & { readonly value: Bytes };

function hasValue(entry: Entry): entry is ValuedEntry {
  return entry.value !== undefined;
}

function sameValue(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

/** Where the run of entries ends that have the same nibble at `depth` as the one at `start`. */
function endOfGroup(entries: readonly Entry[], start: number, to: number, depth: number): number {
  const nibble = entries[start]!.key[depth]!;
  let end = start + 1;
  while (end < to && entries[end]!.key[depth] === nibble) end++;
  return end;
}

/** Builds the node for entries from `from` to before `to`, whose keys agree up to `depth`. */
function build(
  entries: readonly ValuedEntry[],
  depth: number,
  from = 0,
  to: number = entries.length,
): TrieNode<Child> | undefined {
  if (from === to) return undefined;
  const first = entries[from]!;
  if (to - from === 1) return { kind: "leaf", path: first.key.slice(depth), value: first.value };
  // Sorted: what the first and the last share, all share.
  const last = entries[to - 1]!;
  let end = depth;
  while (end < first.key.length && first.key[end] === last.key[end]) end++;
  const endsHere = first.key.length === end;
  const children = new Array<Child | undefined>(BRANCH_WIDTH).fill(undefined);
  for (let start = endsHere ? from + 1 : from; start < to; ) {
    const next = endOfGroup(entries, start, to, end);
    const { key } = entries[start]!;
    const node = must(build(entries, end + 1, start, next), "a group of entries must make a node");
    children[key[end]!] = { node, key, depth: end + 1, replacesStored: false };
    start = next;
  }
  const branch: BranchNode<Child> = { kind: "branch", children, value: endsHere ? first.value : undefined };
  if (end === depth) return branch;
  return {
    kind: "extension",
    path: first.key.slice(depth, end),
    child: { node: branch, key: first.key, depth: end, replacesStored: false },
  };
}
