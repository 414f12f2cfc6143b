import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { type DiskRoom, diskRoom, hasRoomAgain, watchDisk } from "./disk-watch.ts";
import type { Clock } from "./ports.ts";

const marks = { warnFreeBytes: 1_000, stopFreeBytes: 100 };
const roomOf = (freeBytes: number): DiskRoom => ({
  freeBytes,
  marks,
  state: freeBytes < 100 ? "critical" : freeBytes < 1_000 ? "low" : "enough",
});

/** Watches a disk that is measured when the test says so. */
class Watched {
  readonly heard: string[] = [];
  readonly end: () => void;
  #nowMs = 0;
  #look: (() => void) | undefined;
  #measured: (room: DiskRoom) => void = () => {};

  constructor() {
    const clock: Clock = {
      nowMs: () => this.#nowMs,
      after: (_delayMs, callback) => {
        this.#look = callback;
        return () => {
          this.#look = undefined;
        };
      },
    };
    this.end = watchDisk({
      path: "/disk",
      settings: marks,
      clock,
      log: (level, message) => this.heard.push(`${level}: ${message}`),
      onLow: ({ freeBytes }) => this.heard.push(`low ${freeBytes}`),
      onCritical: ({ freeBytes }) => this.heard.push(`critical ${freeBytes}`),
      measure: () =>
        new Promise((resolve) => {
          this.#measured = resolve;
        }),
    });
  }

  /** One look that finds so much. @returns whether it will look again. */
  async find(freeBytes: number, laterMs = 2_000): Promise<boolean> {
    this.#look?.();
    this.#look = undefined;
    this.#measured(roomOf(freeBytes));
    await new Promise((resolve) => setImmediate(resolve));
    this.#nowMs += laterMs;
    return this.#look !== undefined;
  }
}

test("a warning comes once while room is low, again after ten minutes, or after there was room in between", async () => {
  const disk = new Watched();
  for (const free of [5_000, 900, 800]) assert.ok(await disk.find(free));
  assert.deepEqual(disk.heard, ["warn: the disk is nearly full", "low 900"]);
  await disk.find(700, 600_000);
  await disk.find(600);
  assert.deepEqual(disk.heard.slice(2), ["warn: the disk is nearly full", "low 600"]);
  await disk.find(5_000);
  await disk.find(500);
  assert.equal(disk.heard.at(-1), "low 500");
  disk.end();
});

test("it says once that room is critical, and looks no more; ended, it says nothing", async () => {
  const disk = new Watched();
  assert.equal(await disk.find(99), false);
  assert.equal(await disk.find(50), false);
  assert.deepEqual(disk.heard, ["critical 99"]);
  const other = new Watched();
  other.end();
  await other.find(50);
  assert.deepEqual(other.heard, []);
});

test("what has stopped for want of room starts again only with a quarter more than it stops at", () => {
  assert.deepEqual(
    [100, 124, 125].map((free) => hasRoomAgain(roomOf(free))),
    [false, false, true],
  );
});

test("the marks are a share of a small disk, and what settings say otherwise", async () => {
  const { marks: own } = await diskRoom(tmpdir(), { warnFreeBytes: 0, stopFreeBytes: 0 });
  assert.ok(own.stopFreeBytes > 0 && own.stopFreeBytes <= 256 * 1024 * 1024);
  assert.ok(own.warnFreeBytes > own.stopFreeBytes && own.warnFreeBytes <= 2_048 * 1024 * 1024);
  const { state } = await diskRoom(tmpdir(), { warnFreeBytes: 2 ** 52, stopFreeBytes: 1 });
  assert.equal(state, "low");
  assert.equal((await diskRoom(tmpdir(), { warnFreeBytes: 1, stopFreeBytes: 2 ** 52 })).state, "critical");
});
