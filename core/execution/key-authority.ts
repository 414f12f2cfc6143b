import {
  Address,
  type Bytes,
  EMPTY_BYTES,
  equalBytes,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { JournaledState, Log, StateReader } from "@ostrom/state";
import { delegationDesignator, delegationTarget } from "@ostrom/vm";
import {
  addressOfKeys,
  isAuthorizedBy,
  isPostQuantumQuorum,
  isPostQuantumScheme,
  keyHash,
  keysDigest,
} from "./account-keys.ts";
import { KEY_SETS_ADDRESS, KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
import {
  actingVersion,
  type CurveBreak,
  type KeyRecord,
  type KeySet,
  type KeyState,
  readKeyRecord,
  readKeySet,
  readSetKey,
} from "./key-sets.ts";
import { signingHash } from "./transaction-encoding.ts";
import {
  type AccountKey,
  AGILE_TRANSACTION_TYPE,
  type AgileFields,
  type Receipt,
  type SignedTransaction,
  type Transaction,
} from "./types.ts";

/** What holds of keys in a block of a chain whose accounts have key sets. */
export type KeyRules = { readonly broken: CurveBreak | undefined };

/** Who signed a transaction. */
export type KeyAuthority = {
  /** Post-quantum keys alone would have sufficed. */
  readonly isPostQuantum: boolean;
  /** Of the keys in state that signed; undefined for inline keys. */
  readonly keys: readonly AccountKey[] | undefined;
};

type Refused = Failure<"execution/not-authorized">;

/** `Guarded(address indexed account, bool isGuarded)` */
const GUARDED_TOPIC: Bytes = keccak256(utf8("Guarded(address,bool)"));
const ADDRESS_OFFSET = 12;
/** The code of an account whose secp256k1 key alone may do nothing. */
export const KEYED_DESIGNATOR: Bytes = delegationDesignator(KEYED_ACCOUNT_ADDRESS);
/** Hash of that code. */
export const KEYED_CODE_HASH: Hash = keccak256(KEYED_DESIGNATOR);

/** Whether an account with this code acts by its key set alone: types 0 to 4 from it are void, its EIP-7702 tuples passed over, and ECRECOVER gives
 * nothing for it. */
export function isKeyedAccount(code: Bytes): boolean {
  return code.length === KEYED_DESIGNATOR.length && equalBytes(code, KEYED_DESIGNATOR);
}

/** Why a transaction of types 0 to 4 does not act for its sender any more, although its key has signed it; undefined if it does. Source: EIP-7851.
 * @param isKeyed whether the sender acts by its key set alone (`isKeyedAccount`). @param keys undefined where accounts have no key sets. */
export function refusalOfEthereumType(
  { type }: Pick<Transaction, "type">,
  isKeyed: boolean,
  keys: KeyRules | undefined,
): string | undefined {
  if (keys === undefined || type === AGILE_TRANSACTION_TYPE) return undefined;
  if (keys.broken !== undefined)
    return "elliptic curves are broken: transactions of types 0 to 4 are void on this chain";
  if (isKeyed) return "the sender acts by its key set alone: it takes a transaction of type 0x60";
  return undefined;
}

/** Which keys of state a transaction's authorizations are by, in their order: for those who check signatures elsewhere. Nothing is verified.
 * @returns undefined for types 0 to 4, for inline keys, and where state has no such keys. */
export function keysOfAuthorizations(
  state: KeyState,
  { agile }: Pick<SignedTransaction, "agile">,
  { broken }: KeyRules,
): readonly AccountKey[] | undefined {
  if (agile === undefined || agile.inlineKeys.length > 0) return undefined;
  const chosen = chooseSet(state, agile, readKeyRecord(state, agile.sender), broken);
  return chosen.ok ? chosen.value.keys : undefined;
}

/** Whether a set of keys has made a transaction's signatures: what a signature worker computes. */
export function hasValidSignatures(transaction: Transaction, keys: readonly AccountKey[]): boolean {
  const { agile } = transaction;
  if (agile === undefined || agile.authorizations.length !== keys.length) return false;
  const message = signingHash(transaction);
  return agile.authorizations.every((authorization, index) => {
    const key = keys[index];
    return key !== undefined && isAuthorizedBy(key, message, authorization);
  });
}

/** Whether the keys that signed an agile transaction may act for its sender, as state has it. Signatures of inline keys were checked before
 * (`recoverSender`); those of keys in state are checked here, unless `verifiedKeys` says that they were, by these very keys.
 * @param verify checks those signatures.
 * Errors: `execution/not-authorized`. */
export function authorize(
  state: KeyState,
  transaction: SignedTransaction,
  { broken }: KeyRules,
  verify: typeof hasValidSignatures = hasValidSignatures,
): Result<KeyAuthority, Refused> {
  const { agile } = transaction;
  if (agile === undefined) return refused("no agile transaction");
  const record = readKeyRecord(state, agile.sender);
  if (agile.inlineKeys.length > 0) return authorizeInline(state, agile, record, broken);
  const chosen = chooseSet(state, agile, record, broken);
  if (!chosen.ok) return chosen;
  const { keys, isPostQuantum } = chosen.value;
  const { verifiedKeys } = transaction;
  const isKnown = verifiedKeys !== undefined && equalBytes(verifiedKeys, keysDigest(keys));
  if (!isKnown && !verify(transaction, keys)) return refused("a key of the set has not made its signature");
  return ok({ isPostQuantum, keys });
}

/** Has the accounts delegate whose keys KeySets has changed: to KeyedAccount, or, if their own key alone acts for them, to nothing. Call it
 * before a transaction ends that has left these logs. */
export function applyGuards(state: JournaledState, logs: readonly Log[]): void {
  for (const log of logs) {
    const owner = guardedAccount(log);
    if (owner === undefined) continue;
    const code = state.code(owner);
    // KeySets lets no contract enroll; code of its own is never replaced.
    if (code.length > 0 && delegationTarget(code) === undefined) continue;
    state.setCode(owner, log.data.at(-1) === 1 ? KEYED_DESIGNATOR : EMPTY_BYTES);
  }
}

function authorizeInline(
  state: KeyState,
  agile: AgileFields,
  record: KeyRecord,
  broken: CurveBreak | undefined,
): Result<KeyAuthority, Refused> {
  const { sender, threshold, inlineKeys, authorizations } = agile;
  const schemeIds = inlineKeys.map(({ schemeId }) => schemeId);
  const signers = authorizations.map(({ schemeId }) => schemeId);
  const isPostQuantum = isPostQuantumQuorum(threshold, schemeIds, signers);
  const version = actingVersion(state, sender, record.version, broken);
  const isOwn = equalBytes(addressOfKeys(threshold, inlineKeys), sender);
  if (isOwn && version === 0) {
    if (broken === undefined || isPostQuantum) return ok({ isPostQuantum, keys: undefined });
    return refused("elliptic curves are broken, and post-quantum keys have not signed");
  }
  if (isCommittedKey(state, agile, record, version, broken))
    return ok({ isPostQuantum: true, keys: undefined });
  if (isOwn) return refused(`the account has a key set, of version ${version}`);
  return refused("the sender's address is not that of the inline key");
}

/** The post-quantum key that an account has committed to acts for it alone when elliptic curves are broken, unless its set has such keys. */
function isCommittedKey(
  state: KeyState,
  { sender, inlineKeys }: AgileFields,
  { commitment, committedSince }: KeyRecord,
  version: number,
  broken: CurveBreak | undefined,
): boolean {
  const [key] = inlineKeys;
  if (broken === undefined || commitment === undefined || key === undefined || inlineKeys.length > 1)
    return false;
  if (!isPostQuantumScheme(key.schemeId) || !equalBytes(keyHash(key), commitment)) return false;
  if (committedSince >= broken.since) return false;
  return version === 0 || readKeySet(state, sender, version).postQuantumCount === 0;
}

type ChosenSet = { readonly keys: readonly AccountKey[]; readonly isPostQuantum: boolean };

/** The keys of the acting set that the authorizations name, if so many of them suffice. */
function chooseSet(
  state: KeyState,
  { sender, keySetVersion, authorizations }: AgileFields,
  record: KeyRecord,
  broken: CurveBreak | undefined,
): Result<ChosenSet, Refused> {
  const version = actingVersion(state, sender, record.version, broken);
  if (version === 0) return refused("the account has no key set");
  if (version !== keySetVersion)
    return refused(`signed for version ${keySetVersion} of the key set; the account's is ${version}`);
  const set = readKeySet(state, sender, version);
  const postQuantum = authorizations.filter(({ schemeId }) => isPostQuantumScheme(schemeId)).length;
  const wrong = shortage(set, authorizations.length, postQuantum, broken);
  if (wrong !== undefined) return refused(wrong);
  const keys: AccountKey[] = [];
  for (const { keyIndex, schemeId } of authorizations) {
    const key = readSetKey(state, set, keyIndex, schemeId);
    if (key === undefined) return refused(`the key set has no key ${keyIndex} of this algorithm`);
    keys.push(key);
  }
  const needed = Math.min(set.threshold, set.postQuantumCount);
  return ok({ keys, isPostQuantum: needed > 0 && postQuantum >= needed });
}

function shortage(
  { threshold, postQuantumCount }: KeySet,
  signatures: number,
  postQuantum: number,
  broken: CurveBreak | undefined,
): string | undefined {
  if (signatures < threshold && broken === undefined)
    return `${signatures} signatures, ${threshold} are needed`;
  if (broken === undefined) return undefined;
  if (postQuantumCount === 0) return "elliptic curves are broken, and the key set has no post-quantum key";
  const needed = Math.min(threshold, postQuantumCount);
  return postQuantum < needed
    ? `${postQuantum} post-quantum signatures, ${needed} are needed since elliptic curves are broken`
    : undefined;
}

function refused(why: string): Result<never, Refused> {
  return fail("execution/not-authorized", `the sender's keys do not allow it: ${why}`);
}

/** Whether the keys that signed may act for the sender. @param isKeyed as `refusalOfEthereumType` has it; agile transactions are not asked.
 * @returns why not, or undefined. */
export type AuthorityCheck = (transaction: SignedTransaction, isKeyed: boolean) => Refused | undefined;

/** State as key sets are read from, of a reader. */
export function keyStateOf(reader: StateReader): KeyState {
  return {
    storage: (address, slot) => reader.storage(address, slot),
    code: (address) => {
      const account = reader.account(address);
      return account === undefined ? EMPTY_BYTES : reader.code(account.codeHash);
    },
  };
}

/** The check for pools, by the newest state. It verifies no signatures: those of keys in state must have been (`verifiedKeys`), by the keys that
 * state has now. What counts is the state that a transaction's own block begins with. */
export function authorityAsOf(reader: StateReader, rules: KeyRules): AuthorityCheck {
  const state = keyStateOf(reader);
  return (transaction, isKeyed) => {
    if (transaction.agile === undefined) {
      const refusal = refusalOfEthereumType(transaction, isKeyed, rules);
      return refusal === undefined ? undefined : { code: "execution/not-authorized", message: refusal };
    }
    const authority = authorize(state, transaction, rules, verifiesNone);
    return authority.ok ? undefined : authority.error;
  };
}

function verifiesNone(): boolean {
  return false;
}

/** Whose keys a block has changed, by its receipts; each once, as hex digits. */
export function rekeyedAccounts(receipts: readonly Receipt[]): readonly string[] {
  const owners = new Set<string>();
  for (const { logs } of receipts) {
    for (const log of logs) {
      const owner = guardedAccount(log);
      if (owner !== undefined) owners.add(toHexDigits(owner));
    }
  }
  return [...owners];
}

/** The account of an event `Guarded` of KeySets. */
function guardedAccount({ address, topics }: Log): Address | undefined {
  const [topic, account] = topics;
  if (topic === undefined || account === undefined) return undefined;
  if (!equalBytes(address, KEY_SETS_ADDRESS) || !equalBytes(topic, GUARDED_TOPIC)) return undefined;
  return Address(account.slice(ADDRESS_OFFSET));
}
