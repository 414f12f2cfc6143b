import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, toHexDigits } from "@ostrom/base";
import type { CodeBuilder } from "./code-builder.ts";
import {
  FIRST_OPERAND,
  HAS_SIGNATURE,
  IMMEDIATE,
  immediatesOf,
  RESULT,
  SECOND_OPERAND,
  THIRD_OPERAND,
} from "./instruction-table.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { OPCODE, VECTOR_BASE } from "./opcodes.ts";
import { ENGINE_SUBSET } from "./subset.ts";
import { type Instance, instantiate } from "./testing/instantiate.ts";
import { I32, I64, V128, type ValueType } from "./types.ts";

type Lanes = readonly bigint[];

/** Vectors are numbers of 128 bits here, lane 0 lowest; scalars are unsigned. */
function split(vector: bigint, bits: number): Lanes {
  return Array.from({ length: 128 / bits }, (_, lane) => BigInt.asUintN(bits, vector >> BigInt(lane * bits)));
}
function join(lanes: Lanes, bits: number): bigint {
  return lanes.reduce(
    (vector, lane, index) => vector | (BigInt.asUintN(bits, lane) << BigInt(index * bits)),
    0n,
  );
}
const map =
  (bits: number, each: (a: bigint, b: bigint) => bigint) =>
  (a: bigint, b: bigint): bigint =>
    join(
      split(a, bits).map((lane, index) => each(lane, split(b, bits)[index]!)),
      bits,
    );
const shift =
  (bits: number, each: (lane: bigint, count: bigint) => bigint) =>
  (a: bigint, count: bigint): bigint =>
    join(
      split(a, bits).map((lane) => each(lane, count % BigInt(bits))),
      bits,
    );
const truth = (bits: number, holds: boolean): bigint => (holds ? (1n << BigInt(bits)) - 1n : 0n);
const allTrue = (bits: number) => (a: bigint) => BigInt(split(a, bits).every((lane) => lane !== 0n));
const bitmask = (bits: number) => (a: bigint) =>
  join(
    split(a, bits).map((lane) => lane >> BigInt(bits - 1)),
    1,
  );
const extendMultiply = (half: number, isSigned: boolean) => (a: bigint, b: bigint) => {
  const lane = (vector: bigint, index: number): bigint => {
    const value = split(vector, 32)[2 * half + index]!;
    return isSigned ? BigInt.asIntN(32, value) : value;
  };
  return join([lane(a, 0) * lane(b, 0), lane(a, 1) * lane(b, 1)], 64);
};

const MEANINGS: Readonly<Record<string, (a: bigint, b: bigint, c: bigint) => bigint>> = {
  i8x16Swizzle: (a, b) =>
    join(
      split(b, 8).map((lane) => split(a, 8)[Number(lane)] ?? 0n),
      8,
    ),
  i8x16Splat: (a) => join(Array(16).fill(a), 8),
  i32x4Splat: (a) => join(Array(4).fill(a), 32),
  i64x2Splat: (a) => join(Array(2).fill(a), 64),
  i8x16Eq: map(8, (a, b) => truth(8, a === b)),
  i32x4Eq: map(32, (a, b) => truth(32, a === b)),
  i64x2Eq: map(64, (a, b) => truth(64, a === b)),
  i64x2Ne: map(64, (a, b) => truth(64, a !== b)),
  v128Not: (a) => ~a,
  v128And: (a, b) => a & b,
  v128Andnot: (a, b) => a & ~b,
  v128Or: (a, b) => a | b,
  v128Xor: (a, b) => a ^ b,
  v128Bitselect: (a, b, c) => (a & c) | (b & ~c),
  v128AnyTrue: (a) => BigInt(a !== 0n),
  i8x16AllTrue: allTrue(8),
  i64x2AllTrue: allTrue(64),
  i8x16Bitmask: bitmask(8),
  i64x2Bitmask: bitmask(64),
  i8x16Add: map(8, (a, b) => a + b),
  i8x16Sub: map(8, (a, b) => a - b),
  i32x4Add: map(32, (a, b) => a + b),
  i32x4Sub: map(32, (a, b) => a - b),
  i32x4Mul: map(32, (a, b) => a * b),
  i64x2Add: map(64, (a, b) => a + b),
  i64x2Sub: map(64, (a, b) => a - b),
  i64x2Mul: map(64, (a, b) => a * b),
  i32x4Shl: shift(32, (lane, count) => lane << count),
  i32x4ShrU: shift(32, (lane, count) => lane >> count),
  i32x4ShrS: shift(32, (lane, count) => BigInt.asIntN(32, lane) >> count),
  i64x2Shl: shift(64, (lane, count) => lane << count),
  i64x2ShrU: shift(64, (lane, count) => lane >> count),
  i64x2ShrS: shift(64, (lane, count) => BigInt.asIntN(64, lane) >> count),
  i64x2ExtmulLowI32x4S: extendMultiply(0, true),
  i64x2ExtmulHighI32x4S: extendMultiply(1, true),
  i64x2ExtmulLowI32x4U: extendMultiply(0, false),
  i64x2ExtmulHighI32x4U: extendMultiply(1, false),
};

