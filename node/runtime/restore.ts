import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { equalBytes, type Failure, fail, fromHex, Hash, must, ok, type Result, toHex } from "@ostrom/base";
import { chainHash, genesisHash } from "@ostrom/execution";
import type { WriteOperation } from "@ostrom/state";
import {
  checkChain,
  createDisk,
  decodeBackupSegment,
  type LevelStore,
  makeFolder,
  openDataDirectory,
  openLevelStore,
  openWriteAheadLog,
  readHead,
  readHeader,
  readMeta,
  readStoredValidatorSet,
  replaceSecretFile,
  syncPath,
} from "@ostrom/storage";
import { copyPrivately } from "./backup.ts";
import {
  type BackupFile,
  type BackupManifest,
  hashFile,
  MANIFEST_FILE,
  readManifest,
  SEGMENT_NAME,
} from "./backup-manifest.ts";
import { encodeHeadRecord, encodeSettledRecord } from "./journal-records.ts";
import { machineEntropy } from "./machine.ts";
import { KEYS_FOLDER } from "./node-keys.ts";
import { HAS_VOTED_FILE } from "./opened-chain.ts";
import { DATA_FOLDER } from "./opened-database.ts";
import { OperatorLog } from "./operator-log.ts";
import { readGenesis } from "./provision.ts";
import { checkState, type StateCheck } from "./state-check.ts";

export type RestoreRequest = {
  /** The backup's folder. */
  readonly from: string;
  /** The node's new folder: not there yet, or empty. */
  readonly folder: string;
  /** The newest epoch that the network is known to be in, as other nodes say; undefined if none was asked. */
  readonly knownEpoch: number | undefined;
  /** Time of the newest block of whoever said so, in milliseconds since 1970: who has been cut off from the network does not know it. Now
   * unless told. */
  readonly knownAtMs?: number | undefined;
  /** The node is its chain's only validator, nobody follows it, and blocks after the backup are given up: only then may it go on without
   * asking anybody. */
  readonly isAlone?: boolean;
  readonly nowMs: () => number;
  readonly onProgress?: (bytes: number) => void;
};

export type RestoreOutcome = {
  readonly manifest: BackupManifest;
  readonly checked: StateCheck & { readonly blocks: number };
  /** Newest epoch in which the keys may have voted: through it, the node asks the others before it votes. */
  readonly mayHaveVotedThrough: number;
  readonly milliseconds: number;
};

export type RestoreFailure = Failure<
  | "backup/unfinished"
  | "backup/damaged"
  | "restore/exists"
  | "restore/not-alone"
  | "restore/wrong-genesis"
  | "file/unreadable"
>;

/** Who has a block as new as this is not cut off: the one epoch more is for what may have begun since. In epochs in which a restored validator
 * must be careful, the chain stands still if another one fails. */
const FRESH_MS = 30_000;
const BATCH_BYTES: number = 4 * 1024 * 1024;
const OWNER_ONLY_FOLDER = 0o700;

/** Makes a node's folder from a backup, after all of it is verified: the files' checksums, the chain's links from its head to genesis, and the
 * whole state against the head's state root. On any failure the new folder is removed again.
 *
 * The node has none of the log and the mark of its votes: it comes up as one that lost its log, and asks the others in every epoch in which
 * it may have voted, and votes only where nothing it has forgotten can be contradicted (rules S14 and E7). Through which epoch that may be, a
 * backup cannot know; see `votedThrough`. */
export async function restoreBackup(
  request: RestoreRequest,
): Promise<Result<RestoreOutcome, RestoreFailure>> {
  const { from, folder, nowMs } = request;
  const startedMs = nowMs();
  const manifest = readManifest(join(from, MANIFEST_FILE));
  if (!manifest.ok) return manifest;
  if (existsSync(folder) && (await readdir(folder)).length > 0)
    return fail("restore/exists", `${folder} is there already and not empty: name a new folder`);
  const genesis = readGenesis(from);
  if (!genesis.ok) return fail("file/unreadable", genesis.error.message);
  const { epochLength, consensus } = genesis.value;
  if (toHex(genesisHash(genesis.value)) !== manifest.value.genesisHash)
    return fail("restore/wrong-genesis", `${from}: genesis.json is not that of the chain in the backup`);
  const minIntervalMs = "minBlockIntervalMs" in consensus ? consensus.minBlockIntervalMs : 1;
  await makeFolder(folder);
  let isDone = false;
  try {
    const own = manifest.value.files.filter(({ name }) => !SEGMENT_NAME.test(name));
    for (const file of own) {
      const copied = await copyOwnFile(from, folder, file);
      if (!copied.ok) return copied;
    }
    const through = votedThrough(manifest.value, { ...request, epochLength, minIntervalMs });
    const checked = await restoreDatabase(request, manifest.value, through);
    if (!checked.ok) return checked;
    await mkdir(join(folder, KEYS_FOLDER), { recursive: true, mode: OWNER_ONLY_FOLDER });
    await replaceSecretFile(join(folder, KEYS_FOLDER, HAS_VOTED_FILE), `${through}\n`);
    await noteRestore(request, manifest.value, through);
    await syncPath(folder);
    isDone = true;
    const milliseconds = nowMs() - startedMs;
    return ok({
      manifest: manifest.value,
      checked: checked.value,
      mayHaveVotedThrough: through,
      milliseconds,
    });
  } finally {
    if (!isDone) await rm(folder, { recursive: true, force: true });
  }
}

