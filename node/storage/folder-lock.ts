import { readFile, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { asStorageError, StorageError } from "./errors.ts";

/** Keeps two nodes off one folder. The system itself drops the lock when its holder ends, however it ends: no lock is ever
 * stale, and no process number can deceive. Node has no call for such a lock, but its SQLite has: an exclusive
 * transaction on an empty database file. (Nothing else may open that file: on POSIX systems, closing it anywhere in the
 * process would drop the lock. So the holder's number stands in a file beside it.) */
export type FolderLock = { readonly release: () => Promise<void> };

/** How long to wait for another that is just letting go, or that has come at the same moment. */
const PATIENCE_MS = 200;
/** Source: SQLite, "Result Codes". */
const SQLITE_BUSY = 5;

/** Takes the lock whose file is `path`; beside it, `<path>.pid` tells people who has it.
 * @param owner what is locked, for the message.
 * Rejects with StorageError `storage/locked`, naming the process that has it; `storage/failed`, `storage/disk-full`. */
export async function lockFolder(path: string, owner: string): Promise<FolderLock> {
  const pidPath = `${path}.pid`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: PATIENCE_MS });
    database.exec("BEGIN EXCLUSIVE");
    await writeFile(pidPath, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    database?.close();
    if (!isBusy(error)) throw asStorageError(error, `locking ${path}`);
    const holder = await describeHolder(pidPath);
    throw new StorageError(
      "storage/locked",
      `${owner} is in use by ${holder}: stop that one, or choose another folder`,
      { cause: error },
    );
  }
  return { release: () => release(database, pidPath) };
}

async function release(database: DatabaseSync, pidPath: string): Promise<void> {
  if (!database.isOpen) return;
  await rm(pidPath, { force: true });
  database.close();
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && (error as Error & { readonly errcode?: unknown }).errcode === SQLITE_BUSY;
}

async function describeHolder(pidPath: string): Promise<string> {
  const text = await readFile(pidPath, "utf8").catch(() => "");
  return /^\d+\n$/.test(text) ? `process ${text.trim()}` : "another process";
}
