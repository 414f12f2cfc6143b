import assert from "node:assert/strict";
import { test } from "node:test";
import { selfishRevenue } from "./testing/selfish-miner.ts";
import { runSelfish } from "./testing/selfish-run.ts";

// Eyal and Sirer, "Majority is not Enough": below a threshold, which is 1/4 if half of the others side with the attacker in a race and
// 1/3 if none does, holding blocks back earns less than mining honestly.

/** Standard deviations of a share of so many blocks that a result may be off. */
const SIGMAS = 3;

test("a selfish miner with a quarter of the work gains nothing by it, in the long run (W6)", () => {
  const blocks = 1000;
  const share = runSelfish(0.25, blocks, 61);
  const sigma = Math.sqrt((0.25 * 0.75) / blocks);
  assert.ok(share <= selfishRevenue(0.25, 0.5) + SIGMAS * sigma, `it has ${share} of the blocks`);
  assert.ok(share >= selfishRevenue(0.25, 0) - SIGMAS * sigma, `it has ${share} of the blocks`);
});

test("with two fifths it gains more than its share, as the analysis says: finality must be deeper than its lead (W12)", () => {
  const blocks = 400;
  const share = runSelfish(0.4, blocks, 62);
  assert.ok(share > 0.42, `it has ${share} of the blocks`);
  assert.ok(share <= selfishRevenue(0.4, 1) + SIGMAS * Math.sqrt(0.24 / blocks), `it has ${share}`);
});

test("the formula has its known fixed points: thresholds of 1/4 and 1/3, and less than the share below them", () => {
  assert.ok(Math.abs(selfishRevenue(0.25, 0.5) - 0.25) < 1e-9);
  assert.ok(Math.abs(selfishRevenue(1 / 3, 0) - 1 / 3) < 1e-9);
  assert.ok(selfishRevenue(0.2, 0.5) < 0.2);
});