/** The newest epoch in which this node's keys may have voted before it was lost: that of the network now, with those that can have begun
 * since the newest block of whoever was asked if that is not fresh, and one more. If nobody was asked: as many epochs as can have begun since the backup's newest
 * block. Blocks are taken to come as fast as genesis lets them. Too high costs a short abstention at the beginning of each epoch; too low might cost a double vote. */
export function votedThrough(
  { head }: Pick<BackupManifest, "head">,
  options: {
    readonly knownEpoch: number | undefined;
    readonly knownAtMs?: number | undefined;
    readonly nowMs: () => number;
    readonly epochLength: number;
    readonly minIntervalMs: number;
  },
): number {
  const { knownEpoch, epochLength, minIntervalMs } = options;
  const nowMs = options.nowMs();
  const begunSince = (atMs: number): number =>
    Math.ceil(Math.max(0, nowMs - atMs) / Math.max(1, minIntervalMs) / epochLength);
  if (knownEpoch === undefined) return head.epoch + begunSince(head.timestampMs) + 1;
  const knownAtMs = options.knownAtMs ?? nowMs;
  const isFresh = nowMs - knownAtMs <= FRESH_MS;
  return Math.max(head.epoch, knownEpoch + (isFresh ? 0 : begunSince(knownAtMs))) + 1;
}

async function copyOwnFile(
  from: string,
  folder: string,
  file: BackupFile,
): Promise<Result<undefined, RestoreFailure>> {
  const source = join(from, file.name);
  if (!existsSync(source)) return damaged(source, "is missing");
  if (!(await isOfSize(source, file.bytes))) return damaged(source, "has been changed");
  const to = join(folder, file.name);
  if (file.name.startsWith(`${KEYS_FOLDER}/`))
    await mkdir(join(folder, KEYS_FOLDER), { recursive: true, mode: OWNER_ONLY_FOLDER });
  await copyPrivately(source, to);
  const { bytes, sha256 } = await hashFile(to);
  return bytes === file.bytes && sha256 === file.sha256 ? ok(undefined) : damaged(source, "has been changed");
}

/** Before anything is read: a pipe or a device has no end. */
async function isOfSize(path: string, bytes: number): Promise<boolean> {
  const found = await stat(path);
  return found.isFile() && found.size === bytes;
}

function damaged(path: string, problem: string): Result<never, Failure<"backup/damaged">> {
  return fail("backup/damaged", `${path} ${problem}: restore from another backup`);
}

async function restoreDatabase(
  request: RestoreRequest,
  manifest: BackupManifest,
  through: number,
): Promise<Result<StateCheck & { readonly blocks: number }, RestoreFailure>> {
  const { from, folder, onProgress = () => {} } = request;
  const directory = await openDataDirectory(join(folder, DATA_FOLDER), { create: true });
  const store = await openLevelStore(directory.chainPath, { create: true });
  try {
    let entries = 0;
    for (const file of manifest.files.filter(({ name }) => SEGMENT_NAME.test(name))) {
      const written = await writeSegment(store, join(from, file.name), file);
      if (!written.ok) return written;
      entries += written.value;
      onProgress(file.bytes);
    }
    await store.write([], { sync: true });
    const begun = await beginLog(directory.logPath, store, request, manifest, through);
    if (!begun.ok) return begun;
    if (entries !== manifest.entries)
      return damaged(from, `holds ${entries} records, its manifest says ${manifest.entries}`);
    return await checkRestored(store, from, manifest);
  } finally {
    await store.close();
    await directory.release();
  }
}

