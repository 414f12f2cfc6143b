import { assert, type Bytes, type Hash } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { toNibbles } from "./nibbles.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import {
  BRANCH_WIDTH,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  leafReference,
  referenceTo,
  type TrieReference,
} from "./trie-node.ts";

/** Below it an index is the single byte that it is, but for 0, which is written 0x80. */
const FIRST_LONG_INDEX = 0x80;
/** Keys are alike for every list; those of longer lists than this are made anew. */
const MAX_KEPT_KEYS = 8_192;

const keptKeys: Bytes[] = [];

/** The root of a trie of values (not empty) under their indices, as blocks commit to transactions, receipts and withdrawals. Nothing of
 * the trie is kept: each node is encoded, hashed and forgotten. Source: Yellow Paper, 4.3.2 (keys are RLP of the index). */
export function orderedTrieRoot(values: readonly Bytes[], hash: TrieHash = keccak256): Hash {
  if (values.length === 0) return emptyTrieRoot(hash);
  for (const value of values) assert(value.length > 0, "a trie value must not be empty");
  const order = indicesInKeyOrder(values.length);
  const trie = { values, order, keys: order.map(keyOf), hash };
  if (values.length === 1) return hash(encodeLeafOf(trie, 0));
  return hash(encodeGroup(trie, 0, values.length, 0));
}

type OrderedTrie = {
  readonly values: readonly Bytes[];
  /** Indices of the values, as their keys sort. */
  readonly order: readonly number[];
  /** In nibbles, in that order. */
  readonly keys: readonly Bytes[];
  readonly hash: TrieHash;
};

function indicesInKeyOrder(count: number): number[] {
  const order: number[] = [];
  for (let index = 1; index < Math.min(count, FIRST_LONG_INDEX); index++) order.push(index);
  order.push(0);
  for (let index = FIRST_LONG_INDEX; index < count; index++) order.push(index);
  return order;
}

function keyOf(index: number): Bytes {
  const kept = keptKeys[index];
  if (kept !== undefined) return kept;
  if (index >= MAX_KEPT_KEYS) return toNibbles(encodeRlp(rlpUint(index)));
  for (let next = keptKeys.length; next <= index; next++) keptKeys.push(toNibbles(encodeRlp(rlpUint(next))));
  return keptKeys[index]!;
}

function encodeLeafOf({ values, order, keys }: OrderedTrie, at: number): Bytes {
  return encodeLeaf(keys[at]!, values[order[at]!]!);
}

/** The node for two or more entries whose keys agree up to `depth`. No key begins another: RLP is prefix-free. */
function encodeGroup(trie: OrderedTrie, from: number, to: number, depth: number): Bytes {
  const { keys, hash } = trie;
  const first = keys[from]!;
  const last = keys[to - 1]!;
  let end = depth;
  while (first[end] === last[end]) end++;
  const children: (TrieReference | undefined)[] = new Array<undefined>(BRANCH_WIDTH).fill(undefined);
  for (let start = from; start < to; ) {
    const nibble = keys[start]![end]!;
    let next = start + 1;
    while (next < to && keys[next]![end] === nibble) next++;
    children[nibble] = reference(trie, start, next, end + 1);
    start = next;
  }
  const branch = encodeBranch(children, undefined);
  if (end === depth) return branch;
  return encodeExtension(first.subarray(0, end), referenceTo(branch, hash), depth);
}

function reference(trie: OrderedTrie, from: number, to: number, depth: number): TrieReference {
  if (to - from > 1) return referenceTo(encodeGroup(trie, from, to, depth), trie.hash);
  return leafReference(trie.keys[from]!, trie.values[trie.order[from]!]!, depth, trie.hash);
}
