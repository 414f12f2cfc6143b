import assert from "node:assert/strict";
import { test } from "node:test";
import { storyOf, waitOf } from "./story.ts";
import { mergeRecords, outcomeOf, phaseTimes, shareOf, ticksOf } from "./view-model.ts";
import type { SimplexView } from "./view-types.ts";

const NOTHING = [null, null, null, null];

function viewOf(number: number, changes: Partial<SimplexView> = {}): SimplexView {
  return {
    number,
    engine: "simplex",
    epoch: 0,
    view: number,
    leader: 1,
    validators: 4,
    startedAt: 1_000 * number,
    steps: {
      entered: 0,
      proposed: 2_000,
      notarized: 2_010,
      nullified: null,
      finalized: 2_030,
      executed: null,
      certified: null,
      leaderTimeout: null,
      advanceTimeout: null,
    },
    payloadBytes: 2,
    height: number,
    transactions: 0,
    gasUsed: 0,
    votes: {
      notarize: [2_008, 2_000, 2_010, null],
      nullify: NOTHING,
      finalize: [2_015, null, 2_030, null],
      executed: NOTHING,
    },
    signers: { notarization: "0x07", nullification: null, finalization: "0x07" },
    ...changes,
  };
}

test("records: what has changed takes its place, the oldest go, and order is that of numbers", () => {
  const known = [viewOf(1), viewOf(2), viewOf(3)];
  const merged = mergeRecords(known, [viewOf(4), viewOf(2, { height: 99 })], 3);
  assert.deepEqual(
    merged.map(({ number, height }) => [number, height]),
    [
      [2, 99],
      [3, 3],
      [4, 4],
    ],
  );
  assert.equal(mergeRecords(known, [], 3), known);
  assert.equal(known.length, 3);
});

test("records: a node that was started anew counts from 1 again, and what was known of before is forgotten", () => {
  const known = [viewOf(300), viewOf(301)];
  const after = [viewOf(1, { startedAt: 900_000 }), viewOf(2, { startedAt: 901_000 })];
  assert.deepEqual(mergeRecords(known, after, 10), after);
});

test("outcomes and shares: from the certificate and the votes that were seen", () => {
  assert.equal(outcomeOf(viewOf(1)), "final");
  const { steps } = viewOf(1);
  const open = { ...steps, notarized: null, finalized: null };
  assert.equal(outcomeOf(viewOf(1, { steps: { ...open, nullified: 5 } })), "nullified");
  assert.equal(outcomeOf(viewOf(1, { steps: { ...open, notarized: 5 } })), "notarized");
  assert.equal(outcomeOf(viewOf(1, { steps: open })), "open");
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => shareOf(viewOf(1), index)),
    ["final", "notarize", "final", "none"],
  );
});

test("times of steps: median and 99th percentile of those views that have both ends", () => {
  const views = [1, 2, 3].map((number) =>
    viewOf(number, { steps: { ...viewOf(1).steps, finalized: 2_010 + 10 * number } }),
  );
  const times = phaseTimes(views);
  assert.deepEqual(
    times.find(({ id }) => id === "finalize"),
    { id: "finalize", count: 3, median: 20, high: 30 },
  );
  assert.deepEqual(
    times.find(({ id }) => id === "certify"),
    { id: "certify", count: 0, median: 0, high: 0 },
  );
});

test("the story of a view begins with what happened first; the leader's vote is its proposal", () => {
  const view = viewOf(7);
  assert.equal(waitOf(view), 2_000);
  assert.deepEqual(
    storyOf(view).map(({ id, atMs }) => [id, atMs]),
    [
      ["proposed", 0],
      ["notarize-0", 8],
      ["notarized", 10],
      ["notarize-2", 10],
      ["finalize-0", 15],
      ["finalized", 30],
      ["finalize-2", 30],
    ],
  );
});

test("ticks of an axis are round and few", () => {
  assert.deepEqual(ticksOf(38, 8), [0, 5, 10, 15, 20, 25, 30, 35]);
  assert.deepEqual(ticksOf(1, 3), [0, 0.5, 1]);
  for (const end of [1, 7, 123, 4_567]) assert.ok(ticksOf(end, 6).length <= 7);
});
