import { type Address, type Bytes, type Hash, toHex, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { logToJson } from "@ostrom/rpc-schema";
import type { Log } from "@ostrom/state";
import type { ChainReads } from "./backend.ts";
import { type BlockParameter, blockNumberOrTag } from "./block-parameter.ts";
import type { BlockReader, ReadBlock } from "./block-reader.ts";
import { address, type Decoder, hash, listOf, objectOf, optionalField, shown, ValueError } from "./decode.ts";
import type { JsonObject } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { invalidParams, limitExceeded, RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";

/** Which logs are wanted. Keys are hex digits; undefined wants any. */
export type LogCriteria = {
  readonly addresses: ReadonlySet<string> | undefined;
  /** By position; a log with fewer topics than this does not match. */
  readonly topics: readonly (ReadonlySet<string> | undefined)[];
  /** A block can only hold a match if its bloom has, of each group, all three bits of one member at least. */
  readonly bloomGroups: readonly (readonly BloomBits[])[];
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
  return {
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
  /** The first block that was not looked at: past `toBlock`, unless enough was found before. */
  readonly nextBlock: number;
};

/** Headers read between two looks at the clock. */
const HEADERS_PER_LOOK = 64;
/** Longer than this without a break, and other clients would notice. */
const SLICE_MS = 8;

/** Looks through blocks from `fromBlock` to `toBlock` (inclusive), reading bodies only where the bloom filter lets it,
 * and stops after the block in which more than `maxResults` logs were reached. It gives way to other requests between
 * slices. Throws -32002 at the deadline. */
export async function searchLogs(
  chain: Pick<ChainReads, "header">,
  blocks: Pick<BlockReader, "byNumber">,
  criteria: LogCriteria,
  range: { readonly fromBlock: number; readonly toBlock: number; readonly maxResults: number },
  deadlineMs: number,
): Promise<LogSearch> {
  const logs: JsonObject[] = [];
  let sliceStart = performance.now();
  let blockNumber = range.fromBlock;
  for (; blockNumber <= range.toBlock && logs.length <= range.maxResults; blockNumber++) {
    let isDue = (blockNumber - range.fromBlock) % HEADERS_PER_LOOK === 0;
    const read = chain.header(blockNumber);
    // A pruned block has no header here either: asking for the block says so to the client.
    if (read === undefined || bloomMayMatch(read.header.logsBloom, criteria)) {
      const block = blocks.byNumber(blockNumber);
      if (block !== undefined) for (const log of logsOfBlock(block, criteria)) logs.push(log);
      isDue = true;
    }
    if (!isDue) continue;
    const now = performance.now();
    if (now > deadlineMs) throw new RpcError(RPC_ERROR.timeout, "request timed out: ask for fewer blocks");
    if (now - sliceStart < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  }
  return { logs, nextBlock: blockNumber };
}

/** The numbers that a filter's range means now.
 * Throws -32602 for a range that is reversed or beyond the head. */
function resolveRange(
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

/** All the logs that a filter means, as eth_getLogs answers. Throws where the range or the result exceeds its limit, and
 * what `resolveRange` and `searchLogs` throw. */
export async function getLogs(
  chain: Pick<ChainReads, "header">,
  blocks: BlockReader,
  filter: LogFilter,
  limits: Pick<RpcLimits, "logRangeBlocks" | "logResults">,
  deadlineMs: number,
): Promise<readonly JsonObject[]> {
  if (filter.blockHash !== undefined) {
    const block = blocks.byHash(filter.blockHash);
    if (block === undefined) throw serverError("unknown block");
    return logsOfBlock(block, filter.criteria);
  }
  const { logRangeBlocks, logResults } = limits;
  const range = resolveRange(blocks, filter);
  const length = range.toBlock - range.fromBlock + 1;
  if (length > logRangeBlocks) {
    const message = `block range of ${length} is above the limit of ${logRangeBlocks}: ask in parts`;
    throw limitExceeded(message, logRangeBlocks);
  }
  const wanted = { ...range, maxResults: logResults };
  const { logs } = await searchLogs(chain, blocks, filter.criteria, wanted, deadlineMs);
  if (logs.length > logResults) {
    const message = `query returned more than ${logResults} results: ask for fewer blocks`;
    throw limitExceeded(message, logResults);
  }
  return logs;
}
