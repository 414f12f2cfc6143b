import { type Bytes, type Failure, fail, type Hash, must, ok, type Result } from "@ostrom/base";
import {
  type AccountKey,
  type ChainRules,
  type CheckedPayload,
  checkPayloadBeforeSignatures,
  type SignedTransaction,
  type Transaction,
} from "@ostrom/execution";
import { type SignatureChecker, senderOf } from "./signature-checker.ts";

export type PayloadToCheck = {
  readonly payload: Bytes;
  readonly rules: ChainRules;
  /** Of the block. */
  readonly timestampMs: number;
  readonly maxPayloadBytes: number;
  /** Transactions that this node has checked before. */
  readonly known: (hash: Hash) => SignedTransaction | undefined;
  /** Keys in state by which a transaction has to be signed, as of the newest state: what is checked by them here execution need not check
   * again. Whether they have signed is no matter of this check. */
  readonly keysOf?: ((transaction: Transaction) => readonly AccountKey[] | undefined) | undefined;
};

/** Checks all that a payload's form, gas and signatures must be, and nothing of state; signatures that are not known are checked
 * elsewhere, after the rest.
 * Errors: those of core's `checkPayload`, with `payload/invalid-transaction` for a signature that recovers nobody. */
export async function checkPayload(
  checker: SignatureChecker,
  request: PayloadToCheck,
): Promise<Result<CheckedPayload, Failure>> {
  const read = checkPayloadBeforeSignatures(request);
  if (!read.ok) return read;
  const transactions = await signedBy(checker, read.value.transactions, request.keysOf);
  if (transactions === undefined)
    return fail("payload/invalid-transaction", "a transaction's signature recovers nobody");
  return ok({ transactions, gasLimit: read.value.gasLimit });
}

/** Asks the checker for the senders that nobody knew. @returns undefined if one signature is wrong. */
async function signedBy(
  checker: SignatureChecker,
  transactions: readonly (Transaction | SignedTransaction)[],
  keysOf: PayloadToCheck["keysOf"],
): Promise<readonly SignedTransaction[] | undefined> {
  const unknown = transactions.filter((transaction) => !("sender" in transaction));
  const raws = unknown.map(({ raw }) => raw);
  const keys = unknown.map((transaction) => keysOf?.(transaction));
  const senders = unknown.length === 0 ? [] : await checker.check(raws, keys);
  const found = new Map<Transaction, Pick<SignedTransaction, "sender" | "verifiedKeys">>();
  for (const [index, transaction] of unknown.entries()) {
    const sender = senderOf(senders[index]!);
    if (!sender.ok) return undefined;
    found.set(transaction, sender.value);
  }
  return transactions.map((transaction) =>
    "sender" in transaction
      ? transaction
      : { ...transaction, ...must(found.get(transaction), "every signature was checked") },
  );
}
