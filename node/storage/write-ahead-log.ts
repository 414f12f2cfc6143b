import { assert, type Bytes, concatBytes } from "@ostrom/base";
import type { Disk, DiskFile } from "./disk.ts";
import { StorageError } from "./errors.ts";
import {
  decodeSegment,
  encodeFrame,
  encodeSegmentHeader,
  MAX_FRAME_BYTES,
  MAX_RECORD_BYTES,
  type ReadSegment,
  recordSize,
  SALT_BYTES,
  type Segment,
} from "./write-ahead-frame.ts";

/** An append-only log of byte strings that survives crashes: consensus writes down what it is about to say, syncs, then
 * says it. Once an operation has failed, all later ones fail with the same error: after a failed sync nobody knows what
 * lies on the disk, and a validator that goes on might contradict itself.
 * All promises reject with StorageError. */
export type WriteAheadLog = {
  /** Takes records of at most MAX_RECORD_BYTES each; they are durable when a `sync` called later resolves. */
  readonly append: (records: readonly Bytes[]) => void;
  /** Calls that come while another sync is under way share the next one. */
  readonly sync: () => Promise<void>;
  /** Replaces all that was appended before this call by these records (which must fit into MAX_FRAME_BYTES): a crash
   * leaves the old or the new. What is appended after the call follows them. */
  readonly rotate: (records: readonly Bytes[]) => Promise<void>;
  /** Bytes of the file: a reason to rotate. */
  readonly sizeBytes: () => number;
  /** Syncs and closes. */
  readonly close: () => Promise<void>;
};

export type OpenedLog = {
  readonly log: WriteAheadLog;
  /** All records, oldest first; durable, also those that the last run wrote without having seen them synced. */
  readonly records: readonly Bytes[];
  /** There was no log: a new validator, or one that has lost its memory and must abstain until it is safe to vote. */
  readonly isNew: boolean;
  /** Bytes of a last write that a crash had cut off. It was never synced, so nothing was said on the strength of it. */
  readonly truncatedBytes: number;
};

const SEGMENT_NAME = /^log-(\d{10})\.wal$/;
const NEW_SUFFIX = ".new";
const FIRST_SEGMENT = 1;

function segmentName(number: number): string {
  return `log-${String(number).padStart(10, "0")}.wal`;
}

/** Opens the log in a folder, or makes a new one in an empty folder.
 * @param randomBytes for the salt of new segments.
 * Rejects with StorageError: `storage/damaged` when synced records have changed or are gone: the node must not go on as if
 * it remembered (tendermint#3295); `storage/unknown-version`; and those of Disk. */
export async function openWriteAheadLog(
  disk: Disk,
  randomBytes: (length: number) => Bytes,
): Promise<OpenedLog> {
  const names = await disk.list();
  for (const name of names) if (name.endsWith(NEW_SUFFIX)) await disk.remove(name);
  const numbers = names.flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? []).map(Number);
  const newest = numbers.at(-1);
  if (newest === undefined) {
    const written = await writeSegment(disk, { number: FIRST_SEGMENT, salt: randomBytes(SALT_BYTES) }, []);
    return { log: new LogWriter(disk, randomBytes, written), records: [], isNew: true, truncatedBytes: 0 };
  }
  const bytes = await disk.read(segmentName(newest));
  const read = decodeSegment(bytes, newest);
  if (!read.ok) throw segmentError(read.error.code, `${segmentName(newest)}: ${read.error.message}`);
  const truncatedBytes = bytes.length - read.value.wholeLength;
  if (truncatedBytes > 0) await disk.truncate(segmentName(newest), read.value.wholeLength);
  const written = await continueSegment(disk, read.value);
  await removeOlder(disk, newest);
  return {
    log: new LogWriter(disk, randomBytes, written),
    records: read.value.records,
    isNew: false,
    truncatedBytes,
  };
}

function segmentError(code: "segment/damaged" | "segment/unknown-version", detail: string): StorageError {
  if (code === "segment/unknown-version") {
    return new StorageError(
      "storage/unknown-version",
      `the write-ahead log is of a newer program (${detail})`,
    );
  }
  return new StorageError(
    "storage/damaged",
    `the write-ahead log is damaged (${detail}): this validator no longer knows what it has signed; ` +
      "remove the log's folder, and it will abstain until it is safe to vote again",
  );
}

type OpenSegment = {
  readonly segment: Segment;
  readonly file: DiskFile;
  readonly frameCount: number;
  readonly length: number;
};

