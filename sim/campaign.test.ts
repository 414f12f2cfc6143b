import assert from "node:assert/strict";
import { test } from "node:test";
import { SCHEME_BLS12381, SCHEME_ML_DSA_44, SCHEME_SM2 } from "@ostrom/crypto";
import { installNativeCrypto } from "@ostrom/runtime";
import { type CampaignOptions, MIN_HEIGHTS, runCampaign, type SeedReport } from "./campaign.ts";
import { FAULT_NAMES } from "./faults.ts";
import { runPowCampaign } from "./pow-campaign.ts";

installNativeCrypto();

const OPTIONS = { faults: FAULT_NAMES, minutes: 0, epochs: true };

/** No invariant is broken, and the seed counts. */
function assertSound(report: SeedReport): void {
  const story = `seed ${report.seed}: ${report.where}`;
  assert.deepEqual(report.violations, [], story);
  assert.ok(report.heights >= MIN_HEIGHTS, story);
}

const BATCHES: readonly { readonly validators: number; readonly seeds: number }[] = [
  { validators: 1, seeds: 2 },
  { validators: 4, seeds: 8 },
  { validators: 7, seeds: 3 },
  { validators: 16, seeds: 1 },
];

for (const { validators, seeds } of BATCHES) {
  test(`simplex, ${validators} validators, all faults: no invariant is broken, ${seeds} seeds`, async () => {
    for (let seed = 1; seed <= seeds; seed++)
      assertSound((await runCampaign(seed, { ...OPTIONS, validators })).report());
  });
}

test("simplex, 4 validators that change their scheme at epoch boundaries, all faults: no invariant is broken, 3 seeds", async () => {
  const schemes = [SCHEME_BLS12381, SCHEME_SM2, SCHEME_ML_DSA_44];
  let changed = 0;
  for (let seed = 1; seed <= 3; seed++) {
    const options = { ...OPTIONS, validators: 4, schemes, hasAllFaults: true };
    const report = (await runCampaign(seed, options)).report();
    assertSound(report);
    changed += report.counts["scheme changed"] ?? 0;
  }
  assert.ok(changed > 0, "the set's scheme has changed");
});

test("proof of work, 5 nodes, all faults: no invariant is broken, 5 seeds", async () => {
  for (let seed = 1; seed <= 5; seed++)
    assertSound((await runPowCampaign(seed, { ...OPTIONS, validators: 5 })).report());
});

test("each seed gives the same run each time, to the microsecond and the byte, for both engines", async () => {
  const options: CampaignOptions = { ...OPTIONS, validators: 4 };
  for (const run of [runCampaign, runPowCampaign]) {
    const told: SeedReport[] = [];
    for (const seed of [3, 3, 4]) told.push((await run(seed, options)).report());
    const [first, again, other] = told;
    assert.deepEqual(again, first);
    assert.notEqual(other!.traceHash, first!.traceHash);
  }
});