const OPERAND_SPACING = 16;
const RESULT_AT = 64;
const BITS: Readonly<Record<number, number>> = { [I32]: 32, [I64]: 64, [V128]: 128 };

function operandsOf(opcode: number): ValueType[] {
  return [FIRST_OPERAND[opcode]!, SECOND_OPERAND[opcode]!, THIRD_OPERAND[opcode]!].filter(
    (type) => type !== 0,
  ) as ValueType[];
}

/** Operands lie in memory at multiples of 16, and the result goes to 64: JavaScript cannot hand over vectors. */
function writeThroughMemory(
  code: CodeBuilder,
  operands: readonly ValueType[],
  result: ValueType,
  write: () => void,
): void {
  code.i32Const(RESULT_AT);
  operands.forEach((type, index) => {
    code.i32Const(0);
    if (type === V128) code.v128Load(index * OPERAND_SPACING);
    else if (type === I64) code.i64Load(index * OPERAND_SPACING);
    else code.i32Load(index * OPERAND_SPACING);
  });
  write();
  if (result === V128) code.v128Store();
  else if (result === I64) code.i64Store();
  else code.i32Store();
}

function toBytes(value: bigint): Bytes {
  return Uint8Array.from({ length: 16 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}
function fromBytes(bytes: Bytes): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function run(instance: Instance, name: string, operands: readonly bigint[], result: ValueType): bigint {
  operands.forEach((operand, index) => {
    instance.memory().set(toBytes(operand), index * OPERAND_SPACING);
  });
  instance.call(name);
  return BigInt.asUintN(BITS[result]!, fromBytes(instance.memory().subarray(RESULT_AT, RESULT_AT + 16)));
}

const SIMPLE = Object.entries(OPCODE).filter(
  ([, opcode]) =>
    opcode >= VECTOR_BASE &&
    HAS_SIGNATURE[opcode] === 1 &&
    immediatesOf(ENGINE_SUBSET)[opcode] === IMMEDIATE.none,
);

test("every vector instruction without immediates gives in V8 what its name says", () => {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: 1, maximum: 1 });
  builder.export("memory", "memory");
  const action = builder.type([], []);
  for (const [name, opcode] of SIMPLE) {
    builder.function(
      action,
      (code) =>
        writeThroughMemory(code, operandsOf(opcode), RESULT[opcode]! as ValueType, () =>
          (code as unknown as Record<string, () => unknown>)[name]!(),
        ),
      name,
    );
  }
  const instance = instantiate(builder);
  assert.equal(SIMPLE.length, 37);
  const random = createRandom(128);
  const draw = (): bigint =>
    random.chance(1, 5)
      ? 0n
      : fromBytes(random.bytes(16)) & (random.chance(1, 3) ? join(Array(16).fill(0x1fn), 8) : -1n);
  for (const [name, opcode] of SIMPLE) {
    const result = RESULT[opcode]! as ValueType;
    for (let round = 0; round < 50; round++) {
      const a = draw();
      const operands = [a, random.chance(1, 5) ? a : draw(), draw()];
      const typed = operandsOf(opcode).map((type, index) => BigInt.asUintN(BITS[type]!, operands[index]!));
      const expected = MEANINGS[name]!(typed[0]!, typed[1]!, typed[2]!);
      const actual = run(instance, name, operands, result);
      assert.equal(actual, BigInt.asUintN(BITS[result]!, expected), `${name} of ${typed.join(", ")}`);
    }
  }
});

