import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Failure, fail, must, ok, type Result, toHex } from "@ostrom/base";
import { genesisOfEngine } from "@ostrom/execution";
import {
  makeFolder,
  readCertifiedHeight,
  readHead,
  readHeader,
  readMeta,
  SegmentWriter,
  StorageError,
  type Store,
  type StoreSnapshot,
  syncPath,
} from "@ostrom/storage";
import {
  BACKUP_FORMAT,
  type BackupFile,
  type BackupManifest,
  hashFile,
  MANIFEST_FILE,
  NODE_FILE_NAME,
  segmentName,
} from "./backup-manifest.ts";
import { CONFIGURATION_FILE, GENESIS_FILE, readConfiguration } from "./configuration.ts";
import { diskRoom } from "./disk-watch.ts";
import { KEYS_FOLDER } from "./node-keys.ts";
import { OPERATOR_LOG_FILE } from "./operator-log-format.ts";
import { readGenesis } from "./provision.ts";

export type BackupRequest = {
  /** The node's. */
  readonly folder: string;
  /** Where the backup goes: a folder that is not there yet, or is empty. */
  readonly out: string;
  /** Whether the node's secrets go with it. */
  readonly withKeys: boolean;
  /** Reading and writing more than this would slow the blocks down. 0 sets no limit. */
  readonly maxBytesPerSecond: number;
  /** The backup ends rather than leave less room than this where it is written; undefined: twice what a node there stops at. */
  readonly minFreeBytes: number | undefined;
};

export type BackupOutcome = {
  readonly manifest: BackupManifest;
  readonly manifestSha256: string;
  readonly bytes: number;
  readonly milliseconds: number;
};

export type BackupFailure = Failure<
  "backup/exists" | "backup/no-room" | "backup/no-chain" | "backup/stopped"
>;

/** How much of the database one file of a backup holds, about. */
const SEGMENT_BYTES: number = 32 * 1024 * 1024;
const OWNER_ONLY_FILE = 0o600;
const NO_MARKS = { warnFreeBytes: 0, stopFreeBytes: 0 };
/** Between two looks at how fast it goes. */
const PACE_BYTES: number = 1024 * 1024;
const LAST_KEY: Uint8Array = new Uint8Array(64).fill(0xff);

/** Copies the chain as it is at this moment, from a snapshot of the database, while blocks go on. The write-ahead log and the mark of votes
 * are left out: who restores a backup must not know how far this node has voted, but ask the others.
 * Each record's checksum is verified on the way. Rejects with StorageError; on any failure what was written is removed. */
export async function makeBackup(
  store: Store,
  request: BackupRequest,
  program: string,
  nowMs: () => number,
  onProgress: (bytes: number) => void = () => {},
): Promise<Result<BackupOutcome, BackupFailure>> {
  const { out } = request;
  if (existsSync(out) && (await readdir(out)).length > 0)
    return fail("backup/exists", `${out} is there already and not empty: name another folder`);
  const startedMs = nowMs();
  await makeFolder(out);
  const snapshot = store.snapshot();
  let isDone = false;
  try {
    const head = describeHead(snapshot);
    if (head === undefined)
      return fail("backup/no-chain", "there is no block after genesis yet: nothing to keep");
    const chain = await copyDatabase(snapshot, request, onProgress);
    if (!chain.ok) return chain;
    const own = await copyNodeFiles(request);
    const files = [...chain.value.files, ...own];
    const manifest: BackupManifest = {
      format: BACKUP_FORMAT,
      createdAt: new Date(startedMs).toISOString(),
      program,
      ...head,
      ...describeNode(request.folder),
      entries: chain.value.entries,
      hasKeys: request.withKeys,
      files,
    };
    const manifestSha256 = await writeManifest(out, manifest);
    isDone = true;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return ok({ manifest, manifestSha256, bytes, milliseconds: nowMs() - startedMs });
  } finally {
    await snapshot.release();
    if (!isDone) await rm(out, { recursive: true, force: true });
  }
}

function describeHead(
  snapshot: StoreSnapshot,
): Pick<BackupManifest, "head" | "certifiedHeight" | "genesisHash"> | undefined {
  const found = readHead(snapshot);
  const meta = readMeta(snapshot);
  if (found === undefined || meta === undefined || found.height === 0) return undefined;
  const { header, hash, origin } = must(readHeader(snapshot, found.height), "the head's header is stored");
  const head = {
    height: found.height,
    hash: toHex(hash),
    stateRoot: toHex(header.stateRoot),
    epoch: origin.epoch,
    timestampMs: origin.timestampMs,
  };
  return { head, certifiedHeight: readCertifiedHeight(snapshot) ?? 0, genesisHash: toHex(meta.genesisHash) };
}

