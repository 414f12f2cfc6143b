import {
  type Address,
  type Bytes,
  bytesToBigint,
  equalBytes,
  fail,
  type Hash,
  ok,
  type Result,
  toHexDigits,
  ZERO_ADDRESS,
} from "@ostrom/base";
import {
  type AccountOverride,
  type BlockOverride,
  type CallOutcome,
  type CallRequest,
  chainHash,
  createAccessList,
  estimateGas,
  type GasEstimate,
  type Header,
  type Simulation,
  simulateCall,
  viewOfChanges,
} from "@ostrom/execution";
import {
  type ChainReads,
  type Executor,
  revertReason,
  runTrace,
  type SimulationFailure,
  type TracedChain,
  type TracePort,
} from "@ostrom/rpc";

import { emptyTrieRoot, type StateReader } from "@ostrom/state";

import type { DevelopmentChain } from "./development-chain.ts";
import type { FailureExplanation, ObservedRun } from "./observation.ts";
import { codeReader, explain } from "./run-observer.ts";

/** On which state a call runs. `next`: the newest state, in a block that would be made now; `pending`: after what waits, too. */
export type CallPlace =
  | { readonly kind: "block"; readonly number: number }
  | { readonly kind: "next" }
  | { readonly kind: "pending" };

export type DevelopmentCall = {
  readonly request: CallRequest;
  readonly accountOverrides: readonly AccountOverride[];
  readonly blockOverride: BlockOverride;
  readonly gasCap: bigint;
  readonly place: CallPlace;
};

/** An outcome, with what is said of it if it failed. */
export type Explained<T> = { readonly value: T; readonly failure: FailureExplanation | undefined };

/** In wei. */
const USUAL_TIP = 1_000_000_000n;
/** Estimates are made with so many times the base fee as the highest price, which does not change what is paid. */
const BASE_FEE_MARGIN = 2n;
/** Where more transactions wait, their effects are not looked at to estimate one more. */
const MAX_POOL_OF_ESTIMATE = 100;

/** Runs messages without effect, in this thread. */
export class Simulations {
  readonly #chain: DevelopmentChain;
  readonly #reads: ChainReads;

  constructor(chain: DevelopmentChain, reads: ChainReads) {
    this.#chain = chain;
    this.#reads = reads;
  }

  call(call: DevelopmentCall): Result<Explained<CallOutcome>, SimulationFailure> {
    return this.#within(call, (simulation) => {
      const calls: Bytes[] = [];
      const result = simulateCall({ ...simulation, watchPrecompiles: this.#watch(simulation, calls) });
      return result.ok ? ok(this.#told("call", simulation, result.value, calls)) : result;
    });
  }

  /** Undefined where there is no console to be watched. */
  #watch({ request, accountOverrides = [] }: Simulation, calls: Bytes[]): Simulation["watchPrecompiles"] {
    const { console } = this.#chain;
    console.look(request.data);
    for (const { code } of accountOverrides) console.look(code);
    return console.watch(calls);
  }