test("vector loads, stores, constants, lanes and shuffles", () => {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: 1, maximum: 1 });
  builder.export("memory", "memory");
  const constant = Uint8Array.from({ length: 16 }, (_, index) => 17 * index);
  const reversed = Array.from({ length: 16 }, (_, index) => 15 - index);
  const cases: [string, readonly ValueType[], ValueType, (code: CodeBuilder) => unknown, string][] = [
    ["load", [I32], V128, (code) => code.v128Load(), "01234567000000000000000000000000"],
    ["load32Splat", [I32], V128, (code) => code.v128Load32Splat(), "01234567012345670123456701234567"],
    ["load64Splat", [I32], V128, (code) => code.v128Load64Splat(), "01234567000000000123456700000000"],
    ["load32Zero", [I32], V128, (code) => code.v128Load32Zero(), "01234567000000000000000000000000"],
    ["load64Zero", [I32], V128, (code) => code.v128Load64Zero(), "01234567000000000000000000000000"],
    ["constant", [], V128, (code) => code.v128Const(constant), toHexDigits(constant)],
    [
      "shuffle",
      [V128, V128],
      V128,
      (code) => code.i8x16Shuffle(reversed),
      "00000000000000000000000000000000",
    ],
    ["extract32", [V128], I32, (code) => code.i32x4ExtractLane(3), "f0debc9a"],
    ["extract64", [V128], I64, (code) => code.i64x2ExtractLane(1), "78563412f0debc9a"],
    ["replace32", [V128, I32], V128, (code) => code.i32x4ReplaceLane(0), "aabbccdd000000000000000000000000"],
    ["replace64", [V128, I64], V128, (code) => code.i64x2ReplaceLane(1), "0000000000000000aabbccdd00000000"],
  ];
  const action = builder.type([], []);
  for (const [name, operands, result, write] of cases) {
    builder.function(action, (code) => writeThroughMemory(code, operands, result, () => write(code)), name);
  }
  const instance = instantiate(builder);
  const bytes = (hex: string): Bytes => Uint8Array.from(Buffer.from(hex.padEnd(32, "0"), "hex"));
  const inputs: Readonly<Record<string, readonly string[]>> = {
    shuffle: ["", "ff"],
    extract32: ["000000000000000000000000f0debc9a"],
    extract64: ["000000000000000078563412f0debc9a"],
    replace32: ["", "aabbccdd"],
    replace64: ["", "aabbccdd"],
  };
  for (const [name, , result, , expected] of cases) {
    instance.memory().fill(0);
    for (const [index, input] of (inputs[name] ?? ["80"]).entries())
      instance.memory().set(bytes(input), 16 * index);
    // The loads find their address, 128, at 0; there lies what they load.
    if (name.startsWith("load")) instance.memory().set(bytes("01234567"), 128);
    instance.call(name);
    const length = BITS[result]! / 8;
    assert.equal(toHexDigits(instance.memory().slice(RESULT_AT, RESULT_AT + length)), expected, name);
  }
});
