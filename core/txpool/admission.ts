import type { Failure } from "@ostrom/base";
import {
  type AuthorityCheck,
  type ChainRules,
  checkStaticValidity,
  forkAt,
  maxCost,
  type PermissionCheck,
  type SignedTransaction,
} from "@ostrom/execution";
import type { SenderQueue } from "./sender-queue.ts";
import type {
  AdmissionErrorCode,
  AdmissionFailure,
  Entry,
  PoolAccount,
  PoolLimits,
  RuleSet,
} from "./types.ts";

/** A replacement pays at least this much more, on both fee caps. Source: geth's price bump. */
const REPLACEMENT_BUMP_PERCENT = 10n;

/** Why nothing is admitted twice. */
export const ALREADY_KNOWN: AdmissionFailure = { code: "txpool/already-known", message: "already known" };

/** Why a newcomer drives nothing out. */
export const TOO_CHEAP_FOR_FULL_POOL: AdmissionFailure = {
  code: "txpool/full",
  message: "transaction underpriced: the pool is full of better paid ones",
};

/** Why a transaction is never admitted whatever else the pool holds; undefined if it may be.
 * @param fork of the next block, if state and not the time alone decides on it. */
export function refuseAlways(
  transaction: SignedTransaction,
  rules: ChainRules,
  limits: PoolLimits,
  nowMs: number,
  fork: RuleSet = forkAt(rules, Math.floor(nowMs / 1000)),
): AdmissionFailure | undefined {
  const size = transaction.raw.length;
  if (size > limits.maxTransactionBytes) {
    return failure(
      "txpool/too-large",
      `oversized data: transaction size ${size}, limit ${limits.maxTransactionBytes}`,
    );
  }
  const valid = checkStaticValidity(transaction, rules, fork);
  if (!valid.ok) return valid.error;
  if (transaction.chainId === undefined && !limits.allowsUnprotected) {
    return failure("txpool/unprotected", "only replay-protected (EIP-155) transactions allowed over RPC");
  }
  if (isOutdated(transaction, Math.floor(nowMs / 1000)))
    return failure("txpool/outdated", "transaction outdated: validUntil is past");
  return refusePrice(transaction, rules, limits);
}

/** Whether no block of a time, in whole seconds, may have the transaction any more. */
export function isOutdated({ agile }: SignedTransaction, timestamp: number): boolean {
  return agile !== undefined && agile.validUntil !== 0n && agile.validUntil < BigInt(timestamp);
}

/** An agile transaction whose signatures are not checked yet, with the account that it says it is of. */
export type Unchecked = {
  readonly transaction: SignedTransaction;
  readonly account: PoolAccount;
  readonly nowMs: number;
  readonly authority: AuthorityCheck | undefined;
};

/** Why a transaction would be refused even if its signatures were valid; undefined if they are worth a check. Keys in state are taken for those
 * that have signed, and what else its sender has in the pool is not looked at. */
export function refuseUnchecked(
  { transaction, account, nowMs, authority }: Unchecked,
  rules: ChainRules,
  limits: PoolLimits,
  fork: RuleSet | undefined,
): AdmissionFailure | undefined {
  const isInline = (transaction.agile?.inlineKeys.length ?? 0) > 0;
  const cost = maxCost(transaction);
  return (
    refuseAlways(transaction, rules, limits, nowMs, fork) ??
    (isInline ? refuseByKeys(transaction, account, authority) : undefined) ??
    (account.balance < cost ? insufficientFunds(account, 0n, cost) : undefined)
  );
}

/** Why modules forbid a transaction; undefined if none does. */
export function refuseByModules(
  transaction: SignedTransaction,
  permits: PermissionCheck | undefined,
): Failure<"txpool/not-permitted"> | undefined {
  const refusal = permits?.(transaction);
  return refusal === undefined
    ? undefined
    : { code: "txpool/not-permitted", message: `not permitted: ${refusal.reason}` };
}

