import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Bytes } from "@ostrom/base";
import { asStorageError } from "./errors.ts";

/** The file operations that the write-ahead log stands on, for one folder. Names are plain file names in it. All reject
 * with StorageError: `storage/missing`, `storage/disk-full`, `storage/failed`. */
export type Disk = {
  /** Creates the folder if need be. @returns the names in it, sorted. */
  readonly list: () => Promise<readonly string[]>;
  readonly read: (name: string) => Promise<Bytes>;
  /** Creates the file; fails if it is there already. */
  readonly create: (name: string) => Promise<DiskFile>;
  /** Opens a file that exists, to append. */
  readonly open: (name: string) => Promise<DiskFile>;
  /** Replaces what had the new name. Durable only after `syncFolder`. */
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Cuts a file off after `length` bytes, durably. */
  readonly truncate: (name: string, length: number) => Promise<void>;
  /** Makes creations, renamings and removals durable. */
  readonly syncFolder: () => Promise<void>;
};

export type DiskFile = {
  readonly append: (bytes: Bytes) => Promise<void>;
  /** Makes all that was appended durable. After a rejection nobody knows what is: do not go on with the file. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** The machine's own disk. */
export function createDisk(folder: string): Disk {
  const at = (name: string): string => join(folder, name);
  return {
    list: () =>
      attempt(`listing ${folder}`, async () => {
        await makeFolder(folder);
        return (await readdir(folder)).sort();
      }),
    read: (name) => attempt(`reading ${at(name)}`, async () => asPlainBytes(await readFile(at(name)))),
    create: (name) =>
      openFile(at(name), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL),
    open: (name) => openFile(at(name), constants.O_WRONLY | constants.O_APPEND),
    rename: (from, to) => attempt(`renaming ${at(from)}`, () => rename(at(from), at(to))),
    remove: (name) => attempt(`removing ${at(name)}`, () => rm(at(name))),
    truncate: (name, length) => attempt(`truncating ${at(name)}`, () => truncateDurably(at(name), length)),
    syncFolder: () => attempt(`syncing ${folder}`, () => syncPath(folder)),
  };
}

async function openFile(path: string, flags: number): Promise<DiskFile> {
  const handle = await attempt(`opening ${path}`, () => open(path, flags, OWNER_ONLY_FILE));
  // The file may be renamed while it is open: its folder is what stays true.
  const folder = dirname(path);
  return {
    append: (bytes) => attempt(`writing in ${folder}`, () => handle.writeFile(bytes)),
    sync: () => attempt(`syncing in ${folder}`, () => handle.datasync()),
    close: () => attempt(`closing a file in ${folder}`, () => handle.close()),
  };
}

/** Makes a folder, readable by its owner alone, that survives a power cut. */
export async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  if (firstMade === undefined) return;
  for (let made = folder; made.length >= firstMade.length; made = dirname(made))
    await syncPath(dirname(made));
}

async function truncateDurably(path: string, length: number): Promise<void> {
  await truncate(path, length);
  await syncPath(path);
}

/** Makes a file, or a folder's list of names, durable. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function asPlainBytes(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStorageError(error, doing);
  }
}
