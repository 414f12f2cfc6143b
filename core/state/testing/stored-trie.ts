import { type Bytes, compareBytes, type Hash, toHexDigits } from "@ostrom/base";
import { EMPTY_TRIE_ROOT, type TrieNodeReader, updateTrie } from "../index.ts";
import { decodeNode } from "../trie-node.ts";

/** A trie with the map of nodes that a store would keep, for tests. */
export class StoredTrie implements TrieNodeReader {
  readonly nodes: Map<string, Bytes> = new Map();
  root: Hash = EMPTY_TRIE_ROOT;
  readsInLastUpdate: string[] = [];

  node(path: Bytes): Bytes | undefined {
    const key = toHexDigits(path);
    this.readsInLastUpdate.push(key);
    return this.nodes.get(key);
  }

  /** Applies one batch, given in any order; of several updates of a key the last counts. */
  update(updates: Iterable<readonly [key: Bytes, value: Bytes | undefined]>): void {
    const last = new Map([...updates].map(([key, value]) => [toHexDigits(key), { key, value }]));
    const sorted = [...last.values()].sort((a, b) => compareBytes(a.key, b.key));
    this.readsInLastUpdate = [];
    const { root, nodeChanges } = updateTrie(this, this.root, sorted);
    const paths = new Set(nodeChanges.map(({ path }) => toHexDigits(path)));
    if (paths.size !== nodeChanges.length) throw new Error("a path was changed twice in one update");
    for (const { path, node } of nodeChanges) {
      const key = toHexDigits(path);
      if (node === undefined) {
        if (!this.nodes.delete(key)) throw new Error(`removed a node that was not stored: ${key}`);
      } else {
        if (this.nodes.has(key) && toHexDigits(this.nodes.get(key)!) === toHexDigits(node)) {
          throw new Error(`rewrote a node that did not change: ${key}`);
        }
        this.nodes.set(key, node);
      }
    }
    this.root = root;
  }

  /** Paths (nibbles as hex digits) that can be reached from the root and must be stored, in no order. */
  reachablePaths(): Set<string> {
    const reached = new Set<string>();
    if (this.nodes.size > 0) this.#reach(new Uint8Array(0), undefined, reached);
    return reached;
  }

  #reach(path: Bytes, inlined: Bytes | undefined, reached: Set<string>): void {
    const key = toHexDigits(path);
    const encoded = inlined ?? this.nodes.get(key);
    if (encoded === undefined) throw new Error(`missing node at ${key}`);
    if (inlined === undefined) reached.add(key);
    const node = decodeNode(encoded);
    if (!node.ok) throw new Error(`${key}: ${node.error.message}`);
    const visit = (tail: Iterable<number>, child: Bytes): void =>
      this.#reach(Uint8Array.from([...path, ...tail]), child.length === 32 ? undefined : child, reached);
    if (node.value.kind === "extension") visit(node.value.path, node.value.child);
    if (node.value.kind !== "branch") return;
    for (const [nibble, child] of node.value.children.entries())
      if (child !== undefined) visit([nibble], child);
  }
}
