import { toHex } from "@ostrom/base";
import { blockToJson, quantity, receiptToJson, transactionToJson } from "@ostrom/rpc-schema";
import { EMPTY_CODE_HASH } from "@ostrom/state";
import { blockNumberOrTag, blockParameter } from "./block-parameter.ts";
import type { ReadBlock } from "./block-reader.ts";
import { address, countOrNumber, type Decoder, hash, quantity64, ValueError } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import { defineMethod, defineTextMethod, type Method, required } from "./method.ts";
import { limitExceeded } from "./rpc-error.ts";
import { askForTrace, locate, readBlockOf } from "./trace-request.ts";

/** The version of Otterscan's methods that these are. */
const API_LEVEL = 8;
/** Transactions on one page. */
const MAX_PAGE_SIZE = 100;
/** "0x" and a selector. */
const SELECTOR_TEXT = 10;

const transactionHash = required("hash", hash);
const page = required("pageNumber", countOrNumber);
const pageSize = required("pageSize", countOrNumber);

/** A nonce, as Otterscan writes it (a number) or as other clients do. */
const nonce: Decoder<bigint> = {
  type: "quantity or number",
  decode: (value) => {
    if (typeof value !== "number") return quantity64.decode(value);
    if (!Number.isSafeInteger(value) || value < 0) throw new ValueError("expected a nonce");
    return BigInt(value);
  },
};

/** Otterscan's methods. Source: docs.otterscan.io, "Otterscan JSON-RPC API extensions". */
export const otsMethods: readonly Method[] = [
  defineMethod({
    name: "ots_getApiLevel",
    summary: "The version of Otterscan's methods that this node has.",
    parameters: [],
    returns: "number",
    run: () => API_LEVEL,
  }),
  defineMethod({
    name: "ots_hasCode",
    summary: "Whether an account has code.",
    parameters: [required("address", address), required("block", blockParameter)],
    returns: "true or false",
    run: ({ blocks }, account, parameter) =>
      blocks.withOneRead(parameter, (reader) => {
        const codeHash = reader.account(account)?.codeHash ?? EMPTY_CODE_HASH;
        return toHex(codeHash) !== toHex(EMPTY_CODE_HASH);
      }),
  }),
  ...["trace", "operations", "error"].map((form) => messagesMethod(form as MessagesForm)),
  ...blockMethods(),
  ...searchMethods(),
];

type MessagesForm = "trace" | "operations" | "error";

function messagesMethod(form: MessagesForm): Method {
  const described = {
    trace: ["ots_traceTransaction", "A transaction's messages in the order in which they began."],
    operations: [
      "ots_getInternalOperations",
      "What moved coins inside a transaction, or made or ended a contract; what was undone is left out.",
    ],
    error: ["ots_getTransactionError", "What a failed transaction reverted with."],
  } as const;
  const returns = {
    trace: "array of {type, depth, from, to, value, input, output}",
    operations: "array of {type, from, to, value}; type 0: transfer, 1: self-destruct, 2: create, 3: create2",
    error: "data; empty if it succeeded, or failed without a word",
  } as const;
  const [name, summary] = described[form];
  return defineTextMethod({
    name,
    summary,
    parameters: [transactionHash],
    returns: returns[form],
    run: (context, given) => {
      const { blockNumber, index } = locate(context, given);
      return askForTrace(context, { kind: "messages", blockNumber, index, form });
    },
  });
}

function blockMethods(): readonly Method[] {
  const returns = "{block, issuance, totalFees}; null if there is no such block";
  return [
    defineMethod({
      name: "ots_getBlockDetails",
      summary: "A block without its transactions, and what they paid.",
      parameters: [required("block", blockNumberOrTag)],
      returns,
      run: (context, parameter) => detailsOf(readBlockOf(context, parameter)),
    }),
    defineMethod({
      name: "ots_getBlockDetailsByHash",
      summary: "A block without its transactions, and what they paid.",
      parameters: [required("hash", hash)],
      returns,
      run: ({ blocks }, blockHash) => detailsOf(blocks.byHash(blockHash)),
    }),
    defineMethod({
      name: "ots_getBlockTransactions",
      summary:
        "A page of a block's transactions, counted from the last one; input is cut after the selector.",
      parameters: [required("block", blockNumberOrTag), page, pageSize],
      returns: "{fullblock, receipts}; null if there is no such block",
      run: (context, parameter, pageNumber, size) => {
        checkPageSize(size);
        const block = readBlockOf(context, parameter);
        return block === undefined ? null : pageOf(block, pageNumber, size);
      },
    }),
  ];
}

