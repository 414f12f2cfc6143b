import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressMonitor } from "./progress.ts";

const VALIDATORS = 4;
const QUORUM = 3;

/** The first `count` validators reach a height at once. */
function reach(monitor: ProgressMonitor, count: number, height: number, nowMs: number): void {
  for (let index = 0; index < count; index++) monitor.block(index, height, nowMs);
}

test("the quorum's height is what a quorum has reached", () => {
  const monitor = new ProgressMonitor(VALIDATORS, 0);
  reach(monitor, QUORUM - 1, 5, 100);
  assert.equal(monitor.quorumHeight, 0);
  monitor.block(3, 4, 200);
  assert.equal(monitor.quorumHeight, 4);
  assert.equal(monitor.hasCaughtUp(3), true);
  assert.equal(monitor.hasCaughtUp(2), false);
});

test("blocks of less than a quorum end no gap", () => {
  const monitor = new ProgressMonitor(VALIDATORS, 0);
  reach(monitor, QUORUM, 1, 100);
  reach(monitor, QUORUM - 1, 2, 5_000);
  monitor.block(2, 2, 9_000);
  assert.deepEqual(monitor.longestGap(0, 9_500), { fromMs: 100, toMs: 9_000 });
});

test("a gap that is not over counts, and one that began before the time asked for counts whole", () => {
  const monitor = new ProgressMonitor(VALIDATORS, 0);
  reach(monitor, QUORUM, 1, 1_000);
  assert.deepEqual(monitor.longestGap(0, 8_000), { fromMs: 1_000, toMs: 8_000 });
  reach(monitor, QUORUM, 2, 9_000);
  assert.deepEqual(monitor.longestGap(8_500, 9_500), { fromMs: 1_000, toMs: 9_000 });
});

test("no gap counts while no quorum is connected, and all counts from the moment it is again", () => {
  const monitor = new ProgressMonitor(VALIDATORS, 0);
  reach(monitor, QUORUM, 1, 100);
  monitor.quorum(false, 200);
  monitor.quorum(true, 30_000);
  reach(monitor, QUORUM, 2, 33_000);
  assert.deepEqual(monitor.longestGap(0, 33_000), { fromMs: 30_000, toMs: 33_000 });
});

test("one validator's silence counts only while it is expected to keep up", () => {
  const monitor = new ProgressMonitor(VALIDATORS, 0);
  monitor.block(3, 1, 50);
  monitor.expect(3, false, 100);
  monitor.block(3, 2, 20_000);
  monitor.expect(3, true, 20_000);
  monitor.block(3, 3, 20_700);
  assert.deepEqual(monitor.worstSilence, { index: 3, fromMs: 20_000, toMs: 20_700 });
});

test("what was before the beginning of the watch is forgotten", () => {
  const monitor = new ProgressMonitor(VALIDATORS, 0);
  reach(monitor, VALIDATORS, 1, 60_000);
  monitor.begin(60_000);
  reach(monitor, VALIDATORS, 2, 60_300);
  assert.deepEqual(monitor.longestGap(0, 60_300), { fromMs: 60_000, toMs: 60_300 });
  assert.equal(monitor.worstSilence.toMs - monitor.worstSilence.fromMs, 300);
});
