import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultEpochLead, epochOfHeight, frozenHeight, lastHeight } from "./epochs.ts";

test("epoch E holds the heights E * length + 1 to (E + 1) * length; genesis counts to the first", () => {
  for (const epochLength of [2, 3, 10, 100_000]) {
    const schedule = { epochLength, epochLead: 1 };
    for (const epoch of [0, 1, 2, 1_000_000]) {
      const last = lastHeight(schedule, epoch);
      assert.equal(last, (epoch + 1) * epochLength);
      assert.equal(epochOfHeight(schedule, last), epoch);
      assert.equal(epochOfHeight(schedule, last + 1), epoch + 1);
      assert.equal(epochOfHeight(schedule, last - epochLength + 1), epoch);
      assert.equal(frozenHeight(schedule, epoch), last - 1);
    }
    assert.equal(epochOfHeight(schedule, 0), 0);
  }
});

test("the lead is 32 blocks in epochs longer than 64, and half of shorter ones: at least 1, below the length", () => {
  const leads = [2, 3, 4, 63, 64, 65, 100_000].map(defaultEpochLead);
  assert.deepEqual(leads, [1, 1, 2, 31, 32, 32, 32]);
});
