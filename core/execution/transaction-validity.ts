import type { JournaledState } from "@ostrom/state";
import type { BlockContext, Fork } from "@ostrom/vm";
import { delegationTarget, forkRules, GAS_PER_BLOB, MAX_INIT_CODE_SIZE, MAX_NONCE } from "@ostrom/vm";
import { impersonatedSender } from "./impersonation.ts";
import { intrinsicGas } from "./intrinsic-gas.ts";
import { isKeyedAccount, type KeyRules, refusalOfEthereumType } from "./key-authority.ts";
import type { DevelopmentRules, SignedTransaction, SkipReason, Transaction } from "./types.ts";

const BLOB_HASH_VERSION = 0x01;
const MAX_GAS_LIMIT = 2n ** 64n - 1n;

/** Why a transaction can never be in a block of this fork and chain, whatever the state; undefined if it may.
 * Code: `execution/invalid`. Its signature is not looked at.
 * Sources: EIP-155, 1559, 2681, 3860, 4844, 7594, 7623, 7702, 7825. */
export function staticInvalidity(
  fork: Fork,
  chainId: bigint,
  transaction: Transaction,
  development?: DevelopmentRules,
): SkipReason | undefined {
  const why =
    invalidFields(chainId, transaction, development) ??
    invalidGasLimit(fork, transaction, development) ??
    invalidBlobs(fork, transaction) ??
    invalidAuthorizations(fork, transaction);
  return why === undefined ? undefined : { code: "execution/invalid", message: why, retry: false };
}

function invalidFields(
  chainId: bigint,
  transaction: Transaction,
  development: DevelopmentRules | undefined,
): string | undefined {
  const { maxFeePerGas, maxPriorityFeePerGas, to, data } = transaction;
  if (transaction.chainId !== undefined && transaction.chainId !== chainId) {
    return `chain id ${transaction.chainId}, but this chain's is ${chainId}`;
  }
  if (transaction.nonce >= MAX_NONCE) return "nonce has max value";
  if (maxPriorityFeePerGas > maxFeePerGas) return "max priority fee per gas higher than max fee per gas";
  const initCodeLimit = initCodeLimitOf(development);
  if (to === undefined && data.length > initCodeLimit) {
    return `max initcode size exceeded: ${data.length} bytes, limit ${initCodeLimit}`;
  }
  return undefined;
}

/** In bytes. Source: EIP-3860. */
export function initCodeLimitOf(development: DevelopmentRules | undefined): number {
  return development?.codeSizeLimit === undefined ? MAX_INIT_CODE_SIZE : 2 * development.codeSizeLimit;
}

function invalidGasLimit(
  fork: Fork,
  transaction: Transaction,
  development: DevelopmentRules | undefined,
): string | undefined {
  const { gasLimit } = transaction;
  const required = intrinsicGas(transaction, fork);
  const most = development?.maxTransactionGas ?? forkRules(fork).maxTransactionGas ?? MAX_GAS_LIMIT;
  if (gasLimit < required) return `intrinsic gas too low: gas limit ${gasLimit}, needs ${required}`;
  if (gasLimit > most) return `transaction gas limit too high: ${gasLimit}, limit ${most}`;
  return undefined;
}

function invalidBlobs(fork: Fork, transaction: Transaction): string | undefined {
  const { type, to, blobVersionedHashes } = transaction;
  if (type !== 3) return undefined;
  const most = forkRules(fork).blobs.maxPerTransaction;
  if (to === undefined) return "a blob transaction cannot create a contract";
  if (blobVersionedHashes.length === 0) return "a blob transaction without blobs";
  if (blobVersionedHashes.length > most) return `${blobVersionedHashes.length} blobs, limit ${most}`;
  if (blobVersionedHashes.some((hash) => hash[0] !== BLOB_HASH_VERSION))
    return "unknown version of a blob hash";
  return undefined;
}

function invalidAuthorizations(fork: Fork, transaction: Transaction): string | undefined {
  if (transaction.type !== 4) return undefined;
  if (!forkRules(fork).delegation) return `transactions of type 4 came after ${fork}`;
  if (transaction.to === undefined) return "a set-code transaction cannot create a contract";
  if (transaction.authorizations.length === 0) return "a set-code transaction without authorizations";
  return undefined;
}

