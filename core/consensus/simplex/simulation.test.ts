import assert from "node:assert/strict";
import { test } from "node:test";
import { runCampaign } from "../testing/campaign.ts";

const SEEDS = Number(process.env["OSTROM_SEEDS"] ?? 60);
const FIRST = Number(process.env["OSTROM_FIRST_SEED"] ?? 1);

for (const weights of [[1], [1, 1, 1, 1], [5, 3, 2, 2, 1, 1, 1]]) {
  test(`campaign ${weights.length}`, () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      try { runCampaign(seed, weights); } catch (error) { console.log(seed, (error as Error).stack?.slice(0, 600)); }
    }
  });
}
