import { type Address, fail, type Hash, ok, type Result } from "@ostrom/base";
import { emptyTrieRoot, type StateReader } from "@ostrom/state";
import { type BlockContext, blobBaseFee, type Fork } from "@ostrom/vm";
import { callSystemContracts } from "./apply-block.ts";
import {
  type AppliedTransaction,
  applyTransaction,
  runTransaction,
  type TransactionEnvironment,
} from "./apply-transaction.ts";
import { chainHash } from "./chain-hash.ts";
import type { BlockOrigin } from "./chain-module.ts";
import { type EpochSchedule, epochOfHeight } from "./epochs.ts";
import type { InstalledModules } from "./installed-modules.ts";
import { keyedPrecompiles } from "./key-precompiles.ts";
import { readCurveBreak } from "./key-sets.ts";
import { activateModules, beginBlock, type HookEnvironment } from "./module-hooks.ts";
import { type ModulePlan, planModules, plannedFork, plannedPrecompiles } from "./module-plan.ts";
import { ObservedState } from "./observed-state.ts";
import type { BlockOverride, SimulationFailure } from "./simulate.ts";
import { type AccountOverride, overrideState } from "./state-overrides.ts";
import { watchTransaction } from "./trace-transaction.ts";
import type { TransactionTracer } from "./tracer.ts";
import type { ChainRules, Header, SignedTransaction, SkipReason } from "./types.ts";

/** A block to be run once more, or one like it. */
export type ReplayInput = {
  readonly rules: ChainRules;
  /** The block's own: what contracts see of the block comes from it. */
  readonly header: Header;
  /** State before the block, or, where the run does not begin with it, the state that it begins with. */
  readonly state: StateReader;
  readonly blockHash: (number: bigint) => Hash | undefined;
  readonly modules?: InstalledModules | undefined;
  /** Of a chain whose validators vote. */
  readonly epochs?: EpochSchedule | undefined;
  /** As the block was ordered. */
  readonly origin?: BlockOrigin | undefined;
  /** Goes on with a state that other blocks have changed, above `state`. */
  readonly overlay?: ObservedState | undefined;
  readonly accountOverrides?: readonly AccountOverride[] | undefined;
  readonly blockOverride?: BlockOverride | undefined;
};

/** Runs a block's transactions again, in their order, any of them under a tracer's eyes. Nothing is written. */
export class BlockReplay {
  readonly #environment: Omit<TransactionEnvironment, "room" | "state">;
  readonly #plan: ModulePlan;
  readonly #input: ReplayInput;
  readonly state: ObservedState;
  #logs = 0;
  #gasUsed = 0n;

  private constructor(input: ReplayInput, plan: ModulePlan) {
    const { rules, header, blockOverride } = input;
    const emptyRoot = emptyTrieRoot(chainHash(rules));
    const before = overrideState(input.state, input.accountOverrides ?? [], emptyRoot);
    const fork = plannedFork(rules, Number(blockOverride?.timestamp ?? header.timestamp), plan);
    const keys = rules.hasKeySets === true ? { broken: readCurveBreak(input.state) } : undefined;
    this.#input = input;
    this.#plan = plan;
    this.state = input.overlay ?? new ObservedState(before, emptyRoot);
    const planned = plannedPrecompiles(fork, plan, rules);
    const precompiles =
      planned === undefined || keys === undefined ? planned : keyedPrecompiles(planned, this.state, keys);
    const { development } = rules;
    this.#environment = {
      fork,
      block: blockContextOf(input, fork),
      gasCharge: rules.gasCharge,
      keys,
      ...(precompiles === undefined ? {} : { precompiles }),
      ...(development === undefined ? {} : { development }),
    };
  }

  /** Errors: `execution/module-missing`: the program lacks a module, or a rule set, that the block was executed with. */
  static open(input: ReplayInput): Result<BlockReplay, SimulationFailure> {
    const plan = planModules(input.state, input.modules, input.header.number);
    const [missing] = plan.missing;
    if (missing !== undefined) return fail("execution/module-missing", missing.message);
    return ok(new BlockReplay(input, plan));
  }

  get block(): BlockContext {
    return this.#environment.block;
  }

  get fork(): Fork {
    return this.#environment.fork;
  }

  /** Runs what comes before the transactions: system contracts, activations, hooks of modules. */
  begin(): void {
    const { epochs, origin, header } = this.#input;
    const { fork, block, precompiles } = this.#environment;
    const { height } = this.#plan;
    const epoch = epochs === undefined ? undefined : epochOfHeight(epochs, height);
    const environment: HookEnvironment = {
      fork,
      block,
      state: this.state,
      height,
      epoch,
      origin,
      ...(precompiles === undefined ? {} : { precompiles }),
    };
    callSystemContracts(environment, header.parentHash);
    activateModules(environment, this.#plan);
    beginBlock(environment, this.#plan);
  }

  /** The next transaction of the block. Errors: as `applyTransaction`; none for those that the block has. */
  apply(transaction: SignedTransaction, tracer?: TransactionTracer): Result<AppliedTransaction, SkipReason> {
    const gas = this.#environment.block.gasLimit - this.#gasUsed;
    const room = { gas: gas > transaction.gasLimit ? gas : transaction.gasLimit, blobGas: 0n };
    const environment = { ...this.#environment, state: this.state, room };
    const run = (watched: TransactionEnvironment): Result<AppliedTransaction, SkipReason> =>
      applyTransaction(watched, transaction);
    const applied =
      tracer === undefined
        ? run(environment)
        : watchTransaction(tracer, environment, transaction, this.#logs, run);
    if (applied.ok) this.#count(applied.value);
    return applied;
  }

  /** A transaction that nobody has signed; what it must have, its caller has checked.
   * @param block in place of the replay's, in parts. @param precompiles in place of the chain's. */
  call(
    transaction: SignedTransaction,
    tracer: TransactionTracer,
    block: Partial<BlockContext> = {},
    precompiles: TransactionEnvironment["precompiles"] = this.#environment.precompiles,
  ): AppliedTransaction {
    const environment = {
      ...this.#environment,
      state: this.state,
      room: { gas: transaction.gasLimit, blobGas: 0n },
      block: { ...this.#environment.block, ...block },
      ...(precompiles === undefined ? {} : { precompiles }),
    };
    const applied = watchTransaction(tracer, environment, transaction, this.#logs, (watched) =>
      runTransaction(watched, transaction),
    );
    this.#count(applied);
    return applied;
  }

  /** The precompiles that the block has, in place of the fork's own. */
  get precompiles(): TransactionEnvironment["precompiles"] {
    return this.#environment.precompiles;
  }

  #count({ logs, gasUsed }: AppliedTransaction): void {
    this.#logs += logs.length;
    this.#gasUsed += gasUsed;
  }
}

function blockContextOf({ rules, header, blockHash, blockOverride }: ReplayInput, fork: Fork): BlockContext {
  const parentNumber = BigInt(header.number) - 1n;
  return {
    number: BigInt(header.number),
    timestamp: BigInt(header.timestamp),
    coinbase: header.coinbase as Address,
    gasLimit: header.gasLimit,
    prevRandao: header.prevRandao,
    baseFeePerGas: header.baseFeePerGas,
    blobBaseFee: blobBaseFee(fork, header.excessBlobGas),
    ...blockOverride,
    chainId: rules.chainId,
    blockHash: (number) => (number === parentNumber ? header.parentHash : blockHash(number)),
  };
}
