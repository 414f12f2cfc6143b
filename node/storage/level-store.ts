import { mkdir, readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { type Bytes, compareBytes } from "@ostrom/base";
import type { WriteOperation } from "@ostrom/state";
import { ClassicLevel, type Iterator, type Snapshot } from "classic-level";
import { openValue, sealBatch } from "./checked-value.ts";
import { asStorageError, StorageError } from "./errors.ts";
import { handleCountOf } from "./shared-handles.ts";
import type { KeyRange, Store, StoreSnapshot } from "./types.ts";

export type LevelStoreOptions = {
  /** Makes a new database where none is (the default); if false, opening nothing is `storage/missing`. */
  readonly create?: boolean;
  readonly cacheBytes?: number;
  /** How much is gathered in memory (and in LevelDB's own log) before it becomes a table. */
  readonly writeBufferBytes?: number;
};

export type LevelStore = Store & { readonly path: string };

export const DEFAULT_CACHE_BYTES: number = 64 * 1024 * 1024;
export const DEFAULT_WRITE_BUFFER_BYTES: number = 16 * 1024 * 1024;

/** Opens the LevelDB database in a folder. All threads of one process may open the same folder and see the same data; another
 * process is refused. A thread must open it before it starts workers that open it too; closing has no order
 * (shared-handles.ts).
 * Rejects with StorageError: `storage/locked`, `storage/damaged`, `storage/missing`, `storage/disk-full`, `storage/failed`. */
export async function openLevelStore(path: string, options: LevelStoreOptions = {}): Promise<LevelStore> {
  const create = options.create ?? true;
  // Threads find each other's database by the spelling of its path.
  const folder = resolve(path);
  const handles = handleCountOf(folder);
  const { handle: level, isFirst } = await handles.open(() => openLevel(folder, create, options));
  return storeOf(level, folder, () => handles.close(isFirst, () => level.close()));
}

async function openLevel(folder: string, create: boolean, options: LevelStoreOptions): Promise<Level> {
  await checkFolder(folder, create);
  const level: Level = new ClassicLevel(folder, { keyEncoding: "view", valueEncoding: "view" });
  try {
    await level.open({
      createIfMissing: create,
      multithreading: true,
      cacheSize: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
      writeBufferSize: options.writeBufferBytes ?? DEFAULT_WRITE_BUFFER_BYTES,
    });
  } catch (error) {
    throw openingError(error, folder);
  }
  return level;
}

/** LevelDB takes a folder that lost its CURRENT file for an empty one, makes a new database there and deletes the old
 * tables: never let it. */
async function checkFolder(folder: string, create: boolean): Promise<void> {
  let names: readonly string[];
  try {
    if (create) await mkdir(folder, { recursive: true });
    names = await readdir(folder);
  } catch (error) {
    throw asStorageError(error, `opening ${folder}`);
  }
  const hasData = names.some((name) => /^MANIFEST-\d+$|^\d+\.(?:ldb|sst|log)$/.test(name));
  if (hasData && !names.includes("CURRENT")) throw damaged(folder, "the file CURRENT is gone");
  if (!hasData && !create) throw new StorageError("storage/missing", `${folder} holds no database`);
}

function damaged(folder: string, detail: string, cause?: unknown): StorageError {
  return new StorageError(
    "storage/damaged",
    `the database in ${folder} is damaged (${detail}): remove the folder and let the node fetch the chain from the others`,
    { cause },
  );
}

function openingError(error: unknown, folder: string): StorageError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = levelCode(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  if (code === "LEVEL_LOCKED") {
    return new StorageError(
      "storage/locked",
      `the database in ${folder} is in use by another process: stop that one, or choose another data folder`,
      { cause },
    );
  }
  if (code === "LEVEL_CORRUPTION" || /Corruption|No such file|not an sstable/.test(message)) {
    return damaged(folder, message, cause);
  }
  return asStorageError(cause, `opening the database in ${folder}`);
}

function levelCode(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { readonly code?: unknown }).code : undefined;
  return typeof code === "string" ? code : "";
}

type Level = ClassicLevel<Uint8Array, Uint8Array>;
type LevelIterator = Iterator<Level, Uint8Array, Uint8Array>;

