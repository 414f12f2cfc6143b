import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { runDagCampaign } from "../testing/dag-campaign.ts";

/** More seeds: OSTROM_SIMULATION_SEEDS=2000 OSTROM_SIMULATION_FIRST=1 node --test ... */
const SEEDS = Number(process.env.OSTROM_SIMULATION_SEEDS ?? 0);
const FIRST_SEED = Number(process.env.OSTROM_SIMULATION_FIRST ?? 1);

function campaigns(weights: readonly number[], usualSeeds: number): void {
  const end = FIRST_SEED + (SEEDS === 0 ? usualSeeds : SEEDS);
  for (let seed = FIRST_SEED; seed < end; seed++) runDagCampaign(seed, weights);
}

test("four validators, one of them Byzantine at times: one order everywhere, progress after healing", () => {
  campaigns([1, 1, 1, 1], 8);
});

test("seven validators of different weight: one order everywhere, progress after healing", () => {
  campaigns([5, 3, 2, 2, 1, 1, 1], 2);
});

test("the same seed twice gives the same order; another seed another one", () => {
  const [first, again, other] = [11, 11, 12].map((seed) => runDagCampaign(seed, [1, 1, 1, 1]).hash);
  assert.equal(first, again);
  assert.notEqual(first, other);
});

for (const bug of ["accept-without-history", "collect-by-local-round", "forget-own-block"]) {
  test(`the campaign finds a planted bug: ${bug}`, () => {
    const program = join(import.meta.dirname, "../testing/dag-planted.ts");
    const found = execFileSync(process.execPath, [program, bug, "10"], { encoding: "utf8" });
    assert.match(found, /^\d+: /);
  });
}
