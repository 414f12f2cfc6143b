import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { BATCH_ACTOR_NAMES, type BatchActorName } from "./batch-actors.ts";
import { runCampaign, type SeedReport } from "./campaign.ts";

installNativeCrypto();

const SEEDS = 2;

/** Nothing but the actor strikes; a third of the seeds' weight is its own at most. */
async function reportOf(
  seed: number,
  batches: "all" | "minority",
  actor: BatchActorName,
  validators = 4,
): Promise<SeedReport> {
  const faults = ["byzantine"] as const;
  const options = { validators, faults, hasAllFaults: true, minutes: 0, epochs: true, batches, actors: [actor] };
  const { report } = await runCampaign(seed, options);
  return report();
}

for (const batches of ["all", "minority"] as const) {
  for (const actor of BATCH_ACTOR_NAMES) {
    test(`signatures checked by ${batches}: nothing breaks with a ${actor}`, async () => {
      let ordered = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const report = await reportOf(seed, batches, actor);
        assert.deepEqual(report.violations, [], `seed ${seed}`);
        ordered += report.counts["batches ordered"] ?? 0;
      }
      assert.ok(ordered > 0, "batches were ordered");
    });
  }
}

test("false attesters and two-faced authors are convicted by evidence that anybody can verify", async () => {
  const convictions = new Map<string, number>();
  for (const actor of ["batchLiar", "twoFaced"] as const) {
    for (let seed = 1; seed <= 3; seed++) {
      const { violations, counts } = await reportOf(seed, "minority", actor);
      assert.deepEqual(violations, []);
      for (const kind of ["false-attestation", "two-batches"])
        convictions.set(kind, (convictions.get(kind) ?? 0) + (counts[`convictions (${kind})`] ?? 0));
    }
  }
  for (const [kind, times] of convictions) assert.ok(times > 0, kind);
});

test("as many liars as a set may have collude, and none of their lies is ordered", async () => {
  const report = await reportOf(4, "minority", "batchLiar", 7);
  assert.deepEqual(report.violations, []);
  assert.ok(report.actors.length >= 2, "they are two or more");
});
