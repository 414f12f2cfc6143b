import {
  type Address,
  assert,
  type Bytes,
  compareBytes,
  equalBytes,
  type Hash,
  hashFromHex,
  wordToBytes,
} from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { encodeAccount } from "./account.ts";
import { slotKey } from "./slot-key.ts";
import { type TrieNodeChange, type TrieUpdate, updateTrie } from "./trie.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import type {
  Account,
  AccountChange,
  SlotChange,
  StateChanges,
  StateReader,
  TrieNodeReader,
} from "./types.ts";

/** The tries of one state: that of the accounts, and each account's storage. Both are secure tries: keys are hashes of
 * addresses and of slots (32 bytes, big-endian). Source: Yellow Paper, 4.1. */
export type StateTries = {
  readonly accounts: TrieNodeReader;
  readonly storage: (accountHash: Hash) => TrieNodeReader;
};

/** All that a commit reads of the state below. */
export type CommittedState = {
  readonly reader: StateReader;
  readonly tries: StateTries;
  /** The slots of an account that are not 0; asked for only when an account with storage is removed, which no chain does
   * whose genesis has no account that is empty but for its storage. */
  readonly slots: (address: Address) => Iterable<SlotChange>;
};

/** What is to be written, all or nothing, so that the next state stands. */
export type StateCommit = {
  readonly stateRoot: Hash;
  readonly accounts: readonly AccountRecord[];
  readonly slots: readonly SlotRecord[];
  readonly codes: readonly CodeRecord[];
  readonly nodeChanges: readonly OwnedNodeChange[];
  readonly undo: StateUndo;
};

/** undefined: remove the account's record. */
export type AccountRecord = {
  readonly address: Address;
  readonly account: Account | undefined;
  /** The account as the trie and the flat table have it. */
  readonly encoded?: Bytes | undefined;
};
/** 0: remove the slot's record. */
export type SlotRecord = SlotChange & { readonly address: Address };
export type CodeRecord = { readonly codeHash: Hash; readonly code: Bytes };
/** `owner` undefined: the account trie; otherwise the storage trie of the account whose address has this hash. */
export type OwnedNodeChange = TrieNodeChange & { readonly owner: Hash | undefined };

/** The reverse difference of a commit: what all that it changed was before. */
export type StateUndo = {
  /** Root of the state before. */
  readonly stateRoot: Hash;
  readonly accounts: readonly AccountUndo[];
};

export type AccountUndo = Pick<AccountRecord, "address" | "account"> & {
  readonly slots: readonly SlotChange[];
};

/** Computes the state that follows from changes: roots, records, trie nodes and the way back. Writes nothing.
 * @param stateRoot of the state below. */
export function commitState(
  below: CommittedState & { readonly stateRoot: Hash },
  changes: StateChanges,
  hash: TrieHash = keccak256,
): StateCommit {
  const slots: SlotRecord[] = [];
  const nodeChanges: OwnedNodeChange[] = [];
  const undone: AccountUndo[] = [];
  const accounts: AccountRecord[] = [];
  const updates: TrieUpdate[] = [];
  for (const change of changes.accounts.values()) {
    const { address } = change;
    const before = below.reader.account(address);
    if (before === undefined && change.account === undefined) continue;
    const accountHash = hash(address);
    const root = before?.storageRoot ?? emptyTrieRoot(hash);
    const storage = hasStorageChange(change)
      ? commitStorage(below, change, accountHash, root, hash)
      : { ...NO_STORAGE_CHANGE, root };
    const account = change.account && { ...change.account, storageRoot: storage.root };
    const encoded = account && encodeAccount(account);
    for (const { slot, value } of storage.written) slots.push({ address, slot, value });
    addNodeChanges(nodeChanges, accountHash, storage.nodeChanges);
    accounts.push({ address, account, encoded });
    updates.push({ key: accountHash, value: encoded });
    undone.push({ address, account: before, slots: storage.previous });
  }
  sortByKey(updates);
  const update = updateTrie(below.tries.accounts, below.stateRoot, updates, hash);
  addNodeChanges(nodeChanges, undefined, update.nodeChanges);
  return {
    stateRoot: update.root,
    accounts,
    slots,
    codes: [...changes.codes].map(([digits, code]) => ({ codeHash: hashFromHex(digits), code })),
    nodeChanges,
    undo: { stateRoot: below.stateRoot, accounts: undone },
  };
}

