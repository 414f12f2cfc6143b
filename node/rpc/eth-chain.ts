import { must, toHex } from "@ostrom/base";
import { BLOB_BASE_FEE, quantity } from "@ostrom/rpc-schema";
import { type BlockParameter, blockNumberOrTag, blockParameter } from "./block-parameter.ts";
import type { ReadBlock } from "./block-reader.ts";
import { chainConfig } from "./chain-config.ts";
import { count, countOrNumber, type Decoder, flag, hash, shown, ValueError } from "./decode.ts";
import { feeHistory } from "./fees.ts";
import type { Json } from "./json.ts";
import {
  defineMethod,
  defineTextMethod,
  type Method,
  optional,
  type RequestContext,
  required,
} from "./method.ts";
import { pendingBlock } from "./pending-block.ts";
import { limitExceeded, serverError } from "./rpc-error.ts";

const chainIdentity: readonly Method[] = [
  defineMethod({
    name: "eth_chainId",
    summary: "The chain id that transactions are signed for (EIP-695).",
    parameters: [],
    returns: "quantity",
    run: ({ backend }) => quantity(backend.info.rules.chainId),
  }),
  defineMethod({
    name: "eth_blockNumber",
    summary: "The number of the newest executed block.",
    parameters: [],
    returns: "quantity",
    run: ({ blocks }) => quantity(blocks.heads().latest),
  }),
  defineMethod({
    name: "eth_syncing",
    summary: "Where this node stands while it catches up; false once it follows the head.",
    parameters: [],
    returns: "false or {startingBlock, currentBlock, highestBlock}",
    run: ({ backend }) => {
      const progress = backend.syncing();
      if (progress === undefined) return false;
      return {
        startingBlock: quantity(progress.startingBlock),
        currentBlock: quantity(progress.currentBlock),
        highestBlock: quantity(progress.highestBlock),
      };
    },
  }),
  defineMethod({
    name: "eth_accounts",
    summary: "Accounts whose keys this node holds: none, keys stay with their owners.",
    parameters: [],
    returns: "empty array",
    run: () => [],
  }),
  defineMethod({
    name: "eth_coinbase",
    summary: "Where this node's own fees go.",
    parameters: [],
    returns: "address",
    run: ({ backend }) => {
      if (backend.info.coinbase === undefined)
        throw serverError("this node has no coinbase: it proposes no blocks");
      return toHex(backend.info.coinbase);
    },
  }),
  defineMethod({
    name: "eth_mining",
    summary: "Whether this node searches for the next block's nonce.",
    parameters: [],
    returns: "boolean",
    run: ({ backend }) => backend.mining?.()?.isMining ?? false,
  }),
  defineMethod({
    name: "eth_hashrate",
    summary: "How many hashes a second this node searches; 0 on a chain that is not mined.",
    parameters: [],
    returns: "quantity",
    run: ({ backend }) => quantity(backend.mining?.()?.hashesPerSecond ?? 0),
  }),
  defineMethod({
    name: "eth_capabilities",
    summary: "From which block on this node has blocks, receipts, state and proofs.",
    parameters: [],
    returns: "{head, state, tx, logs, receipts, blocks, stateproofs}",
    run: ({ backend, blocks }) => {
      const { latest, earliest, earliestState = 0 } = blocks.heads();
      const head = must(backend.chain.header(latest), "the head must have a header");
      const bodies = { disabled: false, oldestBlock: quantity(earliest) };
      const state = { disabled: false, oldestBlock: quantity(earliestState) };
      return {
        head: { number: quantity(latest), hash: toHex(head.hash) },
        state,
        tx: bodies,
        logs: bodies,
        receipts: bodies,
        blocks: bodies,
        stateproofs: state,
      };
    },
  }),
  defineMethod({
    name: "eth_config",
    summary: "The rules in force: precompiles, system contracts, fork id (EIP-7910).",
    parameters: [],
    returns: "{current, next, last}",
    run: ({ backend, blocks }) => {
      const head = backend.chain.header(blocks.heads().latest);
      return chainConfig(backend.info, head === undefined ? 0 : head.header.timestamp);
    },
  }),
];

/** Percentages that do not decrease. */
const percentiles: Decoder<readonly number[]> = {
  type: "array of percentages, ascending",
  decode: (value) => {
    if (!Array.isArray(value)) throw new ValueError(`expected an array, got ${shown(value)}`);
    value.forEach((entry, i) => {
      if (typeof entry !== "number" || !(entry >= 0 && entry <= 100)) {
        throw new ValueError(`invalid reward percentile: ${shown(entry)}`);
      }
      if (i > 0 && entry < value[i - 1]) {
        throw new ValueError(`invalid reward percentile: #${i - 1}:${value[i - 1]} >= #${i}:${entry}`);
      }
    });
    return value;
  },
};

