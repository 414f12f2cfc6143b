import { OPCODE } from "@ostrom/wasm";

/** Thrown by an instruction that traps. */
export class Trap extends Error {
  override readonly name = "Trap";
}

/** Operands and results: an i32 is a number in [-2^31, 2^31), an i64 a bigint in [-2^63, 2^63). */
export type Value = number | bigint;

type Unary<T extends Value> = (operand: T) => Value;
type Binary<T extends Value> = (left: T, right: T) => Value;

const MIN_I32 = -(2 ** 31);
const MIN_I64 = -(2n ** 63n);

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (condition: boolean): number => (condition ? 1 : 0);

function countOnes(value: bigint): number {
  let ones = 0;
  for (let rest = value; rest > 0n; rest &= rest - 1n) ones++;
  return ones;
}

function countZerosBelow(value: bigint, width: number): number {
  let zeros = 0;
  while (zeros < width && ((value >> BigInt(zeros)) & 1n) === 0n) zeros++;
  return zeros;
}

function countZerosAbove(value: bigint, width: number): number {
  return width - (value === 0n ? 0 : value.toString(2).length);
}

function rotateLeft(value: bigint, by: bigint): bigint {
  return signed((unsigned(value) << by) | (unsigned(value) >> (64n - by)));
}

/** @param result of the division of what is not zero by what is not zero. */
function divisor32(left: number, right: number, isSigned: boolean): void {
  if (right === 0) throw new Trap("division by zero");
  if (isSigned && left === MIN_I32 && right === -1) throw new Trap("a quotient beyond an i32");
}

function divisor64(left: bigint, right: bigint, isSigned: boolean): void {
  if (right === 0n) throw new Trap("division by zero");
  if (isSigned && left === MIN_I64 && right === -1n) throw new Trap("a quotient beyond an i64");
}

const I32_UNARY: Readonly<Record<number, Unary<number>>> = {
  [OPCODE.i32Eqz]: (a) => truth(a === 0),
  [OPCODE.i32Clz]: (a) => countZerosAbove(BigInt(a >>> 0), 32),
  [OPCODE.i32Ctz]: (a) => countZerosBelow(BigInt(a >>> 0), 32),
  [OPCODE.i32Popcnt]: (a) => countOnes(BigInt(a >>> 0)),
  [OPCODE.i32Extend8S]: (a) => (a << 24) >> 24,
  [OPCODE.i32Extend16S]: (a) => (a << 16) >> 16,
  [OPCODE.i64ExtendI32S]: (a) => BigInt(a),
  [OPCODE.i64ExtendI32U]: (a) => BigInt(a >>> 0),
};

const I64_UNARY: Readonly<Record<number, Unary<bigint>>> = {
  [OPCODE.i64Eqz]: (a) => truth(a === 0n),
  [OPCODE.i64Clz]: (a) => BigInt(countZerosAbove(unsigned(a), 64)),
  [OPCODE.i64Ctz]: (a) => BigInt(countZerosBelow(unsigned(a), 64)),
  [OPCODE.i64Popcnt]: (a) => BigInt(countOnes(unsigned(a))),
  [OPCODE.i64Extend8S]: (a) => BigInt.asIntN(8, a),
  [OPCODE.i64Extend16S]: (a) => BigInt.asIntN(16, a),
  [OPCODE.i64Extend32S]: (a) => BigInt.asIntN(32, a),
  [OPCODE.i32WrapI64]: (a) => Number(BigInt.asIntN(32, a)),
};

