import {
  type Bytes,
  bytesToUint64,
  concatBytes,
  equalBytes,
  Hash,
  must,
  uint64ToBytes,
  utf8,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type ChainRules, type Header, hashHeader, nextBaseFee } from "@ostrom/execution";
import type { WriteOperation } from "@ostrom/state";
import {
  adoptBodyOperations,
  adoptHeaderOperations,
  adoptHeadOperation,
  CHAIN_TABLES,
  readHeader,
  type StoredHeader,
} from "@ostrom/storage";
import type { RewindableStore } from "./rewindable-store.ts";

/** Empty blocks that nobody has made yet: each is made when it is read, from the block before the first of
 * them. Their hashes are names that lead to them, and not what their headers hash to; that of the last one is. */
export type ReservedRange = {
  readonly first: number;
  readonly last: number;
  /** Seconds between one block's time and the next one's. */
  readonly spacing: number;
};

/** Where the store keeps its ranges: they go with it into snapshots and dumps. */
const RANGES_KEY: Bytes = utf8("dev/reserved-blocks");
const HASH_MARK: Bytes = utf8("ostrom/reserved-block");
const HASH_BYTES = 32;
const HEIGHT_BYTES = 8;
const TABLE_BYTES = 1;
const HEIGHT_KEY_BYTES = TABLE_BYTES + HEIGHT_BYTES;
const HASH_KEY_BYTES = TABLE_BYTES + HASH_BYTES;
const MS_PER_SECOND = 1_000;

export type FeeRules = Pick<
  ChainRules,
  "baseFeeChangeDenominator" | "elasticityMultiplier" | "minBaseFeePerGas"
>;

/** A store that also has the blocks of its reserved ranges, so that whoever reads the chain need not know of them. */
export function withReservedBlocks(store: RewindableStore, rules: FeeRules): RewindableStore {
  const get = (key: Bytes): Bytes | undefined => store.get(key) ?? made(key);
  const made = (key: Bytes): Bytes | undefined => {
    const number = numberOf(key);
    const range = number === undefined ? undefined : rangeOf(store, number);
    if (number === undefined || range === undefined) return undefined;
    const written = recordsOf(reservedHeader(store, range, number, rules));
    return written.find((operation) => equalBytes(operation.key, key))?.value;
  };
  return { ...store, get, snapshot: () => ({ ...store.snapshot(), get }) };
}

/** The ranges of a store, in their order. */
export function readReservedRanges(store: Pick<RewindableStore, "get">): readonly ReservedRange[] {
  const record = store.get(RANGES_KEY);
  return record === undefined ? [] : (JSON.parse(new TextDecoder().decode(record)) as ReservedRange[]);
}

/** The reserved range that a block lies in. */
export function rangeOf(store: Pick<RewindableStore, "get">, number: number): ReservedRange | undefined {
  return readReservedRanges(store).find(({ first, last }) => first <= number && number <= last);
}

/** The writes that put `count` empty blocks on top of the newest one, which must be empty, and be no reserved one. */
export function reserveOperations(
  store: RewindableStore,
  parent: Pick<Header, "number">,
  count: number,
  spacing: number,
  rules: FeeRules,
): WriteOperation[] {
  const range: ReservedRange = { first: parent.number + 1, last: parent.number + count, spacing };
  return [rangesOperation([...readReservedRanges(store), range]), ...newestOperations(store, range, rules)];
}

/** The writes that take the upper blocks of the newest range off, all of them or down to one that becomes the newest block. */
export function cutReservedOperations(
  store: RewindableStore,
  height: number,
  rules: FeeRules,
): WriteOperation[] {
  const ranges = readReservedRanges(store);
  const range = must(ranges.at(-1), "there is a range that is cut");
  const { hash: gone } = must(readHeader(store, range.last), "the last block of a range is stored");
  const below = ranges.slice(0, -1);
  const table = (name: "header" | "body" | "receipts"): Bytes =>
    concatBytes(Uint8Array.of(CHAIN_TABLES[name]), uint64ToBytes(range.last));
  const removed = [
    table("header"),
    table("body"),
    table("receipts"),
    concatBytes(Uint8Array.of(CHAIN_TABLES.numberOfHash), gone),
  ].map((key) => ({ key, value: undefined }));
  if (height >= range.first) {
    const cut = { ...range, last: height };
    return [...removed, rangesOperation([...below, cut]), ...newestOperations(store, cut, rules)];
  }
  const { header, hash, origin } = templateOf(store, range);
  const head = adoptHeadOperation({ height: header.number, blockHash: hash, origin });
  return [...removed, rangesOperation(below), head];
}