const fees: readonly Method[] = [
  defineMethod({
    name: "eth_gasPrice",
    summary: "A gas price that the next blocks will take: their base fee and the suggested tip.",
    parameters: [],
    returns: "quantity (wei)",
    run: ({ fees }) => quantity(fees.nextBaseFee() + fees.suggestedTip()),
  }),
  defineMethod({
    name: "eth_maxPriorityFeePerGas",
    summary: "A tip that the next blocks will take, from what the newest ones took.",
    parameters: [],
    returns: "quantity (wei)",
    run: ({ fees }) => quantity(fees.suggestedTip()),
  }),
  defineMethod({
    name: "eth_baseFee",
    summary: "The base fee of the next block.",
    parameters: [],
    returns: "quantity (wei)",
    run: ({ fees }) => quantity(fees.nextBaseFee()),
  }),
  defineMethod({
    name: "eth_blobBaseFee",
    summary: "The price of blob gas; the lowest, as blocks here have no blobs.",
    parameters: [],
    returns: "quantity (wei)",
    run: () => quantity(BLOB_BASE_FEE),
  }),
  defineMethod({
    name: "eth_feeHistory",
    summary: "Base fees, fullness and tips of recent blocks.",
    parameters: [
      required("blockCount", countOrNumber),
      required("newestBlock", blockNumberOrTag),
      optional("rewardPercentiles", percentiles, []),
    ],
    returns: "{oldestBlock, baseFeePerGas, gasUsedRatio, reward, baseFeePerBlobGas, blobGasUsedRatio}",
    run: ({ blocks, backend, limits }, blockCount, newestBlock, wanted) => {
      if (wanted.length > limits.feeHistoryPercentiles) {
        throw limitExceeded(
          `over the query limit ${limits.feeHistoryPercentiles}`,
          limits.feeHistoryPercentiles,
        );
      }
      const newest = blocks.resolve(newestBlock);
      if (newest === undefined) throw serverError("request beyond head block");
      const { earliest } = blocks.heads();
      const available = Math.min(
        blockCount,
        limits.feeHistoryBlocks,
        newest - Math.min(earliest, newest) + 1,
      );
      if (available < 1) {
        return {
          oldestBlock: "0x0",
          baseFeePerGas: [],
          gasUsedRatio: [],
          baseFeePerBlobGas: [],
          blobGasUsedRatio: [],
        };
      }
      const range = { oldest: newest - available + 1, newest };
      return feeHistory(blocks, backend.chain, backend.info.rules, range, wanted);
    },
  }),
];

function blockText(block: ReadBlock | undefined, isFull: boolean): string {
  if (block === undefined) return "null";
  return isFull ? block.texts.full() : block.texts.brief();
}

function find({ blocks }: RequestContext, parameter: BlockParameter): ReadBlock | undefined {
  const blockNumber = blocks.resolve(parameter);
  return blockNumber === undefined ? undefined : blocks.byNumber(blockNumber);
}

const blockReads: readonly Method[] = [
  defineTextMethod({
    name: "eth_getBlockByNumber",
    summary: "A block by number or tag.",
    parameters: [required("block", blockNumberOrTag), optional("fullTransactions", flag, false)],
    returns: "block, or null if there is none",
    run: (context, parameter, isFull) => {
      if (parameter.kind === "tag" && parameter.tag === "pending") {
        return pendingBlock(context, isFull).then((pending) => JSON.stringify(pending));
      }
      return blockText(find(context, parameter), isFull);
    },
  }),
  defineTextMethod({
    name: "eth_getBlockByHash",
    summary: "A block by its hash.",
    parameters: [required("hash", hash), optional("fullTransactions", flag, false)],
    returns: "block, or null if there is none",
    run: ({ blocks }, blockHash, isFull) => blockText(blocks.byHash(blockHash), isFull),
  }),
  defineTextMethod({
    name: "eth_getBlockReceipts",
    summary: "The receipts of all of a block's transactions.",
    parameters: [required("block", blockParameter)],
    returns: "array of receipts, or null if there is no such block",
    run: (context, parameter) => find(context, parameter)?.texts.receipts().all ?? "null",
  }),
  defineMethod({
    name: "eth_getBlockTransactionCountByNumber",
    summary: "How many transactions a block has.",
    parameters: [required("block", blockNumberOrTag)],
    returns: "quantity, or null if there is no such block",
    run: async (context, parameter) => {
      if (parameter.kind === "tag" && parameter.tag === "pending") {
        return quantity((await context.backend.pool.status()).pending);
      }
      return countOf(find(context, parameter), ({ transactions }) => transactions.length);
    },
  }),
  defineMethod({
    name: "eth_getBlockTransactionCountByHash",
    summary: "How many transactions a block has.",
    parameters: [required("hash", hash)],
    returns: "quantity, or null if there is no such block",
    run: ({ blocks }, blockHash) =>
      countOf(blocks.byHash(blockHash), ({ transactions }) => transactions.length),
  }),
];

function countOf(block: ReadBlock | undefined, counted: (block: ReadBlock) => number): Json {
  return block === undefined ? null : quantity(counted(block));
}

/** No block of ours has uncles; the methods stay because tools call them. */
const uncles: readonly Method[] = [
  defineMethod({
    name: "eth_getUncleCountByBlockNumber",
    summary: "How many uncles a block has: none.",
    parameters: [required("block", blockNumberOrTag)],
    returns: "quantity, or null if there is no such block",
    run: (context, parameter) => countOf(find(context, parameter), () => 0),
  }),
  defineMethod({
    name: "eth_getUncleCountByBlockHash",
    summary: "How many uncles a block has: none.",
    parameters: [required("hash", hash)],
    returns: "quantity, or null if there is no such block",
    run: ({ blocks }, blockHash) => countOf(blocks.byHash(blockHash), () => 0),
  }),
  defineMethod({
    name: "eth_getUncleByBlockNumberAndIndex",
    summary: "An uncle of a block: none.",
    parameters: [required("block", blockNumberOrTag), required("index", count)],
    returns: "null",
    run: () => null,
  }),
  defineMethod({
    name: "eth_getUncleByBlockHashAndIndex",
    summary: "An uncle of a block: none.",
    parameters: [required("hash", hash), required("index", count)],
    returns: "null",
    run: () => null,
  }),
];

export const ethChainMethods: readonly Method[] = [...chainIdentity, ...fees, ...blockReads, ...uncles];