const I32_BINARY: Readonly<Record<number, Binary<number>>> = {
  [OPCODE.i32Eq]: (a, b) => truth(a === b),
  [OPCODE.i32Ne]: (a, b) => truth(a !== b),
  [OPCODE.i32LtS]: (a, b) => truth(a < b),
  [OPCODE.i32LtU]: (a, b) => truth(a >>> 0 < b >>> 0),
  [OPCODE.i32GtS]: (a, b) => truth(a > b),
  [OPCODE.i32GtU]: (a, b) => truth(a >>> 0 > b >>> 0),
  [OPCODE.i32LeS]: (a, b) => truth(a <= b),
  [OPCODE.i32LeU]: (a, b) => truth(a >>> 0 <= b >>> 0),
  [OPCODE.i32GeS]: (a, b) => truth(a >= b),
  [OPCODE.i32GeU]: (a, b) => truth(a >>> 0 >= b >>> 0),
  [OPCODE.i32Add]: (a, b) => (a + b) | 0,
  [OPCODE.i32Sub]: (a, b) => (a - b) | 0,
  [OPCODE.i32Mul]: (a, b) => Math.imul(a, b),
  [OPCODE.i32DivS]: (a, b) => {
    divisor32(a, b, true);
    return (a / b) | 0;
  },
  [OPCODE.i32DivU]: (a, b) => {
    divisor32(a, b, false);
    return Math.floor((a >>> 0) / (b >>> 0)) | 0;
  },
  [OPCODE.i32RemS]: (a, b) => {
    divisor32(a, b, false);
    return (a % b) | 0;
  },
  [OPCODE.i32RemU]: (a, b) => {
    divisor32(a, b, false);
    return ((a >>> 0) % (b >>> 0)) | 0;
  },
  [OPCODE.i32And]: (a, b) => a & b,
  [OPCODE.i32Or]: (a, b) => a | b,
  [OPCODE.i32Xor]: (a, b) => a ^ b,
  [OPCODE.i32Shl]: (a, b) => a << b,
  [OPCODE.i32ShrS]: (a, b) => a >> b,
  [OPCODE.i32ShrU]: (a, b) => (a >>> b) | 0,
  [OPCODE.i32Rotl]: (a, b) => (a << b) | (a >>> (-b & 31)),
  [OPCODE.i32Rotr]: (a, b) => (a >>> b) | (a << (-b & 31)),
};

const I64_BINARY: Readonly<Record<number, Binary<bigint>>> = {
  [OPCODE.i64Eq]: (a, b) => truth(a === b),
  [OPCODE.i64Ne]: (a, b) => truth(a !== b),
  [OPCODE.i64LtS]: (a, b) => truth(a < b),
  [OPCODE.i64LtU]: (a, b) => truth(unsigned(a) < unsigned(b)),
  [OPCODE.i64GtS]: (a, b) => truth(a > b),
  [OPCODE.i64GtU]: (a, b) => truth(unsigned(a) > unsigned(b)),
  [OPCODE.i64LeS]: (a, b) => truth(a <= b),
  [OPCODE.i64LeU]: (a, b) => truth(unsigned(a) <= unsigned(b)),
  [OPCODE.i64GeS]: (a, b) => truth(a >= b),
  [OPCODE.i64GeU]: (a, b) => truth(unsigned(a) >= unsigned(b)),
  [OPCODE.i64Add]: (a, b) => signed(a + b),
  [OPCODE.i64Sub]: (a, b) => signed(a - b),
  [OPCODE.i64Mul]: (a, b) => signed(a * b),
  [OPCODE.i64DivS]: (a, b) => {
    divisor64(a, b, true);
    return a / b;
  },
  [OPCODE.i64DivU]: (a, b) => {
    divisor64(a, b, false);
    return signed(unsigned(a) / unsigned(b));
  },
  [OPCODE.i64RemS]: (a, b) => {
    divisor64(a, b, false);
    return a % b;
  },
  [OPCODE.i64RemU]: (a, b) => {
    divisor64(a, b, false);
    return signed(unsigned(a) % unsigned(b));
  },
  [OPCODE.i64And]: (a, b) => a & b,
  [OPCODE.i64Or]: (a, b) => a | b,
  [OPCODE.i64Xor]: (a, b) => a ^ b,
  [OPCODE.i64Shl]: (a, b) => signed(a << (b & 63n)),
  [OPCODE.i64ShrS]: (a, b) => a >> (b & 63n),
  [OPCODE.i64ShrU]: (a, b) => signed(unsigned(a) >> (b & 63n)),
  [OPCODE.i64Rotl]: (a, b) => rotateLeft(a, b & 63n),
  [OPCODE.i64Rotr]: (a, b) => rotateLeft(a, -b & 63n),
};

/** What instructions with one operand, and with two, compute; undefined: another kind of instruction. They throw Trap.
 * Source: WebAssembly core specification, "Integer Operations". */
export const UNARY: Readonly<Record<number, ((operand: never) => Value) | undefined>> = {
  ...I32_UNARY,
  ...I64_UNARY,
};
export const BINARY: Readonly<Record<number, ((left: never, right: never) => Value) | undefined>> = {
  ...I32_BINARY,
  ...I64_BINARY,
};
