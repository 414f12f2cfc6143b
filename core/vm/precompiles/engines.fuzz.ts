// ENGINES_FUZZ_SEED=7 ENGINES_FUZZ_ROUNDS=20000 node --test core/vm/precompiles/engines.fuzz.ts: as engines.test.ts, on many
// more seeds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "@ostrom/base";
import { REFERENCE_ENGINES } from "@ostrom/crypto";
import { loadNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { ARITHMETIC_SUBJECTS } from "./testing/arithmetic-cases.ts";
import { pointPools } from "./testing/special-points.ts";

const SEED = Number(process.env["ENGINES_FUZZ_SEED"] ?? 1_000_000);
const ROUNDS = Number(process.env["ENGINES_FUZZ_ROUNDS"] ?? 20_000);
const ROUNDS_A_POOL = 1000;

test("native and reference engines agree on many seeds", (context) => {
  const native = loadNativeCrypto();
  let cases = 0;
  for (let round = 0; round < ROUNDS; round += ROUNDS_A_POOL) {
    const random = createRandom(SEED + round);
    const pools = pointPools(random);
    for (const { name, share, make } of ARITHMETIC_SUBJECTS) {
      for (let i = 0; i < (ROUNDS_A_POOL * share) / 1000; i++) {
        const { input, ask } = make(random, pools);
        assert.equal(ask(native), ask(REFERENCE_ENGINES), `${name}, seed ${SEED + round}: ${input}`);
        cases++;
      }
    }
  }
  context.diagnostic(`${cases} cases`);
});