/** Begins a log that says through which epoch votes are missing: it holds whatever becomes of the mark beside the keys, which somebody may
 * replace by an older one together with them. A chain's only validator gets none, so that its node refuses to start, unless it was said that
 * nobody follows it: then no votes are missing after the newest block. */
async function beginLog(
  path: string,
  store: LevelStore,
  { isAlone = false }: RestoreRequest,
  { engine }: BackupManifest,
  through: number,
): Promise<Result<undefined, RestoreFailure>> {
  const head = readHead(store);
  if (head === undefined || engine === "pow") return ok(undefined);
  const { epoch } = head.origin;
  const [set, next] = [epoch, epoch + 1].map((one) => readStoredValidatorSet(store, one));
  const isOnlyOne = set?.validators.length === 1 && (next?.validators.length ?? 1) === 1;
  // With others in the set, a node that goes on as if it had never voted would contradict what it has forgotten.
  if (isAlone && !isOnlyOne)
    return fail(
      "restore/not-alone",
      "the chain in the backup has other validators: restore as one of several",
    );
  if (!isAlone && set?.validators.length === 1) return ok(undefined);
  const lost = { kind: "lost", through, votedIn: [] } as const;
  const { log } = await openWriteAheadLog(createDisk(path), machineEntropy.bytes);
  log.append([encodeHeadRecord(isAlone ? { kind: "whole" } : lost), encodeSettledRecord(head.origin)]);
  await log.close();
  return ok(undefined);
}

/** @returns how many records it had. */
async function writeSegment(
  store: LevelStore,
  path: string,
  file: BackupFile,
): Promise<Result<number, RestoreFailure>> {
  if (!existsSync(path)) return damaged(path, "is missing");
  if (!(await isOfSize(path, file.bytes))) return damaged(path, "has been changed");
  const { bytes, sha256 } = await hashFile(path);
  if (bytes !== file.bytes || sha256 !== file.sha256) return damaged(path, "has been changed");
  const buffer = await readFile(path);
  const entries = decodeBackupSegment(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length));
  if (!entries.ok) return damaged(path, entries.error.message);
  let batch: WriteOperation[] = [];
  let size = 0;
  for (const [key, value] of entries.value) {
    batch.push({ key, value });
    size += key.length + value.length;
    if (size < BATCH_BYTES) continue;
    await store.write(batch, { sync: false });
    batch = [];
    size = 0;
  }
  await store.write(batch, { sync: true });
  return ok(entries.value.length);
}

async function checkRestored(
  store: LevelStore,
  from: string,
  manifest: BackupManifest,
): Promise<Result<StateCheck & { readonly blocks: number }, RestoreFailure>> {
  const head = readHead(store);
  const stored = head === undefined ? undefined : readHeader(store, head.height);
  const meta = readMeta(store);
  if (head === undefined || stored === undefined || meta === undefined)
    return damaged(from, "holds no chain");
  const stateRoot = hashOf(manifest.head.stateRoot);
  const isManifests =
    head.height === manifest.head.height &&
    equalBytes(stored.hash, hashOf(manifest.head.hash)) &&
    equalBytes(stored.header.stateRoot, stateRoot) &&
    equalBytes(meta.genesisHash, hashOf(manifest.genesisHash));
  if (!isManifests) return damaged(from, "holds another chain, or another head, than its manifest says");
  const blocks = checkChain(store, head.height + 1);
  if (!blocks.ok) return damaged(from, `holds a chain that is not whole (${blocks.error.message})`);
  const first = must(readHeader(store, 0), "the chain was found whole");
  if (!equalBytes(first.hash, meta.genesisHash)) return damaged(from, "holds a chain of another genesis");
  const state = await checkState(store, stateRoot, chainHash(meta));
  return state.ok ? ok({ ...state.value, blocks: blocks.value }) : damaged(from, state.error.message);
}

function hashOf(text: string): Hash {
  const bytes = fromHex(text);
  return Hash(bytes.ok ? bytes.value : new Uint8Array(0));
}

async function noteRestore(
  { from, folder, nowMs, knownEpoch, isAlone = false }: RestoreRequest,
  manifest: BackupManifest,
  through: number,
): Promise<void> {
  const log = await OperatorLog.open(folder, nowMs);
  try {
    await log.append({
      act: "backup.restored",
      actor: "command-line",
      details: {
        from,
        height: manifest.head.height,
        blockHash: manifest.head.hash,
        backupMadeAt: manifest.createdAt,
        mayHaveVotedThroughEpoch: through,
        otherNodesWereAsked: knownEpoch !== undefined,
        isAlone,
      },
    });
  } finally {
    await log.close();
  }
}
