import {
  type Address,
  type Bytes,
  bigintToMinimalBytes,
  bytesToBigint,
  EMPTY_BYTES,
  equalBytes,
  type Hash,
  InvariantError,
  must,
  uint64ToBytes,
  unwrap,
  wordToBytes,
} from "@ostrom/base";
import { decodeAccount, EMPTY_CODE_HASH, encodeAccount } from "./account.ts";
import type { CommittedState, StateCommit, StateTries, StateUndo } from "./commit.ts";
import type { KeyValueReader, StateReader, WriteOperation } from "./types.ts";
import { decodeUndo, encodeUndo } from "./undo.ts";

/** How state lies in a key-value store. The first byte of a key names its table; the store's other users keep to other
 * first bytes. Values that are absent (no account, a slot of 0) have no record.
 *
 * Paths of trie nodes are one nibble a byte, so that keys sort as the trie is walked and a subtree is one range; they
 * are short (the depth of a node, some 5 to 9), and neighbours share prefixes, which the store compresses. */
export const STATE_TABLES: {
  readonly account: 0x61;
  readonly code: 0x63;
  readonly slot: 0x73;
  readonly accountNode: 0x74;
  readonly storageNode: 0x75;
  readonly undo: 0x7a;
} = {
  /** "a", address -> RLP of the account. */
  account: 0x61,
  /** "c", code hash -> code. */
  code: 0x63,
  /** "s", address, slot (32 bytes) -> value, big-endian without leading zeros. */
  slot: 0x73,
  /** "t", path -> node. */
  accountNode: 0x74,
  /** "u", hash of the address, path -> node. */
  storageNode: 0x75,
  /** "z", height (8 bytes) -> the reverse difference of the block. */
  undo: 0x7a,
};

export function accountKey(address: Address): Bytes {
  return key(STATE_TABLES.account, address);
}

export function codeKey(codeHash: Hash): Bytes {
  return key(STATE_TABLES.code, codeHash);
}

export function slotRecordKey(address: Address, slot: bigint): Bytes {
  return key(STATE_TABLES.slot, address, wordToBytes(slot));
}

/** @param owner hash of the account's address, or undefined for the account trie. @param path nibbles, one a byte. */
export function nodeKey(owner: Hash | undefined, path: Bytes): Bytes {
  return owner === undefined
    ? key(STATE_TABLES.accountNode, path)
    : key(STATE_TABLES.storageNode, owner, path);
}

export function undoKey(height: number): Bytes {
  return key(STATE_TABLES.undo, uint64ToBytes(height));
}

function key(table: number, first: Bytes, second: Bytes = EMPTY_BYTES): Bytes {
  const bytes = new Uint8Array(1 + first.length + second.length);
  bytes[0] = table;
  bytes.set(first, 1);
  if (second.length > 0) bytes.set(second, 1 + first.length);
  return bytes;
}

/** Reads the flat tables. */
export function storeReader(store: KeyValueReader): StateReader {
  return {
    account: (address) => {
      const record = store.get(accountKey(address));
      return record === undefined ? undefined : unwrap(decodeAccount(record));
    },
    storage: (address, slot) => bytesToBigint(store.get(slotRecordKey(address, slot)) ?? EMPTY_BYTES),
    code: (codeHash) => {
      if (equalBytes(codeHash, EMPTY_CODE_HASH)) return EMPTY_BYTES;
      return must(store.get(codeKey(codeHash)), "a code hash that an account names must have its code");
    },
  };
}

/** Reads the nodes of the tries. */
export function storeTries(store: KeyValueReader): StateTries {
  return {
    accounts: { node: (path) => store.get(nodeKey(undefined, path)) },
    storage: (accountHash) => ({ node: (path) => store.get(nodeKey(accountHash, path)) }),
  };
}

/** All that `commitState` reads, from a store. Stores do not iterate, and need not: only an account that is empty but for
 * its storage can be removed while it has storage, and no transaction can make such an account (EIP-7610, EIP-6780), so
 * it is enough that genesis has none. */
export function storeState(store: KeyValueReader): CommittedState {
  return {
    reader: storeReader(store),
    tries: storeTries(store),
    slots: () => {
      throw new InvariantError("an account that is removed must not have storage below");
    },
  };
}

/** The writes that make a commit the stored state: one batch, all or nothing.
 * @param height the block's, under which the reverse difference is kept; undefined keeps none (genesis). */
export function commitOperations(commit: StateCommit, height: number | undefined): WriteOperation[] {
  const operations: WriteOperation[] = [];
  for (const { address, account, encoded } of commit.accounts) {
    operations.push({ key: accountKey(address), value: encoded ?? (account && encodeAccount(account)) });
  }
  for (const { address, slot, value } of commit.slots) {
    operations.push({
      key: slotRecordKey(address, slot),
      value: value === 0n ? undefined : bigintToMinimalBytes(value),
    });
  }
  for (const { codeHash, code } of commit.codes) operations.push({ key: codeKey(codeHash), value: code });
  for (const { owner, path, node } of commit.nodeChanges)
    operations.push({ key: nodeKey(owner, path), value: node });
  if (height !== undefined) operations.push({ key: undoKey(height), value: encodeUndo(commit.undo) });
  return operations;
}

/** Reads the reverse difference of the block at `height`; undefined if it is no longer kept. */
export function readUndo(store: KeyValueReader, height: number): StateUndo | undefined {
  const record = store.get(undoKey(height));
  return record === undefined ? undefined : unwrap(decodeUndo(record));
}

/** Reads the reverse differences that lead from the state of `head` back to that of `height`, newest first.
 * @returns undefined if one of them is no longer kept. */
export function readUndos(store: KeyValueReader, head: number, height: number): StateUndo[] | undefined {
  const undos: StateUndo[] = [];
  for (let at = head; at > height; at--) {
    const undo = readUndo(store, at);
    if (undo === undefined) return undefined;
    undos.push(undo);
  }
  return undos;
}
