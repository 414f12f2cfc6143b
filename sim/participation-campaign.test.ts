import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { type CampaignOptions, MIN_HEIGHTS, type SeedReport } from "./campaign.ts";
import { FAULT_NAMES } from "./faults.ts";
import { PARTICIPATION_MODES, type ParticipationMode } from "./participation/genesis.ts";
import { runParticipationCampaign } from "./participation-campaign.ts";

installNativeCrypto();

const OPTIONS: CampaignOptions = { validators: 4, faults: FAULT_NAMES, minutes: 0, epochs: true };

async function run(
  seed: number,
  mode: ParticipationMode,
  options: Partial<CampaignOptions> = {},
): Promise<SeedReport> {
  const { report } = await runParticipationCampaign(seed, mode, { ...OPTIONS, ...options });
  return report();
}

/** No invariant is broken, and the seed counts. */
function assertSound(report: SeedReport): void {
  const story = `seed ${report.seed}: ${report.where}`;
  assert.deepEqual(report.violations, [], story);
  assert.ok(report.heights >= MIN_HEIGHTS, story);
}

for (const mode of PARTICIPATION_MODES) {
  test(`${mode}, 4 validators, all faults: no invariant is broken`, async () => {
    assertSound(await run(1, mode));
  });
}

test("who contradicts itself is slashed by what the others' services report, and nobody else is", async () => {
  const options: Partial<CampaignOptions> = {
    faults: ["byzantine"],
    hasAllFaults: true,
    actors: ["contradictor"],
  };
  const report = await run(1, "staking", options);
  assertSound(report);
  assert.ok((report.counts["slashed"] ?? 0) > 0, "the evidence reaches the chain");
});

test("an alliance graduates: from an epoch on stake decides who validates", async () => {
  const report = await run(2, "graduate", { faults: [] });
  assertSound(report);
  assert.ok((report.counts["epochs of membership"] ?? 0) > 0);
  assert.ok((report.counts["epochs of staking"] ?? 0) > 0);
});

test("each seed gives the same run each time where modules decide", async () => {
  const [first, again] = [await run(3, "graduate"), await run(3, "graduate")];
  assert.deepEqual(again, first);
});
