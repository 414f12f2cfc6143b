import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { DeepMessage } from "./testing/deep-messages.ts";

/** As node/runtime gives it (CONTRACT_STACK_MB). */
const STACK_MB = 256;

test("on a node's stack, programs nest as deep as the rules allow in every tier, without a fault of the node", async () => {
  const worker = new Worker(new URL("./testing/deep-messages.ts", import.meta.url), {
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  const [found] = (await once(worker, "message")) as [DeepMessage[]];
  assert.equal(found.length, 6);
  for (const { tiers, expected, actual, nodeFaults } of found) {
    assert.equal(actual, expected, tiers);
    assert.equal(nodeFaults, 0, tiers);
  }
});
