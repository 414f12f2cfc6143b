import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "@ostrom/base";
import { runPrecompile } from "./index.ts";
import { callPointEvaluation, claims, prove } from "./testing/kzg-claims.ts";

// kzg-wasm's loading takes ten seconds, so kzg-point-evaluation.fuzz.ts asks it about the same claims.

const SUCCESS =
  "0x0000000000000000000000000000000000000000000000000000000000001000" +
  "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

test("proofs from the ceremony's powers hold for a polynomial's values and no others; malformed ones fail", () => {
  let decided = 0;
  for (const [claim, holds] of claims(createRandom(1))) {
    assert.equal(callPointEvaluation(claim), holds ? SUCCESS : "failed", `claim ${decided}`);
    decided++;
  }
  assert.equal(decided, 39);
});

test("the versioned hash must be the commitment's, with version 1, and the input 192 bytes", () => {
  const claim = prove([5n, 7n], 3n);
  assert.equal(callPointEvaluation(claim), SUCCESS);
  assert.equal(callPointEvaluation(claim, 0), "failed");
  assert.equal(callPointEvaluation(claim, 2), "failed");
  for (const length of [0, 191, 193]) {
    assert.deepEqual(runPrecompile("cancun", 0x0a, new Uint8Array(length), 50_000n), { ok: false });
  }
});

test("a check costs 50000 gas", () => {
  assert.deepEqual(runPrecompile("osaka", 0x0a, new Uint8Array(192), 49_999n), { ok: false });
});
