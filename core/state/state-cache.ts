import { type Bytes, EMPTY_BYTES, toHexDigits, unwrap } from "@ostrom/base";
import type { StateCommit, StateTries } from "./commit.ts";
import { RecentMap } from "./recent-map.ts";
import { slotKey } from "./slot-key.ts";
import { decodeNode, type TrieNode } from "./trie-node.ts";
import type { Account, StateReader, TrieNodeReader } from "./types.ts";

/** Keeps in memory what was read or written of the newest state: accounts, slots and trie nodes, decoded. It stands above one store, for
 * who alone writes there, and stays right by being told of each commit once the store has it, and emptied when anything else happens to it. */
export type StateCache = {
  /** @param below reads the newest state from the store. */
  readonly reader: (below: StateReader) => StateReader;
  readonly tries: (below: StateTries) => StateTries;
  /** Takes over what a commit wrote, after the store has it. */
  readonly committed: (commit: StateCommit) => void;
  readonly clear: () => void;
};

/** Measured, roughly: a map's entry, its key, and the object with its numbers and hashes. */
const ACCOUNT_BYTES = 480;
const SLOT_BYTES = 240;
const LEAF_BYTES = 640;
const BRANCH_BYTES = 2_800;
const ROOT_BYTES = 700;
/** Of the budget. Most nodes are asked for in each block that writes; accounts and slots are as many as their leaves, and smaller. */
const SHARES = { accounts: 0.15, slots: 0.15, nodes: 0.6, roots: 0.1 } as const;
/** Paths of so many nibbles are named by a small integer, longer ones by a string. */
const MAX_NUMBERED_DEPTH = 7;
const HEX_DIGITS = "0123456789abcdef";

type Known<T> = { readonly value: T | undefined };

/** @param maxBytes that it may take, roughly. */
export function createStateCache(maxBytes: number): StateCache {
  const accounts = new RecentMap<string, Known<Account>>(maxBytes * SHARES.accounts, () => ACCOUNT_BYTES);
  const slots = new RecentMap<string, Known<bigint>>(maxBytes * SHARES.slots, () => SLOT_BYTES);
  const nodes = new RecentMap<string | number, TrieNode>(maxBytes * SHARES.nodes, weightOfNode);
  const roots = new RecentMap<string, Bytes>(maxBytes * SHARES.roots, () => ROOT_BYTES);
  return {
    reader: (below) => cachedReader(below, accounts, slots),
    tries: (below) => ({
      accounts: cachedNodes(below.accounts, "", nodes, roots),
      storage: (accountHash) =>
        cachedNodes(below.storage(accountHash), toHexDigits(accountHash), nodes, roots),
    }),
    committed: (commit) => {
      for (const { address, account } of commit.accounts) {
        accounts.set(toHexDigits(address), { value: account });
      }
      for (const { address, slot, value } of commit.slots) {
        slots.set(toHexDigits(address) + slotKey(slot), { value });
      }
      for (const { owner, path, node, decoded } of commit.nodeChanges) {
        const trie = owner === undefined ? "" : toHexDigits(owner);
        const key = nodeKey(trie, path, path.length);
        if (decoded === undefined) nodes.delete(key);
        else nodes.set(key, decoded);
        if (path.length > 0) continue;
        if (node === undefined) roots.delete(trie);
        else roots.set(trie, node);
      }
    },
    clear: () => {
      for (const memory of [accounts, slots, nodes, roots]) memory.clear();
    },
  };
}

function cachedReader(
  below: StateReader,
  accounts: RecentMap<string, Known<Account>>,
  slots: RecentMap<string, Known<bigint>>,
): StateReader {
  return {
    account: (address) => {
      const key = toHexDigits(address);
      const known = accounts.get(key);
      if (known !== undefined) return known.value;
      const value = below.account(address);
      accounts.set(key, { value });
      return value;
    },
    storage: (address, slot) => {
      const key = toHexDigits(address) + slotKey(slot);
      const known = slots.get(key)?.value;
      if (known !== undefined) return known;
      const value = below.storage(address, slot);
      slots.set(key, { value });
      return value;
    },
    code: (codeHash) => below.code(codeHash),
  };
}

/** @param trie hex digits of the owner's hash, or "" for the account trie. */
function cachedNodes(
  below: TrieNodeReader,
  trie: string,
  nodes: RecentMap<string | number, TrieNode>,
  roots: RecentMap<string, Bytes>,
): TrieNodeReader {
  return {
    node: (path) => {
      if (path.length > 0) return below.node(path);
      const known = roots.get(trie);
      if (known !== undefined) return known;
      const root = below.node(EMPTY_BYTES);
      // The store's memory may be a larger buffer's.
      if (root !== undefined) roots.set(trie, root.slice());
      return root;
    },
    decoded: (key, depth) => {
      const place = nodeKey(trie, key, depth);
      const known = nodes.get(place);
      if (known !== undefined) return known;
      const encoded = below.node(key.slice(0, depth));
      if (encoded === undefined) return undefined;
      const node = unwrap(decodeNode(encoded.slice()));
      nodes.set(place, node);
      return node;
    },
  };
}

/** Names a place in the tries. Numbers are found fastest; there are too few of them for anybody to flood a map with. */
function nodeKey(trie: string, key: Bytes, depth: number): string | number {
  if (trie === "" && depth <= MAX_NUMBERED_DEPTH) {
    let place = 1;
    for (let i = 0; i < depth; i++) place = (place << 4) | key[i]!;
    return place;
  }
  let digits = trie;
  for (let i = 0; i < depth; i++) digits += HEX_DIGITS[key[i]!]!;
  return digits;
}

/** A branch counts as if it were full: to look at its children each time would cost more than the memory is worth. */
function weightOfNode(node: TrieNode): number {
  return node.kind === "branch" ? BRANCH_BYTES : LEAF_BYTES;
}
