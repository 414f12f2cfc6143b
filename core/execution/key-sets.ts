import {
  type Address,
  addressFromWord,
  assert,
  type Bytes,
  bytesToBigint,
  concatBytes,
  type Hash,
  hashFromWord,
  padLeft,
  wordToBytes,
} from "@ostrom/base";
import type { JournaledState, StateReader } from "@ostrom/state";
import { create2Address } from "@ostrom/vm";
import { accountScheme } from "./account-keys.ts";
import { KEY_SETS_ADDRESS } from "./key-addresses.ts";
import { arraySlot, mappingSlot } from "./solidity-storage.ts";
import type { AccountKey } from "./types.ts";

// The storage of languages/solidity/keys/KeySets.sol, whose comments say what each value means. Packed words are read from the low end.

/** State as key sets are read from: that of a run of transactions fits. */
export type KeyState = Pick<JournaledState, "storage" | "code">;

/** What elliptic curves are worth on this chain. */
export type CurveBreak = {
  /** Unix seconds: changes of keys from then on that elliptic keys alone made count for nothing. */
  readonly since: bigint;
};

/** What the contract keeps of one account besides its sets. */
export type KeyRecord = {
  /** The newest version; 0: the account has no key set. */
  readonly version: number;
  /** keccak256(scheme id || public key) of a post-quantum key; undefined: none. */
  readonly commitment: Hash | undefined;
  /** Unix seconds. */
  readonly committedSince: bigint;
};

/** A version of a key set; its keys are read one by one. */
export type KeySet = {
  readonly version: number;
  readonly threshold: number;
  readonly count: number;
  readonly postQuantumCount: number;
  readonly isPostQuantum: boolean;
  readonly isAfterBreak: boolean;
  readonly appliedAt: bigint;
  readonly ellipticCount: number;
  readonly slot: bigint;
};

const ACCOUNTS_SLOT = 0n;
const SETS_SLOT = 1n;
export const ALLOWED_SCHEMES_SLOT = 2n;
export const RULES_SLOT = 3n;
export const BREAKERS_SLOT = 4n;
const COMMITMENT_OFFSET = 2n;
const COMMITTED_SINCE_OFFSET = 3n;
const KEYS_OFFSET = 2n;
const SCHEME_SHIFT = 160n;
const BREAK_THRESHOLD_SHIFT = 32n;
const BROKEN_SINCE_SHIFT = 40n;

/** Reads whether elliptic curves have been declared broken. @param state that a block begins with: a declaration counts from the next one on. */
export function readCurveBreak(state: Pick<StateReader, "storage">): CurveBreak | undefined {
  const since = BigInt.asUintN(64, state.storage(KEY_SETS_ADDRESS, RULES_SLOT) >> BROKEN_SINCE_SHIFT);
  return since === 0n ? undefined : { since };
}

export function readKeyRecord(state: Pick<KeyState, "storage">, account: Address): KeyRecord {
  const slot = accountSlot(account);
  const version = Number(BigInt.asUintN(32, state.storage(KEY_SETS_ADDRESS, slot)));
  const commitment = state.storage(KEY_SETS_ADDRESS, slot + COMMITMENT_OFFSET);
  return {
    version,
    commitment: commitment === 0n ? undefined : hashFromWord(commitment),
    committedSince: BigInt.asUintN(64, state.storage(KEY_SETS_ADDRESS, slot + COMMITTED_SINCE_OFFSET)),
  };
}

export function readKeySet(state: Pick<KeyState, "storage">, account: Address, version: number): KeySet {
  const slot = setSlot(account, version);
  const word = state.storage(KEY_SETS_ADDRESS, slot);
  const byte = (index: bigint): number => Number(BigInt.asUintN(8, word >> (8n * index)));
  return {
    version,
    slot,
    threshold: byte(0n),
    count: byte(1n),
    postQuantumCount: byte(2n),
    isPostQuantum: byte(3n) === 1,
    isAfterBreak: byte(4n) === 1,
    appliedAt: BigInt.asUintN(64, word >> 80n),
    ellipticCount: Number(BigInt.asUintN(32, word >> 144n)),
  };
}

