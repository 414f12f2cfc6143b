import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "@ostrom/base";
import { assemble } from "../testing/assemble.ts";
import { type CompiledModule, type CompileService, compileModule } from "./compile-service.ts";
import { Tier1Cache } from "./tier1-cache.ts";

/** The codes here have three bytes: they have to spend 1024 + 3 / 4 gas. */
const BASE_GAS = 1024;
const COMPILE_GAS = 1025;
const run = () => 0;
const instantiate = () => run;

/** A service whose answers the test gives. */
function serviceByHand() {
  const asked: { key: string; code: Bytes }[] = [];
  const answers: CompiledModule[] = [];
  let isFull = false;
  const service: CompileService = {
    request: (key, code) => {
      if (!isFull) asked.push({ key, code });
      return !isFull;
    },
    take: () => answers.splice(0),
  };
  const answer = (): void => {
    const { key, code } = asked.shift()!;
    answers.push(compileModule(key, code, "osaka"));
  };
  return { service, asked, answers, answer, fill: (full: boolean) => (isFull = full) };
}

function codeOf(number: number): Bytes {
  return assemble(BigInt(number), "POP");
}

test("code is compiled once it has spent the gas, and used from when the module is there", () => {
  const { service, asked, answer } = serviceByHand();
  const cache = new Tier1Cache(service, BASE_GAS);
  const code = codeOf(1);
  const use = cache.use(code, "osaka");
  cache.spend(use, code, COMPILE_GAS - 1);
  assert.equal(asked.length, 0);
  cache.spend(use, code, 1);
  cache.spend(use, code, COMPILE_GAS);
  assert.equal(asked.length, 1);
  cache.poll();
  assert.equal(cache.find(use, instantiate), undefined);
  answer();
  cache.poll();
  assert.equal(cache.find(use, instantiate), run);
});

test("equal code in two objects is compiled once; code of another fork is other code", () => {
  const { service, asked, answer } = serviceByHand();
  const cache = new Tier1Cache(service, BASE_GAS);
  const uses = [codeOf(1), codeOf(1)].map((code) => {
    const use = cache.use(code, "osaka");
    cache.spend(use, code, COMPILE_GAS);
    return use;
  });
  assert.equal(asked.length, 1);
  answer();
  cache.poll();
  for (const use of uses) assert.equal(cache.find(use, instantiate), run);
  const code = codeOf(1);
  cache.spend(cache.use(code, "cancun"), code, COMPILE_GAS);
  assert.equal(asked.length, 1);
  assert.match(asked[0]!.key, /^1\/cancun\/[0-9a-f]{64}$/);
});

test("instances are made anew when the memory they were made on is given up", () => {
  const { service, answer } = serviceByHand();
  const cache = new Tier1Cache(service, BASE_GAS);
  const code = codeOf(1);
  const use = cache.use(code, "osaka");
  cache.demand(use, code);
  answer();
  cache.poll();
  let made = 0;
  const count = () => {
    made++;
    return run;
  };
  cache.find(use, count);
  cache.find(use, count);
  assert.equal(made, 1);
  cache.forgetInstances();
  cache.find(use, count);
  assert.equal(made, 2);
});

test("what is used longest ago goes when the budget is used up, and is compiled again when it has earned it", () => {
  const { service, asked, answer } = serviceByHand();
  const size = compileModule("", codeOf(1), "osaka") as { readonly emittedBytes: number };
  const cache = new Tier1Cache(service, BASE_GAS, 2 * size.emittedBytes);
  const codes = [1, 2, 3].map(codeOf);
  const uses = codes.map((code) => cache.use(code, "osaka"));
  const compile = (index: number): void => {
    cache.demand(uses[index]!, codes[index]!);
    answer();
    cache.poll();
  };
  compile(0);
  compile(1);
  assert.equal(cache.find(uses[0]!, instantiate), run);
  compile(2);
  assert.deepEqual(
    uses.map((use) => cache.find(use, instantiate)),
    [run, undefined, run],
  );
  assert.equal(cache.counts.evicted, 1);
  cache.spend(uses[1]!, codes[1]!, COMPILE_GAS - 1);
  assert.equal(asked.length, 0);
  cache.spend(uses[1]!, codes[1]!, 1);
  assert.equal(asked.length, 1);
});

test("a service that has too much to do is asked again later; code that it refuses stays in tier 0", () => {
  const { service, asked, answers, fill } = serviceByHand();
  const cache = new Tier1Cache(service, BASE_GAS);
  const code = codeOf(1);
  const use = cache.use(code, "osaka");
  fill(true);
  cache.spend(use, code, COMPILE_GAS);
  fill(false);
  cache.spend(use, code, COMPILE_GAS - 1);
  assert.equal(asked.length, 0);
  cache.spend(use, code, 1);
  assert.equal(asked.length, 1);
  answers.push({ key: asked.shift()!.key, kind: "refused", reason: "took too long" });
  cache.poll();
  cache.spend(use, code, 10 * COMPILE_GAS);
  assert.equal(cache.find(use, instantiate), undefined);
  assert.equal(asked.length, 0);
  assert.equal(cache.counts.refused["took too long"], 1);
});
