import {
  addressFromHex,
  addressToWord,
  err,
  hashFromHex,
  hashFromWord,
  ok,
  type Result,
  toHex,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  type AppliedTransaction,
  type BlockReplay,
  describeFault,
  encodeTransaction,
  intrinsicGas,
  type ReadRevertReason,
  type SignedTransaction,
  type TraceBudget,
  type TransactionTracer,
  transactionOfCall,
} from "@ostrom/execution";
import { checksumAddress, type Inclusion, logToJson, quantity } from "@ostrom/rpc-schema";
import type { Log } from "@ostrom/state";
import { MAX_NONCE, type MessageEntry, type PrecompileSet } from "@ostrom/vm";
import type { JsonObject } from "./json.ts";
import { RPC_ERROR } from "./rpc-error.ts";
import type { SimulatedCall } from "./simulate-request.ts";
import type { TraceFailure } from "./trace-port.ts";

/** A call that has run. */
export type RanCall = {
  readonly transaction: SignedTransaction;
  readonly applied: AppliedTransaction;
  /** Those of transfers too, where they were asked for; none if it failed. */
  readonly logs: readonly SimulatedLog[];
  /** Of all that it logged, also what was undone. */
  readonly logCount: number;
};

export type SimulatedLog = {
  readonly log: Log;
  /** Among the call's logs, also those that were undone: they take a number of the block's, as in geth, whose answers
   * execution-apis has made its vectors. */
  readonly index: number;
};

/** What a call finds besides state. */
export type CallRoom = {
  /** By the block's calls before it. */
  readonly gasUsed: bigint;
  /** Of all that the request may use. */
  readonly gasLeft: bigint;
  readonly validation: boolean;
  readonly traceTransfers: boolean;
};

/** Codes of execution-apis. */
const CODE = {
  nonceTooLow: -38010,
  nonceTooHigh: -38011,
  baseFeeTooLow: -38012,
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  blockGasLimit: -38015,
  vmError: -32015,
} as const;