/** Why the sender's keys forbid a transaction; undefined if they allow it. */
export function refuseByKeys(
  transaction: SignedTransaction,
  { isKeyed = false }: Pick<PoolAccount, "isKeyed">,
  authority: AuthorityCheck | undefined,
): Failure<"txpool/not-authorized"> | undefined {
  const refusal = authority?.(transaction, isKeyed);
  return refusal === undefined ? undefined : { code: "txpool/not-authorized", message: refusal.message };
}

function refusePrice(
  { maxFeePerGas, maxPriorityFeePerGas }: SignedTransaction,
  rules: ChainRules,
  limits: PoolLimits,
): AdmissionFailure | undefined {
  if (maxPriorityFeePerGas < limits.minTipPerGas) {
    const told = `gas tip cap ${maxPriorityFeePerGas}, minimum needed ${limits.minTipPerGas}`;
    return failure("txpool/underpriced", `transaction underpriced: ${told}`);
  }
  if (maxFeePerGas < rules.minBaseFeePerGas) {
    const told = `gas fee cap ${maxFeePerGas}, the chain's least base fee ${rules.minBaseFeePerGas}`;
    return failure("txpool/underpriced", `transaction underpriced: ${told}`);
  }
  return undefined;
}

/** Why a sender may not have this transaction in the pool; undefined if it may.
 * @param replaced the one whose nonce it has. */
export function refuseForSender(
  queue: SenderQueue,
  entry: Entry,
  replaced: Entry | undefined,
  limits: PoolLimits,
): AdmissionFailure | undefined {
  const { transaction, cost } = entry;
  const { account } = queue;
  if (transaction.nonce < account.nonce) {
    return failure(
      "txpool/nonce-too-low",
      `nonce too low: next nonce ${account.nonce}, tx nonce ${transaction.nonce}`,
    );
  }
  const others = queue.totalCost - (replaced?.cost ?? 0n);
  if (others + cost > account.balance) return insufficientFunds(account, others, cost);
  if (replaced !== undefined) {
    if (paysEnoughToReplace(transaction, replaced.transaction)) return undefined;
    return failure("txpool/replacement-underpriced", "replacement transaction underpriced");
  }
  const isGapped = transaction.nonce > account.nonce + BigInt(queue.pendingCount);
  if (account.isDelegated === true && (queue.entries.length > 0 || isGapped)) {
    return failure("txpool/sender-limit", "in-flight transaction limit reached for delegated accounts");
  }
  if (queue.entries.length >= limits.maxPerSender) {
    return failure(
      "txpool/sender-limit",
      `account limit exceeded: ${limits.maxPerSender} transactions of one sender`,
    );
  }
  const queued = queue.entries.length - queue.pendingCount;
  if (isGapped && queued >= limits.maxQueuedPerSender) {
    const next = account.nonce + BigInt(queue.pendingCount);
    return failure(
      "txpool/queue-limit",
      `account limit exceeded: ${queued} transactions already wait for nonce ${next} of this sender`,
    );
  }
  return undefined;
}

function insufficientFunds(account: PoolAccount, others: bigint, cost: bigint): AdmissionFailure {
  const queued = others === 0n ? "" : `queued cost ${others}, `;
  const told = `balance ${account.balance}, ${queued}tx cost ${cost}, overshot ${others + cost - account.balance}`;
  return failure("txpool/insufficient-funds", `insufficient funds for gas * price + value: ${told}`);
}

function paysEnoughToReplace(replacement: SignedTransaction, replaced: SignedTransaction): boolean {
  return (
    isRaised(replacement.maxFeePerGas, replaced.maxFeePerGas) &&
    isRaised(replacement.maxPriorityFeePerGas, replaced.maxPriorityFeePerGas)
  );
}

function isRaised(price: bigint, before: bigint): boolean {
  return price > before && 100n * price >= (100n + REPLACEMENT_BUMP_PERCENT) * before;
}

function failure(code: AdmissionErrorCode, message: string): AdmissionFailure {
  return { code, message };
}
