import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, fromHex, unwrap } from "@ostrom/base";
import { INITIAL_PAGES } from "../runtime/memory-layout.ts";
import { assemble } from "../testing/assemble.ts";
import { createContractEngine, type EngineOptions } from "./contract-engine.ts";
import { type CodeRun, difference, randomRun } from "./testing/compare-engines.ts";
import { DEEP_MIXED_RUN, DEEP_PROGRAM_RUN, REENTRANT_RUN } from "./testing/mixed-kinds.ts";

const RUN: CodeRun = {
  fork: "osaka",
  code: EMPTY_BYTES,
  otherCode: EMPTY_BYTES,
  data: EMPTY_BYTES,
  gas: 1_000_000n,
};
const RANDOM_RUNS = 150;

/** Each way in which frames are given to tiers. */
const ENGINES: readonly (EngineOptions & { readonly name: string })[] = [
  { name: "tier 0", tiers: "tier0" },
  { name: "tier 1", tiers: "tier1" },
  { name: "mixed by a seed", mixedBySeed: 7 },
  { name: "mixed, compiled at once", tiers: "mixed", compileGas: 1 },
];

for (const { name, ...options } of ENGINES) {
  test(`${name}: ${RANDOM_RUNS} random programs leave what they leave in the reference`, () => {
    const engine = createContractEngine(options);
    for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
      assert.equal(difference(engine.execute, randomRun(seed)), undefined, `seed ${seed}`);
    }
    assert.equal(engine.counts.nodeFaults, 0);
    assert.equal(engine.counts.tier1.refused["refused by V8"], 0);
    const { tier0, tier1, reference } = engine.counts.frames;
    assert.ok(options.tiers === "tier1" ? tier0 === 0 : tier0 > 0);
    assert.ok(options.tiers === "tier0" ? tier1 === 0 : tier1 > 0);
    assert.equal(reference > 0, options.mixedBySeed !== undefined);
  });

  test(`${name}: a contract that calls itself goes as deep as the rules allow, whatever V8's stack is`, () => {
    const engine = createContractEngine(options);
    const code = assemble(0n, 0n, 0n, 0n, 0n, "ADDRESS", "GAS", "CALL", 0n, "SLOAD", "ADD", 0n, "SSTORE");
    assert.equal(difference(engine.execute, { ...RUN, code, gas: 2n ** 51n }), undefined);
    const { tier0, tier1, reference } = engine.counts.frames;
    assert.equal(tier0 + tier1 + reference, 1025);
    assert.equal(engine.counts.nodeFaults, 0);
  });

  test(`${name}: the EVM and a program call each other, and see what the other has stored`, () => {
    const engine = createContractEngine(options);
    for (let again = 0; again < 5; again++) {
      assert.equal(difference(engine.execute, REENTRANT_RUN), undefined);
    }
    assert.ok(engine.counts.frames.program > 0);
    assert.equal(engine.counts.nodeFaults, 0);
  });

  test(`${name}: programs that call each other as deep as the rules allow have one result, whatever V8's stack is`, () => {
    const engine = createContractEngine(options);
    assert.equal(difference(engine.execute, DEEP_PROGRAM_RUN), undefined);
    assert.equal(difference(engine.execute, DEEP_MIXED_RUN), undefined);
  });
}

test("a word that a block leaves behind when it ends the frame is not in the next block's stack", () => {
  const code = unwrap(fromHex("0x600460005b600f8110601057600100005b600101600456"));
  assert.equal(difference(createContractEngine({ tiers: "tier1" }).execute, { ...RUN, code }), undefined);
});

test("code with too many jump destinations stays in tier 0", () => {
  const engine = createContractEngine({ tiers: "tier1" });
  const code = new Uint8Array(24_576).fill(0x5b);
  // To wherever the input says: any of them may be meant.
  code.set(assemble(0n, "CALLDATALOAD", "JUMP"));
  assert.equal(difference(engine.execute, { ...RUN, code }), undefined);
  assert.equal(engine.counts.tier1.refused["too many entries"], 1);
  assert.equal(engine.counts.frames.tier0, 1);
});

test("more gas than the host counts exactly is left to the reference", () => {
  const engine = createContractEngine();
  for (const gas of [2n ** 51n + 1n, 2n ** 63n])
    assert.equal(difference(engine.execute, { ...RUN, code: assemble("GAS"), gas }), undefined);
  assert.equal(engine.counts.referenceMessages, 2);
});

test("warming up counts as no code's gas and leaves an engine that works", () => {
  const engine = createContractEngine({ tiers: "mixed" });
  engine.warmUp();
  assert.equal(engine.counts.tier1.requested, 0);
  assert.ok(engine.counts.frames.tier0 > 1000);
  assert.equal(difference(engine.execute, randomRun(1)), undefined);
});

test("memory that the node does not have is a fault of the node: the reference says what the result is", () => {
  const faults: string[] = [];
  const engine = createContractEngine({
    tiers: "tier1",
    maximumPages: INITIAL_PAGES,
    onNodeFault: (_, tiers) => faults.push(tiers),
  });
  const code = assemble(1n, 0n, "SSTORE", 2n ** 25n, "MLOAD", 1n, "SSTORE");
  assert.equal(difference(engine.execute, { ...RUN, code, gas: 2n ** 40n }), undefined);
  assert.deepEqual(faults, ["tier1", "tier0"]);
  assert.equal(engine.counts.referenceMessages, 1);
});
