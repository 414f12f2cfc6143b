import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, type Random } from "@ostrom/base";
import { ENGINE_SUBSET, I32, ModuleBuilder, readValidModule } from "@ostrom/wasm";
import { compileWasm, instantiateWasm } from "../runtime/webassembly.ts";
import { findDominators } from "./dominators.ts";
import {
  emitControlFlow,
  type FlowGraph,
  MAX_LOOP_DEPTH,
  MAX_OPEN_BLOCKS,
  planControlFlow,
} from "./index.ts";

const STEPS = 200;
const MULTIPLIER = 1_103_515_245;
const INCREMENT = 12_345;

/** Walks the graph as chance decides, and hashes the nodes that it meets. */
function walk({ entry, successors }: FlowGraph, seed: number): number {
  let hash = 0;
  let chance = seed | 0;
  let node = entry;
  for (let steps = STEPS; ; ) {
    hash = (Math.imul(hash, 31) + node) | 0;
    const targets = successors[node]!;
    if (--steps === 0 || targets.length === 0) return hash;
    chance = (Math.imul(chance, MULTIPLIER) + INCREMENT) | 0;
    node = targets[(chance >>> 8) % targets.length]!;
  }
}

/** The same as a function of the seed. */
function compileWalk(graph: FlowGraph, useTables: boolean): (seed: number) => number {
  const plan = planControlFlow(graph);
  assert.ok(plan !== undefined);
  const module = new ModuleBuilder();
  const index = module.function(module.type([I32], [I32]), (code) => {
    const hash = code.local(I32);
    const steps = code.local(I32);
    code.i32Const(STEPS).localSet(steps);
    emitControlFlow(code, plan, (node, exits) => {
      const { length } = graph.successors[node]!;
      code.localGet(hash).i32Const(31).i32Mul().i32Const(node).i32Add().localSet(hash);
      code.localGet(steps).i32Const(1).i32Sub().localTee(steps).i32Eqz();
      code.if();
      code.localGet(hash).return().end();
      if (length === 0) return code.localGet(hash).return();
      code.localGet(0).i32Const(MULTIPLIER).i32Mul().i32Const(INCREMENT).i32Add().localSet(0);
      const choose = () => code.localGet(0).i32Const(8).i32ShrU().i32Const(length).i32RemU();
      if (length === 1) return exits.jump(0);
      if (useTables) {
        choose();
        return exits.jumpTable(
          Int32Array.from({ length: length - 1 }, (_, k) => k),
          length - 1,
        );
      }
      for (let k = 1; k < length; k++) {
        choose().i32Const(k).i32Eq();
        exits.jumpIf(k);
      }
      return exits.jump(0);
    });
  });
  module.export("walk", "function", index);
  const bytes = module.encode();
  assert.ok(readValidModule(bytes, ENGINE_SUBSET).ok);
  const walkCompiled = instantiateWasm(compileWasm(bytes), {})["walk"]!;
  return (seed) => Number(walkCompiled(seed));
}

function check(graph: FlowGraph, useTables: boolean): void {
  const compiled = compileWalk(graph, useTables);
  for (let seed = 1; seed <= 20; seed++)
    assert.equal(compiled(seed), walk(graph, seed), JSON.stringify(graph));
}

function randomGraph(random: Random): FlowGraph {
  const count = 1 + random.below(random.chance(1, 10) ? 60 : 12);
  const near = random.chance(1, 2);
  const target = (node: number) =>
    near ? Math.min(count - 1, Math.max(0, node - 3 + random.below(7))) : random.below(count);
  return {
    entry: random.below(count),
    successors: Array.from({ length: count }, (_, node) =>
      Array.from({ length: random.below(4) }, () => target(node)),
    ),
  };
}

test("random graphs, most of them irreducible, run as they read", () => {
  const random = createRandom(7);
  for (let round = 0; round < 600; round++) check(randomGraph(random), random.chance(1, 2));
});

test("a loop with two entries dispatches", () => {
  check({ entry: 0, successors: [[1, 2], [2], [1, 3], []] }, false);
  check(
    {
      entry: 0,
      successors: [
        [1, 2, 3],
        [2, 4],
        [3, 1],
        [1, 2],
        [0, 3],
      ],
    },
    true,
  );
});

test("deep chains need no deep stack", () => {
  const count = 20_000;
  const chain = Array.from({ length: count }, (_, node) => (node + 1 < count ? [node + 1] : []));
  const plan = planControlFlow({ entry: 0, successors: chain });
  assert.ok(plan !== undefined);
  check(
    { entry: 0, successors: chain.slice(0, 3000).map((targets, node) => (node < 2999 ? targets : [])) },
    false,
  );
});

test("dominators are those that cutting nodes shows", () => {
  const random = createRandom(3);
  for (let round = 0; round < 200; round++) {
    const { entry, successors } = randomGraph(random);
    const { order, dominator } = findDominators(successors, entry);
    const dominates = (cut: number, node: number): boolean => !reach(successors, entry, cut).has(node);
    for (const node of order) {
      if (node === entry) continue;
      const above = dominator[node]!;
      assert.ok(above === entry || dominates(above, node));
      const strict = order.filter((other) => other !== node && (other === entry || dominates(other, node)));
      for (const other of strict) assert.ok(other === above || other === entry || dominates(other, above));
    }
  }
});

function reach(successors: readonly (readonly number[])[], entry: number, cut: number): Set<number> {
  const seen = new Set(entry === cut ? [] : [entry]);
  for (const node of seen) for (const target of successors[node]!) if (target !== cut) seen.add(target);
  return seen;
}

test("loops deeper than the limit are refused, in little time", () => {
  const depth = 5000;
  const nested = Array.from({ length: depth }, (_, node) => (node + 1 < depth ? [node + 1, node] : [node]));
  for (let node = 1; node < depth; node++) nested[depth - 1]!.push(node);
  assert.equal(planControlFlow({ entry: 0, successors: nested }), undefined);
  assert.ok(MAX_LOOP_DEPTH < depth);
});

test("more open blocks than the limit are refused", () => {
  const fan = MAX_OPEN_BLOCKS + 1;
  const successors = [Array.from({ length: fan }, (_, k) => k + 1), ...Array.from({ length: fan }, () => [])];
  assert.equal(planControlFlow({ entry: 0, successors }), undefined);
});