function checkPageSize(size: number): void {
  if (size > MAX_PAGE_SIZE) throw limitExceeded(`page size too large (max ${MAX_PAGE_SIZE})`, MAX_PAGE_SIZE);
}

function blockJson(block: ReadBlock, transactions: readonly (string | JsonObject)[]): JsonObject {
  const json = blockToJson(block.hash, block.header, block.size(), transactions);
  return { ...json, logsBloom: null, transactionCount: block.transactions.length };
}

function detailsOf(block: ReadBlock | undefined): Json {
  if (block === undefined) return null;
  const { transactions: _, ...json } = blockJson(block, []);
  const totalFees = block
    .receipts()
    .reduce((sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice, 0n);
  const none = quantity(0);
  return {
    block: json,
    issuance: { blockReward: none, uncleReward: none, issuance: none },
    totalFees: quantity(totalFees),
  };
}

/** Otterscan shows newest first: page 0 ends with the block's last transaction. */
function pageOf(block: ReadBlock, pageNumber: number, size: number): Json {
  const end = Math.max(0, block.transactions.length - pageNumber * size);
  const start = Math.max(0, end - size);
  const indices = Array.from({ length: end - start }, (_, i) => start + i);
  const transactions = indices.map((index) => {
    const json = transactionToJson(block.transactions[index]!, block.inclusion, index);
    return { ...json, input: String(json.input).slice(0, SELECTOR_TEXT) };
  });
  const receipts = indices.map((index) => {
    const transaction = block.transactions[index]!;
    const json = receiptToJson(block.receipts()[index]!, transaction, block.inclusion, index, 0);
    return { ...json, logs: null, logsBloom: null };
  });
  return { fullblock: blockJson(block, transactions), receipts };
}

function searchMethods(): readonly Method[] {
  const search = (direction: "before" | "after"): Method =>
    defineTextMethod({
      name: direction === "before" ? "ots_searchTransactionsBefore" : "ots_searchTransactionsAfter",
      summary: `A page of an account's transactions ${direction} a block (0: from the ${
        direction === "before" ? "newest" : "first"
      }), newest first; a bounded search, without messages inside transactions.`,
      parameters: [required("address", address), required("blockNumber", countOrNumber), pageSize],
      returns: "{txs, receipts, firstPage, lastPage}",
      run: (context, account, blockNumber, size) => {
        checkPageSize(size);
        const query = { address: account, blockNumber, direction, pageSize: size };
        return askForTrace(context, { kind: "search", ...query });
      },
    });
  return [
    search("before"),
    search("after"),
    defineTextMethod({
      name: "ots_getTransactionBySenderAndNonce",
      summary: "The transaction by which an account used a nonce; a bounded search.",
      parameters: [required("address", address), required("nonce", nonce)],
      returns: "hash; null if it has not used the nonce",
      run: (context, account, wanted) => {
        const used = context.blocks.withOneRead(
          { kind: "tag", tag: "latest" },
          (reader) => reader.account(account)?.nonce,
        );
        if (wanted >= (used ?? 0n)) return "null";
        return askForTrace(context, { kind: "senderNonce", address: account, nonce: wanted });
      },
    }),
    defineTextMethod({
      name: "ots_getContractCreator",
      summary: "The transaction and the account that created a contract.",
      parameters: [required("address", address)],
      returns: "{hash, creator}; null for an account without code, and for a contract of genesis",
      run: (context, account) => askForTrace(context, { kind: "creator", address: account }),
    }),
  ];
}
