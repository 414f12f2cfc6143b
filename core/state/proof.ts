import { type Bytes, equalBytes, type Failure, fail, type Hash, ok, type Result } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { toNibbles } from "./nibbles.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import { decodeNode, hashOfReference, MIN_HASHED_NODE_BYTES, type TrieNode } from "./trie-node.ts";
import { readNode, rootReference, stepDown } from "./trie-read.ts";
import type { TrieNodeReader } from "./types.ts";

/** Collects the nodes on the way to a key: they prove its value, or that it has none.
 * @param root of the trie that `nodes` holds.
 * @returns nodes from the root on, inlined ones within their parents; none for an empty trie. Source: EIP-1186. */
export function proveTrie(
  nodes: TrieNodeReader,
  root: Hash,
  key: Bytes,
  hash: TrieHash = keccak256,
): Bytes[] {
  const nibbles = toNibbles(key);
  const proof: Bytes[] = [];
  let reference = rootReference(nodes, root, hash);
  let depth = 0;
  while (reference !== undefined) {
    const path = nibbles.subarray(0, depth);
    const node = readNode(nodes, path, reference);
    const stored = hashOfReference(reference) === undefined ? undefined : nodes.node(path);
    if (stored !== undefined) proof.push(stored);
    const step = stepDown(node, nibbles, depth);
    if (step.kind === "end") break;
    reference = step.child;
    depth = step.depth;
  }
  return proof;
}

export type ProofErrorCode =
  | "proof/truncated"
  | "proof/wrong-hash"
  | "proof/malformed-node"
  | "proof/surplus-nodes";

/** Checks what `proveTrie` (or any Ethereum client) collected against a root that is trusted already.
 * @returns the value, sharing memory with the proof, or undefined where the proof shows that the key has none.
 * Errors: `proof/truncated` (the way goes on where the proof ends), `proof/wrong-hash` (a node is not the one that the
 * root or its parent names), `proof/malformed-node`, `proof/surplus-nodes`. */
export function verifyTrieProof(
  root: Hash,
  key: Bytes,
  proof: readonly Bytes[],
  hash: TrieHash = keccak256,
): Result<Bytes | undefined, Failure<ProofErrorCode>> {
  const nibbles = toNibbles(key);
  let expected: Hash | undefined = equalBytes(root, emptyTrieRoot(hash)) ? undefined : root;
  let value: Bytes | undefined;
  let depth = 0;
  let used = 0;
  while (expected !== undefined) {
    const encoded = proof[used];
    if (encoded === undefined) return fail("proof/truncated", `the proof ends after ${used} nodes`);
    if (!equalBytes(hash(encoded), expected))
      return fail("proof/wrong-hash", `node ${used} is not the one expected`);
    if (used > 0 && encoded.length < MIN_HASHED_NODE_BYTES) {
      return fail("proof/malformed-node", `node ${used} is so short that its parent must inline it`);
    }
    used++;
    const end = descend(encoded, nibbles, depth);
    if (!end.ok) return end;
    value = end.value.value;
    expected = end.value.next;
    depth = end.value.depth;
  }
  if (used < proof.length)
    return fail("proof/surplus-nodes", `${proof.length - used} nodes beyond the way to the key`);
  return ok(value);
}

type Descent = { readonly next: Hash | undefined; readonly depth: number; readonly value: Bytes | undefined };

/** Follows the key through a node and the nodes inlined in it. Each step goes down by a nibble at least, so that the key
 * bounds the loop. */
function descend(encoded: Bytes, key: Bytes, from: number): Result<Descent, Failure<ProofErrorCode>> {
  let bytes = encoded;
  let depth = from;
  for (;;) {
    const node: Result<TrieNode, Failure> = decodeNode(bytes);
    if (!node.ok) return fail("proof/malformed-node", node.error.message);
    const step = stepDown(node.value, key, depth);
    if (step.kind === "end") return ok({ next: undefined, depth, value: step.value });
    depth = step.depth;
    const next = hashOfReference(step.child);
    if (next !== undefined) return ok({ next, depth, value: undefined });
    bytes = step.child;
  }
}
