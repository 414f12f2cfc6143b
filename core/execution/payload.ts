import {
  type Bytes,
  concatBytes,
  type Failure,
  fail,
  type Hash,
  must,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import { decodeRlpWith, encodeRlp, readRlpBytes, readRlpList } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { FORKS, type Fork } from "@ostrom/vm";
import { forkAt } from "./fees.ts";
import { hasMoreItems } from "./item-count.ts";
import { checkStaticValidity } from "./static-validity.ts";
import { decodeTransaction, recoverSender } from "./transaction.ts";
import type { ChainRules, SignedTransaction, Transaction } from "./types.ts";

/** What consensus orders without reading it: one byte of format, then the content. Format 1 is rlp([raw transaction, ...]),
 * the transactions inline. */
const FORMAT_INLINE = 1;

/** More transactions than the longest payload can hold valid ones of. */
export const MAX_PAYLOAD_TRANSACTIONS = 32_768;

export type PayloadErrorCode =
  | "payload/malformed"
  | "payload/unsupported-format"
  | "payload/too-long"
  | "payload/too-much-gas"
  | "payload/duplicate-transaction"
  | "payload/invalid-transaction";

export type CheckedPayload = {
  readonly transactions: readonly SignedTransaction[];
  /** Sum of the transactions' gas limits. */
  readonly gasLimit: bigint;
};

/** @param transactions raw (EIP-2718), in order. */
export function encodePayload(transactions: readonly Bytes[]): Bytes {
  return concatBytes(Uint8Array.of(FORMAT_INLINE), encodeRlp(transactions));
}

/** The payload of a block without transactions. */
export const EMPTY_PAYLOAD: Bytes = encodePayload([]);

/** Reads the raw transactions of a payload, which share its memory; each may be anything.
 * Errors: `payload/malformed`, `payload/unsupported-format`. */
export function decodePayload(
  payload: Bytes,
): Result<readonly Bytes[], Failure<"payload/malformed" | "payload/unsupported-format">> {
  if (payload[0] === undefined) return fail("payload/malformed", "a payload of no bytes");
  if (payload[0] !== FORMAT_INLINE) {
    return fail("payload/unsupported-format", `payload format ${payload[0]} is not known to this version`);
  }
  const content = payload.subarray(1);
  if (hasMoreItems(content, MAX_PAYLOAD_TRANSACTIONS + 1)) {
    return fail("payload/malformed", `more than ${MAX_PAYLOAD_TRANSACTIONS} transactions`);
  }
  const decoded = decodeRlpWith(content, (item) =>
    readRlpList(item, "payload").map((entry) => readRlpBytes(entry, "transaction")),
  );
  return decoded.ok ? ok(decoded.value) : fail("payload/malformed", decoded.error.message);
}

/** What a payload is checked against. */
export type PayloadRequest = {
  readonly payload: Bytes;
  readonly rules: ChainRules;
  /** Of the block. */
  readonly timestampMs: number;
  /** From genesis. */
  readonly maxPayloadBytes: number;
  /** Answers a transaction that the caller has decoded and whose signature it has checked, by its hash (pool, worker). */
  readonly known?: (hash: Hash) => SignedTransaction | undefined;
};

export type ReadPayload = {
  /** Those that the caller knew are signed ones. */
  readonly transactions: readonly (Transaction | SignedTransaction)[];
  /** Sum of the transactions' gas limits. */
  readonly gasLimit: bigint;
};

/** Checks all of a payload but the signatures. They cost a hundred times as much, so who checks them elsewhere (workers)
 * looks at them after this, lest a payload of junk keep them busy.
 * Errors: those of `checkPayload`. */
export function checkPayloadBeforeSignatures(
  request: PayloadRequest,
): Result<ReadPayload, Failure<PayloadErrorCode>> {
  const { payload, rules, maxPayloadBytes } = request;
  if (payload.length > maxPayloadBytes) {
    return fail("payload/too-long", `${payload.length} bytes, at most ${maxPayloadBytes} are allowed`);
  }
  const raws = decodePayload(payload);
  if (!raws.ok) return raws;
  const forks = forksOfVotes(rules, Math.floor(request.timestampMs / 1000));
  const transactions: (Transaction | SignedTransaction)[] = [];
  const seen = new Set<string>();
  let gasLimit = 0n;
  for (const raw of raws.value) {
    const hash = keccak256(raw);
    const known = request.known?.(hash);
    const decoded = known === undefined ? decodeTransaction(raw, hash) : ok(known);
    if (!decoded.ok) return invalidTransaction(decoded.error);
    const valid = checkUnderAny(decoded.value, rules, forks);
    if (!valid.ok) return invalidTransaction(valid.error);
    const key = toHexDigits(hash);
    if (seen.has(key)) return fail("payload/duplicate-transaction", `transaction ${key} twice`);
    seen.add(key);
    gasLimit += decoded.value.gasLimit;
    if (gasLimit > rules.blockGasLimit) {
      return fail("payload/too-much-gas", `gas limits sum above the block's ${rules.blockGasLimit}`);
    }
    transactions.push(decoded.value);
  }
  return ok({ transactions, gasLimit });
}

/** Checks what a vote for a payload vouches for: encoding, signatures, static validity, gas and bytes. Never nonces or
 * balances: those are execution's. Senders that are not known are recovered here.
 * Errors: `payload/malformed`, `/unsupported-format`, `/too-long`, `/too-much-gas` (gas limits sum above the block's),
 * `/duplicate-transaction`, `/invalid-transaction`. */
export function checkPayload(request: PayloadRequest): Result<CheckedPayload, Failure<PayloadErrorCode>> {
  const read = checkPayloadBeforeSignatures(request);
  if (!read.ok) return read;
  const transactions: SignedTransaction[] = [];
  for (const transaction of read.value.transactions) {
    if ("sender" in transaction) {
      transactions.push(transaction);
      continue;
    }
    const sender = recoverSender(transaction);
    if (!sender.ok) return invalidTransaction(sender.error);
    transactions.push({ ...transaction, sender: sender.value });
  }
  return ok({ transactions, gasLimit: read.value.gasLimit });
}

/** The rule sets that a vote's transactions may be valid by. Who votes does not know the state that the block will run on, so where state
 * may change the rules, all newer ones are allowed: nodes that are behind vote as the others do. */
function forksOfVotes(rules: ChainRules, timestamp: number): readonly Fork[] {
  const current = forkAt(rules, timestamp);
  return rules.schedulesForks === true ? FORKS.slice(FORKS.indexOf(current)) : [current];
}

/** Static validity by the rules of a time, or, where state may change the rules, by any newer ones (as a vote judges it).
 * Errors: those of `checkStaticValidity`. */
export function checkStaticallyUnderAny(
  transaction: Transaction,
  rules: ChainRules,
  timestamp: number,
): ReturnType<typeof checkStaticValidity> {
  return checkUnderAny(transaction, rules, forksOfVotes(rules, timestamp));
}

function checkUnderAny(
  transaction: Transaction,
  rules: ChainRules,
  forks: readonly Fork[],
): ReturnType<typeof checkStaticValidity> {
  const [first, ...newer] = forks;
  const valid = checkStaticValidity(transaction, rules, must(first, "a block has a rule set"));
  if (valid.ok || newer.length === 0) return valid;
  return newer.some((fork) => checkStaticValidity(transaction, rules, fork).ok) ? ok(undefined) : valid;
}

function invalidTransaction({ code, message }: Failure): Result<never, Failure<PayloadErrorCode>> {
  return fail("payload/invalid-transaction", `${code}: ${message}`);
}
