import type { RpcClient } from "../data/rpc.ts";
import type { RpcBlock, RpcReceipt, RpcTransaction, RpcTransactionStatus } from "../data/rpc-types.ts";
import { type CallFrame, failingCall } from "./call-frames.ts";
import type { StructLog } from "./gas-profile.ts";
import type { StateTrace } from "./state-difference.ts";

/** All that a node says of a transaction without running it again. */
export type KnownTransaction = {
  readonly status: RpcTransactionStatus;
  readonly transaction: RpcTransaction | null;
  readonly receipt: RpcReceipt | null;
  /** In seconds since 1970; of the block. */
  readonly timestamp: number | undefined;
};

/** Asks a node for a transaction, its receipt and where it stands, in one request, and for its block's time in a second one. */
export async function readTransaction(rpc: RpcClient, hash: string): Promise<KnownTransaction> {
  const [status, transaction, receipt] = await Promise.all([
    rpc.call<RpcTransactionStatus>("ostrom_getTransactionStatus", [hash]),
    rpc.call<RpcTransaction | null>("eth_getTransactionByHash", [hash]),
    rpc.call<RpcReceipt | null>("eth_getTransactionReceipt", [hash]),
  ]);
  const blockHash = receipt?.blockHash;
  const block =
    blockHash === undefined
      ? null
      : await rpc.call<RpcBlock | null>("eth_getBlockByHash", [blockHash, false]);
  const timestamp = block === null ? undefined : Number.parseInt(block.timestamp, 16);
  return { status, transaction, receipt, timestamp };
}

/** Whether nothing about it can change any more. */
export function isSettled({ status }: KnownTransaction): boolean {
  return (status.status === "included" && status.certified === true) || status.status === "dropped";
}

/** Its calls, as they were run. */
export function traceCalls(rpc: RpcClient, hash: string): Promise<CallFrame> {
  return rpc.call<CallFrame>("debug_traceTransaction", [hash, { tracer: "callTracer" }]);
}

/** What it changed. */
export function traceState(rpc: RpcClient, hash: string): Promise<StateTrace> {
  return rpc.call<StateTrace>("debug_traceTransaction", [
    hash,
    { tracer: "prestateTracer", tracerConfig: { diffMode: true } },
  ]);
}

/** Steps of which gas is added up; more would take megabytes. */
const MAX_STEPS = 50_000;

export type StepTrace = { readonly steps: readonly StructLog[]; readonly isCut: boolean };

/** Its instructions, without stack, memory and storage. */
export async function traceSteps(rpc: RpcClient, hash: string): Promise<StepTrace> {
  const { structLogs } = await rpc.call<{ readonly structLogs: readonly StructLog[] }>(
    "debug_traceTransaction",
    [hash, { disableStack: true, disableStorage: true, enableMemory: false, limit: MAX_STEPS }],
  );
  return { steps: structLogs, isCut: structLogs.length >= MAX_STEPS };
}

/** What a failed call said, and where. */
export type Failure = {
  readonly to: string | undefined;
  readonly error: string;
  readonly output: string;
};

/** Why a transaction failed; a node whose traces are closed may still tell the revert data. null: it did not fail. */
export async function readFailure(rpc: RpcClient, hash: string): Promise<Failure | null> {
  try {
    const frame = failingCall(await traceCalls(rpc, hash));
    if (frame === undefined) return null;
    return { to: frame.to, error: frame.revertReason ?? frame.error ?? "", output: frame.output ?? "0x" };
  } catch {
    const output = await rpc.call<string>("ots_getTransactionError", [hash]);
    return { to: undefined, error: "", output };
  }
}
