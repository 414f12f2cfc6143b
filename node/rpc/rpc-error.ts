import { type Bytes, toHex } from "@ostrom/base";
import type { Json } from "./json.ts";
import { revertReason } from "./revert-reason.ts";

/** Codes of JSON-RPC 2.0 (section 5.1), EIP-1474, EIP-7966 and go-ethereum, as viem and ethers decode them. */
export const RPC_ERROR = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** A server error: what the pool refuses, what the state cannot answer. Its message says which, in geth's words. */
  server: -32000,
  timeout: -32002,
  limitExceeded: -32005,
  executionReverted: 3,
  /** EIP-7966: submitted, but no receipt in time; `data` is the transaction's hash. */
  syncTimeout: 4,
  /** EIP-7966: submitted, but it cannot run (a nonce before it is missing); `data` is the transaction's hash. */
  syncUnready: 5,
  /** EIP-1193: who asks has not said who it is, or may not. */
  unauthorized: 4100,
  /** EIP-4444: the block's body is pruned here. */
  historyPruned: 4444,
} as const;

/** What a method throws to answer an error. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly data: Json | undefined;
  constructor(code: number, message: string, data?: Json) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The node has no room now for what it would take later. @param retryAfterMs when to try again.
 * @param reason stable code: whose room it is. */
export function busy(message: string, retryAfterMs: number, reason = "rpc/busy"): RpcError {
  return new RpcError(RPC_ERROR.limitExceeded, message, { reason, retryAfterMs });
}

export function invalidParams(message: string): RpcError {
  return new RpcError(RPC_ERROR.invalidParams, message);
}

export function serverError(message: string, data?: Json): RpcError {
  return new RpcError(RPC_ERROR.server, message, data);
}

/** @param limit the named limit's value, told to the client in `data` too. */
export function limitExceeded(message: string, limit: number | bigint): RpcError {
  return new RpcError(RPC_ERROR.limitExceeded, message, { limit: Number(limit) });
}

/** The answer to a call that reverted: code 3, `data` the revert data, the message with the reason if it can be read. */
export function executionReverted(output: Bytes): RpcError {
  const reason = revertReason(output);
  const message = reason === undefined ? "execution reverted" : `execution reverted: ${reason}`;
  return new RpcError(RPC_ERROR.executionReverted, message, toHex(output));
}
