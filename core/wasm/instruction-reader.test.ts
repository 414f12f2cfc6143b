import assert from "node:assert/strict";
import { test } from "node:test";
import { unwrap } from "@ostrom/base";
import type { CodeBuilder } from "./code-builder.ts";
import { decodeModule } from "./decode-module.ts";
import { readLocals } from "./function-locals.ts";
import { EMPTY_BLOCK_TYPE, InstructionReader } from "./instruction-reader.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { OPCODE } from "./opcodes.ts";
import { ENGINE_SUBSET } from "./subset.ts";
import { I32, I64, V128, type ValueType } from "./types.ts";

/** A reader at the first instruction of the one function that `write` writes. */
function readerOf(write: (code: CodeBuilder) => void): { reader: InstructionReader; locals: ValueType[] } {
  const builder = new ModuleBuilder();
  const type = builder.type([I32], []);
  builder.function(type, write);
  const module = unwrap(decodeModule(builder.encode(), ENGINE_SUBSET));
  const reader = new InstructionReader(module, ENGINE_SUBSET);
  reader.seek(module.bodies[0]!, module.bodies[1]!);
  const locals: ValueType[] = [];
  const count = readLocals(reader, module.types[0]!, ENGINE_SUBSET, locals);
  assert.equal(count, locals.length);
  return { reader, locals };
}

test("constants are read as they were written", () => {
  const edges = [
    0n,
    1n,
    63n,
    64n,
    8192n,
    2n ** 20n,
    2n ** 27n,
    2n ** 28n,
    2n ** 31n,
    2n ** 32n,
    2n ** 34n,
    2n ** 35n,
  ];
  const values = [
    ...edges,
    2n ** 42n,
    2n ** 49n,
    2n ** 56n,
    2n ** 62n,
    2n ** 63n,
    0x0123_4567_89ab_cdefn,
  ].flatMap((edge) => [edge, -edge, edge - 1n]);
  const { reader } = readerOf((code) => {
    for (const value of values) code.i64Const(value).i32Const(Number(BigInt.asIntN(32, value)));
  });
  for (const value of values) {
    reader.next();
    assert.equal(reader.opcode, OPCODE.i64Const);
    const read = (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0);
    assert.equal(read, BigInt.asIntN(64, value));
    reader.next();
    assert.deepEqual([reader.opcode, reader.index], [OPCODE.i32Const, Number(BigInt.asIntN(32, value))]);
  }
});

test("locals, blocks, branches, calls and accesses are read as they were written", () => {
  const { reader, locals } = readerOf((code) => {
    code.locals(I64, 2);
    code.local(V128);
    const outer = code.block();
    const inner = code.loop(I64);
    code.blockOfType(300);
    code.brTable([outer, inner], outer).end().end().end();
    code.callIndirect(77).i64Load16U(0xffff_ffff, 0).i32Store8(128).localTee(200).i8x16Splat();
    code.v128Const(new Uint8Array(16).fill(0x0b)).memoryCopy().i64x2ReplaceLane(1);
  });
  assert.deepEqual(locals, [I32, I64, I64, V128]);
  const next = (): InstructionReader => {
    reader.next();
    return reader;
  };
  assert.deepEqual([next().opcode, reader.index], [OPCODE.block, EMPTY_BLOCK_TYPE]);
  assert.deepEqual([next().opcode, reader.index], [OPCODE.loop, I64 - 0x80]);
  assert.deepEqual([next().opcode, reader.index], [OPCODE.block, 300]);
  assert.deepEqual([next().opcode, reader.targets.slice(0, reader.targetCount)], [OPCODE.brTable, [2, 1, 2]]);
  for (let count = 0; count < 3; count++) assert.equal(next().opcode, OPCODE.end);
  assert.deepEqual([next().opcode, reader.index], [OPCODE.callIndirect, 77]);
  assert.deepEqual([next().opcode, reader.offset, reader.index], [OPCODE.i64Load16U, 0xffff_ffff, 0]);
  assert.deepEqual([next().opcode, reader.offset], [OPCODE.i32Store8, 128]);
  assert.deepEqual([next().opcode, reader.index], [OPCODE.localTee, 200]);
  assert.equal(next().opcode, OPCODE.i8x16Splat);
  assert.equal(next().opcode, OPCODE.v128Const);
  assert.equal(reader.at - reader.start, 18);
  assert.equal(next().opcode, OPCODE.memoryCopy);
  assert.deepEqual([next().opcode, reader.index], [OPCODE.i64x2ReplaceLane, 1]);
  assert.equal(next().opcode, OPCODE.end);
  assert.equal(reader.at, reader.end);
});
