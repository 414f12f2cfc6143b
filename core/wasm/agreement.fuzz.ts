// node --test core/wasm/agreement.fuzz.ts: as agreement.test.ts, on many more seeds (WASM_FUZZ_FIRST_SEED, WASM_FUZZ_SEEDS).
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeAgreement } from "./testing/agreement.ts";
import { runAgreement } from "./testing/agreement-run.ts";

const FIRST_SEED = Number(process.env["WASM_FUZZ_FIRST_SEED"] ?? 1_000_000);
const SEEDS = Number(process.env["WASM_FUZZ_SEEDS"] ?? 2_000);

test("V8 accepts what we accept and refuses what we refuse, on many seeds", (context) => {
  const run = runAgreement(FIRST_SEED, SEEDS);
  for (const [what, counts] of Object.entries(run)) {
    if (!Array.isArray(counts)) context.diagnostic(`${what}: ${describeAgreement(counts)}`);
  }
  assert.deepEqual(run.disagreements, []);
  assert.equal(run.modules.bothAccept, SEEDS);
});
