import { type Bytes, equalBytes, type Hash, must, toHex, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { pendingTransactionToJson, transactionToJson } from "@ostrom/rpc-schema";
import { type BlockParameter, blockNumberOrTag } from "./block-parameter.ts";
import type { ReadBlock } from "./block-reader.ts";
import { count, countOrNumber, type Decoder, data, hash } from "./decode.ts";
import type { Json } from "./json.ts";
import {
  defineMethod,
  defineTextMethod,
  type Method,
  optional,
  type RequestContext,
  required,
} from "./method.ts";
import { createRefusals, refusal } from "./pool-error.ts";
import { checkRaw, readRaws } from "./raw-transactions.ts";
import { receiptTextAt } from "./receipt-text.ts";
import { RPC_ERROR, RpcError } from "./rpc-error.ts";
import type { Fate } from "./transaction-waiter.ts";

/** A wait in milliseconds; 0 means the default. */
const timeout: Decoder<number> = { type: "milliseconds (number or quantity)", decode: countOrNumber.decode };

const sending: readonly Method[] = [
  {
    ...defineMethod({
      name: "eth_sendRawTransaction",
      summary: "Submits a signed transaction to the pool.",
      parameters: [required("transaction", data)],
      returns: "hash",
      run: async ({ limits, submissions }, raw) => {
        checkRaw(raw, limits.transactionBytes);
        const [result] = await submissions.submit([raw]);
        if (!result!.ok) throw refusal(result!.error);
        return toHex(result!.value);
      },
    }),
    callMany: sendMany,
  },
  defineTextMethod({
    name: "eth_sendRawTransactionSync",
    summary:
      "Submits a signed transaction and waits for its receipt, or for the reason why it was dropped (EIP-7966).",
    parameters: [required("transaction", data), optional("timeoutMs", timeout, 0)],
    returns: "receipt; error 4 (timeout) or 5 (a nonce before it is missing) with the hash as data",
    run: sendAndWait,
  }),
];

/** The hundreds of a batch: hex to bytes once, one message to the pool, hashes to text once. */
async function sendMany(
  { limits, submissions }: RequestContext,
  given: readonly (readonly unknown[])[],
): Promise<readonly (string | RpcError)[]> {
  const read = readRaws(given, limits.transactionBytes);
  const raws = read.filter((raw) => raw instanceof Uint8Array);
  const results = raws.length === 0 ? [] : await submissions.submit(raws);
  const refusals = createRefusals();
  let next = 0;
  return read.map((raw) => {
    if (raw instanceof RpcError) return raw;
    const result = results[next++]!;
    return result.ok ? `"0x${toHexDigits(result.value)}"` : refusals(result.error);
  });
}

async function sendAndWait(context: RequestContext, raw: Bytes, timeoutMs: number): Promise<string> {
  checkRaw(raw, context.limits.transactionBytes);
  const { limits, waiter, submissions } = context;
  const wished = timeoutMs === 0 ? limits.syncDefaultTimeoutMs : timeoutMs;
  const waitMs = Math.min(wished, limits.syncMaxTimeoutMs);
  const transactionHash = keccak256(raw);
  const expected = waiter.expect(transactionHash, waitMs);
  try {
    const submitted = (await submissions.submit([raw]))[0]!;
    // A transaction that the pool knows already may be in a block by now; then its receipt is the answer.
    const known = receiptText(context, transactionHash);
    if (known !== undefined) return known;
    if (!submitted.ok && !submitted.error.code.endsWith("/already-known")) {
      throw refusal(submitted.error, transactionHash);
    }
    return await fateText(context, transactionHash, await expected.fate, waitMs);
  } finally {
    expected.cancel();
  }
}

async function fateText(
  context: RequestContext,
  transactionHash: Hash,
  fate: Fate,
  waitMs: number,
): Promise<string> {
  if (fate.kind === "dropped") throw refusal(fate.reason, transactionHash);
  const receipt = receiptText(context, transactionHash);
  if (receipt !== undefined) return receipt;
  const { pool } = context.backend;
  const pending = await pool.get(transactionHash);
  if (pending !== undefined && pending.nonce > (await pool.pendingNonce(pending.sender))) {
    throw new RpcError(
      RPC_ERROR.syncUnready,
      "The transaction was added to the pool but cannot run: a transaction with a lower nonce is missing.",
      toHex(transactionHash),
    );
  }
  throw new RpcError(
    RPC_ERROR.syncTimeout,
    `The transaction was added to the pool but wasn't processed in ${waitMs} ms.`,
    toHex(transactionHash),
  );
}

/** The receipt of an executed transaction, or undefined. */
function receiptText({ backend, blocks }: RequestContext, transactionHash: Hash): string | undefined {
  const location = backend.chain.transactionLocation(transactionHash);
  if (location === undefined) return undefined;
  const block = blocks.byNumber(location.blockNumber);
  if (block === undefined) return undefined;
  const { index } = location;
  const transaction = block.transactions[index];
  // On a mined chain another block may have taken its place since its location was read.
  if (transaction === undefined || !equalBytes(transaction.hash, transactionHash)) return undefined;
  return must(receiptTextAt(block.texts.receipts(), index), "each transaction must have a receipt");
}

function transactionAt(block: ReadBlock | undefined, index: number): Json {
  const transaction = block?.transactions[index];
  return block === undefined || transaction === undefined
    ? null
    : transactionToJson(transaction, block.inclusion, index);
}

const reading: readonly Method[] = [
  defineMethod({
    name: "eth_getTransactionByHash",
    summary: "A transaction, executed or waiting in this node's pool.",
    parameters: [required("hash", hash)],
    returns: "transaction, or null",
    run: (context, transactionHash) => {
      const { backend, blocks } = context;
      const location = backend.chain.transactionLocation(transactionHash);
      if (location !== undefined) return transactionAt(blocks.byNumber(location.blockNumber), location.index);
      return pooled(context, transactionHash);
    },
  }),
  defineTextMethod({
    name: "eth_getTransactionReceipt",
    summary: "What an executed transaction came to.",
    parameters: [required("hash", hash)],
    returns: "receipt, or null if it is not executed",
    run: (context, transactionHash) => receiptText(context, transactionHash) ?? "null",
  }),
  defineMethod({
    name: "eth_getTransactionByBlockHashAndIndex",
    summary: "A transaction by its place in a block.",
    parameters: [required("blockHash", hash), required("index", count)],
    returns: "transaction, or null",
    run: ({ blocks }, blockHash, index) => transactionAt(blocks.byHash(blockHash), index),
  }),
  defineMethod({
    name: "eth_getTransactionByBlockNumberAndIndex",
    summary: "A transaction by its place in a block.",
    parameters: [required("block", blockNumberOrTag), required("index", count)],
    returns: "transaction, or null",
    run: ({ blocks }, parameter: BlockParameter, index) => {
      const blockNumber = blocks.resolve(parameter);
      return transactionAt(blockNumber === undefined ? undefined : blocks.byNumber(blockNumber), index);
    },
  }),
];

async function pooled({ backend }: RequestContext, transactionHash: Hash): Promise<Json> {
  const transaction = await backend.pool.get(transactionHash);
  return transaction === undefined ? null : pendingTransactionToJson(transaction);
}

export const ethTransactionMethods: readonly Method[] = [...sending, ...reading];
