import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "@ostrom/base";
import { instructionsOf } from "../instruction-set.ts";
import { assemble } from "../testing/assemble.ts";
import { type CodePaths, findCodePaths } from "./code-paths.ts";
import { buildControlFlowGraph } from "./control-flow-graph.ts";
import { flowOf } from "./flow-of-paths.ts";
import { mergeChains } from "./merge-chains.ts";
import { planStacks } from "./stack-plan.ts";

function pathsOf(code: Bytes): CodePaths {
  const paths = findCodePaths(buildControlFlowGraph(code, instructionsOf("osaka")));
  assert.ok(paths !== undefined);
  return paths;
}

test("a function that two places call has a copy for each, which knows where it returns to", () => {
  const code = assemble(
    ...[7n, 7n, 15n, "JUMP", "JUMPDEST"],
    ...[13n, 15n, "JUMP", "JUMPDEST", "STOP"],
    ...["JUMPDEST", "SWAP1", 1n, "ADD", "SWAP1", "JUMP"],
  );
  const { nodes, anywhere } = pathsOf(code);
  assert.equal(anywhere, undefined);
  const returns = nodes.filter(({ block }) => block.instructions[1]?.instruction.name === "SWAP1");
  assert.equal(returns.length, 2);
  assert.deepEqual(
    returns.flatMap(({ targets }) => [...targets.keys()]),
    [7, 13],
  );
});

test("what runs one after the other becomes one node", () => {
  const code = assemble(...[7n, 7n, 8n, "JUMP", "STOP", "JUMPDEST", "SWAP1", 1n, "ADD", "SWAP1", "JUMP"]);
  code.set([0x5b], 8);
  const { nodes } = mergeChains(pathsOf(code));
  assert.equal(nodes.length, 1);
  assert.equal(nodes[0]!.mayFail, true);
});

test("a destination that only the input knows may be any", () => {
  const { nodes, anywhere } = pathsOf(assemble(0n, "CALLDATALOAD", "JUMP", "JUMPDEST", "STOP", "JUMPDEST"));
  assert.deepEqual([...anywhere!.keys()], [3, 5]);
  assert.equal(nodes[0]!.goesAnywhere, true);
});

test("a loop keeps the words that it uses in locals, and only what it writes is not in memory", () => {
  const code = assemble(
    ...[100n, 5n, 6n, "JUMP", "STOP", "JUMPDEST"],
    ...["DUP2", "SWAP1", "SUB", "DUP1", 7n, "JUMPI", "STOP"],
  );
  const start = code.indexOf(0x5b);
  code[5] = start;
  code[code.length - 3] = start;
  const paths = mergeChains(pathsOf(code));
  const plans = planStacks(paths, flowOf(paths));
  const loop = plans.findIndex(({ inherits, inLocals }) => inherits === undefined && inLocals.length > 0);
  assert.deepEqual([...plans[loop]!.inLocals], [0, 1]);
  assert.deepEqual([...plans[loop]!.dirty], [0, 1]);
});

test("code of JUMPDEST alone is one node", () => {
  const { nodes } = mergeChains(pathsOf(new Uint8Array(24_576).fill(0x5b)));
  assert.equal(nodes.length, 1);
});
