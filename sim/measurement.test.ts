import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { measureConsensus } from "./measurement.ts";

installNativeCrypto();

/** Three message delays, and a fifth for signatures and syncs. */
const MOST_DELAYS = 3 * 1.2;
/** What the leader timer of the measured configuration adds to one interval: two Delta, and a message delay for the votes. */
const ONE_TIMEOUT_MS = 2 * 500 + 250;

test("four validators on four continents: final within three message delays and a fifth", async () => {
  const measured = await measureConsensus({ validators: 4, latency: "wan", dead: 0, blocks: 15 });
  assert.ok(measured.messageDelays.p50 <= MOST_DELAYS, JSON.stringify(measured));
  assert.ok(measured.bytesPerValidatorPerBlock > 0 && measured.blocksPerSecond > 3, JSON.stringify(measured));
});

test("a dead leader costs at most one timeout, and f dead validators leave progress", async () => {
  const measured = await measureConsensus({ validators: 4, latency: "wan", dead: 1, blocks: 15 });
  assert.ok(measured.blocks >= 15);
  assert.ok(
    measured.intervalMs.longest <= ONE_TIMEOUT_MS + measured.finalityMs.p99,
    JSON.stringify(measured),
  );
});
