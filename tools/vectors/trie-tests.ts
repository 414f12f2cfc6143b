import { basename } from "node:path";
import { type Bytes, EMPTY_BYTES, type Hash, hex, toHex, toHexDigits, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { EMPTY_TRIE_ROOT, type TrieNodeReader, updateTrie } from "@ostrom/state";
import { readVectors, type VectorRun, VectorTally } from "./vector-run.ts";

type Text = string | null;
type TrieVector = {
  readonly in: readonly (readonly [string, Text])[] | Readonly<Record<string, Text>>;
  readonly root: string;
};

/** About iterators, which no trie of ours has. */
const NOT_ROOTS = "trietestnextprev.json";

/** TrieTests of ethereum/tests: the root after a list of writes and removals; in the files whose names say "secure", keys
 * are hashed. */
export function runTrieTests(paths: readonly string[]): VectorRun {
  const tally = new VectorTally();
  for (const { file, name, vector } of readVectors<TrieVector>(paths)) {
    if (basename(file) === NOT_ROOTS) continue;
    const root = rootOf(vector, /secure/i.test(basename(file)));
    tally.add(
      `${file} ${name}`,
      toHex(root) === vector.root ? undefined : `expected ${vector.root}, got ${toHex(root)}`,
    );
  }
  return tally.result();
}

function rootOf(vector: TrieVector, isSecure: boolean): Hash {
  const writes = Array.isArray(vector.in)
    ? (vector.in as readonly (readonly [string, Text])[])
    : Object.entries(vector.in);
  const stored = new Map<string, Bytes>();
  const nodes: TrieNodeReader = { node: (path) => stored.get(toHexDigits(path)) };
  let root = EMPTY_TRIE_ROOT;
  for (const [key, value] of writes) {
    const written = toBytes(value);
    const update = updateTrie(nodes, root, [
      {
        key: isSecure ? keccak256(toBytes(key)) : toBytes(key),
        value: written.length === 0 ? undefined : written,
      },
    ]);
    root = update.root;
    for (const { path, node } of update.nodeChanges) {
      if (node === undefined) stored.delete(toHexDigits(path));
      else stored.set(toHexDigits(path), node);
    }
  }
  return root;
}

function toBytes(text: Text): Bytes {
  if (text === null) return EMPTY_BYTES;
  return text.startsWith("0x") ? hex(text) : utf8(text);
}
