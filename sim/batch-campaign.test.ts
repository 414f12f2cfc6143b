import assert from "node:assert/strict";
import { test } from "node:test";
import type { SignatureCheck } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { BATCH_ACTOR_NAMES, type BatchActorName } from "./batch-actors.ts";
import { runCampaign } from "./campaign.ts";
import { FAULT_NAMES } from "./faults.ts";
import { SimulatedNetwork } from "./network.ts";

installNativeCrypto();

const LONG_MS = 60_000;
const BUSY = { burstEveryMs: 30, burstSize: 12 };
const LIMITS = { lightLoad: 0, windowMs: 20, fillMs: 10, maxTransactions: 6, retryMs: 100 };

/** A network in which nothing but these actors strikes, until some blocks are executed and all is settled. */
async function networkWith(
  mode: SignatureCheck,
  validators: number,
  actors: ReadonlyMap<number, BatchActorName>,
): Promise<SimulatedNetwork> {
  const network = new SimulatedNetwork({
    seed: 7,
    weights: Array.from({ length: validators }, () => 1),
    actors,
    genesis: { consensus: { signatureCheck: mode }, change: { epochLength: 12, epochLead: 4 } },
    batches: { mode, limits: LIMITS },
  });
  network.start();
  network.keepBusy(BUSY);
  assert.ok(await network.reach(30, LONG_MS), network.describe());
  assert.ok(await network.settle(LONG_MS), network.describe());
  network.examineEvidence();
  assert.deepEqual(network.invariants.violations, []);
  assert.ok((network.counts.get("batches ordered") ?? 0) > 0, "batches were ordered");
  return network;
}

for (const mode of ["all", "minority"] as const) {
  for (const actor of BATCH_ACTOR_NAMES) {
    test(`signatures checked by ${mode}: nothing breaks with a ${actor}`, async () => {
      const network = await networkWith(mode, 4, new Map([[1, actor]]));
      assert.ok((network.counts.get(actor) ?? 0) > 0, "it has lied");
    });
  }
}

test("a false attester is convicted by evidence that anybody can verify", async () => {
  const { counts } = await networkWith("minority", 4, new Map([[2, "batchLiar"]]));
  assert.ok((counts.get("convictions (false-attestation)") ?? 0) > 0);
});

test("who sends two batches for one number is convicted by evidence that anybody can verify", async () => {
  const { counts } = await networkWith("all", 7, new Map([[1, "twoFaced"]]));
  assert.ok((counts.get("convictions (two-batches)") ?? 0) > 0);
});

test("as many liars as a set may have collude, and none of their lies is ordered", async () => {
  const liars = new Map([1, 4].map((identity): [number, BatchActorName] => [identity, "batchLiar"]));
  const { counts } = await networkWith("minority", 7, liars);
  assert.ok((counts.get("convictions (false-attestation)") ?? 0) > 0);
});

for (const batches of ["all", "minority"] as const) {
  test(`signatures checked by ${batches}, all faults: no invariant is broken, 2 seeds`, async () => {
    for (let seed = 1; seed <= 2; seed++) {
      const options = { validators: 4, faults: FAULT_NAMES, minutes: 0, epochs: true, batches };
      const { violations } = (await runCampaign(seed, options)).report();
      assert.deepEqual(violations, [], `seed ${seed}`);
    }
  });
}
