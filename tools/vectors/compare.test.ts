import assert from "node:assert/strict";
import { test } from "node:test";
import { FORKS } from "@ostrom/vm";
import { runComparison } from "./compare.ts";
import { generateScenario } from "./scenario.ts";

const SEED = 1;
const COUNT = 50;

test("generated transactions leave the same status, gas, output, logs and state root as in @ethereumjs/vm", async (t) => {
  const { passed, failures } = await runComparison(FORKS, SEED, COUNT);
  assert.deepEqual(failures, []);
  assert.equal(passed, FORKS.length * COUNT);
  t.diagnostic(`${passed} programs, seeds ${SEED} to ${SEED + COUNT - 1} in each fork`);
});

test("a seed gives the same scenario each time", () => {
  assert.deepEqual(generateScenario("osaka", 7), generateScenario("osaka", 7));
  assert.notDeepEqual(generateScenario("osaka", 7).accounts, generateScenario("osaka", 8).accounts);
});
