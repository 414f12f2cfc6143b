import {
  type Address,
  EMPTY_BYTES,
  fail,
  type Hash,
  type Result,
  toHex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import type { BlockContext, Fork } from "@ostrom/vm";
import { intrinsicGas } from "./intrinsic-gas.ts";
import type { CallRequest, SimulationFailure } from "./simulate.ts";
import type { SignedTransaction, TransactionType } from "./types.ts";

/** The hash of what has not been signed. */
const NO_HASH: Hash = ZERO_HASH;

/** A call as if its sender had signed it: with nonce, fees and gas that it did not name. `raw` is empty and the hash zero.
 * @param nonce the sender's in state if absent. */
export function transactionOfCall(
  request: CallRequest,
  state: Pick<JournaledState, "nonce">,
  {
    gasLimit,
    chainId,
    nonce,
  }: { readonly gasLimit: bigint; readonly chainId: bigint; readonly nonce?: bigint | undefined },
): SignedTransaction {
  const sender: Address = request.from ?? ZERO_ADDRESS;
  const maxFeePerGas = request.maxFeePerGas ?? request.gasPrice ?? 0n;
  const priorityFee = request.maxPriorityFeePerGas ?? (request.gasPrice === undefined ? 0n : maxFeePerGas);
  return {
    type: typeOf(request),
    raw: EMPTY_BYTES,
    hash: NO_HASH,
    chainId,
    nonce: nonce ?? state.nonce(sender),
    maxFeePerGas,
    maxPriorityFeePerGas: priorityFee,
    gasLimit,
    to: request.to,
    value: request.value ?? 0n,
    data: request.data ?? EMPTY_BYTES,
    accessList: request.accessList ?? [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: request.blobVersionedHashes ?? [],
    authorizations: request.authorizations ?? [],
    yParity: 0,
    r: 0n,
    s: 0n,
    sender,
  };
}

function typeOf({ authorizations, blobVersionedHashes, gasPrice, accessList }: CallRequest): TransactionType {
  if (authorizations !== undefined) return 4;
  if (blobVersionedHashes !== undefined) return 3;
  if (gasPrice === undefined) return 2;
  return accessList === undefined ? 0 : 1;
}

/** Why a call cannot even begin, as eth_call says it; undefined if it can.
 * Errors: `execution/invalid`, `/fee-below-base-fee`, `/insufficient-funds`, `/intrinsic-gas`. */
export function callHindrance(
  transaction: SignedTransaction,
  state: Pick<JournaledState, "balance">,
  block: Pick<BlockContext, "baseFeePerGas">,
  fork: Fork,
): Result<never, SimulationFailure> | undefined {
  const { maxFeePerGas, maxPriorityFeePerGas, gasLimit, sender, value } = transaction;
  if (maxPriorityFeePerGas > maxFeePerGas) {
    return fail("execution/invalid", "max priority fee per gas higher than max fee per gas");
  }
  if (maxFeePerGas > 0n && maxFeePerGas < block.baseFeePerGas) {
    const told = `maxFeePerGas: ${maxFeePerGas}, baseFee: ${block.baseFeePerGas}`;
    return fail("execution/fee-below-base-fee", `max fee per gas less than block base fee: ${told}`);
  }
  const want = gasLimit * maxFeePerGas + value;
  const have = state.balance(sender);
  if (have < want) {
    const told = `address ${toHex(sender)} have ${have} want ${want}`;
    return fail("execution/insufficient-funds", `insufficient funds for gas * price + value: ${told}`);
  }
  const needed = intrinsicGas(transaction, fork);
  if (gasLimit >= needed) return undefined;
  return fail("execution/intrinsic-gas", `intrinsic gas too low: have ${gasLimit}, want ${needed}`);
}

/** What of the block a call without a fee sees otherwise than a transaction: a base fee of 0, as in geth. */
export function blockOfCall(
  { maxFeePerGas }: SignedTransaction,
  isBaseFeeGiven: boolean,
): Partial<BlockContext> {
  return maxFeePerGas === 0n && !isBaseFeeGiven ? { baseFeePerGas: 0n } : {};
}