/** Why a transaction that is statically valid cannot run now; undefined if it can, as far as it can be said without checking signatures.
 * @param keys undefined where accounts have no key sets.
 * Codes: `execution/nonce-too-high`, `/nonce-too-low`, `/sender-has-code`, `/not-authorized` (of types 0 to 4), `/outdated`, `/fee-below-base-fee` (blob base fee too),
 * `/block-gas-exceeded` (blob gas too), `/insufficient-funds`.
 * Sources: EIP-1559, 3607 as EIP-7702 changed it (a delegated account may send), 4844. */
export function hindrance(
  fork: Fork,
  state: JournaledState,
  block: BlockContext,
  room: { readonly gas: bigint; readonly blobGas: bigint },
  transaction: SignedTransaction,
  keys?: KeyRules,
  development?: DevelopmentRules,
): SkipReason | undefined {
  return (
    wrongSender(fork, state, transaction, keys, development) ??
    expired(block, transaction) ??
    wrongFee(block, transaction) ??
    noRoom(room, transaction) ??
    insufficientFunds(state, transaction)
  );
}

function wrongSender(
  fork: Fork,
  state: JournaledState,
  transaction: SignedTransaction,
  keys: KeyRules | undefined,
  development: DevelopmentRules | undefined,
): SkipReason | undefined {
  const { sender, nonce } = transaction;
  const expected = state.nonce(sender);
  const told = `transaction's is ${nonce}, account's is ${expected}`;
  if (nonce > expected) {
    return { code: "execution/nonce-too-high", message: `nonce too high: ${told}`, retry: true };
  }
  if (nonce < expected) {
    return { code: "execution/nonce-too-low", message: `nonce too low: ${told}`, retry: false };
  }
  if (impersonatedSender(transaction, { development }) !== undefined) return undefined;
  const code = state.code(sender);
  const isDelegated = forkRules(fork).delegation && delegationTarget(code) !== undefined;
  if (code.length > 0 && !isDelegated) {
    return { code: "execution/sender-has-code", message: "sender not an EOA: it has code", retry: false };
  }
  const refusal = refusalOfEthereumType(transaction, isKeyedAccount(code), keys);
  return refusal === undefined
    ? undefined
    : { code: "execution/not-authorized", message: refusal, retry: false };
}

function expired({ timestamp }: BlockContext, { agile }: SignedTransaction): SkipReason | undefined {
  if (agile === undefined || agile.validUntil === 0n || timestamp <= agile.validUntil) return undefined;
  const message = `valid until ${agile.validUntil}, the block's time is ${timestamp}`;
  return { code: "execution/outdated", message, retry: false };
}

function wrongFee(block: BlockContext, transaction: SignedTransaction): SkipReason | undefined {
  const { maxFeePerGas, maxFeePerBlobGas, type } = transaction;
  const { baseFeePerGas, blobBaseFee } = block;
  if (maxFeePerGas < baseFeePerGas) {
    const message = `max fee per gas less than block base fee: ${maxFeePerGas}, base fee ${baseFeePerGas}`;
    return { code: "execution/fee-below-base-fee", message, retry: true };
  }
  if (type === 3 && maxFeePerBlobGas < blobBaseFee) {
    const message = `max fee per blob gas less than block blob gas fee: ${maxFeePerBlobGas}, fee ${blobBaseFee}`;
    return { code: "execution/fee-below-base-fee", message, retry: true };
  }
  return undefined;
}

function noRoom(
  room: { readonly gas: bigint; readonly blobGas: bigint },
  transaction: SignedTransaction,
): SkipReason | undefined {
  if (transaction.gasLimit <= room.gas && blobGasOf(transaction) <= room.blobGas) return undefined;
  const message = `gas limit ${transaction.gasLimit}, but the block has ${room.gas} left (blob gas ${room.blobGas})`;
  return { code: "execution/block-gas-exceeded", message, retry: true };
}

function insufficientFunds(state: JournaledState, transaction: SignedTransaction): SkipReason | undefined {
  const balance = state.balance(transaction.sender);
  const most = maxCost(transaction);
  if (balance >= most) return undefined;
  const message = `insufficient funds for gas * price + value: balance ${balance}, needs ${most}`;
  return { code: "execution/insufficient-funds", message, retry: false };
}

/** The most that a transaction can take from its sender, in wei: what the sender must have for it to run. */
export function maxCost(transaction: Transaction): bigint {
  const { gasLimit, maxFeePerGas, maxFeePerBlobGas, value } = transaction;
  return gasLimit * maxFeePerGas + blobGasOf(transaction) * maxFeePerBlobGas + value;
}

/** Source: EIP-4844. */
export function blobGasOf(transaction: Transaction): bigint {
  return GAS_PER_BLOB * BigInt(transaction.blobVersionedHashes.length);
}
