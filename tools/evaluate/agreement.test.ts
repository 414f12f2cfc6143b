import assert from "node:assert/strict";
import { test } from "node:test";
import { signatureScheme } from "@ostrom/crypto";
import { compareEngines, enginePairs } from "./agreement.ts";

// Counts that take a second or so each; `npm run evaluate -- agreement` asks 100,000 times.
const CASES = 400;
const CASES_OF_SLOW_SCHEMES = 40;
const SLOW: readonly string[] = ["bls12_381-g1-pop", "slh-dsa-sha2-128s"];

for (const pair of enginePairs()) {
  const name = signatureScheme(pair.schemeId)?.name ?? "";
  test(`${name}: portable and native engine say the same of honest and hostile signatures`, (context) => {
    const count = SLOW.includes(name) ? CASES_OF_SLOW_SCHEMES : CASES;
    const { cases, accepted } = compareEngines(pair, 18, { count, seconds: 60 });
    context.diagnostic(`${cases} cases, ${accepted} accepted`);
    assert.ok(accepted >= count / 10 && accepted < count / 2 + 10);
  });
}
