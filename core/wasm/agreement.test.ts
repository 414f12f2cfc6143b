import assert from "node:assert/strict";
import { test } from "node:test";
import { describeAgreement } from "./testing/agreement.ts";
import { runAgreement } from "./testing/agreement-run.ts";

const SEEDS = 200;

test("V8 accepts what we accept and refuses what we refuse, outside the subset apart", (context) => {
  const run = runAgreement(1, SEEDS);
  context.diagnostic(`modules: ${describeAgreement(run.modules)}`);
  context.diagnostic(`streams: ${describeAgreement(run.streams)}`);
  context.diagnostic(`mutants: ${describeAgreement(run.mutants)}`);
  context.diagnostic(`all, as contracts: ${describeAgreement(run.contracts)}`);
  assert.deepEqual(run.disagreements, []);
  assert.equal(run.modules.bothAccept, SEEDS);
});