function addNodeChanges(
  all: OwnedNodeChange[],
  owner: Hash | undefined,
  changes: readonly TrieNodeChange[],
): void {
  for (const { path, node, decoded } of changes) all.push({ owner, path, node, decoded });
}

/** Hashes differ early, so that a number made of their first bytes decides nearly always. */
function sortByKey(updates: TrieUpdate[]): void {
  const ranked = updates.map((update) => ({ update, rank: rankOf(update.key) }));
  ranked.sort((a, b) => a.rank - b.rank || compareBytes(a.update.key, b.update.key));
  for (const [index, { update }] of ranked.entries()) updates[index] = update;
}

function rankOf(key: Bytes): number {
  return key[0]! * 2 ** 24 + ((key[1]! << 16) | (key[2]! << 8) | key[3]!);
}

/** An account that goes, or that was removed on the way, leaves storage to be looked at. */
function hasStorageChange({ account, storage, storageCleared }: AccountChange): boolean {
  return storage.length > 0 || storageCleared || account === undefined;
}

const NO_STORAGE_CHANGE: Omit<StorageCommit, "root"> = { nodeChanges: [], written: [], previous: [] };

type StorageCommit = {
  readonly root: Hash;
  readonly nodeChanges: readonly TrieNodeChange[];
  readonly written: readonly SlotChange[];
  readonly previous: readonly SlotChange[];
};

function commitStorage(
  below: CommittedState,
  change: AccountChange,
  accountHash: Hash,
  root: Hash,
  hash: TrieHash,
): StorageCommit {
  const { address } = change;
  const storageTrie = below.tries.storage(accountHash);
  const isEmpty = (trieRoot: Hash): boolean => equalBytes(trieRoot, emptyTrieRoot(hash));
  let written = change.storage;
  let update = updateTrie(storageTrie, root, slotUpdates(written, hash), hash);
  const isGone = change.account === undefined;
  if (isGone ? !isEmpty(update.root) : change.storageCleared && !isEmpty(root)) {
    written = overwriteSlots(below.slots(address), written);
    update = updateTrie(storageTrie, root, slotUpdates(written, hash), hash);
  }
  assert(!isGone || isEmpty(update.root), "nothing must remain of the storage of an account that is gone");
  const previous = written.map(({ slot }) => ({ slot, value: below.reader.storage(address, slot) }));
  return { root: update.root, nodeChanges: update.nodeChanges, written, previous };
}

/** The slots that are cleared, as 0, and over them those that are written. */
function overwriteSlots(
  cleared: Iterable<SlotChange>,
  written: readonly SlotChange[],
): readonly SlotChange[] {
  const slots = new Map<string, SlotChange>();
  for (const { slot } of cleared) slots.set(slotKey(slot), { slot, value: 0n });
  for (const change of written) slots.set(slotKey(change.slot), change);
  return [...slots.values()];
}

/** What the storage trie holds for slots: RLP of the value, under the slot's hash; nothing for 0. */
export function slotUpdates(slots: Iterable<SlotChange>, hash: TrieHash): TrieUpdate[] {
  const updates: TrieUpdate[] = [];
  for (const { slot, value } of slots) {
    updates.push({
      key: hash(wordToBytes(slot)),
      value: value === 0n ? undefined : encodeRlp(rlpUint(value)),
    });
  }
  return updates.sort((a, b) => compareBytes(a.key, b.key));
}
