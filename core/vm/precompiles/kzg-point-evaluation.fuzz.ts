// node --test core/vm/precompiles/kzg-point-evaluation.fuzz.ts: the precompile against kzg-wasm (c-kzg-4844).
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, toHex } from "@ostrom/base";
import { loadKZG } from "kzg-wasm";
import { type Claim, callPointEvaluation, claims } from "./testing/kzg-claims.ts";

const SEEDS = 10;

test("claims hold here exactly where kzg-wasm says so", async () => {
  const kzg = await loadKZG();
  const holdsInKzgWasm = (claim: Claim): boolean => {
    try {
      return kzg.verifyKZGProof(toHex(claim.commitment), toHex(claim.z), toHex(claim.y), toHex(claim.proof));
    } catch {
      return false;
    }
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const [claim, holds] of claims(createRandom(seed))) {
      assert.equal(holdsInKzgWasm(claim), holds);
      assert.equal(callPointEvaluation(claim) !== "failed", holds);
    }
  }
});
