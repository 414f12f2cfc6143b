import { type Address, type Bytes, must, toHex } from "@ostrom/base";
import type { Log } from "@ostrom/state";
import type { MessageEntry, Outcome } from "@ostrom/vm";
import type { AppliedTransaction } from "./apply-transaction.ts";
import { describeFault } from "./fault-text.ts";
import type { TraceBudget } from "./trace-budget.ts";
import type { StateWatcher, TracedTransaction, TransactionTracer } from "./tracer.ts";

export type CallTracerOptions = {
  /** Of the transaction's own message alone. */
  readonly onlyTopCall: boolean;
  /** With the logs that were not undone. */
  readonly withLog: boolean;
};

/** Reads the reason out of revert data, for people; undefined if there is none to be read. */
export type ReadRevertReason = (output: Bytes) => string | undefined;

/** A message as a call trace shows it. */
export type CallFrame = {
  readonly type: string;
  readonly from: Address;
  readonly to: Address | undefined;
  readonly value: bigint | undefined;
  gas: bigint;
  gasUsed: bigint;
  readonly input: Bytes;
  output: Bytes | undefined;
  error: string | undefined;
  revertReason: string | undefined;
  readonly calls: CallFrame[];
  logs: readonly TracedLog[];
};

export type TracedLog = {
  readonly log: Log;
  /** In the block. */
  readonly index: number;
  /** How many messages the frame had sent before it. */
  readonly position: number;
};

const FRAME_BYTES = 512;
const LOG_BYTES = 512;
const NO_BYTES: Bytes = new Uint8Array(0);

/** Collects the messages of a transaction as a tree. */
export class CallRecorder {
  readonly #options: CallTracerOptions;
  readonly #budget: TraceBudget;
  readonly #readReason: ReadRevertReason;
  readonly #open: CallFrame[] = [];
  #root: CallFrame | undefined;
  #firstLogIndex = 0;

  constructor(options: CallTracerOptions, budget: TraceBudget, readReason: ReadRevertReason) {
    this.#options = options;
    this.#budget = budget;
    this.#readReason = readReason;
  }

  begin({ firstLogIndex }: TracedTransaction): void {
    this.#firstLogIndex = firstLogIndex;
  }

  readonly observer: TransactionTracer["observer"] = {
    onEnter: (entry) => this.#enter(entry),
    onLeave: (outcome) => this.#leave(outcome),
    onSelfDestruct: (contract, beneficiary, balance) => this.#selfDestruct(contract, beneficiary, balance),
  };

  readonly watcher: StateWatcher = {
    onLog: (log, count) => this.#log(log, count),
  };

  /** The tree, with the gas that the transaction as a whole was given and has paid for. */
  finish({ gasUsed }: AppliedTransaction, gasLimit: bigint): CallFrame {
    const root = must(this.#root, "a transaction has a message");
    root.gas = gasLimit;
    root.gasUsed = gasUsed;
    if (this.#options.withLog) clearFailedLogs(root, false);
    return root;
  }

  #enter({ kind, from, to, value, gas, input }: MessageEntry): void {
    const parent = this.#open.at(-1);
    const isKept = parent === undefined || !this.#options.onlyTopCall;
    if (isKept) this.#budget.take(FRAME_BYTES + 2 * input.length);
    const frame: CallFrame = {
      type: kind,
      from,
      to,
      value,
      gas,
      gasUsed: 0n,
      input: isKept ? input.slice() : NO_BYTES,
      output: undefined,
      error: undefined,
      revertReason: undefined,
      calls: [],
      logs: [],
    };
    if (isKept) parent?.calls.push(frame);
    this.#open.push(frame);
    this.#root ??= frame;
  }

  #leave({ status, fault, reason, output, gasLeft }: Outcome): void {
    const frame = must(this.#open.pop(), "a message that ends has begun");
    frame.gasUsed = frame.gas - gasLeft;
    if (frame !== this.#root && this.#options.onlyTopCall) return;
    if (fault !== undefined) {
      frame.error = describeFault(fault, reason);
      return;
    }
    if (status === "revert") frame.error = "execution reverted";
    if (status === "revert" && output.length === 0) return;
    this.#budget.take(2 * output.length);
    frame.output = output.slice();
    if (status === "revert") frame.revertReason = this.#readReason(output);
  }

  #selfDestruct(contract: Address, beneficiary: Address, balance: bigint): void {
    if (this.#options.onlyTopCall) return;
    this.#budget.take(FRAME_BYTES);
    this.#open.at(-1)?.calls.push({
      type: "SELFDESTRUCT",
      from: contract,
      to: beneficiary,
      value: balance,
      gas: 0n,
      gasUsed: 0n,
      input: NO_BYTES,
      output: undefined,
      error: undefined,
      revertReason: undefined,
      calls: [],
      logs: [],
    });
  }

