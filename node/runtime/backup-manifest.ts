import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Failure, fail, ok, type Result } from "@ostrom/base";
import { readJsonFile } from "./configuration.ts";

/** In a backup's folder: what it holds. It is written last: a backup without it was never finished. */
export const MANIFEST_FILE = "manifest.json";
export const BACKUP_FORMAT = "ostrom backup 1";

export type BackupFile = {
  /** Path in the backup's folder, with slashes. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
};

export type BackupManifest = {
  readonly format: typeof BACKUP_FORMAT;
  readonly createdAt: string;
  /** Version of the program that made it. */
  readonly program: string;
  readonly node: string;
  readonly chainId: string;
  readonly genesisHash: string;
  readonly engine: string;
  /** The newest block in it. */
  readonly head: {
    readonly height: number;
    readonly hash: string;
    readonly stateRoot: string;
    readonly epoch: number;
    readonly timestampMs: number;
  };
  readonly certifiedHeight: number;
  /** Records of the database. */
  readonly entries: number;
  readonly hasKeys: boolean;
  /** The database's segments in their order, then the node's own files. */
  readonly files: readonly BackupFile[];
};

/** Names of the database's segments. */
export const SEGMENT_NAME: RegExp = /^chain-\d{6}\.segment$/;
/** The node's own files: none else is taken or restored, so that a manifest cannot name a path outside. */
export const NODE_FILE_NAME: RegExp =
  /^(?:genesis\.json|node\.json|operator-log\.jsonl|keys\/(?!has-voted$)[A-Za-z0-9][A-Za-z0-9._-]{0,99})$/;

export function segmentName(index: number): string {
  return `chain-${String(index + 1).padStart(6, "0")}.segment`;
}

/** Errors: `backup/unfinished`, `backup/damaged`. */
export function readManifest(
  path: string,
): Result<BackupManifest, Failure<"backup/unfinished" | "backup/damaged">> {
  const parsed = readJsonFile(path);
  if (!parsed.ok) {
    return fail(
      "backup/unfinished",
      `${path} cannot be read: this is no backup, or one that was never finished; make another`,
    );
  }
  const manifest = parsed.value as BackupManifest;
  const problem = problemOf(manifest);
  return problem === undefined ? ok(manifest) : fail("backup/damaged", `${path}: ${problem}`);
}

function problemOf(manifest: BackupManifest): string | undefined {
  if (typeof manifest !== "object" || manifest === null || manifest.format !== BACKUP_FORMAT)
    return `it is not in the format "${BACKUP_FORMAT}": use the program that wrote it`;
  const { head, entries, files, genesisHash } = manifest;
  const isHash = (text: unknown): boolean => typeof text === "string" && /^0x[0-9a-f]{64}$/.test(text);
  const isCount = (number: unknown): boolean => Number.isSafeInteger(number) && (number as number) >= 0;
  if (!isHash(genesisHash) || !isHash(head?.hash) || !isHash(head?.stateRoot)) return "a hash is no hash";
  if (![entries, head.height, head.epoch, head.timestampMs].every(isCount)) return "a number is no number";
  if (!Array.isArray(files)) return "it lists no files";
  const names = new Set<string>();
  for (const file of files as readonly BackupFile[]) {
    const isKnown = SEGMENT_NAME.test(file?.name) || NODE_FILE_NAME.test(file?.name);
    if (!isKnown || names.has(file.name) || !isCount(file.bytes) || !isHash(file.sha256))
      return `it lists "${String(file?.name)}", which is no file of a backup`;
    names.add(file.name);
  }
  return undefined;
}

export async function hashFile(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  const stream = createReadStream(path);
  await pipeline(stream, hash);
  return { bytes: stream.bytesRead, sha256: `0x${hash.digest("hex")}` };
}
