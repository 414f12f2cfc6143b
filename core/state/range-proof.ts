import {
  assert,
  type Bytes,
  compareBytes,
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { appendNibble, commonPrefixLength, fromNibbles, toNibbles } from "./nibbles.ts";
import type { TrieNodeChange } from "./trie.ts";
import type { TrieEntry } from "./trie-entries.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import {
  BRANCH_WIDTH,
  decodeNode,
  encodeBranch,
  encodeExtension,
  encodeLeaf,
  hashOfReference,
  MIN_HASHED_NODE_BYTES,
  referenceTo,
  type TrieNode,
  type TrieReference,
} from "./trie-node.ts";
import { readNode, rootReference } from "./trie-read.ts";
import type { TrieNodeReader } from "./types.ts";

/** Proofs that a list of entries is all that a trie holds between two keys: none left out, none added, none changed.
 *
 * The idea is that of snap/1 (devp2p, "Account range proofs"), without its reconstruction of a partial trie. A subtree is
 * named by the path to it, and lies before, inside, behind or across the range. The proof is the nodes *across* its
 * borders, from the root on, in the order of a walk. Who verifies walks down by hashes from the root, which he trusts:
 * what is inside he builds from the entries, and its reference must be the one that the node above has. So each node is
 * hashed once, and what was hashed are the trie's nodes at their paths: nothing has to be computed again to store them.
 *
 * All keys have 32 bytes, as in the tries of accounts and of storage. */

/** Bytes of a key. */
const KEY_BYTES = 32;
const KEY_NIBBLES = 64;
const LAST_NIBBLE = 15;

/** Nodes across the two borders of a range: one of each depth, at both. */
export const MAX_RANGE_PROOF_NODES: number = 2 * (KEY_NIBBLES + 1);

/** Keys from `start` to `end`, both included, 32 bytes each. */
export type TrieRange = { readonly start: Bytes; readonly end: Bytes };

/** What of a range is handed out at one time; one entry at least. */
export type RangeLimits = { readonly maxEntries: number; readonly maxBytes: number };

export type RangeAnswer = {
  readonly entries: readonly TrieEntry[];
  /** Nodes across the borders of what is covered. */
  readonly proof: readonly Bytes[];
  /** True if all of the range is covered; else it is covered up to the last entry, which is there then. */
  readonly isComplete: boolean;
};

export type RangeProofErrorCode =
  | "range/malformed"
  | "range/wrong-entries"
  | "range/wrong-node"
  | "range/truncated"
  | "range/surplus-nodes";

/** Reads the entries of a range, as many as the limits allow, with their proof.
 * @param root of the trie that `nodes` holds. */
export function proveRange(
  nodes: TrieNodeReader,
  root: Hash,
  range: TrieRange,
  limits: RangeLimits,
  hash: TrieHash = keccak256,
): RangeAnswer {
  const borders = bordersOf(range.start, range.end);
  assert(borders !== undefined, "a range is between two keys, the smaller first");
  const reference = rootReference(nodes, root, hash);
  if (reference === undefined) return { entries: [], proof: [], isComplete: true };
  const entries: TrieEntry[] = [];
  let bytes = 0;
  let isComplete = true;
  for (const entry of entriesWithin(nodes, EMPTY_BYTES, reference, borders)) {
    if (entries.length > 0 && (entries.length >= limits.maxEntries || bytes >= limits.maxBytes)) {
      isComplete = false;
      break;
    }
    entries.push(entry);
    bytes += entry.key.length + entry.value.length;
  }
  const last = entries.at(-1);
  const covered = isComplete || last === undefined ? borders : { ...borders, end: toNibbles(last.key) };
  const proof: Bytes[] = [];
  collectAcross(nodes, EMPTY_BYTES, reference, covered, proof);
  return { entries, proof, isComplete };
}

/** Checks what `proveRange` answered against a root that is trusted already.
 * @param entries sorted by key, as they were answered.
 * @returns the nodes that the trie has in what is covered and across its borders, by their paths, as a store keeps them.
 * Errors: `range/malformed` (order, lengths, an entry out of the range, an incomplete answer without entries),
 * `range/wrong-entries` (something was left out, added or changed), `range/wrong-node`, `range/truncated` (a node across the
 * border is not there), `range/surplus-nodes`. */
