import assert from "node:assert/strict";
import { test } from "node:test";
import { createContractEngine, type EngineOptions, installMessageEngine } from "@ostrom/vm";
import { installNativeCrypto } from "./native-crypto.ts";
import { contractChain, executeAll } from "./testing/contract-chain.ts";

installNativeCrypto();
const BLOCKS = 8;
const chain = contractChain(BLOCKS);
const expected = await executeAll(chain);

const ENGINES: readonly (readonly [string, EngineOptions])[] = [
  ["in tier 0", { tiers: "tier0" }],
  ["in tier 1", { tiers: "tier1" }],
  ["mixed, as a node runs it", { tiers: "mixed" }],
  ["mixed, each message run twice", { tiers: "mixed", verifyEvery: 1 }],
];

for (const [what, options] of ENGINES) {
  test(`a chain of contracts has the reference's blocks ${what}`, async (context) => {
    const engine = createContractEngine(options);
    installMessageEngine(engine.execute);
    context.after(() => installMessageEngine());
    assert.deepEqual(await executeAll(chain), expected);
    assert.equal(engine.counts.nodeFaults, 0);
    assert.equal(engine.counts.referenceMessages, 0);
  });
}

test("the chain did what it was to do", () => {
  assert.ok(expected.every(({ gasUsed, height }) => gasUsed > (height === 1 ? 60_000n : 1_000_000n)));
});

test("a machine whose memory is overwritten in the middle of blocks has the same chain", async (context) => {
  let runs = 0;
  const engine = createContractEngine({
    tiers: "mixed",
    disturb: ({ buffer }) => {
      // From the frames on, everything that a message has laid out.
      if (++runs % 3 === 0) new Uint8Array(buffer, 300_000, 2 ** 20).fill(0xa5);
    },
  });
  installMessageEngine(engine.execute);
  context.after(() => installMessageEngine());
  assert.deepEqual(await executeAll(chain), expected);
  assert.ok(engine.counts.nodeFaults >= 3, `${engine.counts.nodeFaults} faults`);
});
