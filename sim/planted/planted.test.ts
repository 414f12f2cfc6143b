import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { runCampaign, type SeedReport } from "../campaign.ts";
import { runParticipationCampaign } from "../participation-campaign.ts";
import { PLANTED_BUGS } from "./index.ts";
import type { PlantedBug } from "./planted-bug.ts";

installNativeCrypto();

const VALIDATORS = 4;

/** The first seed whose run breaks one of the invariants that the bug must break. */
async function find(bug: PlantedBug, first: number): Promise<SeedReport | undefined> {
  for (let seed = first; seed <= bug.within; seed++) {
    const options = {
      validators: VALIDATORS,
      faults: bug.faults,
      hasAllFaults: true,
      minutes: 0,
      epochs: bug.epochs,
      batches: bug.batches,
      seams: { boot: bug.seams },
      ...(bug.actors === undefined ? {} : { actors: bug.actors }),
    };
    const { report } = await (bug.participation === undefined
      ? runCampaign(seed, options)
      : runParticipationCampaign(seed, bug.participation, options));
    const told = report();
    if (told.violations.some(({ invariant }) => bug.breaks.includes(invariant))) return told;
  }
  return undefined;
}

for (const bug of PLANTED_BUGS) {
  test(`a planted bug is caught: ${bug.name}`, async (t) => {
    const found = await find(bug, bug.from ?? 1);
    assert.ok(found !== undefined, `not found by seed ${bug.within}`);
    const [first] = found.violations;
    t.diagnostic(`seed ${found.seed}: ${first?.invariant}: ${first?.message}`);
  });
}
