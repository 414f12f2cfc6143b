import { type Bytes, equalBytes, type Hash, must, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { pendingTransactionToJson, receiptToJson, transactionToJson } from "@ostrom/rpc-schema";
import { type BlockParameter, blockNumberOrTag } from "./block-parameter.ts";
import type { ReadBlock } from "./block-reader.ts";
import { count, countOrNumber, type Decoder, data, hash } from "./decode.ts";
import type { Json } from "./json.ts";
import { defineMethod, type Method, optional, type RequestContext, required } from "./method.ts";
import { refusal } from "./pool-error.ts";
import { RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";
import type { Fate } from "./transaction-waiter.ts";

const BLOB_TRANSACTION_TYPE = 3;

/** Throws where the pool need not even be asked. */
function checkRaw({ limits }: RequestContext, raw: Bytes): void {
  if (raw.length === 0) throw serverError("invalid transaction: it is empty");
  if (raw.length > limits.transactionBytes) {
    throw serverError(`oversized data: transaction size ${raw.length}, limit ${limits.transactionBytes}`);
  }
  if (raw[0] === BLOB_TRANSACTION_TYPE) {
    throw serverError("transaction type not valid: this chain takes no blob transactions (type 3)");
  }
}

/** A wait in milliseconds; 0 means the default. */
const timeout: Decoder<number> = { type: "milliseconds (number or quantity)", decode: countOrNumber.decode };

const sending: readonly Method[] = [
  defineMethod({
    name: "eth_sendRawTransaction",
    summary: "Submits a signed transaction to the pool.",
    parameters: [required("transaction", data)],
    returns: "hash",
    run: async (context, raw) => {
      checkRaw(context, raw);
      const result = await context.submissions.submit(raw);
      if (!result.ok) throw refusal(result.error);
      return toHex(result.value);
    },
  }),
  defineMethod({
    name: "eth_sendRawTransactionSync",
    summary:
      "Submits a signed transaction and waits for its receipt, or for the reason why it was dropped (EIP-7966).",
    parameters: [required("transaction", data), optional("timeoutMs", timeout, 0)],
    returns: "receipt; error 4 (timeout) or 5 (a nonce before it is missing) with the hash as data",
    run: sendAndWait,
  }),
];

async function sendAndWait(context: RequestContext, raw: Bytes, timeoutMs: number): Promise<Json> {
  checkRaw(context, raw);
  const { limits, waiter, submissions } = context;
  const wished = timeoutMs === 0 ? limits.syncDefaultTimeoutMs : timeoutMs;
  const waitMs = Math.min(wished, limits.syncMaxTimeoutMs);
  const transactionHash = keccak256(raw);
  const expected = waiter.expect(transactionHash, waitMs);
  try {
    const submitted = await submissions.submit(raw);
    // A transaction that the pool knows already may be in a block by now; then its receipt is the answer.
    const known = receiptJson(context, transactionHash);
    if (known !== null) return known;
    if (!submitted.ok && !submitted.error.code.endsWith("/already-known")) {
      throw refusal(submitted.error, transactionHash);
    }
    return await fateJson(context, transactionHash, await expected.fate, waitMs);
  } finally {
    expected.cancel();
  }
}

async function fateJson(
  context: RequestContext,
  transactionHash: Hash,
  fate: Fate,
  waitMs: number,
): Promise<Json> {
  if (fate.kind === "dropped") throw refusal(fate.reason, transactionHash);
  const receipt = receiptJson(context, transactionHash);
  if (receipt !== null) return receipt;
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

/** The receipt of an executed transaction, or null. */
function receiptJson({ backend, blocks }: RequestContext, transactionHash: Hash): Json {
  const location = backend.chain.transactionLocation(transactionHash);
  if (location === undefined) return null;
  const block = blocks.byNumber(location.blockNumber);
  if (block === undefined) return null;
  const { index } = location;
  const transaction = block.transactions[index];
  // On a mined chain another block may have taken its place since its location was read.
  if (transaction === undefined || !equalBytes(transaction.hash, transactionHash)) return null;
  const receipt = must(block.receipts()[index], "each transaction must have a receipt");
  return receiptToJson(receipt, transaction, block.inclusion, index, block.firstLogIndices()[index]!);
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
  defineMethod({
    name: "eth_getTransactionReceipt",
    summary: "What an executed transaction came to.",
    parameters: [required("hash", hash)],
    returns: "receipt, or null if it is not executed",
    run: receiptJson,
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
