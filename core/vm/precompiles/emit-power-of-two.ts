import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";
import { PLACE } from "./emit-montgomery.ts";

const LOW_HALF = 0xffff_ffffn;

/** (to, a, b, limbs) -> nothing: to = a b mod 2^(32 limbs), on little-endian limbs of 32 bits; to is neither a nor b. */
export function writeMultiplyLow(code: CodeBuilder): void {
  const [to, a, b, limbs] = [0, 1, 2, 3];
  const length = code.local(I32);
  const i = code.local(I32);
  const j = code.local(I32);
  const at = code.local(I32);
  const factor = code.local(I64);
  const carry = code.local(I64);
  const writeRow = (isFirst: boolean): void => {
    code.localGet(a).localGet(i).i32Add().i64Load32U().localSet(factor);
    code.i64Const(0).localSet(carry).i32Const(0).localSet(j);
    code.localGet(to).localGet(i).i32Add().localSet(at);
    const limb = code.loop();
    code.localGet(b).localGet(j).i32Add().i64Load32U().localGet(factor).i64Mul();
    if (!isFirst) code.localGet(at).i64Load32U().i64Add();
    code.localGet(carry).i64Add().localSet(carry);
    code.localGet(at).localGet(carry).i64Store32();
    code.localGet(carry).i64Const(32).i64ShrU().localSet(carry);
    code.localGet(at).i32Const(4).i32Add().localSet(at);
    code.localGet(j).i32Const(4).i32Add().localTee(j);
    code.localGet(length).localGet(i).i32Sub().i32LtU().brIf(limb).end();
    code.localGet(i).i32Const(4).i32Add().localTee(i);
  };
  code.localGet(limbs).i32Const(2).i32Shl().localSet(length);
  writeRow(true);
  code.localGet(length).i32GeU().if();
  code.return().end();
  const next = code.loop();
  writeRow(false);
  code.localGet(length).i32LtU().brIf(next).end();
}

/** (exponent, length, limbs) -> where held ** exponent mod 2^(32 limbs) lies; the exponent is big-endian bytes. */
export function writePowerLow(code: CodeBuilder, multiplyLow: number): void {
  const [exponent, length, limbs] = [0, 1, 2];
  const end = code.local(I32);
  const mask = code.local(I32);
  const power = code.local(I32);
  const free = code.local(I32);
  const multiplyPowerBy = (pushFactor: () => void): void => {
    code.localGet(free).localGet(power);
    pushFactor();
    code.localGet(limbs).call(multiplyLow);
    code.localGet(free).localGet(power).localSet(free).localSet(power);
  };
  code.i32Const(PLACE.result).localSet(power).i32Const(PLACE.sum).localSet(free);
  code.localGet(power).i32Const(PLACE.plainOne).localGet(limbs).i32Const(2).i32Shl().memoryCopy();
  code.localGet(exponent).localGet(length).i32Add().localSet(end);
  const done = code.block();
  const next = code.loop();
  code.localGet(exponent).localGet(end).i32GeU().brIf(done);
  code.i32Const(0x80).localSet(mask);
  const bit = code.loop();
  multiplyPowerBy(() => code.localGet(power));
  code.localGet(exponent).i32Load8U().localGet(mask).i32And().if();
  multiplyPowerBy(() => code.i32Const(PLACE.held));
  code.end();
  code.localGet(mask).i32Const(1).i32ShrU().localTee(mask).brIf(bit).end();
  code.localGet(exponent).i32Const(1).i32Add().localSet(exponent);
  code.br(next).end().end();
  code.localGet(power);
}

/** (base, modulus, exponent, length, low) -> base ** exponent mod modulus, for any modulus above 0. The exponent is at least 64,
 * in big-endian bytes; low is its last 64 bits. */
export function writePower64(code: CodeBuilder): void {
  const [base, modulus, exponent, length, low] = [0, 1, 2, 3, 4];
  const odd = code.local(I64);
  const inverse = code.local(I64);
  const power = code.local(I64);
  const even = code.local(I64);
  code.localGet(modulus).localGet(modulus).i64Ctz().i64ShrU().localSet(odd);
  // Newton's iteration doubles the bits that are right: 5, 10, 20, 40, 80.
  code.localGet(odd).i64Const(3).i64Mul().i64Const(2).i64Xor().localSet(inverse);
  for (let i = 0; i < 4; i++) {
    code.i64Const(2).localGet(odd).localGet(inverse).i64Mul().i64Sub();
    code.localGet(inverse).i64Mul().localSet(inverse);
  }
  code.localGet(odd).i64Const(1).i64Ne().if();
  writeOddPower(code, { base, odd, inverse, exponent, length, power });
  code.end();
  // Modulo 2^64: an odd base's powers repeat after 2^62, an even one's vanish from the 64th on.
  code.i64Const(1).localSet(even);
  code.localGet(base).i32WrapI64().i32Const(1).i32And().i32Eqz().if();
  code.i64Const(0).localTee(even).localSet(low).end();
  const done = code.block();
  const next = code.loop();
  code.localGet(low).i64Eqz().brIf(done);
  code.localGet(even).localGet(base).i64Const(1).localGet(low).i32WrapI64().i32Const(1).i32And().select();
  code.i64Mul().localSet(even);
  code.localGet(base).localGet(base).i64Mul().localSet(base);
  code.localGet(low).i64Const(1).i64ShrU().localSet(low);
  code.br(next).end().end();
  // The number that is right modulo both parts (Garner).
  code.localGet(even).localGet(power).i64Sub().localGet(inverse).i64Mul();
  code.i64Const(1).localGet(modulus).i64Ctz().i64Shl().i64Const(1).i64Sub().i64And();
  code.localGet(odd).i64Mul().localGet(power).i64Add();
}