export function verifyRange(
  root: Hash,
  range: TrieRange,
  answer: RangeAnswer,
  hash: TrieHash = keccak256,
): Result<readonly TrieNodeChange[], Failure<RangeProofErrorCode>> {
  const { entries, proof, isComplete } = answer;
  const last = entries.at(-1);
  if (!isComplete && last === undefined) return fail("range/malformed", "an incomplete range is empty");
  const borders = bordersOf(range.start, isComplete || last === undefined ? range.end : last.key);
  if (borders === undefined) return fail("range/malformed", "the range is not between two keys");
  const keys: Bytes[] = [];
  for (const [index, { key, value }] of entries.entries()) {
    const previous = index === 0 ? undefined : entries[index - 1]?.key;
    if (key.length !== KEY_BYTES || value.length === 0)
      return fail("range/malformed", `entry ${index} has no key of ${KEY_BYTES} bytes, or no value`);
    if (previous !== undefined && compareBytes(previous, key) >= 0)
      return fail("range/malformed", `entry ${index} does not come after the one before`);
    if (compareBytes(key, range.start) < 0 || compareBytes(key, range.end) > 0)
      return fail("range/malformed", `entry ${index} is out of the range`);
    keys.push(toNibbles(key));
  }
  const walk = new RangeWalk({ borders, keys, values: entries.map(({ value }) => value), proof, hash });
  return walk.run(root);
}

/** The key after this one; undefined after the last. */
export function nextTrieKey(key: Bytes): Bytes | undefined {
  const next = key.slice();
  for (let at = next.length - 1; at >= 0; at--) {
    if (next[at] !== 0xff) {
      next[at] = next[at]! + 1;
      return next;
    }
    next[at] = 0;
  }
  return undefined;
}

/** In nibbles. */
type Borders = { readonly start: Bytes; readonly end: Bytes };
type Place = "before" | "inside" | "behind" | "across";

function bordersOf(start: Bytes, end: Bytes): Borders | undefined {
  if (start.length !== KEY_BYTES || end.length !== KEY_BYTES || compareBytes(start, end) > 0)
    return undefined;
  return { start: toNibbles(start), end: toNibbles(end) };
}

/** Where the keys that begin with a path lie. */
function placeOf(path: Bytes, { start, end }: Borders): Place {
  const toStart = compareBytes(path, start.subarray(0, path.length));
  if (toStart < 0) return "before";
  const toEnd = compareBytes(path, end.subarray(0, path.length));
  if (toEnd > 0) return "behind";
  const beginsInside = toStart > 0 || isFilledWith(start, path.length, 0);
  const endsInside = toEnd < 0 || isFilledWith(end, path.length, LAST_NIBBLE);
  return beginsInside && endsInside ? "inside" : "across";
}

function isFilledWith(nibbles: Bytes, from: number, nibble: number): boolean {
  for (let at = from; at < nibbles.length; at++) if (nibbles[at] !== nibble) return false;
  return true;
}

function* entriesWithin(
  nodes: TrieNodeReader,
  path: Bytes,
  reference: TrieReference,
  borders: Borders,
): Generator<TrieEntry> {
  const place = placeOf(path, borders);
  if (place === "before" || place === "behind") return;
  const node = readNode(nodes, path, reference);
  if (node.kind === "leaf") {
    const key = concatBytes(path, node.path);
    if (placeOf(key, borders) === "inside") yield { key: fromNibbles(key), value: node.value };
  } else if (node.kind === "extension") {
    yield* entriesWithin(nodes, concatBytes(path, node.path), node.child, borders);
  } else {
    for (const [nibble, child] of node.children.entries())
      if (child !== undefined) yield* entriesWithin(nodes, appendNibble(path, nibble), child, borders);
  }
}