  #log(log: Log, count: number): void {
    const frame = this.#open.at(-1);
    if (!this.#options.withLog || frame === undefined) return;
    if (this.#options.onlyTopCall && this.#open.length > 1) return;
    this.#budget.take(LOG_BYTES + 2 * log.data.length);
    const index = this.#firstLogIndex + count - 1;
    frame.logs = [...frame.logs, { log, index, position: frame.calls.length }];
  }
}

/** geth's callTracer. Source: go-ethereum's documentation, "Built-in tracers". */
export function createCallTracer(
  options: CallTracerOptions,
  budget: TraceBudget,
  readReason: ReadRevertReason,
): TransactionTracer {
  const recorder = new CallRecorder(options, budget, readReason);
  let gasLimit = 0n;
  return {
    observer: recorder.observer,
    watcher: recorder.watcher,
    begin: (traced) => {
      gasLimit = traced.transaction.gasLimit;
      recorder.begin(traced);
    },
    finish: (applied) => frameText(recorder.finish(applied, gasLimit)),
  };
}

/** What a message did that failed, or one that it was sent by, is undone. */
function clearFailedLogs(root: CallFrame, isUndone: boolean): void {
  // Not by recursion: calls nest a thousand deep.
  const waiting: { readonly frame: CallFrame; readonly isUndone: boolean }[] = [{ frame: root, isUndone }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const failed = next.isUndone || next.frame.error !== undefined;
    if (failed) next.frame.logs = [];
    for (const frame of next.frame.calls) waiting.push({ frame, isUndone: failed });
  }
}

function quantity(value: bigint | number): string {
  return `"0x${value.toString(16)}"`;
}

/** As JSON, in geth's order of keys. */
export function frameText(frame: CallFrame): string {
  const { type, from, to, value, gas, gasUsed, input, output, error, revertReason, calls, logs } = frame;
  const hasTo = to !== undefined && !(type.startsWith("CREATE") && error !== undefined);
  const parts = [
    `"from":"${toHex(from)}","gas":${quantity(gas)},"gasUsed":${quantity(gasUsed)}`,
    hasTo ? `"to":"${toHex(to)}"` : undefined,
    `"input":"${toHex(input)}"`,
    output === undefined || output.length === 0 ? undefined : `"output":"${toHex(output)}"`,
    error === undefined ? undefined : `"error":${JSON.stringify(error)}`,
    revertReason === undefined ? undefined : `"revertReason":${JSON.stringify(revertReason)}`,
    calls.length === 0 ? undefined : `"calls":[${calls.map(frameText).join(",")}]`,
    logs.length === 0 ? undefined : `"logs":[${logs.map(logText).join(",")}]`,
    value === undefined ? undefined : `"value":${quantity(value)}`,
    `"type":"${type}"`,
  ];
  return `{${parts.filter((part) => part !== undefined).join(",")}}`;
}

function logText({ log, index, position }: TracedLog): string {
  const topics = log.topics.map((topic) => `"${toHex(topic)}"`).join(",");
  return `{"address":"${toHex(log.address)}","topics":[${topics}],"data":"${toHex(log.data)}","index":${quantity(index)},"position":${quantity(position)}}`;
}
