import { type Address, assert, type Bytes, type Hash, must, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { EMPTY_CODE_HASH, sameHash } from "./account.ts";
import {
  accountDiffers,
  addToEntry,
  changedSlots,
  isEmptyEntry,
  NEVER,
  newEntry,
  newPlace,
  type OverlayEntry,
  type OverlayPlace,
  type OverlaySlot,
  removeAccount,
} from "./overlay-entry.ts";
import { slotKey } from "./slot-key.ts";
import { emptySets, type TransactionSets } from "./transaction-sets.ts";
import { EMPTY_TRIE_ROOT } from "./trie-hash.ts";
import type {
  AccountChange,
  JournaledState,
  Log,
  PlainTransfer,
  StateChanges,
  StateReader,
} from "./types.ts";

/** Collects what a run of transactions does to state, above any StateReader, which it never changes.
 *
 * Each change leaves a function in the journal that undoes it; `revertTo` runs them backwards. Reading fills entries but
 * is no change. Sources: EIP-161 (touched empty accounts), 1153 (transient storage), 2200 (original values), 2929 (warm
 * sets), 6780 (self-destruction in the creating transaction only). The exception that mainnet block 2,675,119 made for
 * the touch of 0x03 concerns no chain that starts with Cancun's rules, and is absent. */
export class StateOverlay implements JournaledState {
  readonly #below: StateReader;
  readonly #emptyTrieRoot: Hash;
  /** By the address's hex digits. */
  readonly #places = new Map<string, OverlayPlace>();
  /** By `place.address`, which nobody else has made: writing digits takes ten times as long as finding an object. */
  readonly #placesByObject = new Map<Address, OverlayPlace>();
  #lastPlace: OverlayPlace | undefined;
  /** Those of which the state below was asked, in this order. */
  readonly #read: OverlayPlace[] = [];
  #lastSlot = 0n;
  #lastSlotKey = slotKey(0n);
  #journal: (() => void)[] = [];
  #transaction = 0;
  #sets: TransactionSets = emptySets();
  #refund = 0n;
  #logs: Log[] = [];

  /** @param emptyTrieRoot what `storageRoot` of an account without storage is; differs where tries are not hashed by
   * keccak256. */
  constructor(below: StateReader, emptyTrieRoot: Hash = EMPTY_TRIE_ROOT) {
    this.#below = below;
    this.#emptyTrieRoot = emptyTrieRoot;
  }

  beginTransaction(): void {
    this.#transaction++;
    this.#journal = [];
    this.#sets = emptySets();
    this.#refund = 0n;
    this.#logs = [];
  }

  /** Logs and refund stay readable until the next transaction begins. */
  endTransaction(): void {
    this.#journal = [];
    for (const place of this.#sets.selfDestructed) {
      const entry = this.#sets.created.get(place);
      if (entry !== undefined) removeAccount(entry);
    }
    for (const entry of this.#sets.touched) {
      if (entry.touchedIn === this.#transaction && entry.exists && isEmptyEntry(entry)) removeAccount(entry);
    }
    // What follows before the next transaction begins (a reward, a withdrawal) finds no trace of this one.
    this.#transaction++;
    this.#sets = emptySets();
  }

  settleTransfer({ sender, to, value, fee, tip, coinbase }: PlainTransfer): void {
    this.#transaction++;
    const from = this.#entry(sender);
    assert(from.balance >= fee + value, "a balance must not be negative");
    from.exists = true;
    from.nonce += 1n;
    from.balance -= fee + value;
    const recipient = this.#entry(to);
    addToEntry(recipient, value);
    const proposer = this.#entry(coinbase);
    addToEntry(proposer, tip);
    // All three were touched; the sender, whose nonce is not 0, is not empty.
    if (recipient.exists && isEmptyEntry(recipient)) removeAccount(recipient);
    if (proposer.exists && isEmptyEntry(proposer)) removeAccount(proposer);
    this.#transaction++;
  }

  checkpoint(): number {
    return this.#journal.length;
  }

  revertTo(checkpoint: number): void {
    assert(checkpoint >= 0 && checkpoint <= this.#journal.length, "a checkpoint must be of this transaction");
    while (this.#journal.length > checkpoint) this.#journal.pop()?.();
  }

  address(address: Address): Address {
    return this.#place(address).address;
  }

  exists(address: Address): boolean {
    return this.#entry(address).exists;
  }

  isEmpty(address: Address): boolean {
    return isEmptyEntry(this.#entry(address));
  }

  balance(address: Address): bigint {
    return this.#entry(address).balance;
  }

  setBalance(address: Address, balance: bigint): void {
    assert(balance >= 0n, "a balance must not be negative");
    const entry = this.#changed(address);
    const previous = entry.balance;
    if (previous === balance) return;
    entry.balance = balance;
    this.#journal.push(() => {
      entry.balance = previous;
    });
  }

  nonce(address: Address): bigint {
    return this.#entry(address).nonce;
  }

  setNonce(address: Address, nonce: bigint): void {
    const entry = this.#changed(address);
    const previous = entry.nonce;
    if (previous === nonce) return;
    entry.nonce = nonce;
    this.#journal.push(() => {
      entry.nonce = previous;
    });
  }

  code(address: Address): Bytes {
    const entry = this.#entry(address);
    entry.code ??= this.#below.code(entry.codeHash);
    return entry.code;
  }

  codeHash(address: Address): Hash | undefined {
    const entry = this.#entry(address);
    return entry.exists ? entry.codeHash : undefined;
  }

  /** Keeps `code` without copying it. */
  setCode(address: Address, code: Bytes): void {
    const entry = this.#changed(address);
    const { code: previousCode, codeHash: previousHash } = entry;
    entry.code = code;
    entry.codeHash = code.length === 0 ? EMPTY_CODE_HASH : keccak256(code);
    this.#journal.push(() => {
      entry.code = previousCode;
      entry.codeHash = previousHash;
    });
  }

  /** Touching an absent account leaves it absent: it would be created empty, and removed at the end. */
  touch(address: Address): void {
    this.#touch(this.#entry(address));
  }

  /** Also true where this run has set to 0 the last slot of what lies below: only the trie could tell. No account that
   * a transaction can create at is like that. */
  hasStorage(address: Address): boolean {
    const entry = this.#entry(address);
    if (entry.below?.hasStorage === true && !entry.storageCleared) return true;
    for (const slot of entry.slots.values()) if (slot.value !== 0n) return true;
    return false;
  }

  storage(address: Address, slot: bigint): bigint {
    return this.#slot(this.#entry(address), slot).value;
  }

  originalStorage(address: Address, slot: bigint): bigint {
    const found = this.#slot(this.#entry(address), slot);
    return found.writtenIn === this.#transaction ? found.original : found.value;
  }

  setStorage(address: Address, slot: bigint, value: bigint): void {
    const found = this.#slot(this.#entry(address), slot);
    const previous = found.value;
    if (previous === value) return;
    this.#changed(address);
    if (found.writtenIn !== this.#transaction) {
      // Needs no undoing: a reverted first write leaves value and original equal.
      found.original = previous;
      found.writtenIn = this.#transaction;
    }
    found.value = value;
    this.#journal.push(() => {
      found.value = previous;
    });
  }

  transientStorage(address: Address, slot: bigint): bigint {
    return this.#sets.transient.get(this.#place(address))?.get(this.#slotKey(slot)) ?? 0n;
  }

  setTransientStorage(address: Address, slot: bigint, value: bigint): void {
    const slots = valueOrNew(this.#sets.transient, this.#place(address), () => new Map<string, bigint>());
    const key = this.#slotKey(slot);
    const previous = slots.get(key) ?? 0n;
    if (previous === value) return;
    slots.set(key, value);
    this.#journal.push(() => {
      slots.set(key, previous);
    });
  }

  warmAddress(address: Address): boolean {
    const place = this.#place(address);
    if (place.warmIn === this.#transaction) return true;
    place.warmIn = this.#transaction;
    this.#journal.push(() => {
      place.warmIn = NEVER;
    });
    return false;
  }

  warmSlot(address: Address, slot: bigint): boolean {
    const slots = valueOrNew(this.#sets.warmSlots, this.#place(address), () => new Set<string>());
    return this.#addTo(slots, this.#slotKey(slot));
  }

  refund(): bigint {
    return this.#refund;
  }

  addRefund(delta: bigint): void {
    if (delta === 0n) return;
    this.#refund += delta;
    this.#journal.push(() => {
      this.#refund -= delta;
    });
  }

  addLog(log: Log): void {
    const logs = this.#logs;
    logs.push(log);
    this.#journal.push(() => {
      logs.pop();
    });
  }

  logs(): readonly Log[] {
    return this.#logs;
  }

  markCreated(address: Address): void {
    const { created } = this.#sets;
    const place = this.#place(address);
    if (created.has(place)) return;
    created.set(place, this.#changed(address));
    this.#journal.push(() => {
      created.delete(place);
    });
  }

  wasCreated(address: Address): boolean {
    return this.#sets.created.has(this.#place(address));
  }

  markSelfDestructed(address: Address): void {
    this.#addTo(this.#sets.selfDestructed, this.#place(address));
  }

  /** What the run changed so far; accounts and slots that ended as they began are not in it. Call it between
   * transactions. */
  changes(): StateChanges {
    const accounts = new Map<string, AccountChange>();
    const codes = new Map<string, Bytes>();
    for (const { key, entry: read } of this.#read) {
      const entry = must(read, "what was read must be there");
      const storage = changedSlots(entry);
      const storageCleared = entry.storageCleared && entry.exists && entry.below?.hasStorage === true;
      if (storage.length === 0 && !storageCleared && !accountDiffers(entry)) continue;
      const { nonce, balance, codeHash, code } = entry;
      const account = entry.exists ? { nonce, balance, codeHash } : undefined;
      accounts.set(key, { address: entry.address, account, storageCleared, storage });
      const isNewCode = entry.below === undefined || !sameHash(entry.below.codeHash, codeHash);
      if (entry.exists && code !== undefined && code.length > 0 && isNewCode)
        codes.set(toHexDigits(codeHash), code);
    }
    return { accounts, codes };
  }

  #place(address: Address): OverlayPlace {
    if (this.#lastPlace?.address === address) return this.#lastPlace;
    const place = this.#placesByObject.get(address) ?? this.#placeByDigits(address);
    this.#lastPlace = place;
    return place;
  }

  #placeByDigits(address: Address): OverlayPlace {
    const key = toHexDigits(address);
    return valueOrNew(this.#places, key, () => {
      const place = newPlace(address, key);
      this.#placesByObject.set(place.address, place);
      return place;
    });
  }

  #entry(address: Address): OverlayEntry {
    const place = this.#place(address);
    if (place.entry !== undefined) return place.entry;
    place.entry = newEntry(place.address, this.#below.account(place.address), this.#emptyTrieRoot);
    this.#read.push(place);
    return place.entry;
  }

  /** Instructions ask several times for one slot. */
  #slotKey(slot: bigint): string {
    if (slot === this.#lastSlot) return this.#lastSlotKey;
    this.#lastSlot = slot;
    this.#lastSlotKey = slotKey(slot);
    return this.#lastSlotKey;
  }

  /** The entry of an account that is about to change: it exists from now on, and is touched. */
  #changed(address: Address): OverlayEntry {
    const entry = this.#entry(address);
    this.#touch(entry);
    if (!entry.exists) {
      entry.exists = true;
      this.#journal.push(() => {
        entry.exists = false;
      });
    }
    return entry;
  }

  #touch(entry: OverlayEntry): void {
    const previous = entry.touchedIn;
    if (previous === this.#transaction) return;
    entry.touchedIn = this.#transaction;
    this.#sets.touched.push(entry);
    this.#journal.push(() => {
      entry.touchedIn = previous;
    });
  }

  #slot(entry: OverlayEntry, slot: bigint): OverlaySlot {
    const key = this.#slotKey(slot);
    const found = entry.slots.get(key);
    if (found !== undefined) return found;
    const hasBelow = entry.below?.hasStorage === true && !entry.storageCleared;
    const below = hasBelow ? this.#below.storage(entry.address, slot) : 0n;
    const read: OverlaySlot = { slot, below, value: below, original: below, writtenIn: NEVER };
    entry.slots.set(key, read);
    return read;
  }

  #addTo<K>(set: Set<K>, key: K): boolean {
    if (set.has(key)) return true;
    set.add(key);
    this.#journal.push(() => {
      set.delete(key);
    });
    return false;
  }
}

function valueOrNew<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = create();
  map.set(key, value);
  return value;
}