/** Nodes across a border, in the order of a walk; those inlined are in their parents. */
function collectAcross(
  nodes: TrieNodeReader,
  path: Bytes,
  reference: TrieReference,
  borders: Borders,
  found: Bytes[],
): void {
  if (placeOf(path, borders) !== "across") return;
  const node = readNode(nodes, path, reference);
  const stored = hashOfReference(reference) === undefined ? undefined : nodes.node(path);
  if (stored !== undefined) found.push(stored);
  if (node.kind === "extension")
    collectAcross(nodes, concatBytes(path, node.path), node.child, borders, found);
  else if (node.kind === "branch") {
    for (const [nibble, child] of node.children.entries())
      if (child !== undefined) collectAcross(nodes, appendNibble(path, nibble), child, borders, found);
  }
}

type WalkInput = {
  readonly borders: Borders;
  readonly keys: readonly Bytes[];
  readonly values: readonly Bytes[];
  readonly proof: readonly Bytes[];
  readonly hash: TrieHash;
};

/** Entries from `from` (included) to `to` (excluded). */
type Slice = { readonly from: number; readonly to: number };
type Finding = Failure<RangeProofErrorCode> | undefined;

/** One verification. */
class RangeWalk {
  readonly #input: WalkInput;
  readonly #found: TrieNodeChange[] = [];
  #used = 0;

  constructor(input: WalkInput) {
    this.#input = input;
  }

