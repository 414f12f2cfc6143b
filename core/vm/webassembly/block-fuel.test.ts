import assert from "node:assert/strict";
import { test } from "node:test";
import { unwrap } from "@ostrom/base";
import { type CodeBuilder, FUNCTION_LABEL, I32, I64, OPCODE } from "@ostrom/wasm";
import { INSTRUCTION_FUEL } from "../contract-host/program-gas.ts";
import { FUEL_OF_OPCODE } from "./instruction-fuel.ts";
import { readContract } from "./read-contract.ts";
import { contractModule } from "./testing/contract-module.ts";

const { simple, branch, branchTable, call, load } = INSTRUCTION_FUEL;

/** The fuel of each block of `call`; those that begin a loop are in lists. */
function blocksOf(write: (code: CodeBuilder) => void): (number | readonly [number])[] {
  const contract = unwrap(readContract(contractModule([], write)));
  const { blocks } = contract.fuel.at(-1)!;
  return blocks.map(({ fuel, isLoopHead }) => (isLoopHead ? [fuel] : fuel));
}

test("straight code is one block", () => {
  assert.deepEqual(
    blocksOf((code) => code.i32Const(1).i32Const(0).i32Load().i32Add()),
    [3 * simple + load],
  );
});

test("blocks are cut behind branches, calls, and where branches meet", () => {
  const found = blocksOf((code) => {
    const out = code.block();
    code.i32Const(1).brIf(out).nop().i32Const(2).drop().end();
    code.i32Const(3);
    code.if();
    code.i32Const(4).drop().else().i32Const(5).i32Eqz().drop().end();
    code.call(0).drop().i32Const(6);
  });
  assert.deepEqual(found, [
    simple + branch,
    2 * simple,
    simple + branch,
    2 * simple,
    3 * simple,
    call,
    2 * simple,
  ]);
});

test("a block that nothing branches out of is part of what is around it", () => {
  assert.deepEqual(
    blocksOf((code) => {
      code.i32Const(1).drop();
      code.block();
      code.i32Const(2).drop().end().i32Const(0);
    }),
    [5 * simple],
  );
});

test("a loop's block is charged each time round, and is looked at even if it costs nothing", () => {
  const found = blocksOf((code) => {
    code.i32Const(1).drop();
    const outer = code.loop();
    const inner = code.loop();
    code.i32Const(0).brIf(inner).end();
    code.i32Const(0).brIf(outer).end().i32Const(0);
  });
  assert.deepEqual(found, [2 * simple, [0], [simple + branch], simple + branch, simple]);
});

test("what cannot be reached costs nothing", () => {
  const found = blocksOf((code) => {
    const out = code.block();
    code.br(out).i32Const(1).drop();
    code.loop();
    code.call(0).drop().end().end();
    code.i32Const(9).i32Const(0).brTable([FUNCTION_LABEL], FUNCTION_LABEL).i64Const(1n).drop();
  });
  assert.deepEqual(found, [branch, 2 * simple + branchTable]);
});

test("every instruction but those that only mark places costs fuel", () => {
  const free = Object.entries(OPCODE)
    .filter(([name, opcode]) => opcode < 0x200 && FUEL_OF_OPCODE[opcode] === 0 && !name.startsWith("return_"))
    .map(([name]) => name);
  assert.deepEqual(free, ["nop", "block", "loop", "else", "end"]);
  assert.equal(FUEL_OF_OPCODE[OPCODE.i64RemU], INSTRUCTION_FUEL.divide);
  assert.equal(FUEL_OF_OPCODE[OPCODE.i64And], simple);
  assert.equal(FUEL_OF_OPCODE[OPCODE.i32And], simple);
  assert.equal(FUEL_OF_OPCODE[OPCODE.i64Store32], INSTRUCTION_FUEL.store);
});

test("types of locals count: i32 and i64 alike", () => {
  const contract = unwrap(
    readContract(
      contractModule([], (code) => {
        code.locals(I32, 3);
        code.locals(I64, 4);
        code.i32Const(0);
      }),
    ),
  );
  assert.equal(contract.extents[0]!.locals, 7);
  assert.equal(contract.extents[0]!.operands, 1);
});
