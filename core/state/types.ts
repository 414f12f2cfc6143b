import type { Address, Bytes, Hash } from "@ostrom/base";
import type { TrieNode } from "./trie-node.ts";

/** What the account trie holds for an address. Source: Yellow Paper, 4.1. */
export type Account = {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly storageRoot: Hash;
  readonly codeHash: Hash;
};

/** Reads state as of one block. Synchronous: core never waits. */
export type StateReader = {
  readonly account: (address: Address) => Account | undefined;
  /** A 256-bit word; 0 where nothing was written. */
  readonly storage: (address: Address, slot: bigint) => bigint;
  /** Asserts that the code is there: a hash that an account names must have its code. */
  readonly code: (codeHash: Hash) => Bytes;
};

/** Reads nodes of one trie by their path (nibbles, one a byte) from the root. */
export type TrieNodeReader = {
  readonly node: (path: Bytes) => Bytes | undefined;
  /** The same node decoded, of readers that keep nodes in memory: what `node` would give for the first `depth` nibbles of `key`. */
  readonly decoded?: (key: Bytes, depth: number) => TrieNode | undefined;
};

/** Reads by key, synchronously: a database as it is now, or a snapshot of it. Values read may be kept, never mutated. */
export type KeyValueReader = {
  readonly get: (key: Bytes) => Bytes | undefined;
};

/** A key-value store; keys sort by bytes. Core needs no iteration: stores that iterate (node/storage) do so asynchronously. */
export type KeyValueStore = KeyValueReader & {
  /** Applies all or nothing. With `sync`, it is done only when the batch survives a power cut. What it returns, if
   * anything, is for those who write to wait on: core makes batches and never writes them. */
  readonly write: (batch: readonly WriteOperation[], options: { readonly sync: boolean }) => unknown;
};

/** Puts a value, or deletes the key where `value` is undefined. */
export type WriteOperation = { readonly key: Bytes; readonly value: Bytes | undefined };

export type Log = { readonly address: Address; readonly topics: readonly Hash[]; readonly data: Bytes };

/** What a transaction to an account without code does. The sender has what it takes. */
export type PlainTransfer = {
  readonly sender: Address;
  readonly to: Address;
  readonly value: bigint;
  /** What the sender pays for gas, in wei, and what of it the coinbase gets. */
  readonly fee: bigint;
  readonly tip: bigint;
  readonly coinbase: Address;
};

/** What the contract engine does to state within one transaction: every change can be undone to a checkpoint.
 * `class StateOverlay` (overlay.ts) implements it on any StateReader. */
export type JournaledState = {
  /** Starts a transaction: what storage holds now becomes "original"; warm sets, transient storage, refunds, logs and
   * the created and self-destructed sets become empty. */
  readonly beginTransaction: () => void;
  /** Ends it: removes accounts that were created and self-destructed in it (EIP-6780) and touched empty accounts
   * (EIP-161); nothing can be reverted any more. */
  readonly endTransaction: () => void;

  /** A whole transaction that runs no code and cannot fail, in one step, where a state can do that: with the same outcome as
   * `beginTransaction`, the changes one by one, `endTransaction`; what those leave to be read (logs, refund) is not touched. */
  readonly settleTransfer?: (transfer: PlainTransfer) => void;

  readonly checkpoint: () => number;
  /** Undoes all since the checkpoint, warm sets, logs, refunds and transient storage included. */
  readonly revertTo: (checkpoint: number) => void;

  /** The state's own copy of an address, the same object each time: whoever asks much of one account finds it faster by
   * that. Nobody may change it. */
  readonly address: (address: Address) => Address;
  readonly exists: (address: Address) => boolean;
  /** No code, nonce 0, balance 0 (EIP-161). True for an absent account. */
  readonly isEmpty: (address: Address) => boolean;
  readonly balance: (address: Address) => bigint;
  readonly setBalance: (address: Address, balance: bigint) => void;
  readonly nonce: (address: Address) => bigint;
  readonly setNonce: (address: Address, nonce: bigint) => void;
  readonly code: (address: Address) => Bytes;
  /** keccak256("") for an account without code, undefined for an absent one. */
  readonly codeHash: (address: Address) => Hash | undefined;
  readonly setCode: (address: Address, code: Bytes) => void;
  /** Marks the account as touched, so that EIP-161 removes it if it is empty at the end. */
  readonly touch: (address: Address) => void;
  /** True if the account's storage trie is not empty (EIP-7610). */
  readonly hasStorage: (address: Address) => boolean;

  readonly storage: (address: Address, slot: bigint) => bigint;
  /** The slot's value when the transaction began (EIP-2200). */
  readonly originalStorage: (address: Address, slot: bigint) => bigint;
  readonly setStorage: (address: Address, slot: bigint, value: bigint) => void;
  readonly transientStorage: (address: Address, slot: bigint) => bigint;
  readonly setTransientStorage: (address: Address, slot: bigint, value: bigint) => void;

  /** Adds to the accessed sets of EIP-2929. @returns whether it was warm already. */
  readonly warmAddress: (address: Address) => boolean;
  readonly warmSlot: (address: Address, slot: bigint) => boolean;

  readonly refund: () => bigint;
  readonly addRefund: (delta: bigint) => void;

  readonly addLog: (log: Log) => void;
  readonly logs: () => readonly Log[];

  readonly markCreated: (address: Address) => void;
  readonly wasCreated: (address: Address) => boolean;
  readonly markSelfDestructed: (address: Address) => void;
};

/** What a run of transactions changed, against the StateReader below. Keys of the maps are hex digits. */
export type StateChanges = {
  readonly accounts: ReadonlyMap<string, AccountChange>;
  readonly codes: ReadonlyMap<string, Bytes>;
};

export type AccountChange = {
  readonly address: Address;
  /** undefined: the account is gone, and its storage with it; `storage` may then list slots, all 0. */
  readonly account: { readonly nonce: bigint; readonly balance: bigint; readonly codeHash: Hash } | undefined;
  /** True if nothing of the storage below remains: the account was removed on the way and made anew. */
  readonly storageCleared: boolean;
  /** Slots whose value differs from the one below, each slot once. A list, because contracts choose slots and maps
   * keyed by them could be flooded. */
  readonly storage: readonly SlotChange[];
};

export type SlotChange = { readonly slot: bigint; readonly value: bigint };