/** The version that acts for an account, of which `newest` is in force: until elliptic curves are broken that one, from then on the one
 * before the first that elliptic keys alone made since. 0: none. Both searches are binary, because times and counts rise with versions: nobody can make
 * them long. */
export function actingVersion(
  state: Pick<KeyState, "storage">,
  account: Address,
  newest: number,
  broken: CurveBreak | undefined,
): number {
  if (broken === undefined || newest === 0) return newest;
  if (readKeySet(state, account, newest).isAfterBreak) return newest;
  const first = firstVersion(
    newest,
    (version) => readKeySet(state, account, version).appliedAt >= broken.since,
    1,
  );
  const before = first === 1 ? 0 : readKeySet(state, account, first - 1).ellipticCount;
  return (
    firstVersion(newest, (version) => readKeySet(state, account, version).ellipticCount > before, first) - 1
  );
}

/** A key of a set. @returns undefined if the set has no such key, or of another scheme. */
export function readSetKey(
  state: KeyState,
  set: KeySet,
  keyIndex: number,
  schemeId: number,
): AccountKey | undefined {
  if (keyIndex >= set.count) return undefined;
  const stored = state.storage(KEY_SETS_ADDRESS, set.slot + KEYS_OFFSET + BigInt(keyIndex));
  if (Number(stored >> SCHEME_SHIFT) !== schemeId) return undefined;
  const code = state.code(addressFromWord(BigInt.asUintN(160, stored)));
  const length = accountScheme(schemeId)?.publicKeyLength;
  assert(length !== undefined && code.length === length + KEY_PREFIX_LENGTH, "a stored key must be whole");
  return { schemeId, publicKey: code.slice(KEY_PREFIX_LENGTH) };
}

const KEY_PREFIX_LENGTH = 2;
const CREATE2_SALT = new Uint8Array(32);

/** The account whose code a key is, and that code: 0x00 || scheme id || public key. */
export function keyAccount({ schemeId, publicKey }: AccountKey): {
  readonly address: Address;
  readonly code: Bytes;
} {
  const code = concatBytes(Uint8Array.of(0, schemeId), publicKey);
  const initCode = concatBytes(
    Uint8Array.of(0x61, code.length >> 8, code.length & 0xff),
    // DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
    Uint8Array.of(0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3),
    code,
  );
  return { code, address: create2Address(KEY_SETS_ADDRESS, CREATE2_SALT, initCode) };
}

/** The word that stands for a key in storage. */
export function storedKey(key: AccountKey): bigint {
  return (BigInt(key.schemeId) << SCHEME_SHIFT) | bytesToBigint(keyAccount(key).address);
}

/** The rules of the contract as one word. */
export function rulesWord(timelockMinimum: number, breakThreshold: number): bigint {
  return BigInt(timelockMinimum) | (BigInt(breakThreshold) << BREAK_THRESHOLD_SHIFT);
}

export function breakerSlot(index: number): bigint {
  return arraySlot(BREAKERS_SLOT) + BigInt(index);
}

function accountSlot(account: Address): bigint {
  return mappingSlot(padLeft(account, 32), ACCOUNTS_SLOT);
}

function setSlot(account: Address, version: number): bigint {
  return mappingSlot(wordToBytes(BigInt(version)), mappingSlot(padLeft(account, 32), SETS_SLOT));
}

/** The first version from `low` on for which something holds that goes on holding; newest + 1 if there is none. */
function firstVersion(newest: number, holds: (version: number) => boolean, low: number): number {
  let first = low;
  let end = newest + 1;
  while (first < end) {
    const middle = Math.floor((first + end) / 2);
    if (holds(middle)) end = middle;
    else first = middle + 1;
  }
  return first;
}
