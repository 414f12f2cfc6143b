import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { type FileHandle, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { syncPath } from "@ostrom/storage";
import {
  type BrokenLine,
  FIRST_PREVIOUS,
  MAX_RECORD_LINE_BYTES,
  OPERATOR_LOG_FILE,
  type OperatorAct,
  type OperatorRecord,
  readOperatorLog,
  recordLine,
  sealRecord,
} from "./operator-log-format.ts";

/** Room that is given up when the disk is full, so that the records that say so still fit. */
const RESERVE_FILE = "operator-log.reserve";
const RESERVE_BYTES = 65_536;
const OWNER_ONLY_FILE = 0o600;
/** Records kept in memory of the newest starts: to tell what has changed since. */
const STARTED = "node.started";

export type OperatorLogHead = { readonly sequence: number; readonly hash: string };

/** A node's own log of operators' acts. Only who holds the node's data folder may have it open. Each record is on disk when `append`
 * resolves. A write that fails, because the disk is full, leaves the file as it was. */
export class OperatorLog {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #nowMs: () => number;
  #size: number;
  #head: OperatorLogHead;
  #newest: Promise<unknown> = Promise.resolve();
  /** The last record of a start before this one. */
  readonly lastStart: OperatorRecord | undefined;

  private constructor(path: string, file: FileHandle, found: Found, nowMs: () => number) {
    this.path = path;
    this.#file = file;
    this.#nowMs = nowMs;
    this.#size = found.size;
    this.#head = found.head;
    this.lastStart = found.lastStart;
  }

  /** Opens the log of a node's folder, or begins one. A last line that a crash cut off is taken off, and a record says so. A log that was
   * changed is put aside whole, and the new one's first record names it. */
  static async open(folder: string, nowMs: () => number): Promise<OperatorLog> {
    const path = join(folder, OPERATOR_LOG_FILE);
    let found = await readAll(path);
    const repairs: OperatorAct[] = [];
    if (found.broken !== undefined) {
      const aside = `operator-log.changed-${new Date(nowMs()).toISOString().replace(/[:.]/g, "-")}.jsonl`;
      const { line, problem } = found.broken;
      const details = { file: aside, sha256: await fileHash(path), line, problem };
      await rename(path, join(folder, aside));
      repairs.push({ act: "log.changed", actor: "node", details });
      found = { size: 0, head: { sequence: 0, hash: FIRST_PREVIOUS }, lastStart: found.lastStart };
    }
    const isNew = !existsSync(path);
    const file = await open(path, "a", OWNER_ONLY_FILE);
    if (isNew) await syncPath(folder);
    if (found.torn !== undefined) {
      await file.truncate(found.size);
      await file.sync();
      repairs.push({ act: "log.repaired", actor: "node", details: { bytesCutOff: found.torn } });
    }
    const log = new OperatorLog(path, file, found, nowMs);
    await log.#keepReserve();
    for (const repair of repairs) await log.append(repair);
    return log;
  }

  /** The newest record's: whoever notes it elsewhere can tell later whether records before it were changed or cut off. */
  get head(): OperatorLogHead {
    return this.#head;
  }

  /** Resolves when the record is on disk. Rejects with the file system's error; then nothing was written, and what the record would have
   * told of must not be done. */
  append(act: OperatorAct): Promise<OperatorRecord> {
    const appended = this.#newest.then(() => this.#append(act));
    this.#newest = appended.catch(() => undefined);
    return appended;
  }

  async close(): Promise<void> {
    await this.#newest;
    await this.#file.close();
  }

  async #append({ act, actor, details }: OperatorAct): Promise<OperatorRecord> {
    const { sequence, hash: previous } = this.#head;
    const place = { sequence: sequence + 1, time: new Date(this.#nowMs()).toISOString(), previous };
    let record = sealRecord({ ...place, actor, act, details });
    let line = Buffer.from(recordLine(record));
    if (line.length > MAX_RECORD_LINE_BYTES) {
      const digest = createHash("sha256").update(JSON.stringify(details)).digest("hex");
      record = sealRecord({ ...place, actor, act, details: { tooLong: true, sha256: `0x${digest}` } });
      line = Buffer.from(recordLine(record));
    }
    try {
      await this.#write(line);
    } catch (error) {
      if (!isFullDisk(error) || !(await this.#giveUpReserve())) throw error;
      await this.#write(line);
    }
    this.#size += line.length;
    this.#head = { sequence: record.sequence, hash: record.hash };
    return record;
  }

  async #write(line: Buffer): Promise<void> {
    try {
      await this.#file.writeFile(line);
      await this.#file.datasync();
    } catch (error) {
      // What part of it is there belongs to no record.
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
  }

  /** Random bytes: a file system that compresses keeps no room for zeros. */
  async #keepReserve(): Promise<void> {
    const path = join(dirname(this.path), RESERVE_FILE);
    if (existsSync(path)) return;
    try {
      await writeFile(path, randomBytes(RESERVE_BYTES), { mode: OWNER_ONLY_FILE, flush: true });
    } catch {
      await rm(path, { force: true });
    }
  }

  async #giveUpReserve(): Promise<boolean> {
    const path = join(dirname(this.path), RESERVE_FILE);
    if (!existsSync(path)) return false;
    await rm(path);
    return true;
  }
}

const FULL_DISK_CODES: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

function isFullDisk(error: unknown): boolean {
  return FULL_DISK_CODES.has((error as NodeJS.ErrnoException).code);
}

type Found = {
  readonly size: number;
  readonly head: OperatorLogHead;
  readonly lastStart?: OperatorRecord | undefined;
  readonly torn?: number;
  readonly broken?: BrokenLine;
};

async function readAll(path: string): Promise<Found> {
  let found: Found = { size: 0, head: { sequence: 0, hash: FIRST_PREVIOUS } };
  if (!existsSync(path)) return found;
  for await (const step of readOperatorLog(path)) {
    if (step.kind === "torn") return { ...found, torn: step.bytes };
    if (step.kind === "broken") return { ...found, broken: step.broken };
    const { record, end } = step;
    const head = { sequence: record.sequence, hash: record.hash };
    found = { size: end, head, lastStart: record.act === STARTED ? record : found.lastStart };
  }
  return found;
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return `0x${hash.digest("hex")}`;
}
