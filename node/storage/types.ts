import type { Bytes } from "@ostrom/base";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";

/** Keys from `start` (included) to `end` (excluded), in the order of their bytes. */
export type KeyRange = {
  readonly start: Bytes;
  readonly end: Bytes;
  /** From the last key down. */
  readonly reverse?: boolean;
  /** How many entries at most. */
  readonly limit?: number;
};

/** Something to read from: a database as it is now, or as it was when a snapshot was taken. A value that the disk has changed
 * is never handed out: reads throw a StorageError with `storage/damaged` instead. */
export type StoreView = KeyValueReader & {
  readonly entries: (range: KeyRange) => AsyncIterable<readonly [key: Bytes, value: Bytes]>;
};

/** A view that later writes do not change. Release it: what it holds on to cannot be cleaned up. */
export type StoreSnapshot = StoreView & { readonly release: () => Promise<void> };

/** An ordered key-value database. It satisfies core's KeyValueStore. */
export type Store = StoreView & {
  /** Applies all operations or none; where one key occurs twice, the later operation counts. With `sync` it resolves only
   * when the batch survives a power cut. Reads begun before it resolves may see the state before or after, never between.
   * Rejects with `storage/disk-full`, `storage/failed` or `storage/closed`. After such a failure the store must be
   * closed and opened again: what was written before is intact. */
  readonly write: (batch: readonly WriteOperation[], options: { readonly sync: boolean }) => Promise<void>;
  readonly snapshot: () => StoreSnapshot;
  /** Waits for what is under way. Reading afterwards throws `storage/closed`. */
  readonly close: () => Promise<void>;
};
