import { type Bytes, concatBytes, EMPTY_BYTES, type Hash } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { appendNibble, fromNibbles } from "./nibbles.ts";
import type { TrieHash } from "./trie-hash.ts";
import type { TrieReference } from "./trie-node.ts";
import { readNode, rootReference } from "./trie-read.ts";
import type { TrieNodeReader } from "./types.ts";

export type TrieEntry = { readonly key: Bytes; readonly value: Bytes };

/** Walks all entries of a trie in the order of their keys; it reads the nodes as it goes.
 * @param root of the trie that `nodes` holds. */
export function* trieEntries(
  nodes: TrieNodeReader,
  root: Hash,
  hash: TrieHash = keccak256,
): Generator<TrieEntry> {
  const reference = rootReference(nodes, root, hash);
  if (reference !== undefined) yield* entriesBelow(nodes, EMPTY_BYTES, reference);
}

function* entriesBelow(nodes: TrieNodeReader, path: Bytes, reference: TrieReference): Generator<TrieEntry> {
  const node = readNode(nodes, path, reference);
  switch (node.kind) {
    case "leaf":
      yield { key: fromNibbles(concatBytes(path, node.path)), value: node.value };
      return;
    case "extension":
      yield* entriesBelow(nodes, concatBytes(path, node.path), node.child);
      return;
    case "branch":
      if (node.value !== undefined) yield { key: fromNibbles(path), value: node.value };
      for (const [nibble, child] of node.children.entries()) {
        if (child !== undefined) yield* entriesBelow(nodes, appendNibble(path, nibble), child);
      }
  }
}
