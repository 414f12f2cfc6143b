import { type Bytes, bytesToUint64, EMPTY_BYTES, toHexDigits, uint64ToBytes } from "@ostrom/base";
import type { Receipt } from "@ostrom/execution";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES, chainKey } from "./chain-keys.ts";
import type { StoreView } from "./types.ts";

/** Which blocks have logs of which address and topics, so that a search reads what matches instead of all blocks.
 *
 * A key is the table, a position (1 byte), 16 bytes made of the address or topic, and the height (8 bytes): one value's blocks lie
 * side by side, in order. It is written once a block, however many logs say the same, and has no value. Two values may share their 16
 * bytes: who finds a block looks at its receipts. */

/** What a log may be found by: its address (position 0), or one of its topics (1 to 4). */
export type LogTerm = { readonly position: 0 | 1 | 2 | 3 | 4; readonly value: Bytes };

/** Where each block that has any log at all is named. */
const ANY_LOG_POSITION = 5;
const VALUE_BYTES = 16;
const HEIGHT_BYTES = 8;

/** The writes that put a block's logs into the index; they belong into the block's own batch. The first such block is noted, because
 * logs of blocks before it are not in it.
 * @param store as it is before the batch. */
export function logIndexOperations(
  store: KeyValueReader,
  receipts: readonly Receipt[],
  height: number,
): WriteOperation[] {
  const operations = logIndexRecords(receipts, height);
  if (readLogIndexStart(store) === undefined) {
    operations.push({ key: chainKey(CHAIN_TABLES.logIndexStart), value: uint64ToBytes(height) });
  }
  return operations;
}

/** The records of a block's logs. */
export function logIndexRecords(receipts: readonly Receipt[], height: number): WriteOperation[] {
  return keysOf(receipts, height).map((key) => ({ key, value: EMPTY_BYTES }));
}

/** The writes that take a block's logs out again: it is unwound, or pruned. */
export function logIndexRemovals(receipts: readonly Receipt[], height: number): WriteOperation[] {
  return keysOf(receipts, height).map((key) => ({ key, value: undefined }));
}

/** From this height on all logs are in the index; undefined: none are. */
export function readLogIndexStart(store: KeyValueReader): number | undefined {
  const bytes = store.get(chainKey(CHAIN_TABLES.logIndexStart));
  return bytes === undefined ? undefined : bytesToUint64(bytes);
}

/** Heights of blocks that have a log with this term, ascending; a few may have none in truth.
 * @param term undefined: any log. @param fromHeight and @param toHeight both included. @param limit of heights. */
export async function readLogHeights(
  store: Pick<StoreView, "entries">,
  term: LogTerm | undefined,
  fromHeight: number,
  toHeight: number,
  limit: number,
): Promise<readonly number[]> {
  if (fromHeight > toHeight) return [];
  const prefix = prefixOf(term);
  const heights: number[] = [];
  const range = { start: keyOf(prefix, fromHeight), end: keyOf(prefix, toHeight + 1), limit };
  for await (const [key] of store.entries(range)) heights.push(bytesToUint64(key, prefix.length));
  return heights;
}

/** Whether a block may have a log with this term. */
export function isLogIndexed(store: KeyValueReader, term: LogTerm, height: number): boolean {
  return store.get(keyOf(prefixOf(term), height)) !== undefined;
}

function keysOf(receipts: readonly Receipt[], height: number): Bytes[] {
  const keys = new Map<string, Bytes>();
  const add = (prefix: Bytes): void => {
    const name = toHexDigits(prefix);
    if (!keys.has(name)) keys.set(name, keyOf(prefix, height));
  };
  for (const { logs } of receipts) {
    for (const { address, topics } of logs) {
      add(prefixOf({ position: 0, value: address }));
      topics.forEach((value, i) => {
        add(prefixOf({ position: (i + 1) as LogTerm["position"], value }));
      });
    }
  }
  if (keys.size > 0) add(prefixOf(undefined));
  return [...keys.values()];
}

function prefixOf(term: LogTerm | undefined): Bytes {
  if (term === undefined) return Uint8Array.of(CHAIN_TABLES.logIndex, ANY_LOG_POSITION);
  const prefix = new Uint8Array(2 + VALUE_BYTES);
  prefix[0] = CHAIN_TABLES.logIndex;
  prefix[1] = term.position;
  // Addresses as topics have zeros in front, texts behind: folded, both keep what tells them apart.
  for (let i = 0; i < term.value.length; i++) prefix[2 + (i % VALUE_BYTES)]! ^= term.value[i]!;
  return prefix;
}

function keyOf(prefix: Bytes, height: number): Bytes {
  const key = new Uint8Array(prefix.length + HEIGHT_BYTES);
  key.set(prefix);
  key.set(uint64ToBytes(height), prefix.length);
  return key;
}
