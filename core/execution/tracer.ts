import type { Address } from "@ostrom/base";
import type { JournaledState, Log } from "@ostrom/state";
import type { Fork, MessageObserver, Step } from "@ostrom/vm";
import type { AppliedTransaction } from "./apply-transaction.ts";
import type { SignedTransaction } from "./types.ts";

/** Told what a transaction reaches, as it reaches it and before it is changed there, reverted messages included. */
export type StateWatcher = {
  readonly onAddress?: (address: Address) => void;
  readonly onSlot?: (address: Address, slot: bigint) => void;
  /** @param count of the transaction's logs so far, this one included. */
  readonly onLog?: (log: Log, count: number) => void;
};

/** What a tracer may know of the transaction that it is about to watch. */
export type TracedTransaction = {
  readonly transaction: SignedTransaction;
  /** As the transaction finds it; goes on changing. */
  readonly state: JournaledState;
  readonly coinbase: Address;
  readonly fork: Fork;
  readonly isPrecompile: (address: Address) => boolean;
  /** How many logs earlier transactions of the block have. */
  readonly firstLogIndex: number;
};

/** Watches one transaction. */
export type TransactionTracer = {
  readonly observer: MessageObserver;
  readonly onStep?: (step: Step) => void;
  readonly watcher?: StateWatcher;
  readonly begin?: (traced: TracedTransaction) => void;
  /** When the transaction has ended and paid. @returns the trace as JSON text. */
  readonly finish: (applied: AppliedTransaction) => string;
};