  run(root: Hash): Result<readonly TrieNodeChange[], Failure<RangeProofErrorCode>> {
    const { keys, proof, hash, borders } = this.#input;
    const all = { from: 0, to: keys.length };
    let wrong: Finding;
    if (equalBytes(root, emptyTrieRoot(hash))) wrong = keys.length === 0 ? undefined : added("an empty trie");
    else if (placeOf(EMPTY_BYTES, borders) === "inside") wrong = this.#whole(root, all);
    else wrong = this.#subtree(EMPTY_BYTES, root, all);
    if (wrong !== undefined) return { ok: false, error: wrong };
    if (this.#used < proof.length)
      return fail("range/surplus-nodes", `${proof.length - this.#used} nodes are across no border`);
    return ok(this.#found);
  }

  /** The range holds the whole trie, whose root is hashed however short its node is. */
  #whole(root: Hash, slice: Slice): Finding {
    if (slice.to === 0) return { code: "range/wrong-entries", message: "all entries are left out" };
    const encoded = this.#build(slice, 0);
    if (!equalBytes(this.#input.hash(encoded), root)) return differs(EMPTY_BYTES);
    this.#found.push({ path: EMPTY_BYTES, node: encoded });
    return undefined;
  }

  #subtree(path: Bytes, reference: TrieReference | undefined, slice: Slice): Finding {
    const count = slice.to - slice.from;
    if (reference === undefined) return count === 0 ? undefined : added("a place where there is nothing");
    const place = placeOf(path, this.#input.borders);
    if (place === "across") return this.#across(path, reference, slice);
    if (place !== "inside") return count === 0 ? undefined : added("a place out of the range");
    if (count === 0) return differs(path);
    const encoded = this.#build(slice, path.length);
    const built = referenceTo(encoded, this.#input.hash);
    if (!equalBytes(built, reference)) return differs(path);
    if (encoded.length >= MIN_HASHED_NODE_BYTES) this.#found.push({ path, node: encoded });
    return undefined;
  }

  #across(path: Bytes, reference: TrieReference, slice: Slice): Finding {
    const read = this.#take(path, reference);
    if (!read.ok) return read.error;
    const node = read.value;
    if (node.kind === "leaf") return this.#leaf(concatBytes(path, node.path), node.value, slice);
    if (node.kind === "extension") {
      const below = concatBytes(path, node.path);
      if (below.length >= KEY_NIBBLES) return malformed("a path is longer than a key");
      // What is built below sees only the rest of a key: its beginning counts here.
      if (!this.#allBeginWith(below, slice)) return added("a place beside an extension");
      return this.#subtree(below, node.child, slice);
    }
    if (node.value !== undefined || path.length >= KEY_NIBBLES)
      return malformed("a path is longer than a key");
    let { from } = slice;
    for (let nibble = 0; nibble < BRANCH_WIDTH; nibble++) {
      const below = appendNibble(path, nibble);
      const to = this.#endOf(below, from, slice.to);
      const wrong = this.#subtree(below, node.children[nibble], { from, to });
      if (wrong !== undefined) return wrong;
      from = to;
    }
    return undefined;
  }

  #leaf(key: Bytes, value: Bytes, slice: Slice): Finding {
    if (key.length !== KEY_NIBBLES) return malformed("a leaf at no key");
    const isInside = placeOf(key, this.#input.borders) === "inside";
    if (slice.to - slice.from !== (isInside ? 1 : 0)) return differs(key);
    if (!isInside) return undefined;
    const { keys, values } = this.#input;
    const isSame = equalBytes(keys[slice.from]!, key) && equalBytes(values[slice.from]!, value);
    return isSame ? undefined : differs(key);
  }

  /** The node that a reference names: inlined in it, or the next one of the proof. */
  #take(path: Bytes, reference: TrieReference): Result<TrieNode, Failure<RangeProofErrorCode>> {
    const expected = hashOfReference(reference);
    let encoded: Bytes = reference;
    if (expected !== undefined) {
      const next = this.#input.proof[this.#used];
      if (next === undefined) return fail("range/truncated", `the node at ${pathText(path)} is not there`);
      if (!equalBytes(this.#input.hash(next), expected))
        return fail("range/wrong-node", `the node at ${pathText(path)} is another`);
      // Only a root may be so short and not inlined.
      if (next.length < MIN_HASHED_NODE_BYTES && path.length > 0)
        return fail("range/wrong-node", `the node at ${pathText(path)} must be inlined`);
      this.#used += 1;
      encoded = next;
      this.#found.push({ path, node: next });
    }
    const node = decodeNode(encoded);
    return node.ok ? node : fail("range/wrong-node", node.error.message);
  }

  /** A slice is sorted: what its first and its last key begin with, those between do too. */
  #allBeginWith(path: Bytes, { from, to }: Slice): boolean {
    const { keys } = this.#input;
    return (
      from === to ||
      [keys[from]!, keys[to - 1]!].every((key) => equalBytes(key.subarray(0, path.length), path))
    );
  }

  /** Where those that begin with a path end, in a slice from which all before them have been taken. */
  #endOf(path: Bytes, from: number, to: number): number {
    const { keys } = this.#input;
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(keys[middle]!.subarray(0, path.length), path) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Builds the node for entries that agree up to `depth`, and notes those below it. */
  #build(slice: Slice, depth: number): Bytes {
    const { keys, values, hash } = this.#input;
    const first = keys[slice.from]!;
    if (slice.to - slice.from === 1) return encodeLeaf(first.subarray(depth), values[slice.from]!);
    const last = keys[slice.to - 1]!;
    const end = depth + commonPrefixLength(last, depth, first.subarray(depth));
    const children = new Array<TrieReference | undefined>(BRANCH_WIDTH).fill(undefined);
    for (let { from } = slice; from < slice.to; ) {
      const path = keys[from]!.subarray(0, end + 1);
      const to = this.#endOf(path, from, slice.to);
      const child = this.#build({ from, to }, end + 1);
      if (child.length >= MIN_HASHED_NODE_BYTES) this.#found.push({ path, node: child });
      children[path[end]!] = referenceTo(child, hash);
      from = to;
    }
    const branch = encodeBranch(children, undefined);
    if (end === depth) return branch;
    if (branch.length >= MIN_HASHED_NODE_BYTES)
      this.#found.push({ path: first.subarray(0, end), node: branch });
    return encodeExtension(first.subarray(depth, end), referenceTo(branch, hash));
  }
}

function differs(path: Bytes): Failure<RangeProofErrorCode> {
  return { code: "range/wrong-entries", message: `the trie has other entries at ${pathText(path)}` };
}

function added(where: string): Failure<RangeProofErrorCode> {
  return { code: "range/wrong-entries", message: `an entry is at ${where}` };
}

function malformed(message: string): Failure<RangeProofErrorCode> {
  return { code: "range/wrong-node", message };
}

function pathText(path: Bytes): string {
  return `path "${Array.from(path, (nibble) => nibble.toString(16)).join("")}"`;
}