function describeNode(folder: string): Pick<BackupManifest, "node" | "chainId" | "engine"> {
  const genesis = readGenesis(folder);
  if (!genesis.ok) throw new StorageError("storage/failed", genesis.error.message);
  const configuration = readConfiguration(folder);
  if (!configuration.ok) throw new StorageError("storage/failed", configuration.error.message);
  const { engine, genesis: chain } = genesisOfEngine(genesis.value);
  return { node: configuration.value.name, chainId: chain.rules.chainId.toString(), engine };
}

async function copyDatabase(
  snapshot: StoreSnapshot,
  { out, maxBytesPerSecond, ...request }: BackupRequest,
  onProgress: (bytes: number) => void,
): Promise<Result<{ readonly files: readonly BackupFile[]; readonly entries: number }, BackupFailure>> {
  const { marks } = await diskRoom(out, NO_MARKS);
  const minFreeBytes = request.minFreeBytes ?? 2 * marks.stopFreeBytes;
  const files: BackupFile[] = [];
  const writer = new SegmentWriter(SEGMENT_BYTES);
  const pace = new Pace(maxBytesPerSecond);
  let entries = 0;
  let bytes = 0;
  const finish = async (): Promise<boolean> => {
    const segment = writer.take();
    const { freeBytes } = await diskRoom(out, NO_MARKS);
    if (freeBytes < minFreeBytes + segment.length) return false;
    files.push(await writeSegment(out, segmentName(files.length), segment));
    onProgress(bytes);
    return true;
  };
  const noRoom = fail(
    "backup/no-room",
    `the backup was stopped and removed: it would have left less than ${minFreeBytes} bytes free where ${out} is; name a folder on another disk`,
  );
  for await (const [key, value] of snapshot.entries({ start: new Uint8Array(0), end: LAST_KEY })) {
    entries += 1;
    bytes += key.length + value.length;
    if (writer.add(key, value) && !(await finish())) return noRoom;
    if (pace.isAhead(bytes)) await pace.wait(bytes);
  }
  if (!writer.isEmpty() && !(await finish())) return noRoom;
  return ok({ files, entries });
}

/** Holds work to a number of bytes a second. */
class Pace {
  readonly #bytesPerSecond: number;
  readonly #startMs = performance.now();
  #checked = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  isAhead(bytes: number): boolean {
    if (this.#bytesPerSecond === 0 || bytes - this.#checked < PACE_BYTES) return false;
    this.#checked = bytes;
    return this.#aheadMs(bytes) > 1;
  }

  async wait(bytes: number): Promise<void> {
    await sleep(this.#aheadMs(bytes));
  }

  #aheadMs(bytes: number): number {
    return (bytes / this.#bytesPerSecond) * 1_000 - (performance.now() - this.#startMs);
  }
}

async function writeSegment(out: string, name: string, segment: Uint8Array): Promise<BackupFile> {
  await writeNewFile(join(out, name), segment);
  return { name, bytes: segment.length, sha256: `0x${createHash("sha256").update(segment).digest("hex")}` };
}

async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", OWNER_ONLY_FILE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function copyNodeFiles({ folder, out, withKeys }: BackupRequest): Promise<readonly BackupFile[]> {
  const names = [GENESIS_FILE, CONFIGURATION_FILE, OPERATOR_LOG_FILE];
  if (withKeys) {
    await mkdir(join(out, KEYS_FOLDER), { mode: 0o700 });
    names.push(...(await readdir(join(folder, KEYS_FOLDER))).map((name) => `${KEYS_FOLDER}/${name}`));
  }
  const files: BackupFile[] = [];
  for (const name of names.filter((candidate) => NODE_FILE_NAME.test(candidate))) {
    const from = join(folder, name);
    if (!existsSync(from)) continue;
    const to = join(out, name);
    await copyPrivately(from, to);
    files.push({ name, ...(await hashFile(to)) });
  }
  return files;
}

/** Copies a file's contents into a new file that its owner alone can read, durably. */
export async function copyPrivately(from: string, to: string): Promise<void> {
  await pipeline(
    createReadStream(from),
    createWriteStream(to, { flags: "wx", mode: OWNER_ONLY_FILE, flush: true }),
  );
}

async function writeManifest(out: string, manifest: BackupManifest): Promise<string> {
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  const path = join(out, MANIFEST_FILE);
  await writeNewFile(`${path}.new`, text);
  if (manifest.hasKeys) await syncPath(join(out, KEYS_FOLDER));
  await rename(`${path}.new`, path);
  await syncPath(out);
  await syncPath(dirname(out));
  return `0x${createHash("sha256").update(text).digest("hex")}`;
}
