import {
  type Bytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import { decodeRlp, encodeRlp, type RlpItem } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import {
  codeKey,
  decodeAccount,
  EMPTY_CODE_HASH,
  emptyTrieRoot,
  encodeAccount,
  nodeKey,
  STATE_TABLES,
  type TrieHash,
} from "@ostrom/state";
import type { StoreView } from "@ostrom/storage";

export type StateCheck = { readonly accounts: number; readonly slots: number; readonly codes: number };

type CheckFailure = Failure<"backup/damaged">;

const ADDRESS_BYTES = 20;
const SLOT_BYTES = 32;
const BRANCH_ITEMS = 17;
const HASH_BYTES = 32;
const MODULUS: bigint = 1n << 256n;

/** Walks the whole state of a store: each node of the tries is the one that its parent names, up to the root, and the flat records say
 * the same as the tries' leaves. The two are compared as sums of hashes, so that memory does not grow with the state.
 * @param hash the chain's, of nodes and keys. Source: AdHash (Bellare and Micciancio 1997). Errors: `backup/damaged`. */
export async function checkState(
  store: StoreView,
  stateRoot: Hash,
  hash: TrieHash,
): Promise<Result<StateCheck, CheckFailure>> {
  const inTries = new Sum();
  const codes = new Set<string>();
  let accounts = 0;
  let slots = 0;
  try {
    for (const leaf of leaves({ store, hash }, undefined, stateRoot)) {
      accounts += 1;
      inTries.add(leaf.key, leaf.value);
      const account = decodeAccount(leaf.value);
      if (!account.ok) throw new DamageError("an account in the trie cannot be read");
      checkCode(store, account.value.codeHash, codes);
      for (const slot of leaves({ store, hash }, leaf.key as Hash, account.value.storageRoot)) {
        slots += 1;
        inTries.add(leaf.key, slot.key, slot.value);
      }
    }
  } catch (error) {
    if (error instanceof DamageError)
      return fail("backup/damaged", `the state is not that of its root: ${error.message}`);
    throw error;
  }
  const inRecords = await sumOfRecords(store, hash);
  if (inRecords.value !== inTries.value)
    return fail("backup/damaged", "the state's records are not those of its tries");
  return ok({ accounts, slots, codes: codes.size });
}

class DamageError extends Error {
  override readonly name = "DamageError";
}

class Sum {
  value = 0n;

  add(...parts: readonly Bytes[]): void {
    this.value = (this.value + bytesToBigint(keccak256(concatBytes(...parts)))) % MODULUS;
  }
}

function checkCode(store: StoreView, codeHash: Hash, known: Set<string>): void {
  const name = toHexDigits(codeHash);
  if (equalBytes(codeHash, EMPTY_CODE_HASH) || known.has(name)) return;
  const code = store.get(codeKey(codeHash));
  if (code === undefined || !equalBytes(keccak256(code), codeHash))
    throw new DamageError(`the code 0x${name} is not there, or another`);
  known.add(name);
}

type Tries = { readonly store: StoreView; readonly hash: TrieHash };
type Leaf = { readonly key: Bytes; readonly value: Bytes };

/** @param owner hash of the account whose storage it is; undefined: the accounts themselves. */
function* leaves({ store, hash }: Tries, owner: Hash | undefined, root: Hash): Generator<Leaf> {
  if (equalBytes(root, emptyTrieRoot(hash))) return;
  const node = (path: Bytes, expected: Bytes): readonly RlpItem[] =>
    readStored(store.get(nodeKey(owner, path)), expected, hash);
  yield* leavesBelow(node, [], root);
}

/** @param reference the hash of a stored node, or a shorter node itself. @param path nibbles. */
function* leavesBelow(
  node: (path: Bytes, expected: Bytes) => readonly RlpItem[],
  path: readonly number[],
  reference: RlpItem,
): Generator<Leaf> {
  const items = reference instanceof Uint8Array ? node(Uint8Array.from(path), reference) : reference;
  if (items.length === BRANCH_ITEMS) {
    for (const [nibble, child] of items.slice(0, -1).entries()) {
      if (child instanceof Uint8Array && child.length === 0) continue;
      yield* leavesBelow(node, [...path, nibble], child);
    }
    return;
  }
  const [packed, rest] = items;
  if (items.length !== 2 || !(packed instanceof Uint8Array) || rest === undefined)
    throw new DamageError("a node has no form of a node");
  const { nibbles, isLeaf } = unpack(packed);
  const below = [...path, ...nibbles];
  if (!isLeaf) yield* leavesBelow(node, below, rest);
  else if (rest instanceof Uint8Array) yield { key: pack(below), value: rest };
  else throw new DamageError("a leaf has no value");
}

function readStored(encoded: Bytes | undefined, expected: Bytes, hash: TrieHash): readonly RlpItem[] {
  if (encoded === undefined) throw new DamageError("a node is not there");
  if (expected.length !== HASH_BYTES || !equalBytes(hash(encoded), expected))
    throw new DamageError("a node is not the one that its parent names");
  const decoded = decodeRlp(encoded.slice());
  if (!decoded.ok || decoded.value instanceof Uint8Array) throw new DamageError("a node cannot be read");
  return decoded.value;
}

/** Hex-prefix encoding. Source: Yellow Paper, appendix C. */
function unpack(packed: Bytes): { readonly nibbles: readonly number[]; readonly isLeaf: boolean } {
  const all = [...packed].flatMap((byte) => [byte >> 4, byte & 0x0f]);
  const flags = all[0] ?? 0;
  return { nibbles: all.slice((flags & 1) === 1 ? 1 : 2), isLeaf: (flags & 2) === 2 };
}

function pack(nibbles: readonly number[]): Bytes {
  return Uint8Array.from(
    { length: nibbles.length >> 1 },
    (_, at) => (nibbles[2 * at]! << 4) | nibbles[2 * at + 1]!,
  );
}

/** What the tries of the flat records would hold. */
async function sumOfRecords(store: StoreView, hash: TrieHash): Promise<Sum> {
  const sum = new Sum();
  for await (const [key, value] of store.entries(tableRange(STATE_TABLES.account))) {
    const account = decodeAccount(value);
    if (!account.ok) throw new DamageError("an account's record cannot be read");
    sum.add(hash(key.subarray(1)), encodeAccount(account.value));
  }
  let owner: { readonly address: Bytes; readonly hash: Hash } | undefined;
  for await (const [key, value] of store.entries(tableRange(STATE_TABLES.slot))) {
    const address = key.slice(1, 1 + ADDRESS_BYTES);
    if (owner === undefined || !equalBytes(owner.address, address)) owner = { address, hash: hash(address) };
    const slot = key.subarray(1 + ADDRESS_BYTES, 1 + ADDRESS_BYTES + SLOT_BYTES);
    sum.add(owner.hash, hash(slot), encodeRlp(value));
  }
  return sum;
}

function tableRange(table: number): { readonly start: Bytes; readonly end: Bytes } {
  return { start: Uint8Array.of(table), end: Uint8Array.of(table + 1) };
}
