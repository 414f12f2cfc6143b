import { equalBytes, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { decodeSignedTransaction, nextBaseFee } from "@ostrom/execution";
import { type JsonObject, pendingTransactionToJson, quantity } from "@ostrom/rpc-schema";
import { feeHistory, suggestTip } from "./fee-answers.ts";
import type { LightClient } from "./light-client.ts";
import { invalidParams, PROVIDER_ERROR, ProviderError } from "./provider-error.ts";
import {
  blockChoice,
  findBlock,
  orThrow,
  type ProvedMethod,
  type ProviderContext,
  readParameter,
  UNPROVED,
} from "./provider-method.ts";
import { readArray, readCount, readData, readHash } from "./read-json.ts";
import { completeReceipt, decodeProved, logsBefore, type ProvedBody } from "./reads.ts";
import { blockJson, logJson, receiptJson, transactionJson } from "./rpc-json.ts";
import { type BlockChoice, readLogQuery } from "./rpc-parameters.ts";

/** Blocks that one eth_getLogs or eth_feeHistory goes through. */
const MAX_BLOCKS = 1_024;
/** The newest blocks whose tips tell what to pay. */
const SAMPLED_BLOCKS = 4;
const ZERO = "0x0";

/** Answers about a certified block, null if there is none; what is asked of the pool nobody can prove. */
function bodyRead(
  read: (body: ProvedBody, params: readonly unknown[], context: ProviderContext) => unknown,
): ProvedMethod {
  return async (context, params) => {
    const choice = blockChoice(params, 0);
    if (choice.kind === "pending") return UNPROVED;
    const block = await findBlock(context, choice);
    if (block === undefined) return null;
    return read(orThrow(await context.client.body(block.header.number)), params, context);
  };
}

const wholeBlock = bodyRead(({ block, transactions }, params) =>
  blockJson(
    block,
    transactions,
    transactions.map((raw, index) =>
      params[1] === true ? transactionJson(decodeProved(raw), block, index) : toHex(keccak256(raw)),
    ),
  ),
);
const transactionCount = bodyRead(({ transactions }) => quantity(transactions.length));
const transactionAt = bodyRead(({ block, transactions }, params) => {
  const index = readParameter(params, 1, readCount);
  const raw = transactions[index];
  return raw === undefined ? null : transactionJson(decodeProved(raw), block, index);
});

export const blockMethods: Readonly<Record<string, ProvedMethod>> = {
  eth_blockNumber: async ({ client }) => quantity(orThrow(await client.header()).header.number),
  eth_getBlockByNumber: wholeBlock,
  eth_getBlockByHash: wholeBlock,
  eth_getBlockTransactionCountByNumber: transactionCount,
  eth_getBlockTransactionCountByHash: transactionCount,
  eth_getTransactionByBlockNumberAndIndex: transactionAt,
  eth_getTransactionByBlockHashAndIndex: transactionAt,
  eth_getBlockReceipts: bodyRead(receiptsJson),
  eth_getUncleCountByBlockNumber: bodyRead(() => ZERO),
  eth_getUncleCountByBlockHash: bodyRead(() => ZERO),
};

function receiptsJson({ block, transactions, receipts }: ProvedBody): readonly JsonObject[] {
  return receipts.map((proved, index) => {
    const transaction = decodeProved(transactions[index] ?? new Uint8Array(0));
    const gasBefore = receipts[index - 1]?.cumulativeGasUsed ?? 0n;
    const receipt = completeReceipt(transaction, block.header, proved, gasBefore);
    return receiptJson({ block, index, transaction, receipt, firstLogIndex: logsBefore(receipts, index) });
  });
}

export const transactionMethods: Readonly<Record<string, ProvedMethod>> = {
  eth_getTransactionByHash: async ({ client, send }, params) => {
    const hash = readParameter(params, 0, readHash);
    const proved = orThrow(await client.transaction(hash));
    if (proved !== undefined) return transactionJson(proved.transaction, proved.block, proved.index);
    // One that waits proves itself: its hash is of its bytes, and its sender follows from its signature.
    const raw = await send({ method: "debug_getRawTransaction", params: [toHex(hash)] }).catch(
      () => undefined,
    );
    const bytes = typeof raw === "string" ? readParameter([raw], 0, readData) : new Uint8Array(0);
    const decoded = equalBytes(keccak256(bytes), hash) ? decodeSignedTransaction(bytes) : undefined;
    return decoded?.ok === true ? pendingTransactionToJson(decoded.value) : null;
  },
  eth_getTransactionReceipt: async ({ client }, params) => {
    const proved = orThrow(await client.receipt(readParameter(params, 0, readHash)));
    return proved === undefined ? null : receiptJson(proved);
  },
  eth_sendRawTransaction: async ({ own, send }, params) => {
    const raw = readParameter(params, 0, readData);
    const hash = toHex(keccak256(raw));
    const answer = await send({ method: "eth_sendRawTransaction", params: [toHex(raw)] });
    if (answer !== hash) throw new ProviderError(PROVIDER_ERROR.server, "the server answered another hash");
    own.remember(raw);
    return hash;
  },
  eth_getLogs: async (context, params) => {
    const { criteria, from, to } = readParameter(params, 0, readLogQuery);
    const first = await heightOf(context, from);
    const last = await heightOf(context, to);
    if (first === undefined || last === undefined) return UNPROVED;
    if (first > last) throw invalidParams("invalid block range params");
    if (last - first >= MAX_BLOCKS) {
      throw new ProviderError(PROVIDER_ERROR.limitExceeded, `more than ${MAX_BLOCKS} blocks: ask in parts`);
    }
    return orThrow(await context.client.logs(first, last, criteria)).map(logJson);
  },
};

/** The number of a block, whether it is there or not; undefined for the pool. */
async function heightOf(context: ProviderContext, choice: BlockChoice): Promise<number | undefined> {
  if (choice.kind === "pending") return undefined;
  if (typeof choice.at === "number") return choice.at;
  return orThrow(await context.client.header(choice.at)).header.number;
}

export const feeMethods: Readonly<Record<string, ProvedMethod>> = {
  eth_baseFee: async ({ client }) => quantity(await nextFee(client)),
  eth_gasPrice: async ({ client }) => quantity((await nextFee(client)) + (await tip(client))),
  eth_maxPriorityFeePerGas: async ({ client }) => quantity(await tip(client)),
  eth_blobBaseFee: async () => "0x1",
  eth_feeHistory: async ({ client }, params) => {
    const count = readParameter(params, 0, (value, what) =>
      typeof value === "number" ? value : readCount(value, what),
    );
    const choice = blockChoice(params, 1);
    if (choice.kind === "pending") return UNPROVED;
    const percentiles = readPercentiles(params[2]);
    const newest = orThrow(await client.header(choice.at)).header.number;
    const oldest = newest - Math.min(count, MAX_BLOCKS, newest + 1) + 1;
    if (!Number.isSafeInteger(oldest) || oldest > newest) throw invalidParams("no blocks are asked for");
    const blocks = orThrow(await client.headers(oldest, newest));
    const bodies = percentiles.length === 0 ? [] : await bodiesOf(client, oldest, newest);
    return feeHistory(orThrow(await client.chain()).rules, blocks, bodies, percentiles);
  },
};

function readPercentiles(value: unknown): readonly number[] {
  if (value === undefined || value === null) return [];
  const entries = readParameter([value], 0, (list, what) => readArray(list, what, 100));
  return entries.map((entry, index) => {
    const before = entries[index - 1];
    const isPercentage = typeof entry === "number" && entry >= 0 && entry <= 100;
    if (!isPercentage || (typeof before === "number" && entry < before))
      throw invalidParams("invalid reward percentile");
    return entry;
  });
}

async function nextFee(client: LightClient): Promise<bigint> {
  const { header } = orThrow(await client.header());
  return nextBaseFee(header, orThrow(await client.chain()).rules);
}

async function tip(client: LightClient): Promise<bigint> {
  const newest = orThrow(await client.header()).header.number;
  const bodies = await bodiesOf(client, Math.max(1, newest - SAMPLED_BLOCKS + 1), newest);
  return suggestTip(orThrow(await client.chain()).rules, bodies);
}

async function bodiesOf(client: LightClient, from: number, to: number): Promise<readonly ProvedBody[]> {
  const bodies: ProvedBody[] = [];
  for (let height = from; height <= to; height++) bodies.push(orThrow(await client.body(height)));
  return bodies;
}
