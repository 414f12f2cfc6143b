import { assert, type Bytes, EMPTY_BYTES, equalBytes, type Hash, must, unwrap } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { commonPrefixLength, toNibbles } from "./nibbles.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import { decodeNode, hashOfReference, type TrieNode, type TrieReference } from "./trie-node.ts";
import type { TrieNodeReader } from "./types.ts";

/** Reads a trie from its nodes, down from its root. */

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
