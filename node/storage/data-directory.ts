import { constants } from "node:fs";
import { chmod, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { makeFolder, syncPath } from "./disk.ts";
import { asStorageError, StorageError } from "./errors.ts";
import { lockFolder } from "./folder-lock.ts";

/** The folder in which one node keeps all that is its own. While it is open, no other node can open it. */
export type DataDirectory = {
  readonly path: string;
  /** Where LevelDB keeps the chain. */
  readonly chainPath: string;
  /** Where consensus keeps its write-ahead log. */
  readonly logPath: string;
  /** Lets others have the folder. Close what lies in it first. */
  readonly release: () => Promise<void>;
};

/** Version of the folder's layout and of all formats in it. */
export const DATA_FORMAT_VERSION = 1;

const VERSION_FILE = "VERSION";
const LOCK_FILE = "LOCK";
const CHAIN_FOLDER = "chain";
const LOG_FOLDER = "log";
const VERSION_LINE = /^ostrom data (\d{1,9})\n$/;
const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;
const OTHERS_MASK = 0o077;

/** Opens a node's data folder and locks it; with `create`, makes it where it is missing (readable by its owner alone).
 * Rejects with StorageError: `storage/locked` (names the process), `storage/missing`, `storage/damaged`,
 * `storage/unknown-version`, `storage/disk-full`, `storage/failed`. */
export async function openDataDirectory(
  path: string,
  options: { readonly create: boolean },
): Promise<DataDirectory> {
  const folder = resolve(path);
  await attempt(`opening ${folder}`, async () => {
    if (options.create) await makeFolder(folder);
    if (!(await stat(folder)).isDirectory())
      throw new StorageError("storage/failed", `${folder} is no folder`);
  });
  const lock = await lockFolder(join(folder, LOCK_FILE), `the data folder ${folder}`);
  try {
    await attempt(`opening ${folder}`, () => checkVersion(folder, options.create));
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    path: folder,
    chainPath: join(folder, CHAIN_FOLDER),
    logPath: join(folder, LOG_FOLDER),
    release: lock.release,
  };
}

async function checkVersion(folder: string, create: boolean): Promise<void> {
  const names = await readdir(folder);
  const path = join(folder, VERSION_FILE);
  if (names.includes(VERSION_FILE)) {
    const text = await readFile(path, "utf8");
    const version = VERSION_LINE.exec(text)?.[1];
    if (version === undefined)
      throw new StorageError("storage/damaged", `${path} does not say which version it is of`);
    if (Number(version) !== DATA_FORMAT_VERSION) {
      throw new StorageError(
        "storage/unknown-version",
        `${folder} has data of version ${version}, this program reads version ${DATA_FORMAT_VERSION}: use the program that wrote it`,
      );
    }
    return;
  }
  if (names.includes(CHAIN_FOLDER) || names.includes(LOG_FOLDER)) {
    throw new StorageError("storage/damaged", `${path} is gone, although the folder holds data`);
  }
  if (!create) throw new StorageError("storage/missing", `${folder} holds no data of a node`);
  await chmod(folder, OWNER_ONLY_FOLDER);
  await writeDurably(path, `ostrom data ${DATA_FORMAT_VERSION}\n`);
}

/** Writes a file that only its owner can read, whole or not at all, durably. It never replaces one.
 * Rejects with StorageError: `storage/failed` if it is there already; `storage/disk-full`. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  await attempt(`writing ${path}`, async () => {
    const names = await readdir(dirname(resolve(path)));
    if (names.includes(basename(path))) {
      throw new StorageError("storage/failed", `${path} is there already: keys are never replaced`);
    }
    await writeDurably(resolve(path), text);
  });
}

/** Writes a small file that only its owner may read, in place of the one that is there; it is durable when this resolves.
 * Rejects with StorageError `storage/failed`. */
export async function replaceSecretFile(path: string, text: string): Promise<void> {
  await attempt(`writing ${path}`, () => writeDurably(resolve(path), text));
}

/** Reads a file that holds a key.
 * Rejects with StorageError: `storage/exposed` if others than its owner may read it; `storage/missing`, `storage/failed`. */
export async function readSecretFile(path: string): Promise<string> {
  return attempt(`reading ${path}`, async () => {
    const { mode } = await stat(path);
    // Windows has no such permissions and reports a mode of its own making.
    if (process.platform !== "win32" && (mode & OTHERS_MASK) !== 0) {
      throw new StorageError(
        "storage/exposed",
        `${path} can be read by others than its owner: run chmod 600 ${path}`,
      );
    }
    return readFile(path, "utf8");
  });
}

async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  try {
    const handle = await open(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
      OWNER_ONLY_FILE,
    );
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncPath(dirname(path));
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStorageError(error, doing);
  }
}
