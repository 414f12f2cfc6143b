import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, fromHex, unwrap } from "@ostrom/base";
import { INITIAL_PAGES } from "../runtime/memory-layout.ts";
import { assemble } from "../testing/assemble.ts";
import { createCompiledEngine } from "./compiled-engine.ts";
import { type CodeRun, difference, randomRun } from "./testing/compare-engines.ts";

const RUN: CodeRun = {
  fork: "osaka",
  code: EMPTY_BYTES,
  otherCode: EMPTY_BYTES,
  data: EMPTY_BYTES,
  gas: 1_000_000n,
};
const RANDOM_RUNS = 300;

test(`${RANDOM_RUNS} random programs leave what they leave in the reference`, () => {
  const engine = createCompiledEngine();
  for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
    assert.equal(difference(engine.execute, randomRun(seed)), undefined, `seed ${seed}`);
  }
  assert.equal(engine.counts.nodeFaults, 0);
  assert.equal(engine.counts.contracts.refused["refused by V8"], 0);
  assert.equal(engine.counts.referenceFrames, 0);
});

test("a word that a block leaves behind when it ends the frame is not in the next block's stack", () => {
  const code = unwrap(fromHex("0x600460005b600f8110601057600100005b600101600456"));
  assert.equal(difference(createCompiledEngine().execute, { ...RUN, code }), undefined);
});

test("code with too many jump destinations is left to the reference", () => {
  const engine = createCompiledEngine();
  const code = new Uint8Array(24_576).fill(0x5b);
  assert.equal(difference(engine.execute, { ...RUN, code }), undefined);
  assert.equal(engine.counts.contracts.refused["too many entries"], 1);
  assert.equal(engine.counts.referenceFrames, 1);
});

test("a contract that calls itself goes as deep as the rules allow, whatever V8's stack is", () => {
  const engine = createCompiledEngine();
  const call = assemble(0n, 0n, 0n, 0n, 0n, "ADDRESS", "GAS", "CALL", 0n, "SSTORE");
  assert.equal(difference(engine.execute, { ...RUN, code: call, gas: 2n ** 60n }), undefined);
  assert.equal(engine.counts.compiledFrames, 1025);
});

test("more gas than an i64 holds is left to the reference", () => {
  const engine = createCompiledEngine();
  assert.equal(difference(engine.execute, { ...RUN, code: assemble("GAS"), gas: 2n ** 63n }), undefined);
  assert.equal(engine.counts.referenceMessages, 1);
});

test("memory that the node does not have is a fault of the node: the reference says what the result is", () => {
  const engine = createCompiledEngine({ maximumPages: INITIAL_PAGES });
  const code = assemble(1n, 0n, "SSTORE", 2n ** 25n, "MLOAD", 1n, "SSTORE");
  assert.equal(difference(engine.execute, { ...RUN, code, gas: 2n ** 40n }), undefined);
  assert.equal(engine.counts.nodeFaults, 1);
});