async function writeSegment(disk: Disk, segment: Segment, records: readonly Bytes[]): Promise<OpenSegment> {
  const name = segmentName(segment.number);
  const start = concatBytes(encodeSegmentHeader(segment), encodeFrame(segment, 0, records));
  const file = await disk.create(name + NEW_SUFFIX);
  await file.append(start);
  await file.sync();
  await disk.rename(name + NEW_SUFFIX, name);
  await disk.syncFolder();
  return { segment, file, frameCount: 1, length: start.length };
}

/** The last run may have died between writing and syncing: what has been read must be durable before anybody acts on it. */
async function continueSegment(disk: Disk, read: ReadSegment): Promise<OpenSegment> {
  const file = await disk.open(segmentName(read.segment.number));
  await file.sync();
  await disk.syncFolder();
  return { segment: read.segment, file, frameCount: read.frameCount, length: read.wholeLength };
}

async function removeOlder(disk: Disk, newest: number): Promise<void> {
  for (const name of await disk.list()) {
    const number = SEGMENT_NAME.exec(name)?.[1];
    if (number !== undefined && Number(number) < newest) await disk.remove(name);
  }
}

type Job = {
  readonly kind: "flush" | "rotate";
  readonly records: Bytes[];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

class LogWriter implements WriteAheadLog {
  readonly #disk: Disk;
  readonly #randomBytes: (length: number) => Bytes;
  #current: OpenSegment;
  /** Appended, and not yet asked to be synced. */
  #appended: Bytes[] = [];
  /** Waiting, in order; the one under way is not among them. */
  #jobs: Job[] = [];
  #running: Job | undefined;
  #failure: unknown;
  #isClosed = false;

  constructor(disk: Disk, randomBytes: (length: number) => Bytes, current: OpenSegment) {
    this.#disk = disk;
    this.#randomBytes = randomBytes;
    this.#current = current;
  }

  append(records: readonly Bytes[]): void {
    assert(!this.#isClosed, "nothing is appended to a closed log");
    for (const record of records) {
      assert(record.length <= MAX_RECORD_BYTES, `a record must not exceed ${MAX_RECORD_BYTES} bytes`);
      this.#appended.push(record.slice());
    }
  }

  sync(): Promise<void> {
    const last = this.#jobs.at(-1);
    if (this.#appended.length === 0) return last?.done ?? this.#running?.done ?? this.#settled();
    const records = this.#appended;
    this.#appended = [];
    if (last?.kind === "flush") {
      for (const record of records) last.records.push(record);
      return last.done;
    }
    return this.#add("flush", records);
  }

  rotate(records: readonly Bytes[]): Promise<void> {
    this.#appended = [];
    return this.#add("rotate", [...records]);
  }

  sizeBytes(): number {
    return this.#current.length;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const synced = this.sync();
    this.#isClosed = true;
    try {
      await synced;
    } finally {
      await this.#current.file.close();
    }
  }

  #settled(): Promise<void> {
    return this.#failure === undefined ? Promise.resolve() : Promise.reject(this.#failure);
  }

  #add(kind: Job["kind"], records: Bytes[]): Promise<void> {
    if (this.#failure !== undefined) return this.#settled();
    if (this.#isClosed)
      return Promise.reject(new StorageError("storage/closed", "the write-ahead log was closed"));
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    this.#jobs.push({ kind, records, done, resolve, reject });
    if (this.#running === undefined) void this.#run();
    return done;
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      this.#running = job;
      try {
        if (job.kind === "flush") await this.#flush(job.records);
        else await this.#replace(job.records);
        job.resolve();
      } catch (error) {
        this.#failure = error;
        for (const waiting of [job, ...this.#jobs]) waiting.reject(error);
        this.#jobs = [];
      }
    }
    this.#running = undefined;
  }

  async #flush(records: readonly Bytes[]): Promise<void> {
    for (const group of groupsThatFit(records)) {
      const { segment, file, frameCount, length } = this.#current;
      const frame = encodeFrame(segment, frameCount, group);
      await file.append(frame);
      await file.sync();
      this.#current = { segment, file, frameCount: frameCount + 1, length: length + frame.length };
    }
  }

  async #replace(records: readonly Bytes[]): Promise<void> {
    const old = this.#current;
    const segment = { number: old.segment.number + 1, salt: this.#randomBytes(SALT_BYTES) };
    this.#current = await writeSegment(this.#disk, segment, records);
    await old.file.close();
    await removeOlder(this.#disk, segment.number);
  }
}

function groupsThatFit(records: readonly Bytes[]): readonly (readonly Bytes[])[] {
  const groups: Bytes[][] = [];
  let room = 0;
  for (const record of records) {
    if (groups.length === 0 || recordSize(record) > room) {
      groups.push([]);
      room = MAX_FRAME_BYTES;
    }
    groups.at(-1)?.push(record);
    room -= recordSize(record);
  }
  return groups;
}
