import { type CodeBuilder, I64 } from "@ostrom/wasm";
import { SCRATCH } from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";

const LOW_HALF = 0xffff_ffff;
/** Digits of 32 bits in a word. */
const DIGITS = 8;

/** (a, b) -> low, high: the 128 bits of a product of two limbs. */
export function writeMultiplyWide(code: CodeBuilder): void {
  const [a, b] = [0, 1];
  const lowLow = code.local(I64);
  const lowHigh = code.local(I64);
  const middle = code.local(I64);
  pushLowHalf(code, a);
  pushLowHalf(code, b);
  code.i64Mul().localSet(lowLow);
  pushLowHalf(code, a);
  pushHighHalf(code, b);
  code.i64Mul().localSet(lowHigh);
  pushHighHalf(code, a);
  pushLowHalf(code, b);
  code.i64Mul();
  pushHighHalf(code, lowLow);
  code.i64Add();
  pushLowHalf(code, lowHigh);
  code.i64Add().localSet(middle);
  code.localGet(a).localGet(b).i64Mul();
  pushHighHalf(code, a);
  pushHighHalf(code, b);
  code.i64Mul();
  pushHighHalf(code, lowHigh);
  code.i64Add();
  pushHighHalf(code, middle);
  code.i64Add();
}

function pushLowHalf(code: CodeBuilder, local: number): void {
  code.localGet(local).i64Const(LOW_HALF).i64And();
}

function pushHighHalf(code: CodeBuilder, local: number): void {
  code.localGet(local).i64Const(32).i64ShrU();
}

/** (word, word) -> word: the product modulo 2^256. Column by column: the low halves of the products of limbs i and j go to
 * column i + j, the high halves to the one above. */
export function writeMultiply(code: CodeBuilder, find: FindFunction): void {
  writeSingleLimbProduct(code, find);
  const halves = code.locals(I64, 2 * LIMBS_WITH_HIGH * 2);
  for (const word of [0, 1])
    for (let limb = 0; limb < LIMBS_WITH_HIGH; limb++)
      splitLimb(code, 4 * word + limb, halves + 2 * (LIMBS_WITH_HIGH * word + limb));
  const result = code.locals(I64, 4);
  const carries = code.locals(I64, 4);
  const scratch = code.locals(I64, 3);
  for (let column = 0; column < 4; column++) {
    code.localGet(carries + column).localSet(result + column);
    for (let i = 0; i <= column; i++) {
      const j = column - i;
      code
        .localGet(i)
        .localGet(4 + j)
        .i64Mul();
      addTo(code, result + column, column < 3 ? carries + column + 1 : undefined, scratch);
    }
    if (column === 3) break;
    for (let i = 0; i <= column; i++) {
      pushHighProduct(code, halves + 2 * i, halves + 2 * (LIMBS_WITH_HIGH + column - i), scratch);
      addTo(code, carries + column + 1, column < 2 ? carries + column + 2 : undefined, scratch);
    }
  }
  for (let limb = 0; limb < 4; limb++) code.localGet(result + limb);
}

/** Limbs of a factor of whose products the high half counts: the last limb's is beyond 2^256. */
const LIMBS_WITH_HIGH = 3;

/** Takes a limb from the stack and adds it to a local; what is carried is added to another. */
function addTo(code: CodeBuilder, sum: number, carry: number | undefined, scratch: number): void {
  code.localGet(sum).i64Add();
  if (carry === undefined) {
    code.localSet(sum);
    return;
  }
  code.localTee(scratch).localGet(sum).i64LtU().i64ExtendI32U();
  code.localGet(carry).i64Add().localSet(carry);
  code.localGet(scratch).localSet(sum);
}

/** Pushes the high 64 bits of a product of two limbs.
 * @param a @param b the first of two locals, the low and the high half. */
function pushHighProduct(code: CodeBuilder, a: number, b: number, scratch: number): void {
  const [cross, middle] = [scratch + 1, scratch + 2];
  code
    .localGet(a)
    .localGet(b + 1)
    .i64Mul()
    .localSet(cross);
  code
    .localGet(a + 1)
    .localGet(b)
    .i64Mul();
  code.localGet(a).localGet(b).i64Mul().i64Const(32).i64ShrU().i64Add();
  pushLowHalf(code, cross);
  code.i64Add().localSet(middle);
  code
    .localGet(a + 1)
    .localGet(b + 1)
    .i64Mul();
  pushHighHalf(code, cross);
  code.i64Add();
  pushHighHalf(code, middle);
  code.i64Add();
}

