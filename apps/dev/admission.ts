import { type Failure, toHex } from "@ostrom/base";
import {
  type ChainRules,
  checkStaticValidity,
  forkAt,
  impersonatedSender,
  intrinsicGas,
  maxCost,
  type SignedTransaction,
} from "@ostrom/execution";
import type { StateReader } from "@ostrom/state";
import { forkRules } from "@ostrom/vm";

export type AdmissionContext = {
  /** With the block gas limit of the next block. */
  readonly rules: ChainRules;
  readonly state: StateReader;
  /** Of the next block. */
  readonly timestamp: number;
  readonly baseFeePerGas: bigint;
  readonly isAutomining: boolean;
  /** The nonce after those of the sender's transactions that can run. */
  readonly pendingNonce: bigint;
  /** In wei; what pays less is refused. */
  readonly minGasPrice: bigint;
};

/** Why a development chain refuses a transaction, in the words of Hardhat's node; undefined if it takes it.
 * Codes: those of `checkStaticValidity`, `dev/nonce-too-low`, `/nonce-too-high`, `/insufficient-funds`, `/fee-below-base-fee`, `/sender-has-code`. */
export function refusalOf(transaction: SignedTransaction, context: AdmissionContext): Failure | undefined {
  const { rules, timestamp } = context;
  const valid = checkStaticValidity(transaction, rules, forkAt(rules, timestamp));
  if (!valid.ok) return inWords(valid.error, transaction, rules, timestamp);
  return (
    wrongNonce(transaction, context) ?? wrongFee(transaction, context) ?? wrongSender(transaction, context)
  );
}

function inWords(
  { code, message }: Failure,
  transaction: SignedTransaction,
  rules: ChainRules,
  timestamp: number,
): Failure {
  const { gasLimit } = transaction;
  const tooMuch = `Transaction gas limit is ${gasLimit} and exceeds`;
  switch (code) {
    case "transaction/gas-limit-above-block":
      return { code, message: `${tooMuch} block gas limit of ${rules.blockGasLimit}` };
    case "transaction/gas-limit-above-cap":
      return { code, message: `${tooMuch} transaction gas cap of ${transactionGasCap(rules, timestamp)}` };
    case "transaction/intrinsic-gas": {
      const least = intrinsicGas(transaction, forkAt(rules, timestamp));
      return { code, message: `Transaction requires at least ${least} gas but got ${gasLimit}` };
    }
    default:
      return { code, message };
  }
}

/** The most gas of one transaction; undefined: a block's. */
export function transactionGasCap(rules: ChainRules, timestamp: number): bigint | undefined {
  return rules.development?.maxTransactionGas ?? forkRules(forkAt(rules, timestamp)).maxTransactionGas;
}

function wrongNonce(
  { sender, nonce }: SignedTransaction,
  { state, isAutomining, pendingNonce }: AdmissionContext,
): Failure | undefined {
  const accountNonce = state.account(sender)?.nonce ?? 0n;
  const queued = isAutomining ? " Note that transactions can't be queued when automining." : "";
  if (nonce < accountNonce) {
    const message = `Nonce too low. Expected nonce to be ${isAutomining ? "" : "at least "}${accountNonce} but got ${nonce}.${queued}`;
    return { code: "dev/nonce-too-low", message };
  }
  if (isAutomining && nonce > pendingNonce) {
    const message = `Nonce too high. Expected nonce to be ${pendingNonce} but got ${nonce}.${queued}`;
    return { code: "dev/nonce-too-high", message };
  }
  return undefined;
}

function wrongFee(
  { type, maxFeePerGas, maxPriorityFeePerGas }: SignedTransaction,
  { baseFeePerGas, isAutomining, minGasPrice }: AdmissionContext,
): Failure | undefined {
  const name = type < 2 ? "gasPrice" : "maxFeePerGas";
  const code = "dev/fee-below-base-fee";
  if (isAutomining && maxFeePerGas < baseFeePerGas) {
    const message = `Transaction ${name} (${maxFeePerGas}) is too low for the next block, which has a baseFeePerGas of ${baseFeePerGas}`;
    return { code, message };
  }
  const tip = type < 2 ? maxFeePerGas : maxPriorityFeePerGas;
  if (tip >= minGasPrice) return undefined;
  const least = `the minimum gas price is ${minGasPrice}`;
  return { code, message: `Transaction gas price is ${tip}, which is below the minimum: ${least}` };
}

function wrongSender(
  transaction: SignedTransaction,
  { rules, state }: AdmissionContext,
): Failure | undefined {
  const { sender } = transaction;
  const account = state.account(sender);
  const needed = maxCost(transaction);
  const balance = account?.balance ?? 0n;
  if (balance < needed) {
    const message = `Sender doesn't have enough funds to send tx. The max upfront cost is: ${needed} and the sender's balance is: ${balance}.`;
    return { code: "dev/insufficient-funds", message };
  }
  if (account === undefined || impersonatedSender(transaction, rules) !== undefined) return undefined;
  const code = state.code(account.codeHash);
  const isDelegated = code.length === DELEGATION_BYTES && code[0] === DELEGATION_FIRST_BYTE;
  if (code.length === 0 || isDelegated) return undefined;
  const message = `the sender ${toHex(sender)} has code: only accounts without code can sign transactions (EIP-3607)`;
  return { code: "dev/sender-has-code", message };
}

/** What an account has that delegates by EIP-7702. */
const DELEGATION_BYTES = 23;
const DELEGATION_FIRST_BYTE = 0xef;
