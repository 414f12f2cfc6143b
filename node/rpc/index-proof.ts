import { type Bytes, compareBytes, type Hash, toHexDigits } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import {
  EMPTY_TRIE_NODES,
  emptyTrieRoot,
  proveTrie,
  type TrieHash,
  type TrieNodeReader,
  updateTrie,
} from "@ostrom/state";

/** The trie of a block's transactions or receipts, with all its nodes: keys are the RLP of the positions. */
export type IndexTrie = { readonly root: Hash; readonly nodes: TrieNodeReader; readonly hash: TrieHash };

/** @param hash the chain's. Source: Yellow Paper, 4.3.2. */
export function indexTrie(values: readonly Bytes[], hash: TrieHash): IndexTrie {
  const updates = values
    .map((value, index) => ({ key: encodeRlp(rlpUint(index)), value }))
    .sort((a, b) => compareBytes(a.key, b.key));
  const { root, nodeChanges } = updateTrie(EMPTY_TRIE_NODES, emptyTrieRoot(hash), updates, hash);
  const byPath = new Map(nodeChanges.map(({ path, node }) => [toHexDigits(path), node]));
  return { root, nodes: { node: (path) => byPath.get(toHexDigits(path)) }, hash };
}

/** Nodes from the root to the value at a position, or to where it would be. */
export function proveIndex(trie: IndexTrie, index: number): readonly Bytes[] {
  return proveTrie(trie.nodes, trie.root, encodeRlp(rlpUint(index)), trie.hash);
}