type OddLocals = Readonly<Record<"base" | "odd" | "inverse" | "exponent" | "length" | "power", number>>;

/** Sets `power` to base ** exponent modulo an odd number above 1, in windows of four bits. */
function writeOddPower(code: CodeBuilder, locals: OddLocals): void {
  const { base, odd, inverse, exponent, length, power } = locals;
  const square = code.local(I64);
  const factor = code.local(I64);
  const count = code.local(I32);
  const end = code.local(I32);
  const multiply = montgomery64(code, odd, inverse);
  const powers = PLACE.powers;
  // 2^64 mod odd is 1 in Montgomery's form; doubled 64 times it is the factor that brings others there.
  code.i64Const(0).localGet(odd).i64Sub().localGet(odd).i64RemU().localTee(power).localSet(square);
  code.i32Const(0).localGet(power).i64Store(powers);
  code.i32Const(64).localSet(count);
  const double = code.loop();
  code.localGet(odd).localGet(square).i64Sub().localSet(factor);
  code.localGet(square).localGet(factor).i64Sub().localGet(square).localGet(square).i64Add();
  code.localGet(square).localGet(factor).i64GeU().select().localSet(square);
  code.localGet(count).i32Const(1).i32Sub().localTee(count).brIf(double).end();
  code.localGet(base).localGet(odd).i64RemU().localSet(factor);
  multiply(factor, factor, square);
  code.localGet(power).localSet(square);
  const fill = code.loop();
  multiply(square, square, factor);
  code.localGet(count).i32Const(8).i32Add().localTee(count).localGet(square).i64Store(powers);
  code.localGet(count).i32Const(120).i32LtU().brIf(fill).end();
  code.localGet(exponent).localGet(length).i32Add().localSet(end);
  const done = code.block();
  const next = code.loop();
  code.localGet(exponent).localGet(end).i32GeU().brIf(done);
  for (const shift of [4, 0]) {
    for (let i = 0; i < 4; i++) multiply(power, power, power);
    code.localGet(exponent).i32Load8U().i32Const(shift).i32ShrU().i32Const(15).i32And().localTee(count).if();
    code.localGet(count).i32Const(3).i32Shl().i64Load(powers).localSet(factor);
    multiply(power, power, factor);
    code.end();
  }
  code.localGet(exponent).i32Const(1).i32Add().localSet(exponent);
  code.br(next).end().end();
  code.i64Const(1).localSet(factor);
  multiply(power, power, factor);
}

/** @returns what emits to = a b / 2^64 mod odd, for a b below odd 2^64: to are a and b's high half, less the high half of what
 * makes the low halves vanish. */
function montgomery64(
  code: CodeBuilder,
  odd: number,
  inverse: number,
): (to: number, a: number, b: number) => void {
  const [aLow, aHigh, bLow, bHigh, lowLow, lowHigh, highLow, high, quotient, oddLow, oddHigh] = Array.from(
    { length: 11 },
    () => code.local(I64),
  ) as [number, number, number, number, number, number, number, number, number, number, number];
  const split = (from: number, low: number, highHalf: number): void => {
    code.localGet(from).i64Const(LOW_HALF).i64And().localSet(low);
    code.localGet(from).i64Const(32).i64ShrU().localSet(highHalf);
  };
  /** Pushes the high half of a product of numbers that are split. */
  const highProduct = (al: number, ah: number, bl: number, bh: number, isSquare: boolean): void => {
    code.localGet(al).localGet(bl).i64Mul().localSet(lowLow);
    code.localGet(al).localGet(bh).i64Mul().localSet(lowHigh);
    if (isSquare) code.localGet(lowHigh).localSet(highLow);
    else code.localGet(ah).localGet(bl).i64Mul().localSet(highLow);
    code.localGet(ah).localGet(bh).i64Mul();
    code.localGet(lowHigh).i64Const(32).i64ShrU().i64Add();
    code.localGet(highLow).i64Const(32).i64ShrU().i64Add();
    code.localGet(lowLow).i64Const(32).i64ShrU();
    code.localGet(lowHigh).i64Const(LOW_HALF).i64And().i64Add();
    code.localGet(highLow).i64Const(LOW_HALF).i64And().i64Add();
    code.i64Const(32).i64ShrU().i64Add();
  };
  split(odd, oddLow, oddHigh);
  return (to, a, b) => {
    code.localGet(a).localGet(b).i64Mul().localGet(inverse).i64Mul().localSet(quotient);
    split(a, aLow, aHigh);
    if (a !== b) split(b, bLow, bHigh);
    highProduct(aLow, aHigh, a === b ? aLow : bLow, a === b ? aHigh : bHigh, a === b);
    code.localSet(high);
    split(quotient, aLow, aHigh);
    highProduct(aLow, aHigh, oddLow, oddHigh, false);
    code.localSet(quotient);
    code.localGet(high).localGet(quotient).i64Sub().localTee(lowLow).localGet(odd).i64Add().localGet(lowLow);
    code.localGet(high).localGet(quotient).i64LtU().select().localSet(to);
  };
}
