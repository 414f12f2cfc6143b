import { type Bytes, must, type Random } from "@ostrom/base";
import {
  createFaultyDisk,
  createFaultyStore,
  type Disk,
  type DiskFile,
  type FaultyDisk,
  type FaultyStore,
  type Store,
} from "@ostrom/storage";

const MAX_SYNC_MS = 4;
const MAX_WRITE_MS = 1;

/** A machine's disks, which outlive its crashes: one for the write-ahead log, one for the database. */
export type SimulatedDisks = {
  readonly openStore: () => Store;
  readonly openDisk: () => Disk;
  /** Cuts the power: unsynced bytes are lost or torn. */
  readonly crash: () => void;
  /** The disk breaks and is replaced by an empty one. */
  readonly loseLog: () => void;
  readonly loseDatabase: () => void;
  /** Whether there is room for more. */
  readonly setFull: (what: "log" | "database", isFull: boolean) => void;
  readonly setSyncFailures: (oneIn: number | undefined) => void;
  /** Each value read of the database is rotten once in so many times, until the node opens it anew. */
  readonly setBitRot: (oneIn: number | undefined) => void;
  /** Changes a bit of a record that the log has kept. @returns whether it holds anything. */
  readonly rotLog: () => boolean;
};

/** @param operation waits for the device, as an event of the machine: power may fail before it or after it. */
export function createSimulatedDisks(
  random: Random,
  operation: (boundMs: number) => Promise<void>,
): SimulatedDisks {
  let log: FaultyDisk = createFaultyDisk(random);
  let database: FaultyStore = createFaultyStore(random);
  const faults = { logIsFull: false, databaseIsFull: false, syncFails: 0, bitRot: 0 };
  const apply = (): void => {
    log.setFaults({
      ...(faults.logIsFull ? { appendFailsOneIn: 1 } : {}),
      ...(faults.syncFails > 0 ? { syncFailsOneIn: faults.syncFails } : {}),
    });
    database.setFaults({
      ...(faults.databaseIsFull ? { writeFailsOneIn: 1 } : {}),
      ...(faults.bitRot > 0 ? { bitRotOneIn: faults.bitRot } : {}),
    });
  };
  return {
    openStore: () => slowStore(database.open(), operation),
    openDisk: () => slowDisk(log.start(), operation),
    crash: () => {
      log.crash();
      database.crash();
    },
    loseLog: () => {
      log = createFaultyDisk(random);
      apply();
    },
    loseDatabase: () => {
      database = createFaultyStore(random);
      apply();
    },
    setFull: (what, isFull) => {
      if (what === "log") faults.logIsFull = isFull;
      else faults.databaseIsFull = isFull;
      apply();
    },
    setSyncFailures: (oneIn) => {
      faults.syncFails = oneIn ?? 0;
      apply();
    },
    setBitRot: (oneIn) => {
      faults.bitRot = oneIn ?? 0;
      apply();
    },
    rotLog: () => rotNewestSegment(log, random),
  };
}

/** Segments by number, as the write-ahead log names them; the highest is the one in use. */
const MAX_SEGMENTS = 4_096;
const SEGMENT_HEADER_BYTES = 28;
const FRAME_HEADER_BYTES = 12;
/** Damage of the last frame cannot be told from a write that power cut off, and the one before it may be the last that was synced. */
const SPARED_FRAMES = 2;

function segmentName(number: number): string {
  return `log-${String(number).padStart(10, "0")}.wal`;
}

/** Changes a bit where the log must notice it: before frames that were synced later. */
function rotNewestSegment(log: FaultyDisk, random: Random): boolean {
  let [name, bytes]: [string | undefined, Bytes | undefined] = [undefined, undefined];
  for (let number = 1; number <= MAX_SEGMENTS; number++) {
    const content = log.peek(segmentName(number));
    if (content !== undefined) [name, bytes] = [segmentName(number), content];
  }
  if (name === undefined || bytes === undefined || bytes.length < SEGMENT_HEADER_BYTES) return false;
  const rotten = bytes.slice();
  const bit = random.below(8 * rottableBytes(rotten));
  rotten[bit >> 3] = must(rotten[bit >> 3], "the bit lies inside") ^ (1 << (bit & 7));
  log.poke(name, rotten);
  return true;
}

function rottableBytes(segment: Bytes): number {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.length);
  const frames: number[] = [];
  for (let at = SEGMENT_HEADER_BYTES; at + FRAME_HEADER_BYTES <= segment.length; ) {
    frames.push(at);
    at += FRAME_HEADER_BYTES + view.getUint32(at);
  }
  return Math.max(SEGMENT_HEADER_BYTES, frames.at(-SPARED_FRAMES) ?? 0);
}

/** Each call takes a while before it is done and again before the caller hears of it. */
function slowStore(store: Store, operation: (boundMs: number) => Promise<void>): Store {
  return {
    ...store,
    write: async (batch, options) => {
      await operation(options.sync ? MAX_SYNC_MS : MAX_WRITE_MS);
      await store.write(batch, options);
      await operation(0);
    },
  };
}

function slowDisk(disk: Disk, operation: (boundMs: number) => Promise<void>): Disk {
  const slow = <Arguments extends readonly unknown[], Answer>(
    call: (...args: Arguments) => Promise<Answer>,
    boundMs: number,
  ): ((...args: Arguments) => Promise<Answer>) => {
    return async (...args) => {
      await operation(boundMs);
      const answer = await call(...args);
      await operation(0);
      return answer;
    };
  };
  const file = (inner: DiskFile): DiskFile => ({
    ...inner,
    append: slow(inner.append, 0),
    sync: slow(inner.sync, MAX_SYNC_MS),
  });
  return {
    list: slow(disk.list, 0),
    read: slow(disk.read, 0),
    create: async (name) => file(await slow(disk.create, 0)(name)),
    open: async (name) => file(await disk.open(name)),
    rename: slow(disk.rename, 0),
    remove: slow(disk.remove, 0),
    truncate: slow(disk.truncate, 0),
    syncFolder: slow(disk.syncFolder, MAX_SYNC_MS),
  };
}
