import {
  type Address,
  type Bytes,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  wordToBytes,
} from "@ostrom/base";
import { decodeRlpWith, readRlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { decodeAccount } from "./account.ts";
import type { StateTries } from "./commit.ts";
import { type ProofErrorCode, proveTrie, verifyTrieProof } from "./proof.ts";
import { emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
import type { Account, StateReader } from "./types.ts";

/** What eth_getProof answers. Source: EIP-1186. */
export type AccountProof = {
  /** undefined: the proof shows that there is no such account. */
  readonly account: Account | undefined;
  readonly accountProof: readonly Bytes[];
  readonly storage: readonly SlotProof[];
};

export type SlotProof = { readonly slot: bigint; readonly value: bigint; readonly proof: readonly Bytes[] };

/** Proves an account and some of its slots in one state. */
export function proveAccount(
  state: { readonly reader: StateReader; readonly tries: StateTries; readonly stateRoot: Hash },
  address: Address,
  slots: readonly bigint[],
  hash: TrieHash = keccak256,
): AccountProof {
  const accountHash = hash(address);
  const account = state.reader.account(address);
  const storageRoot = account?.storageRoot ?? emptyTrieRoot(hash);
  const storageTrie = slots.length === 0 ? undefined : state.tries.storage(accountHash);
  return {
    account,
    accountProof: proveTrie(state.tries.accounts, state.stateRoot, accountHash, hash),
    storage: slots.map((slot) => ({
      slot,
      value: state.reader.storage(address, slot),
      proof:
        storageTrie === undefined ? [] : proveTrie(storageTrie, storageRoot, hash(wordToBytes(slot)), hash),
    })),
  };
}

/** Checks the proof of an account against a state root that is trusted already.
 * @returns the account, or undefined where the proof shows that there is none.
 * Errors: those of `verifyTrieProof`, and `proof/malformed-value`. */
export function verifyAccountProof(
  stateRoot: Hash,
  address: Address,
  proof: readonly Bytes[],
  hash: TrieHash = keccak256,
): Result<Account | undefined, Failure<ProofErrorCode | "proof/malformed-value">> {
  const value = verifyTrieProof(stateRoot, hash(address), proof, hash);
  if (!value.ok || value.value === undefined) return value as Result<undefined, Failure<ProofErrorCode>>;
  const account = decodeAccount(value.value);
  return account.ok ? account : fail("proof/malformed-value", account.error.message);
}

/** Checks the proof of a slot against an account's storage root.
 * @returns the slot's value, 0 where the proof shows that there is none.
 * Errors: those of `verifyTrieProof`, and `proof/malformed-value`. */
export function verifySlotProof(
  storageRoot: Hash,
  slot: bigint,
  proof: readonly Bytes[],
  hash: TrieHash = keccak256,
): Result<bigint, Failure<ProofErrorCode | "proof/malformed-value">> {
  const value = verifyTrieProof(storageRoot, hash(wordToBytes(slot)), proof, hash);
  if (!value.ok) return value;
  if (value.value === undefined) return ok(0n);
  const word = decodeRlpWith(value.value, (item) => readRlpUint(item, "slot value"));
  return word.ok ? word : fail("proof/malformed-value", word.error.message);
}