function rangesOperation(ranges: readonly ReservedRange[]): WriteOperation {
  return { key: RANGES_KEY, value: utf8(JSON.stringify(ranges)) };
}

/** The last block of a range has the hash that its header has, because blocks that are made come after it: it is written down. */
function newestOperations(
  store: RewindableStore,
  range: ReservedRange,
  rules: FeeRules,
): readonly WriteOperation[] {
  const { header, hashId, origin } = reservedHeader(store, range, range.last, rules);
  const hash = hashHeader(header, hashId);
  return [
    ...recordsOf({ header, hash, hashId, origin }),
    adoptHeadOperation({ height: header.number, blockHash: hash, origin }),
  ];
}

function templateOf(store: Pick<RewindableStore, "get">, { first }: ReservedRange): StoredHeader {
  return must(readHeader(store, first - 1), "the block before reserved ones is stored");
}

/** Says which block it is by its last bytes, so that it can be found by its hash. */
function reservedHash(template: StoredHeader, number: number): Hash {
  const height = uint64ToBytes(number);
  const digest = keccak256(concatBytes(HASH_MARK, template.hash, height));
  return Hash(concatBytes(digest.subarray(0, HASH_BYTES - HEIGHT_BYTES), height));
}

/** Of which block a key of the store may be. */
function numberOf(key: Bytes): number | undefined {
  const { header, body, receipts, numberOfHash } = CHAIN_TABLES;
  const [table] = key;
  const isOfHeight = table === header || table === body || table === receipts;
  if (isOfHeight && key.length === HEIGHT_KEY_BYTES) return heightAt(key, TABLE_BYTES);
  if (table === numberOfHash && key.length === HASH_KEY_BYTES)
    return heightAt(key, HASH_KEY_BYTES - HEIGHT_BYTES);
  return undefined;
}

/** undefined for what is no number of a block: the last bytes of any hash are asked for here too. */
function heightAt(key: Bytes, offset: number): number | undefined {
  const isSafe = key[offset] === 0 && (key[offset + 1] ?? 0) < 0x20;
  return isSafe ? bytesToUint64(key, offset) : undefined;
}

/** @param store may have the range not yet. */
function reservedHeader(
  store: Pick<RewindableStore, "get">,
  range: ReservedRange,
  number: number,
  rules: FeeRules,
): StoredHeader {
  const template = templateOf(store, range);
  const { header } = template;
  const place = number - range.first;
  const hash = reservedHash(template, number);
  const timestamp = header.timestamp + (place + 1) * range.spacing;
  return {
    header: {
      ...header,
      number,
      parentHash: place === 0 ? template.hash : reservedHash(template, number - 1),
      timestamp,
      baseFeePerGas: feeAfter(header, place + 1, rules),
      prevRandao: keccak256(hash),
    },
    hash,
    hashId: template.hashId,
    origin: { ...template.origin, timestampMs: timestamp * MS_PER_SECOND },
  };
}

function recordsOf(stored: StoredHeader): readonly WriteOperation[] {
  return [...adoptHeaderOperations(stored), ...adoptBodyOperations(stored.header.number, [], [])];
}

/** The base fee so many empty blocks after an empty one: it falls by an eighth each time, until it is too small to. */
function feeAfter(template: Header, blocks: number, rules: FeeRules): bigint {
  let last = template.baseFeePerGas;
  for (let block = 0; block < blocks; block++) {
    const next = nextBaseFee({ ...template, baseFeePerGas: last }, rules);
    if (next === last) break;
    last = next;
  }
  return last;
}
