import { type Address, assert, compareBytes, equalBytes, type Hash, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { encodeAccount } from "./account.ts";
import { type StateTries, type StateUndo, slotUpdates } from "./commit.ts";
import { slotKey } from "./slot-key.ts";
import { type TrieNodeChange, updateTrie } from "./trie.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import type {
  Account,
  AccountChange,
  SlotChange,
  StateChanges,
  StateReader,
  TrieNodeReader,
} from "./types.ts";

/** What the state of an older block had otherwise than the state that is stored. */
export type StateHistory = {
  /** Root of the older state. */
  readonly stateRoot: Hash;
  /** By the address's hex digits. */
  readonly accounts: ReadonlyMap<string, AccountHistory>;
};

export type AccountHistory = {
  readonly address: Address;
  readonly account: Account | undefined;
  readonly slots: ReadonlyMap<string, SlotChange>;
};

/** Merges reverse differences into one.
 * @param undos newest first, without gaps: from that of the stored block down to that of the successor of the block
 * meant. None: the stored state itself, whose root `stateRoot` is. */
export function mergeUndos(stateRoot: Hash, undos: Iterable<StateUndo>): StateHistory {
  const accounts = new Map<string, AccountHistory>();
  const slotsOf = new Map<string, Map<string, SlotChange>>();
  let root = stateRoot;
  for (const undo of undos) {
    root = undo.stateRoot;
    for (const { address, account, slots } of undo.accounts) {
      const key = toHexDigits(address);
      const merged = slotsOf.get(key) ?? new Map<string, SlotChange>();
      for (const change of slots) merged.set(slotKey(change.slot), change);
      slotsOf.set(key, merged);
      accounts.set(key, { address, account, slots: merged });
    }
  }
  return { stateRoot: root, accounts };
}

/** Reads the older state: what has changed since from the history, the rest from the stored state. */
export function historicalReader(base: StateReader, history: StateHistory): StateReader {
  return {
    account: (address) => {
      const found = history.accounts.get(toHexDigits(address));
      return found === undefined ? base.account(address) : found.account;
    },
    storage: (address, slot) => {
      const found = history.accounts.get(toHexDigits(address))?.slots.get(slotKey(slot));
      return found === undefined ? base.storage(address, slot) : found.value;
    },
    // Code is never removed.
    code: (codeHash) => base.code(codeHash),
  };
}

/** The changes that lead from the stored state back to the older one, for `commitState`: a reorganisation. */
export function changesBack(history: StateHistory): StateChanges {
  const accounts = new Map<string, AccountChange>();
  for (const [key, { address, account, slots }] of history.accounts) {
    const fields = account && { nonce: account.nonce, balance: account.balance, codeHash: account.codeHash };
    accounts.set(key, { address, account: fields, storageCleared: false, storage: [...slots.values()] });
  }
  return { accounts, codes: new Map() };
}

/** Rebuilds the tries of the older state in memory, above the nodes that are stored, for proofs. Costs one update of the
 * account trie with all that has changed since; a storage trie is rebuilt when it is asked for. Asserts that the roots
 * come out as they were.
 * @param current the stored state, and its root. */
export function historicalTries(
  current: { readonly reader: StateReader; readonly tries: StateTries; readonly stateRoot: Hash },
  history: StateHistory,
  hash: TrieHash = keccak256,
): StateTries {
  const changed = [...history.accounts.values()].map((entry) => ({
    ...entry,
    accountHash: hash(entry.address),
  }));
  changed.sort((a, b) => compareBytes(a.accountHash, b.accountHash));
  const updates = changed.map(({ accountHash, account }) => ({
    key: accountHash,
    value: account && encodeAccount(account),
  }));
  const update = updateTrie(current.tries.accounts, current.stateRoot, updates, hash);
  assert(
    equalBytes(update.root, history.stateRoot),
    "undoing the blocks since must lead to the older state's root",
  );
  const byHash = new Map(changed.map((entry) => [toHexDigits(entry.accountHash), entry]));
  return {
    accounts: overlaidNodes(current.tries.accounts, update.nodeChanges),
    storage: (accountHash) => {
      const below = current.tries.storage(accountHash);
      const entry = byHash.get(toHexDigits(accountHash));
      if (entry === undefined || entry.slots.size === 0) return below;
      const root = current.reader.account(entry.address)?.storageRoot ?? emptyTrieRoot(hash);
      const storage = updateTrie(below, root, slotUpdates(entry.slots.values(), hash), hash);
      const olderRoot = entry.account?.storageRoot ?? emptyTrieRoot(hash);
      assert(
        equalBytes(storage.root, olderRoot),
        "undoing the blocks since must lead to the older storage root",
      );
      return overlaidNodes(below, storage.nodeChanges);
    },
  };
}

function overlaidNodes(below: TrieNodeReader, changes: readonly TrieNodeChange[]): TrieNodeReader {
  const changed = new Map(changes.map(({ path, node }) => [toHexDigits(path), node]));
  return {
    node: (path) => {
      const key = toHexDigits(path);
      return changed.has(key) ? changed.get(key) : below.node(path);
    },
  };
}
