import {
  type Address,
  type Bytes,
  bytesToBigint,
  EMPTY_BYTES,
  err,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import type { JournaledState, Log } from "@ostrom/state";
import {
  type BlockContext,
  createAddress,
  type ExecutionContext,
  executeMessage,
  type FaultCode,
  type Fork,
  forkPrecompiles,
  forkRules,
  type Outcome,
  type PrecompileSet,
  TRANSACTION_GAS,
} from "@ostrom/vm";
import { applyAuthorizations } from "./apply-authorizations.ts";
import { effectiveGasPrice } from "./fees.ts";
import { callDataFloorGas, upfrontGas } from "./intrinsic-gas.ts";
import { applyGuards, authorize, type KeyRules } from "./key-authority.ts";
import { authorizedPrecompiles } from "./key-precompiles.ts";
import { blobGasOf, hindrance, staticInvalidity } from "./transaction-validity.ts";
import {
  AGILE_TRANSACTION_TYPE,
  type ChainRules,
  type DevelopmentRules,
  type SignedTransaction,
  type SkipReason,
} from "./types.ts";

/** Where a transaction runs. */
export type TransactionEnvironment = {
  readonly fork: Fork;
  readonly block: BlockContext;
  readonly state: JournaledState;
  readonly gasCharge: ChainRules["gasCharge"];
  /** What the block has left for this transaction and those after it. */
  readonly room: { readonly gas: bigint; readonly blobGas: bigint };
  /** In place of the fork's own; on a chain with key sets those of `keyedPrecompiles`. */
  readonly precompiles?: PrecompileSet;
  /** undefined: accounts have no key sets, and there are no agile transactions. */
  readonly keys?: KeyRules | undefined;
  /** Of a development chain. */
  readonly development?: DevelopmentRules | undefined;
  readonly onStep?: ExecutionContext["onStep"];
  readonly observer?: ExecutionContext["observer"];
};

/** What a transaction that ran leaves for its receipt and for who asks. */
export type AppliedTransaction = {
  readonly succeeded: boolean;
  /** Gas paid for, by the rule of `gasCharge`. */
  readonly gasUsed: bigint;
  /** Gas taken before refunds: what it needs to get that far. */
  readonly peakGas: bigint;
  readonly blobGasUsed: bigint;
  /** Wei for each unit of gas. */
  readonly effectiveGasPrice: bigint;
  readonly logs: readonly Log[];
  /** Return or revert data. */
  readonly output: Bytes;
  /** Where a transaction without a recipient puts its contract, also if it failed. */
  readonly contractAddress: Address | undefined;
  /** Why it failed; undefined if it succeeded or reverted. */
  readonly fault: FaultCode | undefined;
  /** More about it than its code tells, in words. */
  readonly faultReason: string | undefined;
};

/** Runs one transaction on the state: takes the fee, runs the message, gives back what was not used, pays the block's
 * coinbase, burns the base fee.
 *
 * A transaction that fails or reverts is paid for all the same. One that cannot run leaves the state as it was, and the
 * error says why: `execution/invalid` (it never can), one of `hindrance`'s codes, or `execution/not-authorized` (`authorize`). The code that is
 * to run may still see its sender delegate as before: key sets that it changes take effect when it ends.
 * Sources: Yellow Paper, section 6.2; EIP-1559, 2929, 2930, 3529, 3651, 4844, 7623, 7702. */
export function applyTransaction(
  environment: TransactionEnvironment,
  transaction: SignedTransaction,
): Result<AppliedTransaction, SkipReason> {
  const { fork, block, state, room, keys, development } = environment;
  const reason =
    staticInvalidity(fork, block.chainId, transaction, development) ??
    hindrance(fork, state, block, room, transaction, keys, development);
  if (reason !== undefined) return err(reason);
  if (transaction.type === AGILE_TRANSACTION_TYPE) return applyAgile(environment, transaction);
  return ok(runTransaction(environment, transaction));
}

/** Signatures come last, because they cost most. */
function applyAgile(
  environment: TransactionEnvironment,
  transaction: SignedTransaction,
): Result<AppliedTransaction, SkipReason> {
  const { keys, state, precompiles } = environment;
  if (keys === undefined) {
    return err({
      code: "execution/invalid",
      message: "accounts of this chain have no key sets",
      retry: false,
    });
  }
  const authority = authorize(state, transaction, keys);
  if (!authority.ok) return err({ ...authority.error, retry: false });
  if (!authority.value.isPostQuantum || precompiles === undefined)
    return ok(runTransaction(environment, transaction));
  return ok(runTransaction({ ...environment, precompiles: authorizedPrecompiles(precompiles) }, transaction));
}

/** Runs a transaction of which all is known that `applyTransaction` checks, or one that nobody has signed: a simulated one. Its sender must
 * have what it pays. */
export function runTransaction(
  environment: TransactionEnvironment,
  transaction: SignedTransaction,
): AppliedTransaction {
  const { fork, block, state, keys } = environment;

  const price = effectiveGasPrice(transaction, block.baseFeePerGas);
  // Who observes is told of a message, also of one that runs no code.
  const plain = environment.observer === undefined ? runPlain(environment, transaction, price) : undefined;
  if (plain !== undefined) return plain;
  state.beginTransaction();
  buyGas(environment, transaction, price);
  warmAtStart(environment, transaction);
  state.setNonce(transaction.sender, transaction.nonce + 1n);
  if (forkRules(fork).delegation)
    applyAuthorizations(state, block.chainId, transaction.authorizations, keys !== undefined);

  const outcome = executeMessage(contextOf(environment, transaction, price), {
    caller: transaction.sender,
    to: transaction.to,
    value: transaction.value,
    data: transaction.data,
    gas: transaction.gasLimit - upfrontGas(transaction),
  });

  const gasUsed = settle(environment, transaction, price, outcome);
  const logs = [...state.logs()];
  if (keys !== undefined) applyGuards(state, logs);
  state.endTransaction();
  return {
    succeeded: outcome.status === "success",
    gasUsed,
    peakGas: atLeast(callDataFloorGas(transaction, fork), transaction.gasLimit - outcome.gasLeft),
    blobGasUsed: blobGasOf(transaction),
    effectiveGasPrice: price,
    logs,
    output: outcome.output,
    contractAddress:
      transaction.to === undefined ? createAddress(transaction.sender, transaction.nonce) : undefined,
    fault: outcome.fault,
    faultReason: outcome.reason,
  };
}

const NO_LOGS: readonly Log[] = [];

/** Most transactions go to accounts without code. They need no message, no journal and no sets of what is warm.
 * @returns undefined for all others. */
function runPlain(
  { fork, block, state, gasCharge, precompiles }: TransactionEnvironment,
  transaction: SignedTransaction,
  price: bigint,
): AppliedTransaction | undefined {
  const { sender, to, value, gasLimit, authorizations, blobVersionedHashes } = transaction;
  if (to === undefined || state.settleTransfer === undefined) return undefined;
  if (authorizations.length > 0 || blobVersionedHashes.length > 0) return undefined;
  if (isPrecompiled(precompiles ?? forkPrecompiles(fork), to) || state.code(to).length > 0) return undefined;
  const used = atLeast(callDataFloorGas(transaction, fork), upfrontGas(transaction));
  const charged = chargedGas(gasCharge, gasLimit, used);
  const tip = charged * (price - block.baseFeePerGas);
  state.settleTransfer({ sender, to, value, fee: charged * price, tip, coinbase: block.coinbase });
  return {
    succeeded: true,
    gasUsed: charged,
    peakGas: used,
    blobGasUsed: 0n,
    effectiveGasPrice: price,
    logs: NO_LOGS,
    output: EMPTY_BYTES,
    contractAddress: undefined,
    fault: undefined,
    faultReason: undefined,
  };
}

/** By the list that a set has, because transactions of post-quantum keys each have a set of their own with the same list. */
const precompiledAddresses = new WeakMap<readonly Address[], ReadonlySet<string>>();

function isPrecompiled({ addresses }: PrecompileSet, address: Address): boolean {
  let known = precompiledAddresses.get(addresses);
  if (known === undefined) {
    known = new Set(addresses.map(toHexDigits));
    precompiledAddresses.set(addresses, known);
  }
  return known.has(toHexDigits(address));
}

/** Takes the price of all gas that the transaction may use; blob gas is burnt at once. */
function buyGas(
  { state, block }: TransactionEnvironment,
  transaction: SignedTransaction,
  price: bigint,
): void {
  const cost = transaction.gasLimit * price + blobGasOf(transaction) * block.blobBaseFee;
  state.setBalance(transaction.sender, state.balance(transaction.sender) - cost);
}

/** Sources: EIP-2929, 2930 (access list), 3651 (coinbase). */
function warmAtStart(
  { fork, state, block, precompiles }: TransactionEnvironment,
  transaction: SignedTransaction,
): void {
  state.warmAddress(transaction.sender);
  state.warmAddress(block.coinbase);
  if (transaction.to !== undefined) state.warmAddress(transaction.to);
  for (const address of (precompiles ?? forkPrecompiles(fork)).addresses) state.warmAddress(address);
  for (const { address, storageKeys } of transaction.accessList) {
    state.warmAddress(address);
    for (const key of storageKeys) state.warmSlot(address, bytesToBigint(key));
  }
}

function contextOf(
  { fork, block, state, precompiles, development, onStep, observer }: TransactionEnvironment,
  transaction: SignedTransaction,
  gasPrice: bigint,
): ExecutionContext {
  const { sender, blobVersionedHashes } = transaction;
  return {
    fork,
    block,
    state,
    transaction: { origin: sender, gasPrice, blobVersionedHashes },
    ...(precompiles === undefined ? {} : { precompiles }),
    ...(development?.codeSizeLimit === undefined ? {} : { codeSizeLimit: development.codeSizeLimit }),
    ...(onStep === undefined ? {} : { onStep }),
    ...(observer === undefined ? {} : { observer }),
  };
}

/** Gives the sender what it paid and did not use, and the coinbase its tip. @returns the gas paid for. */
function settle(
  { fork, state, block, gasCharge }: TransactionEnvironment,
  transaction: SignedTransaction,
  price: bigint,
  outcome: Outcome,
): bigint {
  const { sender, gasLimit } = transaction;
  const used = gasLimit - outcome.gasLeft;
  const usedNet = used - refundFor(used, state.refund());
  const charged = chargedGas(gasCharge, gasLimit, atLeast(callDataFloorGas(transaction, fork), usedNet));

  state.setBalance(sender, state.balance(sender) + (gasLimit - charged) * price);
  const tip = charged * (price - block.baseFeePerGas);
  if (tip > 0n) state.setBalance(block.coinbase, state.balance(block.coinbase) + tip);
  // A coinbase that gets nothing is touched too: if it is an empty account it goes (EIP-161).
  else state.touch(block.coinbase);
  return charged;
}

/** Source: EIP-3529. */
function refundFor(used: bigint, counted: bigint): bigint {
  const most = used / TRANSACTION_GAS.refundDivisor;
  if (counted > most) return most;
  return counted;
}

function atLeast(least: bigint, value: bigint): bigint {
  if (value < least) return least;
  return value;
}

function chargedGas(gasCharge: ChainRules["gasCharge"], gasLimit: bigint, used: bigint): bigint {
  switch (gasCharge) {
    case "used":
      return used;
    case "used-or-half-limit":
      return atLeast(gasLimit / 2n, used);
    default:
      return gasCharge satisfies never;
  }
}
