import {
  type Bytes,
  bytesToBigint,
  bytesToUint64,
  concatBytes,
  equalBytes,
  Height,
  must,
  uint64ToBytes,
  unwrap,
  wordToBytes,
} from "@ostrom/base";
import {
  type BlockRef,
  type ChainPoint,
  decodePowHeader,
  encodePowHeader,
  MAX_HEADERS_PER_MESSAGE,
  MEDIAN_TIME_BLOCKS,
  type PowBlock,
  type PowConfig,
  type PowHeader,
  type RecoveredChain,
} from "@ostrom/consensus";
import { readHead, readHeader, readMined, readOrdered, type StoreView } from "@ostrom/storage";

/** How the store's record of a mined block is made: total work (32 bytes), time of block 1 (8 bytes), the encoded header. */
const ANCHOR_OFFSET = 32;
const HEADER_OFFSET = 40;

/** What is kept of a block besides its payload: what cannot be read off those before it. */
export function encodePowRecord(header: PowHeader, point: ChainPoint): Bytes {
  const anchor = must(point.anchorTimestampMs, "every block above genesis has an anchor");
  return concatBytes(wordToBytes(point.totalWork), uint64ToBytes(anchor), encodePowHeader(header));
}

/** The genesis of a chain, as its blocks are built on it. */
export type PowGenesisPoint = Pick<PowConfig, "genesis" | "initialTarget"> & {
  readonly domain: Pick<PowConfig["domain"], "genesisHash">;
};

/** The header of the executed block of a height; undefined for genesis and above the head. */
export function readPowHeader(store: StoreView, height: number): PowHeader | undefined {
  const record = readMined(store, height);
  return record === undefined ? undefined : unwrap(decodePowHeader(record.subarray(HEADER_OFFSET)));
}

/** The executed block of a height; undefined for genesis and above the head. */
export function readPowBlock(store: StoreView, height: number): PowBlock | undefined {
  const header = readPowHeader(store, height);
  if (header === undefined) return undefined;
  return { header, payload: must(readOrdered(store, height), "every mined block has its payload").block };
}

/** The executed block at a height as the engine builds on it; undefined above the head. */
export function readChainPoint(
  store: StoreView,
  config: PowGenesisPoint,
  height: number,
): ChainPoint | undefined {
  const origin = readHeader(store, height)?.origin;
  if (origin === undefined) return undefined;
  if (height === 0) {
    const { timestampMs } = config.genesis;
    return {
      height: Height(0),
      id: config.domain.genesisHash,
      timestampMs,
      target: config.initialTarget,
      totalWork: 0n,
      anchorTimestampMs: undefined,
      recentTimestampsMs: [timestampMs],
    };
  }
  const record = must(readMined(store, height), "every mined block has its record");
  return {
    height: Height(height),
    id: origin.orderDigest,
    timestampMs: origin.timestampMs,
    target: unwrap(decodePowHeader(record.subarray(HEADER_OFFSET))).target,
    totalWork: bytesToBigint(record.subarray(0, ANCHOR_OFFSET)),
    anchorTimestampMs: bytesToUint64(record.subarray(ANCHOR_OFFSET, HEADER_OFFSET)),
    recentTimestampsMs: recentTimestamps(store, height),
  };
}

function recentTimestamps(store: StoreView, height: number): readonly number[] {
  const oldest = Math.max(0, height - MEDIAN_TIME_BLOCKS + 1);
  const times: number[] = [];
  for (let at = height; at >= oldest; at--) {
    times.push(must(readHeader(store, at), "every executed block has a header").origin.timestampMs);
  }
  return times;
}

/** Whether the executed chain has this block. */
export function isInChain(store: StoreView, { height, id }: BlockRef): boolean {
  const origin = readHeader(store, height)?.origin;
  return origin !== undefined && (height === 0 || equalBytes(origin.orderDigest, id));
}

/** Headers of the executed chain after the first entry of a locator that is on it; genesis always is. */
export function headersAfter(store: StoreView, locator: readonly BlockRef[]): readonly PowHeader[] {
  const known = locator.find((block) => isInChain(store, block))?.height ?? 0;
  const head = must(readHead(store), "an open chain has a head").height;
  const headers: PowHeader[] = [];
  for (let height = known + 1; height <= Math.min(head, known + MAX_HEADERS_PER_MESSAGE); height++) {
    headers.push(must(readPowHeader(store, height), "every mined block has its record"));
  }
  return headers;
}

/** Reads what a restarted node knows of its chain: the blocks that may still be taken off, what they stand on, and where it was
 * before. */
export function recoverPowChain(
  store: StoreView,
  config: PowGenesisPoint & Pick<PowConfig, "maxReorgDepth">,
): RecoveredChain {
  const head = must(readHead(store), "an open chain has a head").height;
  const baseHeight = Math.max(0, head - config.maxReorgDepth);
  const executedHash = (height: number): RecoveredChain["baseExecutedHash"] =>
    must(readHeader(store, height), "every executed block has a header").hash;
  const blocks: { readonly header: PowHeader; readonly executedHash: ReturnType<typeof executedHash> }[] = [];
  for (let height = baseHeight + 1; height <= head; height++) {
    const header = must(readPowHeader(store, height), "every mined block has its record");
    blocks.push({ header, executedHash: executedHash(height) });
  }
  return {
    base: must(readChainPoint(store, config, baseHeight), "the base is an executed block"),
    baseExecutedHash: executedHash(baseHeight),
    blocks,
    older: olderBlocks(store, baseHeight),
  };
}

/** Below the base, lowest first, the distances doubling downward. */
function olderBlocks(store: StoreView, baseHeight: number): readonly BlockRef[] {
  const older: BlockRef[] = [];
  for (let distance = 1; baseHeight - distance > 0; distance *= 2) {
    const height = baseHeight - distance;
    const { origin } = must(readHeader(store, height), "every executed block has a header");
    older.unshift({ height: Height(height), id: origin.orderDigest });
  }
  return older;
}
