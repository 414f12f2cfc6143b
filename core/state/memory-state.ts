import {
  type Address,
  type Bytes,
  EMPTY_BYTES,
  equalBytes,
  type Hash,
  must,
  toHexDigits,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { EMPTY_CODE_HASH } from "./account.ts";
import { type CommittedState, commitState, type StateCommit, type StateTries } from "./commit.ts";
import { type GenesisAccount, genesisChanges } from "./genesis-accounts.ts";
import { slotKey } from "./slot-key.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import type { Account, SlotChange, StateChanges, StateReader } from "./types.ts";

/** A whole state in memory, with its tries: for tests, genesis and tools. */
export class MemoryState implements StateReader, CommittedState {
  readonly #hash: TrieHash;
  readonly #accounts = new Map<string, Account>();
  readonly #slots = new Map<string, Map<string, SlotChange>>();
  readonly #codes = new Map<string, Bytes>();
  readonly #nodes = new Map<string, Bytes>();
  #stateRoot: Hash;

  readonly reader: StateReader = this;
  readonly tries: StateTries = {
    accounts: { node: (path) => this.#nodes.get(nodeKey(undefined, path)) },
    storage: (accountHash) => ({ node: (path) => this.#nodes.get(nodeKey(accountHash, path)) }),
  };

  /** Begins empty. */
  constructor(hash: TrieHash = keccak256) {
    this.#hash = hash;
    this.#stateRoot = emptyTrieRoot(hash);
  }

  /** A state that holds the given accounts. */
  static of(accounts: Iterable<GenesisAccount>, hash: TrieHash = keccak256): MemoryState {
    const state = new MemoryState(hash);
    state.commit(genesisChanges(accounts));
    return state;
  }

  get stateRoot(): Hash {
    return this.#stateRoot;
  }

  account(address: Address): Account | undefined {
    return this.#accounts.get(toHexDigits(address));
  }

  storage(address: Address, slot: bigint): bigint {
    return this.#slots.get(toHexDigits(address))?.get(slotKey(slot))?.value ?? 0n;
  }

  code(codeHash: Hash): Bytes {
    if (equalBytes(codeHash, EMPTY_CODE_HASH)) return EMPTY_BYTES;
    return must(
      this.#codes.get(toHexDigits(codeHash)),
      "a code hash that an account names must have its code",
    );
  }

  slots(address: Address): Iterable<SlotChange> {
    return this.#slots.get(toHexDigits(address))?.values() ?? [];
  }

  /** Hex digits of the addresses of all accounts. */
  addresses(): Iterable<string> {
    return this.#accounts.keys();
  }

  /** How many trie nodes are kept. */
  nodeCount(): number {
    return this.#nodes.size;
  }

  /** Commits changes and makes the result this state. */
  commit(changes: StateChanges): StateCommit {
    const commit = commitState(this, changes, this.#hash);
    this.apply(commit);
    return commit;
  }

  /** Makes the result of a commit, computed on this state, this state. */
  apply(commit: StateCommit): void {
    for (const { address, account } of commit.accounts) put(this.#accounts, toHexDigits(address), account);
    for (const record of commit.slots) this.#putSlot(record.address, record);
    for (const { codeHash, code } of commit.codes) this.#codes.set(toHexDigits(codeHash), code);
    for (const { owner, path, node } of commit.nodeChanges) put(this.#nodes, nodeKey(owner, path), node);
    this.#stateRoot = commit.stateRoot;
  }

  #putSlot(address: Address, { slot, value }: SlotChange): void {
    const key = toHexDigits(address);
    const slots = this.#slots.get(key) ?? new Map<string, SlotChange>();
    put(slots, slotKey(slot), value === 0n ? undefined : { slot, value });
    put(this.#slots, key, slots.size === 0 ? undefined : slots);
  }
}

function put<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function nodeKey(owner: Hash | undefined, path: Bytes): string {
  return `${owner === undefined ? "" : toHexDigits(owner)}/${toHexDigits(path)}`;
}
