import {
  type Bytes,
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
import type { ChainReads, Executor, SimulationFailure } from "@ostrom/rpc";

import { emptyTrieRoot, type StateReader } from "@ostrom/state";

import type { DevelopmentChain } from "./development-chain.ts";
import type { FailureExplanation, ObservedRun } from "./observation.ts";
import { codeReader, explain } from "./run-observer.ts";
import { watchConsole } from "./watched-run.ts";

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
      const result = simulateCall({ ...simulation, watchPrecompiles: watchConsole(calls) });
      return result.ok ? ok(this.#told("call", simulation, result.value, calls)) : result;
    });
  }

  estimateGas(call: DevelopmentCall): Result<Explained<GasEstimate>, SimulationFailure> {
    return this.#within<Explained<GasEstimate>>(call, (simulation) => {
      const result = estimateGas(simulation);
      if (!result.ok) return result;
      if (result.value.kind === "estimated") return ok({ value: result.value, failure: undefined });
      const { failure } = this.#told("estimate", simulation, result.value.outcome, []);
      return ok({ value: result.value, failure });
    });
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
