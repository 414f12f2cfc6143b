import { type Hash, must } from "@ostrom/base";
import { encodeHeader, type Receipt } from "@ostrom/execution";
import { type Inclusion, inclusionOf } from "@ostrom/rpc-schema";
import type { Block, ChainReads, Heads, StateView } from "./backend.ts";
import type { BlockParameter } from "./block-parameter.ts";
import type { RpcLimits } from "./limits.ts";
import { RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";

/** A block as it was decoded once, with what is worked out of it when first asked. */
export type ReadBlock = Block & {
  readonly inclusion: Inclusion;
  /** Bytes of the block's RLP. */
  readonly size: () => number;
  readonly receipts: () => readonly Receipt[];
  /** The block's log index of each transaction's first log. */
  readonly firstLogIndices: () => readonly number[];
};

/** Reads blocks through a small cache: blocks do not change, and clients ask for the newest ones again and again. */
export type BlockReader = {
  readonly heads: () => Heads;
  /** Throws 4444 for what is pruned. */
  readonly byNumber: (blockNumber: number) => ReadBlock | undefined;
  readonly byHash: (hash: Hash) => ReadBlock | undefined;
  /** The number that is meant, `pending` being `latest`; undefined for an unknown hash or a number past the head. */
  readonly resolve: (parameter: BlockParameter) => number | undefined;
  /** Runs `use` on the state after a block. Throws what geth says of a state that is not there. */
  readonly withState: <T>(parameter: BlockParameter, use: (view: StateView, blockNumber: number) => T) => T;
  /** Forgets blocks from this number on, because others took their place. */
  readonly forgetFrom: (blockNumber: number) => void;
};

export function createBlockReader(
  chain: ChainReads,
  limits: Pick<RpcLimits, "cachedBlocks" | "cachedTransactions">,
): BlockReader {
  const cache = createBlockCache(limits);
  const byNumber = (blockNumber: number): ReadBlock | undefined => {
    const cached = cache.get(blockNumber);
    if (cached !== undefined) return cached;
    const block = chain.block(blockNumber);
    if (block === undefined) {
      assertNotPruned(chain.heads(), blockNumber);
      return undefined;
    }
    const read = readBlock(() => receiptsOf(chain, block), block);
    cache.put(read);
    return read;
  };
  const resolve = (parameter: BlockParameter): number | undefined =>
    parameter.kind === "hash" ? chain.blockNumberOf(parameter.hash) : resolveNumber(chain.heads(), parameter);
  return {
    heads: chain.heads,
    byNumber,
    byHash: (hash) => {
      const blockNumber = chain.blockNumberOf(hash);
      return blockNumber === undefined ? undefined : byNumber(blockNumber);
    },
    resolve,
    withState: (parameter, use) => {
      const blockNumber = resolve(parameter);
      if (blockNumber === undefined) throw headerNotFound(parameter);
      const view = chain.stateAt(blockNumber);
      if (!view.ok) throw stateUnavailable(view.error.code, blockNumber);
      try {
        return use(view.value, blockNumber);
      } finally {
        view.value.release();
      }
    },
    forgetFrom: cache.forgetFrom,
  };
}

function resolveNumber(
  heads: Heads,
  parameter: Exclude<BlockParameter, { readonly kind: "hash" }>,
): number | undefined {
  if (parameter.kind === "number") return parameter.number <= heads.latest ? parameter.number : undefined;
  switch (parameter.tag) {
    case "latest":
    case "pending":
      return heads.latest;
    case "safe":
    case "finalized":
      return heads.certified;
    case "earliest":
      return 0;
    default:
      return parameter.tag satisfies never;
  }
}

type BlockCache = {
  readonly get: (blockNumber: number) => ReadBlock | undefined;
  readonly put: (block: ReadBlock) => void;
  readonly forgetFrom: (blockNumber: number) => void;
};

/** Keeps the blocks used last, as many as both limits let it. */
function createBlockCache(limits: Pick<RpcLimits, "cachedBlocks" | "cachedTransactions">): BlockCache {
  /** By number, the one used last at the end. */
  const blocks = new Map<number, ReadBlock>();
  let transactions = 0;
  const drop = (blockNumber: number): void => {
    const block = blocks.get(blockNumber);
    if (block === undefined) return;
    blocks.delete(blockNumber);
    transactions -= block.transactions.length;
  };
  return {
    get: (blockNumber) => {
      const block = blocks.get(blockNumber);
      if (block === undefined) return undefined;
      blocks.delete(blockNumber);
      blocks.set(blockNumber, block);
      return block;
    },
    put: (block) => {
      blocks.set(block.header.number, block);
      transactions += block.transactions.length;
      while (
        blocks.size > 1 &&
        (blocks.size > limits.cachedBlocks || transactions > limits.cachedTransactions)
      ) {
        drop(must(blocks.keys().next().value, "a cache with entries must have a first one"));
      }
    },
    forgetFrom: (blockNumber) => {
      for (const number of [...blocks.keys()]) if (number >= blockNumber) drop(number);
    },
  };
}

/** What geth answers where a state method's block does not exist. */
export function headerNotFound(parameter: BlockParameter): RpcError {
  return serverError(parameter.kind === "hash" ? "header for hash not found" : "header not found");
}

/** What a state method answers where the block exists but its state does not, any more. */
export function stateUnavailable(code: string, blockNumber: number): RpcError {
  if (code !== "rpc/state-too-old") return serverError("header not found");
  return serverError(
    `historical state of block ${blockNumber} is not available: this node keeps the state of its newest blocks only`,
  );
}

function assertNotPruned(heads: Heads, blockNumber: number): void {
  if (blockNumber !== 0 && blockNumber < heads.earliest) {
    throw new RpcError(RPC_ERROR.historyPruned, "pruned history unavailable", {
      earliestBlock: heads.earliest,
    });
  }
}

/** On a mined chain a block may be taken off between one read and the next, and another one may have its number: receipts are this block's
 * if it still stands after they were read. */
function receiptsOf(chain: ChainReads, { hash, header }: Block): readonly Receipt[] {
  const receipts = chain.receipts(header.number);
  if (receipts === undefined || chain.blockNumberOf(hash) !== header.number)
    throw serverError("the block was taken off while it was read: ask again");
  return receipts;
}

/** Makes what is worked out of a block available. @param askReceipts when they are first needed. */
export function readBlock(askReceipts: () => readonly Receipt[], block: Block): ReadBlock {
  let size: number | undefined;
  let receipts: readonly Receipt[] | undefined;
  let firstLogIndices: readonly number[] | undefined;
  const readReceipts = (): readonly Receipt[] => {
    receipts ??= askReceipts();
    return receipts;
  };
  return {
    ...block,
    inclusion: inclusionOf(block.hash, block.header),
    size: () => {
      size ??= blockSize(block);
      return size;
    },
    receipts: readReceipts,
    firstLogIndices: () => {
      firstLogIndices ??= countLogs(readReceipts());
      return firstLogIndices;
    },
  };
}

function countLogs(receipts: readonly Receipt[]): readonly number[] {
  let next = 0;
  return receipts.map((receipt) => {
    const first = next;
    next += receipt.logs.length;
    return first;
  });
}

/** Length of the RLP of [header, transactions, [], []], without building it. Source: EIP-2718, EIP-4895. */
function blockSize(block: Block): number {
  let transactions = 0;
  // A legacy transaction stands as the list it is; a typed one is wrapped as a byte string (never a single byte).
  for (const { type, raw } of block.transactions)
    transactions += type === 0 ? raw.length : withPrefix(raw.length);
  const emptyLists = 2;
  return withPrefix(encodeHeader(block.header).length + withPrefix(transactions) + emptyLists);
}

const MAX_SHORT_LENGTH = 55;

/** Length of an RLP item with its length prefix. */
function withPrefix(length: number): number {
  if (length <= MAX_SHORT_LENGTH) return length + 1;
  return length + 1 + Math.ceil(length.toString(16).length / 2);
}
