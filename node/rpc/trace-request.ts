import { err, type Hash } from "@ostrom/base";
import type { TransactionLocation } from "./backend.ts";
import { type BlockParameter, LATEST } from "./block-parameter.ts";
import { headerNotFound, type ReadBlock } from "./block-reader.ts";
import type { RequestContext } from "./method.ts";
import { refusal } from "./pool-error.ts";
import { busy, RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";
import type { TraceFailure, TraceQuery } from "./trace-port.ts";

/** Traces take seconds: there is room again later. */
const BUSY_RETRY_MS = 1_000;

/** Asks the thread that runs transactions again. @param timeoutMs at most; less if the request has less time left.
 * @returns JSON text. Throws RpcError. */
export async function askForTrace(
  { backend, limits, deadlineMs }: RequestContext,
  query: TraceQuery,
  timeoutMs: number = limits.traceTimeoutMs,
): Promise<string> {
  const { traces } = backend;
  if (traces === undefined)
    throw new RpcError(RPC_ERROR.methodNotFound, "this node does not trace transactions");
  const left = Math.max(1, Math.floor(deadlineMs - performance.now()));
  const request = { query, timeoutMs: Math.min(timeoutMs, left), maxBytes: limits.traceBytes };
  const answer = await traces.trace(request);
  const checked = answer.ok && answer.value.length > limits.traceBytes ? TOO_LARGE : answer;
  if (checked.ok) return checked.value;
  throw traceError(checked.error, request.timeoutMs);
}

const TOO_LARGE = err<TraceFailure>({
  code: "execution/trace-too-large",
  message: "the trace is larger than this node answers: ask for less of it",
});

function traceError(failure: TraceFailure, timeoutMs: number): RpcError {
  const { code, message, rpcCode } = failure;
  if (rpcCode !== undefined) return new RpcError(rpcCode, message);
  switch (code) {
    case "rpc/unknown-block":
    case "rpc/genesis":
    case "rpc/replay":
    case "rpc/invalid-block":
      return serverError(message);
    case "rpc/state-too-old":
      return serverError(
        `${message}: this node keeps the state of its newest blocks only ("historyBlocks" in node.json); a node in mode "archive" keeps all`,
        { reason: code },
      );
    case "rpc/timeout":
      return serverError(`execution timeout: the trace took longer than ${timeoutMs} ms`, { reason: code });
    case "rpc/busy":
      return busy(message, BUSY_RETRY_MS);
    case "execution/trace-too-large":
    case "rpc/search-limit":
      return new RpcError(RPC_ERROR.limitExceeded, message, { reason: code });
    default:
      return refusal(failure);
  }
}

/** Throws "transaction not found", as geth. */
export function locate({ backend }: RequestContext, hash: Hash): TransactionLocation {
  const location = backend.chain.transactionLocation(hash);
  if (location === undefined) throw serverError("transaction not found");
  return location;
}

/** Throws where the block is not here. */
export function resolveBlock({ blocks }: RequestContext, parameter: BlockParameter = LATEST): number {
  const blockNumber = blocks.resolve(parameter);
  if (blockNumber === undefined) throw headerNotFound(parameter);
  return blockNumber;
}

export function readBlockOf(context: RequestContext, parameter: BlockParameter): ReadBlock | undefined {
  const blockNumber = context.blocks.resolve(parameter);
  return blockNumber === undefined ? undefined : context.blocks.byNumber(blockNumber);
}
