import { type Hash, must } from "@ostrom/base";
import { encodeHeader, type Receipt } from "@ostrom/execution";
import { type Inclusion, inclusionOf } from "@ostrom/rpc-schema";
import type { StateReader } from "@ostrom/state";
import type { Block, BlockHeader, ChainReads, Heads, StateView } from "./backend.ts";
import type { BlockParameter } from "./block-parameter.ts";
import { type BlockTexts, createBlockTexts } from "./block-text.ts";
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
  /** Ready answers. */
  readonly texts: BlockTexts;
};

/** Reads blocks through a small cache: blocks do not change, and clients ask for the newest ones again and again. */
export type BlockReader = {
  readonly heads: () => Heads;
  /** Throws 4444 for what is pruned. */
  readonly byNumber: (blockNumber: number) => ReadBlock | undefined;
  readonly byHash: (hash: Hash) => ReadBlock | undefined;
  /** A block's header, also of one whose body is pruned. */
  readonly header: (blockNumber: number) => BlockHeader | undefined;
  /** The number that is meant, `pending` being `latest`; undefined for an unknown hash or a number past the head. */
  readonly resolve: (parameter: BlockParameter) => number | undefined;
  /** Runs `use` on the state after a block. Throws what geth says of a state that is not there. */
  readonly withState: <T>(parameter: BlockParameter, use: (view: StateView, blockNumber: number) => T) => T;
  /** As `withState`, for an answer that comes of one read of state alone, or of one and what never changes. */
  readonly withOneRead: <T>(parameter: BlockParameter, use: (reader: StateReader) => T) => T;
  /** Forgets blocks from this number on, because others took their place. */
  readonly forgetFrom: (blockNumber: number) => void;
};

export function createBlockReader(chain: ChainReads, limits: CacheLimits): BlockReader {
  const cache = createBlockCache(limits);
  const byNumber = (blockNumber: number): ReadBlock | undefined => {
    const cached = cache.get(blockNumber);
    if (cached !== undefined) return cached;
    const block = chain.block(blockNumber);
    if (block === undefined) {
      assertNotPruned(chain.heads(), blockNumber);
      return undefined;
    }
    const read = readBlock(
      () => receiptsOf(chain, block),
      block,
      (length) => cache.grew(blockNumber, length),
    );
    cache.put(read);
    return read;
  };
  const headers = new Map<number, BlockHeader>();
  const header = (blockNumber: number): BlockHeader | undefined => {
    const known = headers.get(blockNumber);
    if (known !== undefined) return known;
    const read = chain.header(blockNumber);
    if (read === undefined) return undefined;
    headers.set(blockNumber, read);
    if (headers.size > MAX_CACHED_HEADERS)
      headers.delete(must(headers.keys().next().value, "it is not empty"));
    return read;
  };
  const resolve = (parameter: BlockParameter): number | undefined =>
    parameter.kind === "hash" ? chain.blockNumberOf(parameter.hash) : resolveNumber(chain.heads(), parameter);
  const withState: BlockReader["withState"] = (parameter, use) => {
    const blockNumber = resolve(parameter);
    if (blockNumber === undefined) throw headerNotFound(parameter);
    const view = chain.stateAt(blockNumber);
    if (!view.ok) throw stateUnavailable(view.error.code, blockNumber);
    try {
      return use(view.value, blockNumber);
    } finally {
      view.value.release();
    }
  };
  return {
    heads: chain.heads,
    byNumber,
    header,
    byHash: (hash) => {
      const blockNumber = chain.blockNumberOf(hash);
      return blockNumber === undefined ? undefined : byNumber(blockNumber);
    },
    resolve,
    withState,
    withOneRead: (parameter, use) => {
      const { newestState } = chain;
      const isNewest =
        parameter.kind === "tag" && (parameter.tag === "latest" || parameter.tag === "pending");
      if (isNewest && newestState !== undefined) return use(newestState);
      return withState(parameter, ({ reader }) => use(reader));
    },
    forgetFrom: (blockNumber) => {
      cache.forgetFrom(blockNumber);
      for (const number of [...headers.keys()]) if (number >= blockNumber) headers.delete(number);
    },
  };
}

/** Headers kept in memory, about a kilobyte each: the same ranges of logs are asked for again and again. */
const MAX_CACHED_HEADERS = 2_048;

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

type CacheLimits = Pick<RpcLimits, "cachedBlocks" | "cachedTransactions" | "cachedTextBytes">;

type BlockCache = {
  readonly get: (blockNumber: number) => ReadBlock | undefined;
  readonly put: (block: ReadBlock) => void;
  /** A text of so many characters is now kept with a block. */
  readonly grew: (blockNumber: number, length: number) => void;
  readonly forgetFrom: (blockNumber: number) => void;
};

type Cached = { readonly block: ReadBlock; textLength: number };

/** Keeps the blocks used last, as many as all limits let it. */
function createBlockCache(limits: CacheLimits): BlockCache {
  /** By number, the one used last at the end. */
  const blocks = new Map<number, Cached>();
  let transactions = 0;
  let textLength = 0;
  const drop = (blockNumber: number): void => {
    const cached = blocks.get(blockNumber);
    if (cached === undefined) return;
    blocks.delete(blockNumber);
    transactions -= cached.block.transactions.length;
    textLength -= cached.textLength;
  };
  const isOverfull = (): boolean =>
    blocks.size > limits.cachedBlocks ||
    transactions > limits.cachedTransactions ||
    textLength > limits.cachedTextBytes;
  const shrink = (): void => {
    while (blocks.size > 1 && isOverfull()) {
      drop(must(blocks.keys().next().value, "a cache with entries must have a first one"));
    }
  };
  return {
    get: (blockNumber) => {
      const cached = blocks.get(blockNumber);
      if (cached === undefined) return undefined;
      blocks.delete(blockNumber);
      blocks.set(blockNumber, cached);
      return cached.block;
    },
    put: (block) => {
      blocks.set(block.header.number, { block, textLength: 0 });
      transactions += block.transactions.length;
      shrink();
    },
    grew: (blockNumber, length) => {
      const cached = blocks.get(blockNumber);
      // It may have been dropped while somebody still worked with it.
      if (cached === undefined) return;
      cached.textLength += length;
      textLength += length;
      shrink();
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

/** Makes what is worked out of a block available. @param askReceipts when they are first needed.
 * @param onText told of each text that is kept from now on. */
export function readBlock(
  askReceipts: () => readonly Receipt[],
  block: Block,
  onText: (length: number) => void = () => {},
): ReadBlock {
  let size: number | undefined;
  let receipts: readonly Receipt[] | undefined;
  let firstLogIndices: readonly number[] | undefined;
  const readReceipts = (): readonly Receipt[] => {
    receipts ??= askReceipts();
    return receipts;
  };
  const read = {
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
  return { ...read, texts: createBlockTexts(read, onText) };
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
