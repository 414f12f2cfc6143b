import { statfs } from "node:fs/promises";
import type { Clock, Log } from "./ports.ts";

const MEBIBYTE = 1024 * 1024;
/** Below this the node warns, unless told otherwise, and unless a tenth of the disk is less. */
const WARN_FREE_BYTES = 2048 * MEBIBYTE;
/** Below this the node stops, unless a twentieth of the disk is less: room for what a database needs to close and open in order. */
const STOP_FREE_BYTES = 256 * MEBIBYTE;
const WARN_SHARE = 10;
const STOP_SHARE = 20;
const LOOK_MS = 2_000;
/** A warning comes again after this long. */
const WARN_AGAIN_MS = 600_000;
/** To start again, there must be so much more than what it stops at: a disk that is just below would stop it again at once. */
const RESUME_FACTOR = 1.25;

/** Bytes. 0 takes the default. */
export type DiskMarks = { readonly warnFreeBytes: number; readonly stopFreeBytes: number };

export type DiskRoom = {
  readonly freeBytes: number;
  readonly marks: DiskMarks;
  readonly state: "enough" | "low" | "critical";
};

/** How much room there is where a path lies. Rejects with the file system's error. */
export async function diskRoom(path: string, settings: DiskMarks): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(path);
  const size = blocks * bsize;
  const marks = {
    warnFreeBytes: settings.warnFreeBytes || Math.min(WARN_FREE_BYTES, Math.floor(size / WARN_SHARE)),
    stopFreeBytes: settings.stopFreeBytes || Math.min(STOP_FREE_BYTES, Math.floor(size / STOP_SHARE)),
  };
  const freeBytes = bavail * bsize;
  const { warnFreeBytes, stopFreeBytes } = marks;
  const state = freeBytes < stopFreeBytes ? "critical" : freeBytes < warnFreeBytes ? "low" : "enough";
  return { freeBytes, marks, state };
}

/** Whether a node that stopped for want of room may start again. */
export function hasRoomAgain({ freeBytes, marks }: DiskRoom): boolean {
  return freeBytes >= marks.stopFreeBytes * RESUME_FACTOR;
}

/** What a person is told of a disk that is nearly full. */
export function describeRoom(path: string, { freeBytes, marks }: DiskRoom): string {
  const mebibytes = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
  return (
    `the disk of ${path} has ${mebibytes(freeBytes)} left: the node warns below ${mebibytes(marks.warnFreeBytes)} and ` +
    `stops below ${mebibytes(marks.stopFreeBytes)}, before a write can fail; free some space`
  );
}

/** Looks at a disk again and again: warns while room is low, and calls once when it is critical.
 * @returns a function that ends it. */
export function watchDisk(options: {
  readonly path: string;
  readonly settings: DiskMarks;
  readonly clock: Clock;
  readonly log: Log;
  readonly onLow: (room: DiskRoom) => void;
  readonly onCritical: (room: DiskRoom) => void;
  /** For tests. */
  readonly measure?: () => Promise<DiskRoom>;
}): () => void {
  const { path, settings, clock, log, onLow, onCritical } = options;
  const measure = options.measure ?? (() => diskRoom(path, settings));
  let isEnded = false;
  let cancel = (): void => {};
  let warnedMs = Number.NEGATIVE_INFINITY;
  const judge = (room: DiskRoom): void => {
    if (room.state === "enough") warnedMs = Number.NEGATIVE_INFINITY;
    else if (room.state === "critical") {
      isEnded = true;
      onCritical(room);
    } else if (clock.nowMs() - warnedMs >= WARN_AGAIN_MS) {
      warnedMs = clock.nowMs();
      log("warn", "the disk is nearly full", {
        path,
        freeBytes: room.freeBytes,
        stopsBelow: room.marks.stopFreeBytes,
      });
      onLow(room);
    }
  };
  const look = (): void => {
    measure()
      .then((room) => {
        if (!isEnded) judge(room);
      })
      .catch((error: Error) => log("warn", "how full the disk is cannot be told", { path, error }))
      .finally(() => {
        if (!isEnded) cancel = clock.after(LOOK_MS, look);
      });
  };
  look();
  return () => {
    isEnded = true;
    cancel();
  };
}
