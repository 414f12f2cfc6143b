import { DEFAULT_CACHE_BYTES } from "@ostrom/storage";

/** What of the chain's data stays in memory, in bytes. More makes a large state faster; no result depends on it. */
export type MemorySettings = {
  /** Of accounts, slots and trie nodes, roughly, in the thread that executes. */
  readonly stateCacheBytes: number;
  /** Of the database's blocks, for all threads together. */
  readonly databaseCacheBytes: number;
};

export const DEFAULT_MEMORY: MemorySettings = {
  stateCacheBytes: 64 * 1024 * 1024,
  databaseCacheBytes: DEFAULT_CACHE_BYTES,
};
