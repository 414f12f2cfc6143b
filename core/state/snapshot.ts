import {
  Address,
  type Bytes,
  bigintToMinimalBytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  unwrap,
  wordToBytes,
} from "@ostrom/base";
import { decodeRlpWith, encodeRlp, readRlpUint, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { decodeAccount, EMPTY_CODE_HASH } from "./account.ts";
import type { StateUndo } from "./commit.ts";
import { accountKey, nodeKey, slotRecordKey } from "./keys.ts";
import {
  proveRange,
  type RangeAnswer,
  type RangeLimits,
  type RangeProofErrorCode,
  type TrieRange,
  verifyRange,
} from "./range-proof.ts";
import type { TrieNodeChange } from "./trie.ts";
import type { TrieEntry } from "./trie-entries.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import type { Account, KeyValueReader, TrieNodeReader, WriteOperation } from "./types.ts";

/** Parts of a state on their way from one node to another: ranges of accounts and of slots with their proofs, in the order of
 * the tries, which is that of hashes. Flat records lie under addresses and slots, so what is sent names those, and who
 * serves looks them up in an index of what the hashes are of. */

/** Tables of the store that only snapshots use. The first byte of a key names the table, as in `STATE_TABLES`. */
export const SNAPSHOT_TABLES: {
  readonly accountPreimage: 0x58;
  readonly slotPreimage: 0x59;
  readonly progress: 0x50;
} = {
  /** "X", hash of the address -> address. May hold more than there is: accounts that are gone. */
  accountPreimage: 0x58,
  /** "Y", hash of the slot -> slot. */
  slotPreimage: 0x59,
  /** "P", ... -> how far the index, or a snapshot that is being fetched, has come (node/runtime). */
  progress: 0x50,
};

/** Of the whole trie. */
export const FULL_RANGE: TrieRange = {
  start: new Uint8Array(32),
  end: new Uint8Array(32).fill(0xff),
};

/** A trie of a state that is served, and what its keys are hashes of. */
export type ServedTrie = {
  readonly nodes: TrieNodeReader;
  readonly root: Hash;
  readonly index: KeyValueReader;
  readonly hash?: TrieHash | undefined;
};

/** Accounts as they are sent: under their addresses, with the bytes that the trie holds. */
export type AccountRange = Omit<RangeAnswer, "entries"> & {
  readonly accounts: readonly { readonly address: Address; readonly value: Bytes }[];
};

export type SlotRange = Omit<RangeAnswer, "entries"> & {
  readonly slots: readonly { readonly slot: bigint; readonly value: bigint }[];
};

export type SnapshotErrorCode = RangeProofErrorCode | "snapshot/malformed";

/** An account that came, and what is still to be fetched of it. */
export type FetchedAccount = {
  readonly address: Address;
  readonly accountHash: Hash;
  readonly account: Account;
  readonly hasStorage: boolean;
  readonly hasCode: boolean;
};

/** Reads a range of accounts. @returns undefined if the index lacks one of them. */
export function serveAccounts(
  trie: ServedTrie,
  range: TrieRange,
  limits: RangeLimits,
): AccountRange | undefined {
  const { entries, ...answer } = proveRange(trie.nodes, trie.root, range, limits, trie.hash);
  const accounts: { address: Address; value: Bytes }[] = [];
  for (const { key, value } of entries) {
    const address = trie.index.get(accountPreimageKey(key));
    if (address === undefined) return undefined;
    accounts.push({ address: Address(address.slice()), value });
  }
  return { ...answer, accounts };
}

/** Reads a range of an account's slots. @returns undefined if the index lacks one of them. */
export function serveSlots(trie: ServedTrie, range: TrieRange, limits: RangeLimits): SlotRange | undefined {
  const { entries, ...answer } = proveRange(trie.nodes, trie.root, range, limits, trie.hash);
  const slots: { slot: bigint; value: bigint }[] = [];
  for (const { key, value } of entries) {
    const slot = trie.index.get(slotPreimageKey(key));
    if (slot === undefined) return undefined;
    const word = unwrap(decodeRlpWith(value, (item) => readRlpUint(item, "slot value")));
    slots.push({ slot: bytesToBigint(slot), value: word });
  }
  return { ...answer, slots };
}

/** Checks a range of accounts against a state root that is trusted.
 * @returns what to write (records, nodes, index), and what came. Errors: those of `verifyRange`; `snapshot/malformed`. */
export function acceptAccounts(
  stateRoot: Hash,
  range: TrieRange,
  answer: AccountRange,
  hash: TrieHash = keccak256,
): Result<
  { readonly operations: readonly WriteOperation[]; readonly accounts: readonly FetchedAccount[] },
  Failure<SnapshotErrorCode>
> {
  const entries = answer.accounts.map(({ address, value }) => ({ key: hash(address), value }));
  const verified = verifyRange(stateRoot, range, { ...answer, entries }, hash);
  if (!verified.ok) return verified;
  const operations = nodeOperations(undefined, verified.value);
  const accounts: FetchedAccount[] = [];
  for (const [index, { address, value }] of answer.accounts.entries()) {
    const decoded = decodeAccount(value);
    if (!decoded.ok) return fail("snapshot/malformed", decoded.error.message);
    const account = decoded.value;
    const accountHash = entries[index]!.key;
    operations.push({ key: accountKey(address), value }, accountPreimage(accountHash, address));
    const hasStorage = !equalBytes(account.storageRoot, emptyTrieRoot(hash));
    const hasCode = !equalBytes(account.codeHash, EMPTY_CODE_HASH);
    accounts.push({ address, accountHash, account, hasStorage, hasCode });
  }
  return ok({ operations, accounts });
}

/** Checks a range of an account's slots against its storage root.
 * @returns what to write. Errors: those of `verifyRange`; `snapshot/malformed` (a slot that says 0). */
export function acceptSlots(
  owner: { readonly address: Address; readonly accountHash: Hash; readonly storageRoot: Hash },
  range: TrieRange,
  answer: SlotRange,
  hash: TrieHash = keccak256,
): Result<
  { readonly operations: readonly WriteOperation[]; readonly last: Bytes | undefined },
  Failure<SnapshotErrorCode>
> {
  const entries: TrieEntry[] = [];
  for (const { slot, value } of answer.slots) {
    if (value === 0n) return fail("snapshot/malformed", "a slot that is 0 has no entry");
    entries.push({ key: hash(wordToBytes(slot)), value: encodeRlp(rlpUint(value)) });
  }
  const verified = verifyRange(owner.storageRoot, range, { ...answer, entries }, hash);
  if (!verified.ok) return verified;
  const operations = nodeOperations(owner.accountHash, verified.value);
  for (const [index, { slot, value }] of answer.slots.entries()) {
    operations.push(
      { key: slotRecordKey(owner.address, slot), value: bigintToMinimalBytes(value) },
      slotPreimage(entries[index]!.key, slot),
    );
  }
  return ok({ operations, last: entries.at(-1)?.key });
}

/** What the index of a store lacks after a block: accounts and slots that the block made.
 * @param undos reverse differences of the blocks. */
export function preimagesOf(undos: Iterable<StateUndo>, hash: TrieHash = keccak256): WriteOperation[] {
  const operations: WriteOperation[] = [];
  for (const { accounts } of undos) {
    for (const { address, account, slots } of accounts) {
      if (account === undefined) operations.push(accountPreimage(hash(address), address));
      for (const { slot, value } of slots)
        if (value === 0n) operations.push(slotPreimage(hash(wordToBytes(slot)), slot));
    }
  }
  return operations;
}

/** The entry of the index for a flat record. @param key of a table of `STATE_TABLES`: `account` or `slot`. */
export function preimageOfRecord(key: Bytes, hash: TrieHash = keccak256): WriteOperation {
  if (key.length === ACCOUNT_KEY_BYTES) {
    const address = Address(key.slice(1));
    return accountPreimage(hash(address), address);
  }
  const slot = key.slice(ACCOUNT_KEY_BYTES);
  return slotPreimage(hash(slot), bytesToBigint(slot));
}

const ACCOUNT_KEY_BYTES = 21;

function accountPreimageKey(accountHash: Bytes): Bytes {
  return concatBytes(Uint8Array.of(SNAPSHOT_TABLES.accountPreimage), accountHash);
}

function slotPreimageKey(slotHash: Bytes): Bytes {
  return concatBytes(Uint8Array.of(SNAPSHOT_TABLES.slotPreimage), slotHash);
}

function accountPreimage(accountHash: Bytes, address: Address): WriteOperation {
  return { key: accountPreimageKey(accountHash), value: address };
}

/** Slot 0 has a byte too: a record is never empty. */
function slotPreimage(slotHash: Bytes, slot: bigint): WriteOperation {
  const value = slot === 0n ? Uint8Array.of(0) : bigintToMinimalBytes(slot);
  return { key: slotPreimageKey(slotHash), value };
}

function nodeOperations(owner: Hash | undefined, nodes: readonly TrieNodeChange[]): WriteOperation[] {
  return nodes.map(({ path, node }) => ({ key: nodeKey(owner, path), value: node }));
}

/** Splits the keys into equal ranges, in order. @param count a power of 2, 256 at most. */
export function splitRange(count: number): readonly TrieRange[] {
  const width = 256 / count;
  return Array.from({ length: count }, (_, index) => {
    const start = new Uint8Array(32);
    const end = new Uint8Array(32).fill(0xff);
    start[0] = index * width;
    end[0] = (index + 1) * width - 1;
    return { start, end };
  });
}
