import { type Bytes, bytesToUint64, must, uint64ToBytes } from "@ostrom/base";
import {
  preimageOfRecord,
  preimagesOf,
  readUndo,
  SNAPSHOT_TABLES,
  STATE_TABLES,
  type TrieHash,
  type WriteOperation,
} from "@ostrom/state";
import { readHead, type Store, type StoreView } from "@ostrom/storage";

/** Entries that are written at one time. */
const BATCH_ENTRIES = 4_096;

/** "P", 1 -> the height up to which the index of addresses and slots by their hashes holds everything. */
const INDEXED_KEY: Bytes = Uint8Array.of(SNAPSHOT_TABLES.progress, 1);

/** The write that says so. */
export function indexedOperation(height: number): WriteOperation {
  return { key: INDEXED_KEY, value: uint64ToBytes(height) };
}

/** Brings the index up to the newest block of a view: by the reverse differences since it was there last, or, where those are not kept
 * so far back, by all records. Harmless to do twice.
 * @param view of the same database, as the state is that will be served. */
export async function extendIndex(store: Store, view: StoreView, hash: TrieHash): Promise<void> {
  const head = must(readHead(view), "an open chain has a head").height;
  const before = view.get(INDEXED_KEY);
  const from = before === undefined ? undefined : bytesToUint64(before);
  if (from === head) return;
  const isKnown = from !== undefined && (await extendByUndos(store, view, from, head, hash));
  if (!isKnown) await indexAll(store, view, hash);
  await store.write([indexedOperation(head)], { sync: false });
}

/** @returns false if a reverse difference is no longer kept. */
async function extendByUndos(
  store: Store,
  view: StoreView,
  from: number,
  to: number,
  hash: TrieHash,
): Promise<boolean> {
  for (let height = from + 1; height <= to; height++) {
    const undo = readUndo(view, height);
    if (undo === undefined) return false;
    const operations = preimagesOf([undo], hash);
    if (operations.length > 0) await store.write(operations, { sync: false });
  }
  return true;
}

async function indexAll(store: Store, view: StoreView, hash: TrieHash): Promise<void> {
  for (const table of [STATE_TABLES.account, STATE_TABLES.slot]) {
    let operations: WriteOperation[] = [];
    for await (const [key] of view.entries({ start: Uint8Array.of(table), end: Uint8Array.of(table + 1) })) {
      operations.push(preimageOfRecord(key, hash));
      if (operations.length < BATCH_ENTRIES) continue;
      await store.write(operations, { sync: false });
      operations = [];
    }
    await store.write(operations, { sync: false });
  }
}
