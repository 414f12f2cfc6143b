import { type Address, type Bytes, type Hash, toHex, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { logToJson, quantity } from "@ostrom/rpc-schema";
import type { Log } from "@ostrom/state";
import type { ChainReads, LogTerm } from "./backend.ts";
import { type BlockParameter, blockNumberOrTag } from "./block-parameter.ts";
import type { BlockReader, ReadBlock } from "./block-reader.ts";
import { address, type Decoder, hash, listOf, objectOf, optionalField, shown, ValueError } from "./decode.ts";
import type { JsonObject } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { nextCandidates } from "./log-index-search.ts";
import { invalidParams, limitExceeded, RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";

/** Which logs are wanted. Keys are hex digits; undefined wants any. */
export type LogCriteria = {
  readonly addresses: ReadonlySet<string> | undefined;
  /** By position; a log with fewer topics than this does not match. */
  readonly topics: readonly (ReadonlySet<string> | undefined)[];
  /** A block can only hold a match if its bloom has, of each group, all three bits of one member at least. */
  readonly bloomGroups: readonly (readonly BloomBits[])[];
  /** The same groups for the index. */
  readonly termGroups: readonly (readonly LogTerm[])[];
};

export type LogFilter = {
  readonly criteria: LogCriteria;
  readonly blockHash: Hash | undefined;
  readonly fromBlock: BlockParameter | undefined;
  readonly toBlock: BlockParameter | undefined;
};

/** Positions in a header's 256-byte bloom: byte index and mask, three times. Source: Yellow Paper, 4.3.1. */
type BloomBits = readonly (readonly [byte: number, mask: number])[];

const BLOOM_BYTES = 256;
const BLOOM_INDEX_MASK = 2_047;
const MAX_TOPICS = 4;

/** A log filter: {fromBlock, toBlock} or {blockHash}, address (one or several), topics (each null, one or several). */
export function logFilter(limits: Pick<RpcLimits, "logAlternatives">): Decoder<LogFilter> {
  const addresses = oneOrMany(address, limits.logAlternatives);
  const topics = oneOrMany(hash, limits.logAlternatives);
  const topicPosition: Decoder<readonly Hash[]> = {
    type: "topic, array of topics, or null",
    decode: (value) => (value === null ? [] : topics.decode(value)),
  };
  return objectOf("log filter {fromBlock, toBlock, blockHash, address, topics}", (object) => {
    const blockHash = optionalField(object, "blockHash", hash);
    const fromBlock = optionalField(object, "fromBlock", blockNumberOrTag);
    const toBlock = optionalField(object, "toBlock", blockNumberOrTag);
    if (blockHash !== undefined && (fromBlock !== undefined || toBlock !== undefined)) {
      throw new ValueError("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
    }
    const wantedTopics = optionalField(object, "topics", listOf(topicPosition, MAX_TOPICS)) ?? [];
    const criteria = createCriteria(optionalField(object, "address", addresses) ?? [], wantedTopics);
    return { criteria, blockHash, fromBlock, toBlock };
  });
}

function oneOrMany<T>(one: Decoder<T>, limit: number): Decoder<readonly T[]> {
  const many = listOf(one, limit);
  return {
    type: `${one.type} or array of them`,
    decode: (value) => {
      if (Array.isArray(value)) return many.decode(value);
      if (typeof value !== "string") throw new ValueError(`expected ${one.type}, got ${shown(value)}`);
      return [one.decode(value)];
    },
  };
}

/** Empty lists want anything. */
export function createCriteria(
  addresses: readonly Address[],
  topics: readonly (readonly Hash[])[],
): LogCriteria {
  const groups: readonly (readonly Bytes[])[] = [addresses, ...topics];
  const termGroups = groups.map((group, position) =>
    group.map((value) => ({ position: position as LogTerm["position"], value })),
  );
  return {
    termGroups: termGroups.filter((group) => group.length > 0),
    addresses: keySet(addresses),
    topics: topics.map(keySet),
    bloomGroups: groups.filter((group) => group.length > 0).map((group) => group.map(bloomBitsOf)),
  };
}

function keySet(entries: readonly Bytes[]): ReadonlySet<string> | undefined {
  return entries.length === 0 ? undefined : new Set(entries.map(toHexDigits));
}

function bloomBitsOf(entry: Bytes): BloomBits {
  const digest = keccak256(entry);
  return [0, 2, 4].map((i) => {
    const bit = ((digest[i]! << 8) | digest[i + 1]!) & BLOOM_INDEX_MASK;
    return [BLOOM_BYTES - 1 - (bit >> 3), 1 << (bit & 7)] as const;
  });
}

export function bloomMayMatch(bloom: Bytes, criteria: LogCriteria): boolean {
  return criteria.bloomGroups.every((group) =>
    group.some((bits) => bits.every(([byte, mask]) => (bloom[byte]! & mask) !== 0)),
  );
}

export function logMatches(log: Log, criteria: LogCriteria): boolean {
  if (criteria.addresses !== undefined && !criteria.addresses.has(toHexDigits(log.address))) return false;
  if (log.topics.length < criteria.topics.length) return false;
  return criteria.topics.every(
    (wanted, i) => wanted === undefined || wanted.has(toHexDigits(log.topics[i]!)),
  );
}

/** The matching logs of one block, in order.
 * @param isRemoved the block is no longer in the chain. */
export function logsOfBlock(block: ReadBlock, criteria: LogCriteria, isRemoved = false): JsonObject[] {
  const found: JsonObject[] = [];
  if (!bloomMayMatch(block.header.logsBloom, criteria)) return found;
  const firstIndices = block.firstLogIndices();
  block.receipts().forEach((receipt, transactionIndex) => {
    let transactionHash: string | undefined;
    receipt.logs.forEach((log, i) => {
      if (!logMatches(log, criteria)) return;
      transactionHash ??= toHex(block.transactions[transactionIndex]!.hash);
      const logIndex = firstIndices[transactionIndex]! + i;
      const json = logToJson(log, block.inclusion, transactionHash, transactionIndex, logIndex);
      found.push(isRemoved ? { ...json, removed: true } : json);
    });
  });
  return found;
}

export type LogSearch = {
  readonly logs: JsonObject[];
  /** The first block that was not looked at: past `toBlock`, unless enough was found or read before. */
  readonly nextBlock: number;
};

/** What a search may cost: it ends early with what it has found so far. */
export type SearchBudget = {
  /** Blocks that are looked through one by one. */
  readonly scanned: number;
  /** Blocks that are looked at because the index names them. */
  readonly blocks: number;
  /** Entries of the index. */
  readonly indexReads: number;
  /** By performance.now(); at least one block, or one part of the index, is looked at all the same. */
  readonly stopAtMs: number;
};

/** Headers read between two looks at the clock. */
const HEADERS_PER_LOOK = 64;
/** Longer than this without a break, and other clients would notice. */
const SLICE_MS = 8;
/** Ranges as short as this are looked through without the index: their blocks are in the cache, or nearly. */
const SHORT_RANGE_BLOCKS = 16;

type SearchChain = Pick<ChainReads, "logIndex">;
type SearchBlocks = Pick<BlockReader, "byNumber" | "header" | "heads">;

/** Looks for logs from `fromBlock` to `toBlock` (inclusive), by the index where there is one, elsewhere reading bodies only where the
 * bloom filter lets it, and stops after the block in which more than `maxResults` logs were reached, or where the budget ends. It gives
 * way to other requests between slices. Throws -32002 at the deadline. */
export async function searchLogs(
  chain: SearchChain,
  blocks: SearchBlocks,
  criteria: LogCriteria,
  range: { readonly fromBlock: number; readonly toBlock: number; readonly maxResults: number },
  deadlineMs: number,
  budget: SearchBudget = UNLIMITED,
): Promise<LogSearch> {
  const logs: JsonObject[] = [];
  const breathe = createPause(deadlineMs);
  const { toBlock, maxResults } = range;
  let nextBlock = range.fromBlock;
  const isOver = (): boolean =>
    nextBlock > toBlock ||
    logs.length > maxResults ||
    (nextBlock > range.fromBlock && performance.now() > budget.stopAtMs);
  const look = (blockNumber: number): void => {
    const block = blocks.byNumber(blockNumber);
    if (block !== undefined) for (const log of logsOfBlock(block, criteria)) logs.push(log);
  };

  const indexedFrom = firstIndexed(chain, blocks, range);
  let scanned = 0;
  for (; !isOver() && scanned < budget.scanned && nextBlock < indexedFrom; nextBlock++) {
    const read = blocks.header(nextBlock);
    // A pruned block has no header here either: asking for the block says so to the client.
    const isCandidate = read === undefined || bloomMayMatch(read.header.logsBloom, criteria);
    if (isCandidate) look(nextBlock);
    if (isCandidate || scanned % HEADERS_PER_LOOK === 0) await breathe();
    scanned++;
  }
  const index = chain.logIndex;
  if (index === undefined || nextBlock < indexedFrom) return { logs, nextBlock };
  let looked = 0;
  let indexReads = 0;
  while (!isOver() && indexReads < budget.indexReads) {
    const found = await nextCandidates(index, criteria.termGroups, nextBlock, toBlock);
    indexReads += found.reads;
    for (const height of found.heights) {
      nextBlock = height;
      if (isOver() || looked >= budget.blocks) return { logs, nextBlock };
      look(height);
      looked++;
      nextBlock = height + 1;
      await breathe();
    }
    if (logs.length > maxResults) return { logs, nextBlock };
    nextBlock = found.through + 1;
    await breathe();
  }
  return { logs, nextBlock };
}

const UNLIMITED: SearchBudget = {
  scanned: Number.POSITIVE_INFINITY,
  blocks: Number.POSITIVE_INFINITY,
  indexReads: Number.POSITIVE_INFINITY,
  stopAtMs: Number.POSITIVE_INFINITY,
};

/** What one request may spend: half of its time, so that the answer, with how to go on, comes before its deadline. */
export function budgetOf(limits: LogLimits, deadlineMs: number): SearchBudget {
  const { logRangeBlocks: scanned, logBlocks: blocks, logIndexReads: indexReads } = limits;
  const now = performance.now();
  return { scanned, blocks, indexReads, stopAtMs: now + (deadlineMs - now) / 2 };
}

/** The first block of a range that the index is to be asked about; past the range if it is not to be asked. */
function firstIndexed(
  { logIndex }: SearchChain,
  blocks: SearchBlocks,
  { fromBlock, toBlock }: { readonly fromBlock: number; readonly toBlock: number },
): number {
  const start = logIndex?.start();
  if (start === undefined || toBlock - fromBlock < SHORT_RANGE_BLOCKS) return toBlock + 1;
  // What is pruned is not in the index either: there, reading says so to the client.
  return Math.min(toBlock + 1, Math.max(start, blocks.heads().earliest));
}

/** Blocks of a range that can only be looked through one by one. */
function unindexedLength(
  chain: SearchChain,
  blocks: SearchBlocks,
  range: { readonly fromBlock: number; readonly toBlock: number },
): number {
  return Math.max(0, firstIndexed(chain, blocks, range) - range.fromBlock);
}

/** Gives way to others when a slice is over. Throws -32002 past the deadline. */
function createPause(deadlineMs: number): () => Promise<void> | undefined {
  let sliceStart = performance.now();
  return () => {
    const now = performance.now();
    if (now > deadlineMs) throw new RpcError(RPC_ERROR.timeout, "request timed out: ask for fewer blocks");
    if (now - sliceStart < SLICE_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        sliceStart = performance.now();
        resolve();
      }),
    );
  };
}

/** The numbers that a filter's range means now.
 * Throws -32602 for a range that is reversed or beyond the head. */
export function resolveRange(
  blocks: Pick<BlockReader, "heads" | "resolve">,
  filter: LogFilter,
): { readonly fromBlock: number; readonly toBlock: number } {
  const { latest } = blocks.heads();
  const numberOf = (parameter: BlockParameter | undefined): number => {
    if (parameter === undefined) return latest;
    if (parameter.kind === "number") return parameter.number;
    return blocks.resolve(parameter) ?? latest;
  };
  const fromBlock = numberOf(filter.fromBlock);
  const toBlock = numberOf(filter.toBlock);
  if (fromBlock > toBlock) throw invalidParams("invalid block range params");
  if (toBlock > latest) throw invalidParams("block range extends beyond current head block");
  return { fromBlock, toBlock };
}

/** What one search may cost, of the server's limits. */
export type LogLimits = Pick<RpcLimits, "logRangeBlocks" | "logResults" | "logBlocks" | "logIndexReads">;

/** All the logs that a filter means, as eth_getLogs answers. Throws where the range or the result exceeds its limit, and
 * what `resolveRange` and `searchLogs` throw. */
export async function getLogs(
  chain: SearchChain,
  blocks: BlockReader,
  filter: LogFilter,
  limits: LogLimits,
  deadlineMs: number,
): Promise<readonly JsonObject[]> {
  if (filter.blockHash !== undefined) {
    const block = blocks.byHash(filter.blockHash);
    if (block === undefined) throw serverError("unknown block");
    return logsOfBlock(block, filter.criteria);
  }
  const { logRangeBlocks, logResults } = limits;
  const range = resolveRange(blocks, filter);
  const length = unindexedLength(chain, blocks, range);
  if (length > logRangeBlocks) {
    const message = `block range of ${length} is above the limit of ${logRangeBlocks}: ask in parts`;
    throw limitExceeded(message, logRangeBlocks);
  }
  const wanted = { ...range, maxResults: logResults };
  const budget = budgetOf(limits, deadlineMs);
  const { logs, nextBlock } = await searchLogs(chain, blocks, filter.criteria, wanted, deadlineMs, budget);
  if (logs.length > logResults) {
    const message = `query returned more than ${logResults} results: ask for fewer blocks${ADVICE}`;
    throw limitExceeded(message, logResults);
  }
  if (nextBlock <= range.toBlock) throw tooMuch(range.fromBlock, nextBlock, limits.logBlocks);
  return logs;
}

const ADVICE = ", or use ostrom_getLogs, which answers in pages";

function tooMuch(fromBlock: number, nextBlock: number, limit: number): RpcError {
  const good = `[${quantity(fromBlock)}, ${quantity(Math.max(fromBlock, nextBlock - 1))}]`;
  return new RpcError(
    RPC_ERROR.limitExceeded,
    `query looks at too many blocks: ask for the range ${good} and then from ${quantity(nextBlock)} on${ADVICE}`,
    { reason: "rpc/too-many-blocks", limit, nextBlock: quantity(nextBlock) },
  );
}
