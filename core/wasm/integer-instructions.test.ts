import assert from "node:assert/strict";
import { test } from "node:test";
import type { CodeBuilder } from "./code-builder.ts";
import { FIRST_OPERAND, HAS_SIGNATURE, RESULT, SECOND_OPERAND } from "./instruction-table.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { OPCODE, VECTOR_BASE } from "./opcodes.ts";
import { instantiate } from "./testing/instantiate.ts";
import { I32, type ValueType } from "./types.ts";

/** What an instruction should do, on unsigned operands of `bits` bits; undefined is a trap. */
type Meaning = (a: bigint, b: bigint, bits: number) => bigint | boolean | undefined;

const signed = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value);
const divide: Meaning = (a, b) => (b === 0n ? undefined : a / b);
const remainder: Meaning = (a, b) => (b === 0n ? undefined : a % b);

function countTrailingZeros(value: bigint, bits: number): bigint {
  for (let bit = 0; bit < bits; bit++) if ((value >> BigInt(bit)) & 1n) return BigInt(bit);
  return BigInt(bits);
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  Eqz: (a) => a === 0n,
  Eq: (a, b) => a === b,
  Ne: (a, b) => a !== b,
  LtS: (a, b, bits) => signed(a, bits) < signed(b, bits),
  LtU: (a, b) => a < b,
  GtS: (a, b, bits) => signed(a, bits) > signed(b, bits),
  GtU: (a, b) => a > b,
  LeS: (a, b, bits) => signed(a, bits) <= signed(b, bits),
  LeU: (a, b) => a <= b,
  GeS: (a, b, bits) => signed(a, bits) >= signed(b, bits),
  GeU: (a, b) => a >= b,
  Clz: (a, _, bits) => BigInt(bits - (a === 0n ? 0 : a.toString(2).length)),
  Ctz: (a, _, bits) => countTrailingZeros(a, bits),
  Popcnt: (a) => BigInt(a.toString(2).replaceAll("0", "").length),
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  DivS: (a, b, bits) => {
    const quotient = divide(signed(a, bits), signed(b, bits), bits) as bigint | undefined;
    return quotient === 1n << BigInt(bits - 1) ? undefined : quotient;
  },
  DivU: divide,
  RemS: (a, b, bits) => remainder(signed(a, bits), signed(b, bits), bits),
  RemU: remainder,
  And: (a, b) => a & b,
  Or: (a, b) => a | b,
  Xor: (a, b) => a ^ b,
  Shl: (a, b, bits) => a << (b % BigInt(bits)),
  ShrS: (a, b, bits) => signed(a, bits) >> (b % BigInt(bits)),
  ShrU: (a, b, bits) => a >> (b % BigInt(bits)),
  Rotl: (a, b, bits) => rotateLeft(a, b % BigInt(bits), bits),
  Rotr: (a, b, bits) => rotateLeft(a, BigInt(bits) - (b % BigInt(bits)), bits),
  WrapI64: (a) => a,
  ExtendI32S: (a) => signed(a, 32),
  ExtendI32U: (a) => a & 0xffff_ffffn,
  Extend8S: (a) => signed(a, 8),
  Extend16S: (a) => signed(a, 16),
  Extend32S: (a) => signed(a, 32),
};

function rotateLeft(value: bigint, count: bigint, bits: number): bigint {
  return (value << count) | (value >> (BigInt(bits) - count));
}

const INTEGERS = Object.entries(OPCODE).filter(
  ([name, opcode]) =>
    MEANINGS[name.slice(3)] !== undefined && HAS_SIGNATURE[opcode] === 1 && opcode < VECTOR_BASE,
);

const EDGES = [0n, 1n, 2n, 7n, 31n, 32n, 33n, 63n, 64n, 127n, 128n, 0x7fffn, 0x8000n, 0xdead_beefn];
const VALUES = EDGES.flatMap((edge) => [
  edge,
  -edge,
  (1n << 31n) + edge,
  (1n << 63n) - edge,
  (1n << 40n) * edge,
]);

function widthOf(type: number): number {
  return type === I32 ? 32 : 64;
}

function argument(value: bigint, type: number): number | bigint {
  return type === I32 ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value);
}

test("every integer instruction gives in V8 what its name says", () => {
  const builder = new ModuleBuilder();
  for (const [name, opcode] of INTEGERS) {
    const operands = [FIRST_OPERAND[opcode]!, SECOND_OPERAND[opcode]!].filter(
      (type) => type !== 0,
    ) as ValueType[];
    const type = builder.type(operands, [RESULT[opcode]! as ValueType]);
    const write = (code: CodeBuilder): void => {
      operands.forEach((_, index) => {
        code.localGet(index);
      });
      (code as unknown as Record<string, () => unknown>)[name]!();
    };
    builder.function(type, write, name);
  }
  const instance = instantiate(builder);
  assert.equal(INTEGERS.length, 66);
  for (const [name, opcode] of INTEGERS) {
    const meaning = MEANINGS[name.slice(3)]!;
    const bits = widthOf(FIRST_OPERAND[opcode]!);
    const seconds = SECOND_OPERAND[opcode] === 0 ? [0n] : VALUES;
    for (const a of VALUES) {
      for (const b of seconds) {
        const expected = meaning(BigInt.asUintN(bits, a), BigInt.asUintN(bits, b), bits);
        const run = (): unknown =>
          instance.call(
            name,
            argument(a, FIRST_OPERAND[opcode]!),
            argument(b, SECOND_OPERAND[opcode]! || I32),
          );
        if (expected === undefined) assert.throws(run, WebAssembly.RuntimeError, `${name} of ${a} and ${b}`);
        else {
          const actual = BigInt.asUintN(widthOf(RESULT[opcode]!), BigInt(run() as number | bigint));
          assert.equal(
            actual,
            BigInt.asUintN(widthOf(RESULT[opcode]!), BigInt(expected)),
            `${name} of ${a}, ${b}`,
          );
        }
      }
    }
  }
});
