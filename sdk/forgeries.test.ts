import assert from "node:assert/strict";
import { test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { serveForgedWorld } from "./testing/forged-world.ts";
import { tellLies } from "./testing/forgeries.ts";

const SEED = 20_261_123;
const LEAST = 1_000;

test("at least 1,000 forged, truncated, extended, swapped, stale and foreign answers: all refused (Node)", async (t) => {
  installNativeCrypto();
  const served = await serveForgedWorld();
  t.after(served.stop);
  const report = await tellLies(served.world, SEED);
  t.diagnostic(`${report.tried} lies; ${JSON.stringify(report.codes)}; ${JSON.stringify(report.kinds)}`);
  assert.deepEqual(report.believed, []);
  assert.ok(report.tried >= LEAST, `${report.tried} lies`);
});