/** Where transfers of coins are logged as if by a token. Source: execution-apis, `traceTransfers`. */
const TRANSFER_ADDRESS = addressFromHex(`0x${"ee".repeat(20)}`);
/** keccak256 of Transfer(address,address,uint256). */
const TRANSFER_TOPIC = hashFromHex("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
const LOG_BYTES = 512;

export function runSimulatedCall(
  replay: BlockReplay,
  { request, nonce }: SimulatedCall,
  precompiles: PrecompileSet,
  room: CallRoom,
  budget: TraceBudget,
): Result<RanCall, TraceFailure> {
  const { block, state } = replay;
  const remaining = block.gasLimit - room.gasUsed;
  const wanted = request.gas ?? remaining;
  if (wanted > remaining) {
    const told = `remaining: ${remaining}, required: ${wanted}`;
    return refuse(CODE.blockGasLimit, `block gas limit reached: ${told}`);
  }
  const gasLimit = wanted < room.gasLeft ? wanted : room.gasLeft;
  const { chainId } = block;
  const running = transactionOfCall(request, state, { gasLimit, chainId });
  const refused = refusalOf(replay, running, nonce ?? running.nonce, room.validation);
  if (refused !== undefined) return refused;
  const transfers = createTransferTracer(room.traceTransfers, budget);
  const applied = replay.call(running, transfers, {}, precompiles);
  wrapNonce(replay, running.sender);
  const transaction = named({ ...running, nonce: nonce ?? running.nonce });
  return ok({
    transaction,
    applied,
    logs: applied.succeeded ? transfers.logs() : [],
    logCount: transfers.logCount(),
  });
}

/** Without validation a sender may pass the last nonce: the next one is 0, as in geth. */
function wrapNonce({ state }: BlockReplay, sender: SignedTransaction["sender"]): void {
  if (state.nonce(sender) <= MAX_NONCE) return;
  state.beginTransaction();
  state.setNonce(sender, 0n);
  state.endTransaction();
}

/** With the bytes and the hash that it has without a signature. */
function named(transaction: SignedTransaction): SignedTransaction {
  const raw = encodeTransaction(transaction, { yParity: 0, r: 0n, s: 0n });
  return { ...transaction, raw, hash: keccak256(raw) };
}

function refusalOf(
  { block, state, fork }: BlockReplay,
  transaction: SignedTransaction,
  nonce: bigint,
  validation: boolean,
): Result<never, TraceFailure> | undefined {
  const { sender, maxFeePerGas, gasLimit, value } = transaction;
  const who = `address ${checksumAddress(sender)}`;
  const told = (rpcCode: number, message: string): Result<never, TraceFailure> =>
    refuse(rpcCode, `err: ${message} (supplied gas ${gasLimit})`);
  const expected = transaction.nonce;
  if (validation && nonce < expected)
    return told(CODE.nonceTooLow, `nonce too low: ${who}, tx: ${nonce} state: ${expected}`);
  if (validation && nonce > expected)
    return told(CODE.nonceTooHigh, `nonce too high: ${who}, tx: ${nonce} state: ${expected}`);
  if (validation && expected >= MAX_NONCE)
    return told(RPC_ERROR.internal, `nonce has max value: ${who}, nonce: ${expected}`);
  if ((validation || maxFeePerGas > 0n) && maxFeePerGas < block.baseFeePerGas) {
    const fees = `maxFeePerGas: ${maxFeePerGas}, baseFee: ${block.baseFeePerGas}`;
    return told(CODE.baseFeeTooLow, `max fee per gas less than block base fee: ${who}, ${fees}`);
  }
  const have = state.balance(sender);
  const want = gasLimit * maxFeePerGas + value;
  if (have < want) {
    const funds = `insufficient funds for gas * price + value: ${who} have ${have} want ${want}`;
    return told(CODE.insufficientFunds, funds);
  }
  const needed = intrinsicGas(transaction, fork);
  if (gasLimit >= needed) return undefined;
  return told(CODE.intrinsicGas, `intrinsic gas too low: have ${gasLimit}, want ${needed}`);
}

function refuse(rpcCode: number, message: string): Result<never, TraceFailure> {
  return err({ code: "rpc/simulation", message, rpcCode });
}

/** Collects logs, and, if asked to, a token's log for each transfer of coins; those of messages that failed are left out. */
function createTransferTracer(
  isTracing: boolean,
  budget: TraceBudget,
): TransactionTracer & { readonly logs: () => readonly SimulatedLog[]; readonly logCount: () => number } {
  const open: SimulatedLog[][] = [];
  let done: readonly SimulatedLog[] = [];
  let count = 0;
  const add = (log: Log): void => {
    budget.take(LOG_BYTES + 2 * log.data.length);
    open.at(-1)?.push({ log, index: count++ });
  };
  const addTransfer = (from: MessageEntry["from"], to: MessageEntry["to"], value: bigint): void => {
    if (!isTracing || value === 0n || to === undefined) return;
    const topics = [TRANSFER_TOPIC, hashFromWord(addressToWord(from)), hashFromWord(addressToWord(to))];
    add({ address: TRANSFER_ADDRESS, topics, data: wordToBytes(value) });
  };
  return {
    observer: {
      onEnter: ({ kind, from, to, value }) => {
        open.push([]);
        if (kind !== "DELEGATECALL") addTransfer(from, to, value ?? 0n);
      },
      onLeave: ({ status }) => {
        const logs = open.pop() ?? [];
        if (status !== "success") return;
        const parent = open.at(-1);
        if (parent === undefined) done = logs;
        else for (const log of logs) parent.push(log);
      },
      onSelfDestruct: addTransfer,
    },
    watcher: { onLog: add },
    finish: () => "null",
    logs: () => done,
    logCount: () => count,
  };
}

export function simulatedCallJson(
  { applied, transaction, logs }: RanCall,
  inclusion: Inclusion,
  index: number,
  firstLog: number,
  readReason: ReadRevertReason,
): JsonObject {
  const { succeeded, fault, faultReason, output, gasUsed, peakGas } = applied;
  const hash = toHex(transaction.hash);
  const answer = {
    returnData: toHex(succeeded ? output : new Uint8Array(0)),
    logs: logs.map((each) => logToJson(each.log, inclusion, hash, index, firstLog + each.index)),
    gasUsed: quantity(gasUsed),
    maxUsedGas: quantity(peakGas),
    status: succeeded ? "0x1" : "0x0",
  };
  if (succeeded) return answer;
  if (fault !== undefined) {
    return { ...answer, error: { message: describeFault(fault, faultReason), code: CODE.vmError } };
  }
  const reason = readReason(output);
  const message = reason === undefined ? "execution reverted" : `execution reverted: ${reason}`;
  const error = { message, code: RPC_ERROR.executionReverted, data: toHex(output) };
  return { ...answer, error };
}