/** How much an iteration reads ahead. */
const ENTRIES_AT_ONCE = 512;
const READ_AHEAD_BYTES: number = 256 * 1024;

function storeOf(level: Level, folder: string, closeHandle: () => Promise<void>): LevelStore {
  // Batches go to a pool of threads: without this chain, two of them could land in either order. After a failed write, a
  // later one could leave a gap, so none is tried.
  let lastWrite: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const checkOpen = (): void => {
    if (closing !== undefined)
      throw new StorageError("storage/closed", `the database in ${folder} was closed`);
  };
  const close = async (): Promise<void> => {
    // Whoever wrote has been told of a failure already.
    await lastWrite.catch(() => {});
    await closeHandle();
  };
  return {
    path: folder,
    get: (key) => {
      checkOpen();
      return readValue(level, folder, key, undefined);
    },
    entries: (range) => iterate(level, folder, range, undefined, checkOpen),
    write: async (batch, options) => {
      checkOpen();
      lastWrite = lastWrite.then(() => writeBatch(level, folder, batch, options.sync));
      return lastWrite;
    },
    snapshot: () => {
      checkOpen();
      return takeSnapshot(level, folder, checkOpen);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function takeSnapshot(level: Level, folder: string, checkOpen: () => void): StoreSnapshot {
  let snapshot: Snapshot;
  try {
    snapshot = level.snapshot();
  } catch (error) {
    throw operationError(error, folder, "taking a snapshot");
  }
  return {
    get: (key) => {
      checkOpen();
      return readValue(level, folder, key, snapshot);
    },
    entries: (range) => iterate(level, folder, range, snapshot, checkOpen),
    release: () => snapshot.close(),
  };
}

function readValue(
  level: Level,
  folder: string,
  key: Bytes,
  snapshot: Snapshot | undefined,
): Bytes | undefined {
  let sealed: Uint8Array | undefined;
  try {
    sealed =
      snapshot === undefined
        ? level.getSync(key)
        : level.getSync(key, { snapshot, keyEncoding: "view", valueEncoding: "view" });
  } catch (error) {
    throw operationError(error, folder, "reading");
  }
  return sealed === undefined ? undefined : openValue(key, sealed);
}

async function* iterate(
  level: Level,
  folder: string,
  range: KeyRange,
  snapshot: Snapshot | undefined,
  checkOpen: () => void,
): AsyncGenerator<readonly [Bytes, Bytes], void, undefined> {
  checkOpen();
  // LevelDB takes an inverted range for an error of the caller; here it is just empty.
  if (compareBytes(range.start, range.end) >= 0) return;
  let iterator: LevelIterator | undefined;
  try {
    iterator = level.iterator({
      gte: range.start,
      lt: range.end,
      reverse: range.reverse === true,
      limit: range.limit ?? -1,
      highWaterMarkBytes: READ_AHEAD_BYTES,
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    for (;;) {
      // Many at a time: each crossing into LevelDB costs more than an entry.
      const entries = await iterator.nextv(ENTRIES_AT_ONCE);
      if (entries.length === 0) return;
      for (const [key, sealed] of entries) yield [plain(key), openValue(key, sealed)];
    }
  } catch (error) {
    throw operationError(error, folder, "reading");
  } finally {
    await iterator?.close();
  }
}

function plain(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

async function writeBatch(
  level: Level,
  folder: string,
  batch: readonly WriteOperation[],
  sync: boolean,
): Promise<void> {
  try {
    const chained = level.batch();
    sealBatch(
      batch,
      (key, sealed) => chained.put(key, sealed),
      (key) => chained.del(key),
    );
    await chained.write({ sync });
  } catch (error) {
    throw operationError(error, folder, "writing");
  }
}

function operationError(error: unknown, folder: string, doing: string): StorageError {
  const code = levelCode(error);
  if (code === "LEVEL_CORRUPTION") return damaged(folder, (error as Error).message, error);
  if (code === "LEVEL_DATABASE_NOT_OPEN" || code === "LEVEL_SNAPSHOT_NOT_OPEN") {
    return new StorageError("storage/closed", `${doing} after the database in ${folder} was closed`, {
      cause: error,
    });
  }
  return asStorageError(error, `${doing} in ${folder}`);
}
