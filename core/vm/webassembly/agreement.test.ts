import assert from "node:assert/strict";
import { test } from "node:test";
import { compareOnContracts, describeAgreement } from "./testing/agreement-run.ts";

const CONTRACTS = 60;
const MUTANTS_EACH = 170;

test("random contracts and 10,000 mutants of them come to the same in the reference and on V8", (context) => {
  const run = compareOnContracts({ firstSeed: 1, contracts: CONTRACTS, mutantsEach: MUTANTS_EACH });
  context.diagnostic(describeAgreement(run));
  assert.deepEqual(run.disagreements, []);
  assert.ok(run.accepted > CONTRACTS * 2);
  assert.ok(run.accepted + run.refused >= 10_000);
});

test("the same seed makes the same run", () => {
  const options = { firstSeed: 77, contracts: 3, mutantsEach: 10 };
  assert.deepEqual(compareOnContracts(options), compareOnContracts(options));
});
