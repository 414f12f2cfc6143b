import {
  type Address,
  type Bytes,
  bytesToBigint,
  EMPTY_BYTES,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  toHex,
  ZERO_ADDRESS,
} from "@ostrom/base";
import { emptyTrieRoot, StateOverlay, type StateReader } from "@ostrom/state";
import {
  type BlockContext,
  blobBaseFee,
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
import { chainHash } from "./chain-hash.ts";
import { describeFault } from "./fault-text.ts";
import type { InstalledModules } from "./installed-modules.ts";
import { callDataFloorGas, intrinsicGas, upfrontGas } from "./intrinsic-gas.ts";
import { keyedPrecompiles } from "./key-precompiles.ts";
import { readCurveBreak } from "./key-sets.ts";
import { planModules, plannedFork, plannedPrecompiles } from "./module-plan.ts";
import { permissionAsOf } from "./permission.ts";
import { type AccountOverride, overrideState } from "./state-overrides.ts";
import type { AccessListEntry, Authorization, ChainRules, Header } from "./types.ts";

/** A transaction as eth_call describes it: anything may be missing. */
export type CallRequest = {
  /** The zero address if absent. */
  readonly from?: Address;
  /** undefined: creates a contract. */
  readonly to?: Address;
  readonly gas?: bigint;
  readonly gasPrice?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
  readonly blobVersionedHashes?: readonly Hash[];
  readonly value?: bigint;
  readonly data?: Bytes;
  readonly accessList?: readonly AccessListEntry[];
  readonly authorizations?: readonly Authorization[];
};

/** Replaces what a simulated call sees of its block. */
export type BlockOverride = {
  readonly number?: bigint;
  /** Seconds. */
  readonly timestamp?: bigint;
  readonly gasLimit?: bigint;
  readonly coinbase?: Address;
  readonly prevRandao?: Hash;
  readonly baseFeePerGas?: bigint;
  readonly blobBaseFee?: bigint;
};

/** One message to run without effect, on the state after a block and as if in that block. */
export type Simulation = {
  readonly rules: ChainRules;
  readonly header: Header;
  /** State after `header`'s block. */
  readonly state: StateReader;
  readonly blockHash: (number: bigint) => Hash | undefined;
  /** What the program has, on a chain with modules. */
  readonly modules?: InstalledModules | undefined;
  readonly request: CallRequest;
  readonly accountOverrides?: readonly AccountOverride[];
  readonly blockOverride?: BlockOverride;
  /** The most gas that the run may use, whatever the request says. */
  readonly gasCap: bigint;
  /** Called before each instruction; what it throws ends the simulation. */
  readonly onStep?: ExecutionContext["onStep"];
  /** Told of the messages that it sends; what it throws ends the simulation. */
  readonly observer?: ExecutionContext["observer"];
  /** Stands before the precompiles: what it answers must be what they do. */
  readonly watchPrecompiles?: ((precompiles: PrecompileSet) => PrecompileSet) | undefined;
};

export type CallOutcome = {
  readonly status: Outcome["status"];
  readonly faultCode?: FaultCode;
  /** The fault in geth's words. */
  readonly fault?: string;
  /** Return data, or revert data. */
  readonly output: Bytes;
  readonly gasUsed: bigint;
};

/** The run could not even start. */
export type SimulationFailure = Failure<
  | "execution/fee-below-base-fee"
  | "execution/insufficient-funds"
  | "execution/intrinsic-gas"
  /** A module forbids the transaction: estimates and access lists ask, because they are for transactions. */
  | "execution/not-permitted"
  /** The program lacks a module, or a rule set, that the block was executed with. */
  | "execution/module-missing"
  | "execution/invalid"
>;

/** A simulation made ready to run, as often as one likes. */
export type PreparedSimulation = {
  readonly fork: Fork;
  readonly block: BlockContext;
  readonly state: StateOverlay;
  readonly message: SimulatedMessage;
  readonly gasCap: bigint;
  readonly gasWanted: bigint | undefined;
  readonly onStep: ExecutionContext["onStep"];
  readonly observer: ExecutionContext["observer"];
  /** In place of the fork's own, where modules have some or accounts have key sets. */
  readonly precompiles: PrecompileSet | undefined;
  readonly hasKeySets: boolean;
  readonly codeSizeLimit: number | undefined;
};

export type SimulatedMessage = {
  readonly from: Address;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Bytes;
  readonly maxFeePerGas: bigint;
  /** What the message pays for a unit of gas; 0 if the request names no fee. */
  readonly gasPrice: bigint;
  readonly accessList: readonly AccessListEntry[];
  readonly authorizations: readonly Authorization[];
  readonly blobVersionedHashes: readonly Hash[];
};

export type SimulatedRun = {
  readonly outcome: Outcome;
  /** Gas that a transaction would pay for. */
  readonly gasUsed: bigint;
  /** Gas taken before refunds: a transaction needs it to get that far. */
  readonly peakGas: bigint;
};

/** eth_call: runs a message and answers what came of it.
 *
 * Nothing is charged where the request names no fee, and BASEFEE is 0 then, as in geth; nonces are not checked, and
 * contracts may send. The sender must have `value`, and the fee if it names one. Gas is the cap unless the request
 * says less; EIP-7825's bound for transactions does not hold for calls. Modules are not asked whether they permit it: it reads.
 * Errors: `execution/fee-below-base-fee`, `/insufficient-funds`, `/intrinsic-gas`, `/module-missing`, `/invalid`. */
export function simulateCall(simulation: Simulation): Result<CallOutcome, SimulationFailure> {
  const prepared = prepareSimulation(simulation);
  if (!prepared.ok) return prepared;
  const gas = callGas(prepared.value);
  const hindrance = hindranceOf(prepared.value, gas);
  if (hindrance !== undefined) return hindrance;
  return ok(outcomeOf(runSimulation(prepared.value, gas)));
}

/** Gas for a run that need not be enough for anything: what was asked, within the cap and what the sender can pay. */
export function callGas({ message, state, gasWanted, gasCap }: PreparedSimulation): bigint {
  if (gasWanted !== undefined) return gasWanted < gasCap ? gasWanted : gasCap;
  const affordable = affordableGas(message, state);
  return affordable !== undefined && affordable < gasCap ? affordable : gasCap;
}

/** How much gas the sender can pay for; undefined if the message names no fee. */
export function affordableGas(message: SimulatedMessage, state: StateOverlay): bigint | undefined {
  if (message.maxFeePerGas === 0n) return undefined;
  const available = state.balance(message.from) - message.value;
  return available > 0n ? available / message.maxFeePerGas : 0n;
}

/** Errors: `execution/fee-below-base-fee`, `execution/module-missing`, `execution/invalid`. */
export function prepareSimulation(simulation: Simulation): Result<PreparedSimulation, SimulationFailure> {
  const { request, header, rules } = simulation;
  const plan = planModules(simulation.state, simulation.modules, header.number);
  const [missing] = plan.missing;
  if (missing !== undefined) return fail("execution/module-missing", missing.message);
  const fork = plannedFork(rules, Number(simulation.blockOverride?.timestamp ?? header.timestamp), plan);
  const block = blockContext(simulation, fork);
  const maxFeePerGas = request.maxFeePerGas ?? request.gasPrice ?? 0n;
  const priorityFee = request.maxPriorityFeePerGas ?? (request.gasPrice === undefined ? 0n : maxFeePerGas);
  if (priorityFee > maxFeePerGas && request.maxFeePerGas !== undefined) {
    return fail("execution/invalid", "max priority fee per gas higher than max fee per gas");
  }
  const isFree = maxFeePerGas === 0n;
  if (!isFree && maxFeePerGas < block.baseFeePerGas) {
    const told = `maxFeePerGas: ${maxFeePerGas}, baseFee: ${block.baseFeePerGas}`;
    return fail("execution/fee-below-base-fee", `max fee per gas less than block base fee: ${told}`);
  }
  const wished = block.baseFeePerGas + priorityFee;
  const message: SimulatedMessage = {
    from: request.from ?? ZERO_ADDRESS,
    to: request.to,
    value: request.value ?? 0n,
    data: request.data ?? EMPTY_BYTES,
    maxFeePerGas,
    gasPrice: isFree || wished > maxFeePerGas ? maxFeePerGas : wished,
    accessList: request.accessList ?? [],
    authorizations: request.authorizations ?? [],
    blobVersionedHashes: request.blobVersionedHashes ?? [],
  };
  const state = new StateOverlay(stateBefore(simulation), emptyRootOf(simulation));
  const hasKeySets = rules.hasKeySets === true;
  const planned = plannedPrecompiles(fork, plan, rules);
  const seesNoBaseFee = isFree && simulation.blockOverride?.baseFeePerGas === undefined;
  return ok({
    fork,
    block: seesNoBaseFee ? { ...block, baseFeePerGas: 0n } : block,
    state,
    message,
    gasCap: simulation.gasCap,
    gasWanted: request.gas,
    onStep: simulation.onStep,
    observer: simulation.observer,
    precompiles: watchedPrecompiles(
      simulation,
      fork,
      planned === undefined || !hasKeySets
        ? planned
        : keyedPrecompiles(planned, state, { broken: readCurveBreak(simulation.state) }),
    ),
    hasKeySets,
    codeSizeLimit: rules.development?.codeSizeLimit,
  });
}

function watchedPrecompiles(
  { watchPrecompiles }: Simulation,
  fork: Fork,
  precompiles: PrecompileSet | undefined,
): PrecompileSet | undefined {
  if (watchPrecompiles === undefined) return precompiles;
  return watchPrecompiles(precompiles ?? forkPrecompiles(fork));
}

/** Why a module forbids the transaction that the request describes. One without a sender describes none.
 * @returns undefined if it may run. Errors: `execution/not-permitted`. */
export function forbiddenBy(simulation: Simulation): Result<never, SimulationFailure> | undefined {
  const { request, header, state, modules } = simulation;
  const { from, to, value = 0n } = request;
  if (from === undefined) return undefined;
  const refusal = permissionAsOf(state, modules, header.number)?.({ sender: from, to, value });
  return refusal === undefined ? undefined : fail("execution/not-permitted", refusal.reason);
}

/** The state that the message finds. */
export function stateBefore(simulation: Simulation): StateReader {
  return overrideState(simulation.state, simulation.accountOverrides ?? [], emptyRootOf(simulation));
}

/** The storage root of accounts without storage. */
export function emptyRootOf({ rules }: Pick<Simulation, "rules">): Hash {
  return emptyTrieRoot(chainHash(rules));
}

/** Why a message cannot start with so much gas; undefined if it can. */
export function hindranceOf(
  { message, state, fork }: PreparedSimulation,
  gas: bigint,
): Result<never, SimulationFailure> | undefined {
  const needed = intrinsicGas(message, fork);
  const want = gas * message.maxFeePerGas + message.value;
  const have = state.balance(message.from);
  if (have < want) {
    const told = `address ${toHex(message.from)} have ${have} want ${want}`;
    return fail("execution/insufficient-funds", `insufficient funds for gas * price + value: ${told}`);
  }
  if (gas < needed)
    return fail("execution/intrinsic-gas", `intrinsic gas too low: have ${gas}, want ${needed}`);
  return undefined;
}

/** Runs the message with so much gas, which must cover the intrinsic gas, and undoes it. */
export function runSimulation(prepared: PreparedSimulation, gas: bigint): SimulatedRun {
  const { fork, block, state, message, onStep, observer, precompiles, hasKeySets, codeSizeLimit } = prepared;
  state.beginTransaction();
  const start = state.checkpoint();
  state.setBalance(message.from, state.balance(message.from) - gas * message.gasPrice);
  warmAtStart(prepared);
  state.setNonce(message.from, state.nonce(message.from) + 1n);
  if (forkRules(fork).delegation)
    applyAuthorizations(state, block.chainId, message.authorizations, hasKeySets);
  const { blobVersionedHashes, gasPrice } = message;
  const transaction = { origin: message.from, gasPrice, blobVersionedHashes };
  const outcome = executeMessage(
    {
      fork,
      block,
      transaction,
      state,
      ...(onStep === undefined ? {} : { onStep }),
      ...(observer === undefined ? {} : { observer }),
      ...(precompiles === undefined ? {} : { precompiles }),
      ...(codeSizeLimit === undefined ? {} : { codeSizeLimit }),
    },
    {
      caller: message.from,
      to: message.to,
      value: message.value,
      data: message.data,
      gas: gas - upfrontGas(message),
    },
  );
  const used = gas - outcome.gasLeft;
  const refundLimit = used / TRANSACTION_GAS.refundDivisor;
  const refund = state.refund() < refundLimit ? state.refund() : refundLimit;
  const floor = callDataFloorGas(message, fork);
  state.revertTo(start);
  return { outcome, gasUsed: larger(used - refund, floor), peakGas: larger(used, floor) };
}

export function outcomeOf({ outcome, gasUsed }: SimulatedRun): CallOutcome {
  const { status, output, fault, reason } = outcome;
  if (fault === undefined) return { status, output, gasUsed };
  return { status, output, gasUsed, faultCode: fault, fault: describeFault(fault, reason) };
}

function blockContext({ rules, header, blockHash, blockOverride }: Simulation, fork: Fork): BlockContext {
  return {
    number: BigInt(header.number),
    timestamp: BigInt(header.timestamp),
    coinbase: header.coinbase,
    gasLimit: header.gasLimit,
    prevRandao: header.prevRandao,
    baseFeePerGas: header.baseFeePerGas,
    blobBaseFee: blobBaseFee(fork, header.excessBlobGas),
    ...blockOverride,
    chainId: rules.chainId,
    blockHash,
  };
}

/** Sources: EIP-2929, 2930, 3651. */
function warmAtStart({ fork, block, state, message, precompiles }: PreparedSimulation): void {
  state.warmAddress(message.from);
  state.warmAddress(block.coinbase);
  if (message.to !== undefined) state.warmAddress(message.to);
  for (const address of (precompiles ?? forkPrecompiles(fork)).addresses) state.warmAddress(address);
  for (const { address, storageKeys } of message.accessList) {
    state.warmAddress(address);
    for (const key of storageKeys) state.warmSlot(address, bytesToBigint(key));
  }
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
