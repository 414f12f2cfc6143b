import { type Address, toHexDigits } from "@ostrom/base";
import { forkPrecompiles, type PrecompileSet } from "@ostrom/vm";
import type { TransactionEnvironment } from "./apply-transaction.ts";
import { type CallTracerOptions, createCallTracer, type ReadRevertReason } from "./call-tracer.ts";
import { createFourByteTracer } from "./four-byte-tracer.ts";
import type { ObservedState } from "./observed-state.ts";
import { createPrestateTracer, type PrestateTracerOptions } from "./prestate-tracer.ts";
import { createStructLogger, type StructLoggerOptions } from "./struct-logger.ts";
import type { TraceBudget } from "./trace-budget.ts";
import type { TransactionTracer } from "./tracer.ts";
import type { SignedTransaction } from "./types.ts";

/** Which tracer, and how: plain data. */
export type TraceOptions =
  | { readonly tracer: "structLogger"; readonly options: StructLoggerOptions }
  | { readonly tracer: "callTracer"; readonly options: CallTracerOptions }
  | { readonly tracer: "prestateTracer"; readonly options: PrestateTracerOptions }
  | { readonly tracer: "4byteTracer" }
  | { readonly tracer: "noopTracer" }
  /** Several at once: an object of their traces by name. */
  | { readonly tracer: "muxTracer"; readonly tracers: readonly TraceOptions[] };

/** A tracer for one transaction.
 * @param budget bytes that its trace may take.
 * @param readReason for `revertReason` of call traces. */
export function createTracer(
  options: TraceOptions,
  budget: TraceBudget,
  readReason: ReadRevertReason,
): TransactionTracer {
  switch (options.tracer) {
    case "structLogger":
      return createStructLogger(options.options, budget);
    case "callTracer":
      return createCallTracer(options.options, budget, readReason);
    case "prestateTracer":
      return createPrestateTracer(options.options, budget);
    case "4byteTracer":
      return createFourByteTracer(budget);
    case "noopTracer":
      return { observer: { onEnter: () => {}, onLeave: () => {} }, finish: () => "{}" };
    case "muxTracer":
      return combine(
        options.tracers.map((one) => [one.tracer, createTracer(one, budget, readReason)] as const),
      );
    default:
      return options satisfies never;
  }
}

function combine(named: readonly (readonly [string, TransactionTracer])[]): TransactionTracer {
  const tracers = named.map(([, tracer]) => tracer);
  const each = (tell: (tracer: TransactionTracer) => void): void => {
    for (const tracer of tracers) tell(tracer);
  };
  return {
    observer: {
      onEnter: (entry) => each(({ observer }) => observer.onEnter(entry)),
      onLeave: (outcome) => each(({ observer }) => observer.onLeave(outcome)),
      onStepEnd: (gasLeft, fault) => each(({ observer }) => observer.onStepEnd?.(gasLeft, fault)),
      onSelfDestruct: (contract, beneficiary, balance) =>
        each(({ observer }) => observer.onSelfDestruct?.(contract, beneficiary, balance)),
    },
    onStep: (step) => each((tracer) => tracer.onStep?.(step)),
    watcher: {
      onAddress: (address) => each(({ watcher }) => watcher?.onAddress?.(address)),
      onSlot: (address, slot) => each(({ watcher }) => watcher?.onSlot?.(address, slot)),
      onLog: (log, count) => each(({ watcher }) => watcher?.onLog?.(log, count)),
    },
    begin: (traced) => each((tracer) => tracer.begin?.(traced)),
    finish: (applied) =>
      `{${named.map(([name, tracer]) => `"${name}":${tracer.finish(applied)}`).join(",")}}`,
  };
}

/** What a transaction runs in while it is watched. */
export type WatchedEnvironment = Omit<TransactionEnvironment, "state"> & { readonly state: ObservedState };

/** Runs a transaction under a tracer's eyes. @param run runs it in the environment that it is given.
 * @param firstLogIndex how many logs earlier transactions of the block have. */
export function watchTransaction<Answer>(
  tracer: TransactionTracer,
  environment: WatchedEnvironment,
  transaction: SignedTransaction,
  firstLogIndex: number,
  run: (environment: TransactionEnvironment) => Answer,
): Answer {
  const { state, block, fork } = environment;
  const isPrecompile = membershipOf(environment.precompiles ?? forkPrecompiles(fork));
  tracer.begin?.({ transaction, state, coinbase: block.coinbase, fork, isPrecompile, firstLogIndex });
  state.watcher = tracer.watcher;
  const { observer, onStep } = tracer;
  const watched = { ...environment, observer, ...(onStep === undefined ? {} : { onStep }) };
  const answer = run(watched);
  state.watcher = undefined;
  return answer;
}

function membershipOf({ addresses }: PrecompileSet): (address: Address) => boolean {
  const known = new Set(addresses.map(toHexDigits));
  return (address) => known.has(toHexDigits(address));
}
