import { type Failure, type Hash, toHex } from "@ostrom/base";
import { busy, type RpcError, serverError } from "./rpc-error.ts";

/** What geth says for each reason to refuse a transaction; viem and ethers recognize these words. The key is the code's
 * part after the slash, because pool, execution and decoder speak of the same things. */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ["nonce-too-low", "nonce too low"],
  ["nonce-too-high", "nonce too high"],
  ["nonce-too-big", "nonce has max value"],
  ["already-known", "already known"],
  ["replacement-underpriced", "replacement transaction underpriced"],
  ["underpriced", "transaction underpriced"],
  ["fee-below-base-fee", "max fee per gas less than block base fee"],
  ["priority-fee-above-max-fee", "max priority fee per gas higher than max fee per gas"],
  ["insufficient-funds", "insufficient funds for gas * price + value"],
  ["intrinsic-gas", "intrinsic gas too low"],
  ["gas-overflow", "gas uint64 overflow"],
  ["gas-limit-above-block", "exceeds block gas limit"],
  ["block-gas-exceeded", "exceeds block gas limit"],
  ["gas-limit-above-cap", "transaction gas limit too high"],
  ["sender-has-code", "sender not an eoa"],
  ["full", "txpool is full"],
  ["sender-limit", "account limit exceeded"],
  ["queue-limit", "account limit exceeded"],
  ["too-large", "oversized data"],
  ["init-code-too-large", "max initcode size exceeded"],
  ["unsupported-type", "transaction type not valid"],
  ["type-not-active", "transaction type not valid"],
  ["blobs-not-accepted", "transaction type not valid"],
  ["blobs-in-network-form", "transaction type not valid"],
  ["wrong-chain-id", "invalid chain id"],
  ["invalid-chain-id", "invalid chain id"],
  ["unprotected", "only replay-protected (EIP-155) transactions allowed over RPC"],
  ["invalid-signature", "invalid sender"],
  ["malformed", "invalid transaction"],
  ["replaced", "replaced by a transaction with the same nonce and a higher fee"],
  ["evicted", "evicted from the full pool"],
  ["not-authorized", "sender not authorized"],
  ["algorithm-not-allowed", "transaction type not valid"],
  ["invalid-keys", "invalid transaction"],
  ["invalid-authorizations", "invalid transaction"],
  ["outdated", "transaction outdated"],
  ["expired", "expired in the pool: a transaction with a lower nonce did not come"],
]);

/** Geth's words for a refusal, with the refuser's own after them. */
export function refusalText(reason: Failure): string {
  const known = TEXTS.get(reason.code.slice(reason.code.lastIndexOf("/") + 1));
  if (known === undefined) return reason.message;
  return reason.message.toLowerCase().includes(known.toLowerCase())
    ? reason.message
    : `${known}: ${reason.message}`;
}

/** Refusals that say nothing of the transaction, only that there is no room now, and when to try again. */
const RETRY_AFTER_MS: ReadonlyMap<string, number> = new Map([
  ["txpool/busy", 250],
  ["txpool/full", 1_000],
]);

/** The answer to a transaction that was refused, or given up later; `data` has the machine-readable reason. */
export function refusal(reason: Failure, transactionHash?: Hash): RpcError {
  const retryAfterMs = RETRY_AFTER_MS.get(reason.code);
  if (retryAfterMs !== undefined) return busy(refusalText(reason), retryAfterMs, reason.code);
  return serverError(refusalText(reason), {
    reason: reason.code,
    ...(transactionHash === undefined ? {} : { transactionHash: toHex(transactionHash) }),
  });
}

/** The same for many: a refusal like the one before is that one. Making an error costs more than checking a transaction's form. */
export function createRefusals(): (reason: Failure) => RpcError {
  let last: { readonly reason: Failure; readonly error: RpcError } | undefined;
  return (reason) => {
    if (last?.reason.code !== reason.code || last.reason.message !== reason.message) {
      last = { reason, error: refusal(reason) };
    }
    return last.error;
  };
}