  estimateGas(call: DevelopmentCall): Result<Explained<GasEstimate>, SimulationFailure> {
    return this.#within<Explained<GasEstimate>>(call, (unpriced) => {
      const simulation = withPrice(unpriced);
      const result = estimateGas(simulation);
      if (!result.ok) return result;
      // Many runs are one estimate: what it prints, it prints once.
      const calls: Bytes[] = [];
      const watchPrecompiles = this.#watch(simulation, calls);
      const shown =
        watchPrecompiles === undefined ? undefined : simulateCall({ ...simulation, watchPrecompiles });
      if (result.value.kind === "failed") {
        const { failure } = this.#told("estimate", simulation, result.value.outcome, calls);
        return ok({ value: result.value, failure });
      }
      if (shown?.ok && calls.length > 0) this.#told("estimate", simulation, shown.value, calls);
      return ok({ value: result.value, failure: undefined });
    });
  }

  /** Gas for a transaction that names none: what it takes in the next block; undefined if it would fail there. */
  gasOf(request: CallRequest, gasCap: bigint): bigint | undefined {
    const isLong = this.#chain.pool.size > MAX_POOL_OF_ESTIMATE;
    const place: CallPlace = { kind: isLong ? "next" : "pending" };
    const estimate = this.#within(
      { request, accountOverrides: [], blockOverride: {}, gasCap, place },
      (simulation) => estimateGas(withPrice(simulation)),
    );
    return estimate.ok && estimate.value.kind === "estimated" ? estimate.value.gas : undefined;
  }

  /** Slots of an account that a call reads. */
  slotsRead(call: DevelopmentCall, of: Address): readonly bigint[] {
    const found = this.#within(call, createAccessList);
    const entries = found.ok ? found.value.accessList : [];
    const own = entries.filter(({ address }) => equalBytes(address, of));
    return own.flatMap(({ storageKeys }) => storageKeys.map((key) => bytesToBigint(key)));
  }

  /** A call that no observer hears of. */
  quietly(call: DevelopmentCall): Result<CallOutcome, SimulationFailure> {
    return this.#within(call, simulateCall);
  }

  /** For the methods that every node has. */
  executor(): Executor {
    const at = (blockNumber: number): CallPlace => ({ kind: "block", number: blockNumber });
    return {
      call: async (simulation) => {
        const result = this.call({ ...simulation, place: at(simulation.blockNumber) });
        return result.ok ? ok(result.value.value) : result;
      },
      estimateGas: async (simulation) => {
        const result = this.estimateGas({ ...simulation, place: at(simulation.blockNumber) });
        return result.ok ? ok(result.value.value) : result;
      },
      createAccessList: async (given) =>
        this.#within({ ...given, place: at(given.blockNumber) }, (simulation) =>
          createAccessList(simulation),
        ),
    };
  }

  /** For debug_trace*, ots_* and eth_simulateV1, in this thread too: whoever asks is the developer who waits for it. */
  traces(): TracePort {
    const { rules } = this.#chain.genesis;
    const chain: TracedChain = {
      rules,
      modules: undefined,
      epochs: undefined,
      reads: this.#reads,
      blockHash: (number) => this.#reads.header(Number(number))?.hash,
      origin: () => undefined,
      readReason: revertReason,
    };
    return { trace: async (request) => runTrace(chain, request) };
  }

  #told(
    kind: "call" | "estimate",
    simulation: Simulation,
    outcome: CallOutcome,
    consoleCalls: readonly Bytes[],
  ): Explained<CallOutcome> {
    const { from = ZERO_ADDRESS, to, value = 0n, data = new Uint8Array() } = simulation.request;
    const run: ObservedRun = {
      kind,
      message: { from, to, value, data },
      transactionHash: undefined,
      blockNumber: simulation.header.number,
      blockHash: undefined,
      status: outcome.status,
      fault: outcome.fault,
      output: outcome.output,
      gasUsed: outcome.gasUsed,
      gasLimit: simulation.request.gas ?? simulation.gasCap,
      contractAddress: undefined,
      consoleCalls,
      codeOf: codeReader(simulation.state),
      replay: (watch) => void simulateCall({ ...simulation, ...watch }),
    };
    const { observer } = this.#chain;
    const failure = outcome.status === "success" ? undefined : explain(observer, run);
    observer.onRun?.(run, failure);
    return { value: outcome, failure };
  }

  #within<T>(
    { request, accountOverrides, blockOverride, gasCap, place }: DevelopmentCall,
    run: (simulation: Simulation) => Result<T, SimulationFailure>,
  ): Result<T, SimulationFailure> {
    const { rules } = this.#chain.genesis;
    const found = this.#place(place);
    if (!found.ok) return found;
    const { header, state, release } = found.value;
    const blockHash = (number: bigint): Hash | undefined => this.#reads.header(Number(number))?.hash;
    try {
      const overrides = withFunds(request, accountOverrides, state);
      return run({
        rules,
        header,
        state,
        blockHash,
        request,
        accountOverrides: overrides,
        blockOverride,
        gasCap,
      });
    } finally {
      release();
    }
  }

  #place(
    place: CallPlace,
  ): Result<
    { readonly header: Header; readonly state: StateReader; readonly release: () => void },
    SimulationFailure
  > {
    const { maker } = this.#chain;
    if (place.kind === "block") {
      const header = this.#reads.header(place.number)?.header;
      if (header === undefined) return fail("rpc/unknown-block", `there is no block ${place.number} yet`);
      const view = this.#reads.stateAt(place.number);
      if (!view.ok) return view;
      return ok({ header, state: view.value.reader, release: view.value.release });
    }
    const release = (): void => undefined;
    if (place.kind === "next" || this.#chain.pool.size === 0) {
      return ok({ header: this.#nextHeader(maker.head.header), state: maker.state, release });
    }
    const { header, changes } = this.#chain.preview();
    const emptyRoot = emptyTrieRoot(chainHash(this.#chain.genesis.rules));
    const view = viewOfChanges(maker.state, changes);
    const state: StateReader = {
      account: (address) => {
        const account = view.account(address);
        if (account === undefined) return undefined;
        return { ...account, storageRoot: maker.state.account(address)?.storageRoot ?? emptyRoot };
      },
      storage: view.storage,
      code: (codeHash) => changes.codes.get(toHexDigits(codeHash)) ?? maker.state.code(codeHash),
    };
    return ok({ header: { ...header, stateRoot: maker.head.header.stateRoot }, state, release });
  }

  #nextHeader(parent: Header): Header {
    const { timestamp, baseFeePerGas } = this.#chain.nextBlock();
    const { coinbase, blockGasLimit } = this.#chain.settings;
    const number = parent.number + 1;
    return { ...parent, number, timestamp, baseFeePerGas, coinbase, gasLimit: blockGasLimit };
  }
}

/** An estimate for a transaction that names no fee is made at the price that it will pay, as Hardhat's node does: contracts read GASPRICE.
 * Who could not pay it is asked for nothing. */
function withPrice(simulation: Simulation): Simulation {
  const { request, header, state, gasCap } = simulation;
  const {
    from = ZERO_ADDRESS,
    value = 0n,
    gas = gasCap,
    gasPrice,
    maxFeePerGas,
    maxPriorityFeePerGas,
  } = request;
  if ((gasPrice ?? maxFeePerGas ?? maxPriorityFeePerGas) !== undefined) return simulation;
  const highest = BASE_FEE_MARGIN * header.baseFeePerGas + USUAL_TIP;
  if ((state.account(from)?.balance ?? 0n) < value + gas * highest) return simulation;
  return { ...simulation, request: { ...request, maxFeePerGas: highest, maxPriorityFeePerGas: USUAL_TIP } };
}

/** Whoever calls without effect has what it sends, as in Hardhat's node and anvil: tests call in the name of accounts that have nothing.
 * What the request names as fee it must have. */
function withFunds(
  { from = ZERO_ADDRESS, value = 0n }: CallRequest,
  overrides: readonly AccountOverride[],
  state: StateReader,
): readonly AccountOverride[] {
  if (value === 0n || (state.account(from)?.balance ?? 0n) >= value) return overrides;
  const named = overrides.find(({ address }) => equalBytes(address, from));
  if (named?.balance !== undefined) return overrides;
  return [...overrides.filter((override) => override !== named), { address: from, ...named, balance: value }];
}