/** Most factors are small. */
function writeSingleLimbProduct(code: CodeBuilder, find: FindFunction): void {
  code.localGet(1);
  for (const limb of [2, 3, 5, 6, 7]) code.localGet(limb).i64Or();
  code.i64Eqz().if();
  code.localGet(0).localGet(4).call(find("multiplyWide")).i64Const(0).i64Const(0).return();
  code.end();
}

/** (word, word) -> nothing: the 512 bits of the product become SCRATCH.dividend. */
export function writeMultiplyFull(code: CodeBuilder): void {
  const columns = writeColumns(code, 2 * DIGITS);
  for (let digit = 0; digit < 2 * DIGITS; digit++) {
    code
      .i32Const(0)
      .localGet(columns + digit)
      .i64Store32(SCRATCH.dividend + 4 * digit);
  }
}

/** Multiplies the words in parameters 0 to 7 column by column, as on paper, in digits of 32 bits. The halves of the
 * products of a column are summed apart, so that no sum overflows.
 * @returns the first of `count` locals, a digit in each. */
function writeColumns(code: CodeBuilder, count: number): number {
  const a = code.locals(I64, DIGITS);
  const b = code.locals(I64, DIGITS);
  const product = code.local(I64);
  const lows = code.local(I64);
  const highs = code.local(I64);
  const columns = code.locals(I64, count);
  for (let limb = 0; limb < DIGITS / 2; limb++) {
    splitLimb(code, limb, a + 2 * limb);
    splitLimb(code, limb + DIGITS / 2, b + 2 * limb);
  }
  code.i64Const(0).localSet(lows);
  for (let column = 0; column < count; column++) {
    code.i64Const(0).localSet(highs);
    for (let i = Math.max(0, column - DIGITS + 1); i <= Math.min(column, DIGITS - 1); i++) {
      code
        .localGet(a + i)
        .localGet(b + column - i)
        .i64Mul()
        .localTee(product);
      code.i64Const(LOW_HALF).i64And().localGet(lows).i64Add().localSet(lows);
      if (column === count - 1) continue;
      code.localGet(product).i64Const(32).i64ShrU().localGet(highs).i64Add().localSet(highs);
    }
    code
      .localGet(lows)
      .i64Const(LOW_HALF)
      .i64And()
      .localSet(columns + column);
    code.localGet(lows).i64Const(32).i64ShrU().localGet(highs).i64Add().localSet(lows);
  }
  return columns;
}

function splitLimb(code: CodeBuilder, limb: number, digits: number): void {
  pushLowHalf(code, limb);
  code.localSet(digits);
  pushHighHalf(code, limb);
  code.localSet(digits + 1);
}

/** (base, exponent) -> word: base^exponent modulo 2^256, by squaring. */
export function writePower(code: CodeBuilder, find: FindFunction): void {
  const [base, exponent] = [0, 4];
  const result = code.locals(I64, 4);
  const multiply = find("multiply");
  code.i64Const(1).localSet(result);
  const done = code.block();
  const again = code.loop();
  code.localGet(exponent).i64Const(1).i64And().i64Eqz().i32Eqz().if();
  writeProductInto(code, multiply, result, base);
  code.end();
  for (let limb = 0; limb < 3; limb++) {
    code
      .localGet(exponent + limb)
      .i64Const(1)
      .i64ShrU();
    code
      .localGet(exponent + limb + 1)
      .i64Const(63)
      .i64Shl()
      .i64Or()
      .localSet(exponent + limb);
  }
  code
    .localGet(exponent + 3)
    .i64Const(1)
    .i64ShrU()
    .localSet(exponent + 3);
  code.localGet(exponent);
  for (let limb = 1; limb < 4; limb++) code.localGet(exponent + limb).i64Or();
  code.i64Eqz().brIf(done);
  writeProductInto(code, multiply, base, base);
  code.br(again).end().end();
  for (let limb = 0; limb < 4; limb++) code.localGet(result + limb);
}

/** words[a] *= words[b]; each is the first of four locals. */
function writeProductInto(code: CodeBuilder, multiply: number, a: number, b: number): void {
  for (let limb = 0; limb < 4; limb++) code.localGet(a + limb);
  for (let limb = 0; limb < 4; limb++) code.localGet(b + limb);
  code.call(multiply);
  for (let limb = 3; limb >= 0; limb--) code.localSet(a + limb);
}
