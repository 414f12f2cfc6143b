import { err, must, ok, type Result, toHex } from "@ostrom/base";
import { type AppliedTransaction, type CallFrame, CallRecorder, type TraceBudget } from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import type { Json } from "./json.ts";
import { skipTo, withReplay } from "./replayed-block.ts";
import type { TracedChain, TraceFailure, TraceQuery } from "./trace-port.ts";

type MessagesQuery = Extract<TraceQuery, { readonly kind: "messages" }>;

/** ots_getInternalOperations' numbers. */
const OPERATION = { transfer: 0, selfDestruct: 1, create: 2, create2: 3 } as const;

/** Runs a transaction again and tells of its messages in one of Otterscan's forms. */
export function traceMessages(
  chain: TracedChain,
  { blockNumber, index, form }: MessagesQuery,
  budget: TraceBudget,
): Result<string, TraceFailure> {
  return withReplay(chain, blockNumber, (replay, block) => {
    const failure = skipTo(replay, block, index);
    if (failure !== undefined) return err(failure);
    const transaction = must(block.transactions[index], "the index has this transaction");
    const recorder = new CallRecorder({ onlyTopCall: false, withLog: false }, budget, chain.readReason);
    const { observer, watcher } = recorder;
    let root: CallFrame | undefined;
    const finish = (applied: AppliedTransaction): string => {
      root = recorder.finish(applied, transaction.gasLimit);
      return "";
    };
    const applied = replay.apply(transaction, { observer, watcher, finish });
    if (!applied.ok) return err(applied.error);
    finish(applied.value);
    return ok(JSON.stringify(inForm(form, must(root, "a transaction has a message"))));
  });
}

function inForm(form: MessagesQuery["form"], root: CallFrame): Json {
  switch (form) {
    case "error":
      return root.error === undefined ? "0x" : toHex(root.output ?? new Uint8Array(0));
    case "trace":
      return entriesOf(root);
    case "operations":
      return operationsOf(root);
    default:
      return form satisfies never;
  }
}

/** All messages in the order in which they began. */
function entriesOf(root: CallFrame): Json[] {
  return inOrder(root).map(({ frame, depth }) => ({
    type: frame.type,
    depth,
    from: toHex(frame.from),
    to: frame.to === undefined ? null : toHex(frame.to),
    value: frame.value === undefined || frame.type === "DELEGATECALL" ? null : quantity(frame.value),
    input: toHex(frame.input),
    output: toHex(frame.output ?? new Uint8Array(0)),
  }));
}

/** What moved coins inside the transaction, or made or ended a contract. What was undone is left out. */
function operationsOf(root: CallFrame): Json[] {
  return inOrder(root).flatMap(({ frame, depth, isUndone }) => {
    const type = operationOf(frame);
    if (depth === 0 || isUndone || type === undefined) return [];
    const to = frame.to === undefined ? null : toHex(frame.to);
    return [{ type, from: toHex(frame.from), to, value: quantity(frame.value ?? 0n) }];
  });
}

function operationOf({ type, value }: CallFrame): number | undefined {
  if (type === "CREATE") return OPERATION.create;
  if (type === "CREATE2") return OPERATION.create2;
  if (type === "SELFDESTRUCT") return OPERATION.selfDestruct;
  return type === "CALL" && value !== undefined && value > 0n ? OPERATION.transfer : undefined;
}

type Placed = { readonly frame: CallFrame; readonly depth: number; readonly isUndone: boolean };

/** A frame and all below it, in the order in which they began. @param root at depth 0. */
export function inOrder(root: CallFrame): readonly Placed[] {
  const placed: Placed[] = [];
  const waiting: Placed[] = [{ frame: root, depth: 0, isUndone: root.error !== undefined }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    placed.push(next);
    const { depth, isUndone } = next;
    for (const frame of next.frame.calls.toReversed()) {
      waiting.push({ frame, depth: depth + 1, isUndone: isUndone || frame.error !== undefined });
    }
  }
  return placed;
}
