import { type Bytes, EMPTY_BYTES, equalBytes, type Failure, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { decodeBatch } from "@ostrom/dissemination";
import {
  AGILE_TRANSACTION_TYPE,
  type ChainRules,
  checkStaticallyUnderAny,
  decodeTransaction,
  recoverSender,
} from "@ostrom/execution";
import { ENTRY_LENGTH, writeEntry } from "./sender-entries.ts";

/** What a batch is, as one pass over it tells: nothing in it needs state. */
export type CheckedBatch = {
  /** As `ResolvedBatch.entries`. */
  readonly entries: Bytes;
  readonly count: number;
  /** Sum of the gas limits of those that can be read. */
  readonly gasLimit: bigint;
  /** The first transaction that is not what an honest author sends. */
  readonly failure: BatchFailure | undefined;
  /** The first that is not what a batch claims, whenever and by whomever it is read: unreadable, or not signed by whom it is said to be. */
  readonly lie: BatchFailure | undefined;
};

export type BatchFailure = Failure & { readonly index: number };

export type BatchCheck = {
  readonly bytes: Bytes;
  /** Whose word counts: `claims` are believed, as a certificate vouches for them, or each signature is checked. */
  readonly believes: boolean;
  /** Whole seconds: by this time's rules its transactions are judged. */
  readonly timestamp: number;
};

const ADDRESS_LENGTH = 20;

/** What a signature worker computes of a batch. */
export function checkBatch(rules: ChainRules, { bytes, believes, timestamp }: BatchCheck): CheckedBatch {
  const read = decodeBatch(bytes);
  if (!read.ok) return unreadable(read.error);
  const { transactions, claims } = read.value;
  const entries = new Uint8Array(transactions.length * ENTRY_LENGTH);
  const seen = new Set<string>();
  let gasLimit = 0n;
  let failure: BatchFailure | undefined;
  let lie: BatchFailure | undefined;
  const fail = (index: number, error: Failure): void => {
    failure ??= { ...error, index };
  };
  const isLie = (index: number, error: Failure): void => {
    fail(index, error);
    lie ??= { ...error, index };
  };
  for (const [index, raw] of transactions.entries()) {
    const hash = keccak256(raw);
    const decoded = decodeTransaction(raw, hash);
    if (!decoded.ok) {
      isLie(index, decoded.error);
      continue;
    }
    const transaction = decoded.value;
    gasLimit += transaction.gasLimit;
    const valid = checkStaticallyUnderAny(transaction, rules, timestamp);
    if (!valid.ok) fail(index, valid.error);
    const name = toHexDigits(hash);
    if (seen.has(name)) fail(index, { code: "batch/duplicate", message: `transaction ${name} twice` });
    seen.add(name);
    const claimed = claims.subarray(index * ADDRESS_LENGTH, (index + 1) * ADDRESS_LENGTH);
    // Who names itself is believed by nobody else: execution checks its keys.
    if (believes && claimed.length > 0 && raw[0] !== AGILE_TRANSACTION_TYPE) {
      writeEntry(entries, index, hash, claimed, undefined);
      continue;
    }
    const sender = recoverSender(transaction);
    if (!sender.ok) {
      isLie(index, sender.error);
      continue;
    }
    if (claimed.length > 0 && !equalBytes(sender.value, claimed))
      isLie(index, { code: "batch/false-claim", message: `transaction ${name} is of another sender` });
    writeEntry(entries, index, hash, sender.value, undefined);
  }
  return { entries, count: transactions.length, gasLimit, failure, lie };
}

function unreadable(error: Failure): CheckedBatch {
  const lie = { ...error, index: 0 };
  return { entries: EMPTY_BYTES, count: 0, gasLimit: 0n, failure: lie, lie };
}
