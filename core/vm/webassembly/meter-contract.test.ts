import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, unwrap } from "@ostrom/base";
import { ENGINE_SUBSET, readValidModule } from "@ostrom/wasm";
import { meterContract } from "./meter-contract.ts";
import { readContract } from "./read-contract.ts";
import { randomContract } from "./testing/random-contract.ts";

const SEEDS = 40;

test("metered modules are valid, for us and for V8, and the same each time", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const module = randomContract(createRandom(seed));
    const metered = meterContract(unwrap(readContract(module)));
    const verdict = readValidModule(metered, ENGINE_SUBSET);
    assert.ok(verdict.ok, `seed ${seed}: ${verdict.ok ? "" : verdict.error.message}`);
    assert.ok(WebAssembly.validate(new Uint8Array(metered)), `seed ${seed}`);
    assert.deepEqual(meterContract(unwrap(readContract(module))), metered);
  }
});
