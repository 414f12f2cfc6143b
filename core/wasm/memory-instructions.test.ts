import assert from "node:assert/strict";
import { test } from "node:test";
import type { CodeBuilder } from "./code-builder.ts";
import { FIRST_OPERAND, IMMEDIATE, immediatesOf, MAX_ALIGNMENT, RESULT } from "./instruction-table.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { OPCODE, VECTOR_BASE } from "./opcodes.ts";
import { ENGINE_SUBSET } from "./subset.ts";
import { type Instance, instantiate } from "./testing/instantiate.ts";
import { I32, I64, type ValueType } from "./types.ts";

type Access = (offset?: number, alignment?: number) => unknown;
const method = (code: CodeBuilder, name: string): Access =>
  ((code as unknown as Record<string, Access>)[name] as Access).bind(code);

const ACCESSES = Object.entries(OPCODE).filter(
  ([, opcode]) => immediatesOf(ENGINE_SUBSET)[opcode] === IMMEDIATE.access && opcode < VECTOR_BASE,
);
const OFFSET = 300;
const VALUE = 0xf1e2_d3c4_b5a6_9788n;

function build(alignmentOf: (opcode: number) => number | undefined): Instance {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: 1, maximum: 1 });
  builder.export("memory", "memory");
  for (const [name, opcode] of ACCESSES) {
    const isLoad = RESULT[opcode] !== 0;
    const value = name.slice(0, 3) === "i32" ? I32 : I64;
    const type = isLoad ? builder.type([I32], [value]) : builder.type([I32, value], []);
    builder.function(
      type,
      (code) => {
        code.localGet(0);
        if (!isLoad) code.localGet(1);
        method(code, name)(OFFSET, alignmentOf(opcode));
      },
      name,
    );
  }
  return instantiate(builder);
}

/** Bits that an access moves, from its name: `i64Load16S` moves 16. */
function bitsOf(name: string): number {
  return Number(/(?:Load|Store)(\d+)/.exec(name)?.[1] ?? name.slice(1, 3));
}

test("every load and store moves its bytes, little-endian, at any address and with any alignment", () => {
  assert.equal(ACCESSES.length, 19);
  for (const alignmentOf of [() => undefined, () => 0, (opcode: number) => MAX_ALIGNMENT[opcode]!]) {
    const instance = build(alignmentOf);
    const view = new DataView(instance.memory().buffer);
    for (const [name, opcode] of ACCESSES) {
      for (const address of [0, 1, 2, 3, 9, 1001]) {
        const bits = bitsOf(name);
        const width = name.startsWith("i32") ? 32 : 64;
        instance.memory().fill(0x55);
        if (RESULT[opcode] !== 0) {
          view.setBigUint64(address + OFFSET, VALUE, true);
          const loaded = BigInt(instance.call(name, address) as number | bigint);
          const part = name.endsWith("U") ? BigInt.asUintN(bits, VALUE) : BigInt.asIntN(bits, VALUE);
          assert.equal(BigInt.asUintN(width, loaded), BigInt.asUintN(width, part), name);
        } else {
          instance.call(name, address, width === 32 ? Number(BigInt.asIntN(32, VALUE)) : VALUE);
          const after = view.getBigUint64(address + OFFSET, true);
          const untouched = BigInt.asUintN(64, 0x5555_5555_5555_5555n >> BigInt(bits)) << BigInt(bits);
          assert.equal(after, BigInt.asUintN(64, untouched) | BigInt.asUintN(bits, VALUE), name);
        }
      }
      assert.equal(FIRST_OPERAND[opcode], I32);
      assert.throws(() => instance.call(name, 65_536 - OFFSET, width64(name)), WebAssembly.RuntimeError);
    }
  }
});

function width64(name: string): number | bigint {
  return name.startsWith("i32") ? 0 : 0n;
}

test("offsets reach beyond 2^31", () => {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: 1, maximum: 1 });
  builder.function(builder.type([], [I32]), (code) => code.i32Const(0).i32Load(0xffff_fff0), "far");
  assert.throws(() => instantiate(builder).call("far"), WebAssembly.RuntimeError);
});

test("memory.size, grow, copy and fill", () => {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: 1, maximum: 3 });
  builder.export("memory", "memory");
  const noParameters: readonly ValueType[] = [];
  builder.function(builder.type(noParameters, [I32]), (code) => code.memorySize(), "size");
  builder.function(builder.type([I32], [I32]), (code) => code.localGet(0).memoryGrow(), "grow");
  const three = builder.type([I32, I32, I32], []);
  const operands = (code: CodeBuilder): CodeBuilder => code.localGet(0).localGet(1).localGet(2);
  builder.function(three, (code) => operands(code).memoryCopy(), "copy");
  builder.function(three, (code) => operands(code).memoryFill(), "fill");
  const instance = instantiate(builder);
  assert.equal(instance.call("size"), 1);
  assert.equal(instance.call("grow", 2), 1);
  assert.equal(instance.call("grow", 1), -1);
  assert.equal(instance.call("size"), 3);
  instance.memory().set([1, 2, 3, 4, 5], 10);
  instance.call("copy", 12, 10, 5);
  assert.deepEqual([...instance.memory().subarray(10, 18)], [1, 2, 1, 2, 3, 4, 5, 0]);
  instance.call("fill", 11, 0x1ff, 2);
  assert.deepEqual([...instance.memory().subarray(10, 14)], [1, 0xff, 0xff, 2]);
  assert.throws(() => instance.call("copy", 3 * 65_536 - 1, 0, 2), WebAssembly.RuntimeError);
});
