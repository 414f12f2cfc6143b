import { type Address, type Bytes, EMPTY_BYTES, type Hash } from "@ostrom/base";
import { EMPTY_CODE_HASH, sameHash } from "./account.ts";
import type { Account, SlotChange } from "./types.ts";

/** Of a transaction: none. */
export const NEVER = -1;

/** An address that a run has met, though it may not have asked what is there. */
export type OverlayPlace = {
  /** The overlay's own copy. */
  readonly address: Address;
  /** Its hex digits. */
  readonly key: string;
  /** undefined until somebody asks for anything of the account. */
  entry: OverlayEntry | undefined;
  /** Number of the transaction in which it is warm. */
  warmIn: number;
};

export function newPlace(address: Address, key: string): OverlayPlace {
  // The caller may go on to use the memory of its address.
  return { address: address.slice() as Address, key, entry: undefined, warmIn: NEVER };
}

/** An account as it stands now, with all that was read or written of it. */
export type OverlayEntry = {
  readonly address: Address;
  readonly below: BelowAccount | undefined;
  exists: boolean;
  nonce: bigint;
  balance: bigint;
  codeHash: Hash;
  /** Undefined until somebody asks for the code that lies below. */
  code: Bytes | undefined;
  slots: Map<string, OverlaySlot>;
  /** The account was removed in this run: the storage below no longer counts. */
  storageCleared: boolean;
  /** Number of the last transaction that changed or touched it. */
  touchedIn: number;
};

type BelowAccount = {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly codeHash: Hash;
  readonly hasStorage: boolean;
};

export type OverlaySlot = {
  readonly slot: bigint;
  readonly below: bigint;
  value: bigint;
  /** The value when transaction `writtenIn` began; older than that, `value` is the original. */
  original: bigint;
  writtenIn: number;
};

/** @param address is kept.
 * @param account as the state below has it. */
export function newEntry(address: Address, account: Account | undefined, emptyTrieRoot: Hash): OverlayEntry {
  const below = account && {
    nonce: account.nonce,
    balance: account.balance,
    codeHash: account.codeHash,
    hasStorage: !sameHash(account.storageRoot, emptyTrieRoot),
  };
  return {
    address,
    below,
    exists: below !== undefined,
    nonce: below?.nonce ?? 0n,
    balance: below?.balance ?? 0n,
    codeHash: below?.codeHash ?? EMPTY_CODE_HASH,
    code: below === undefined || sameHash(below.codeHash, EMPTY_CODE_HASH) ? EMPTY_BYTES : undefined,
    slots: new Map(),
    storageCleared: false,
    touchedIn: NEVER,
  };
}

export function isEmptyEntry(entry: OverlayEntry): boolean {
  return entry.nonce === 0n && entry.balance === 0n && sameHash(entry.codeHash, EMPTY_CODE_HASH);
}

/** Nothing makes no account. */
export function addToEntry(entry: OverlayEntry, value: bigint): void {
  if (value === 0n) return;
  entry.exists = true;
  entry.balance += value;
}

export function removeAccount(entry: OverlayEntry): void {
  entry.exists = false;
  entry.nonce = 0n;
  entry.balance = 0n;
  entry.codeHash = EMPTY_CODE_HASH;
  entry.code = EMPTY_BYTES;
  entry.slots = new Map();
  entry.storageCleared = true;
}

export function accountDiffers(entry: OverlayEntry): boolean {
  const { below, exists } = entry;
  if (below === undefined || !exists) return exists !== (below !== undefined);
  return (
    entry.nonce !== below.nonce ||
    entry.balance !== below.balance ||
    !sameHash(entry.codeHash, below.codeHash)
  );
}

export function changedSlots(entry: OverlayEntry): SlotChange[] {
  const changed: SlotChange[] = [];
  for (const { slot, below, value } of entry.slots.values())
    if (value !== below) changed.push({ slot, value });
  return changed;
}
