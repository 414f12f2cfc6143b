import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";
import { LIMB_BYTES, RECIPROCAL, RECIPROCALS, SCRATCH, WORD_BYTES } from "./memory-layout.ts";
import { loadWord, returnZeroIfZero, storeWord, WORD_DIGITS } from "./runtime-divide.ts";
import type { FindFunction } from "./runtime-functions.ts";

// MULMOD by Barrett's reduction, for moduli of more than 240 bits, which are all that curves have. What it needs of a modulus,
// floor(2^540 / modulus), is kept in a small table, since programs that multiply much do it by one modulus.
//
// Words are cut into digits of 30 bits, so that up to ten products of two digits are summed in 64 bits without a carry.
// Source: Barrett, "Implementing the Rivest Shamir and Adleman public key encryption algorithm", 1986; Handbook of Applied
// Cryptography, 14.42.
const DIGIT_BITS = 30;
const DIGIT_MASK = 2 ** DIGIT_BITS - 1;
/** Of a word. */
const DIGITS = 9;
const PRODUCT_DIGITS = 18;
/** Of the reciprocal, and of a product without its LOW_DIGITS, from which the quotient is estimated. */
const HIGH_DIGITS = 10;
const LOW_DIGITS = PRODUCT_DIGITS - HIGH_DIGITS;
const MODULUS = 8;
const MINIMUM_TOP_LIMB_SHIFT = 48;

/** (a, b, modulus) -> word: MULMOD. */
export function writeMultiplyModulo(code: CodeBuilder, find: FindFunction): void {
  code
    .localGet(MODULUS + 3)
    .i64Const(MINIMUM_TOP_LIMB_SHIFT)
    .i64ShrU()
    .i64Eqz()
    .if();
  for (let limb = 0; limb < 12; limb++) code.localGet(limb);
  code.call(find("multiplyModuloSmall")).return().end();
  const entry = writeFindReciprocal(code, find);
  const product = writeProduct(code, splitWord(code, 0), splitWord(code, 4));
  const quotient = writeQuotient(code, entry, product + LOW_DIGITS);
  const rest = writeRest(code, entry, product, quotient);
  writeFinalSubtractions(code, rest);
}

/** Leaves the address of the modulus's entry in a local that it returns. */
function writeFindReciprocal(code: CodeBuilder, find: FindFunction): number {
  const entry = code.local(I32);
  code.localGet(MODULUS).localGet(MODULUS).i64Const(5).i64ShrU().i64Xor().i32WrapI64();
  code
    .i32Const(RECIPROCALS.count - 1)
    .i32And()
    .i32Const(RECIPROCAL.size)
    .i32Mul();
  code.i32Const(RECIPROCALS.at).i32Add().localSet(entry);
  for (let limb = 0; limb < 4; limb++) {
    code.localGet(entry).i64Load(RECIPROCAL.modulus + LIMB_BYTES * limb);
    code.localGet(MODULUS + limb).i64Xor();
    if (limb > 0) code.i64Or();
  }
  code.i64Eqz().i32Eqz().if();
  code.localGet(entry);
  for (let limb = 0; limb < 4; limb++) code.localGet(MODULUS + limb);
  code.call(find("makeReciprocal")).end();
  return entry;
}

/** @param limbs the first of the locals, lowest first. @returns the first of so many locals, a digit in each. */
function splitLimbs(code: CodeBuilder, limbs: number, limbCount: number, digitCount: number): number {
  const digits = code.locals(I64, digitCount);
  for (let digit = 0; digit < digitCount; digit++) {
    const limb = (digit * DIGIT_BITS) >> 6;
    const from = (digit * DIGIT_BITS) & 63;
    code.localGet(limbs + limb);
    if (from > 0) code.i64Const(from).i64ShrU();
    if (from > 64 - DIGIT_BITS && limb + 1 < limbCount) {
      code
        .localGet(limbs + limb + 1)
        .i64Const(64 - from)
        .i64Shl()
        .i64Or();
    }
    if (digit < digitCount - 1) code.i64Const(DIGIT_MASK).i64And();
    code.localSet(digits + digit);
  }
  return digits;
}

function splitWord(code: CodeBuilder, limbs: number): number {
  return splitLimbs(code, limbs, 4, DIGITS);
}

/** Adds up columns `from` to `to` of a product, as on paper.
 * @param a @param b first digits, of so many; `digits` gets those of the columns from `keep` on.
 * @returns the local in which the last carry is. */
function writeColumns(
  code: CodeBuilder,
  [a, aCount]: readonly [number, number],
  [b, bCount]: readonly [number, number],
  columns: { readonly from: number; readonly keep: number; readonly to: number; readonly digits: number },
): number {
  const sum = code.local(I64);
  code.i64Const(0).localSet(sum);
  for (let column = columns.from; column <= columns.to; column++) {
    code.localGet(sum);
    for (let i = Math.max(0, column - bCount + 1); i <= Math.min(column, aCount - 1); i++) {
      code
        .localGet(a + i)
        .localGet(b + column - i)
        .i64Mul()
        .i64Add();
    }
    code.localSet(sum);
    if (column >= columns.keep) {
      code
        .localGet(sum)
        .i64Const(DIGIT_MASK)
        .i64And()
        .localSet(columns.digits + column - columns.keep);
    }
    code.localGet(sum).i64Const(DIGIT_BITS).i64ShrU().localSet(sum);
  }
  return sum;
}

function writeProduct(code: CodeBuilder, a: number, b: number): number {
  const digits = code.locals(I64, PRODUCT_DIGITS);
  const to = PRODUCT_DIGITS - 2;
  const carry = writeColumns(code, [a, DIGITS], [b, DIGITS], { from: 0, keep: 0, to, digits });
  code.localGet(carry).localSet(digits + to + 1);
  return digits;
}

/** An estimate of the product divided by the modulus, at most 3 too low: the product's high digits times the reciprocal,
 * without the columns that could add less than 1. Only the digits that the rest depends on. */
function writeQuotient(code: CodeBuilder, entry: number, high: number): number {
  const reciprocal = loadDigits(code, entry, RECIPROCAL.reciprocal, HIGH_DIGITS);
  const digits = code.locals(I64, DIGITS);
  writeColumns(code, [high, HIGH_DIGITS], [reciprocal, HIGH_DIGITS], {
    from: LOW_DIGITS,
    keep: HIGH_DIGITS,
    to: HIGH_DIGITS + DIGITS - 1,
    digits,
  });
  return digits;
}

/** The product less the quotient times the modulus: below 4 moduli, so that the low digits say it all.
 * @returns the first of five limbs. */
function writeRest(code: CodeBuilder, entry: number, product: number, quotient: number): number {
  const modulus = loadDigits(code, entry, RECIPROCAL.digits, DIGITS);
  const digits = code.locals(I64, DIGITS);
  writeColumns(code, [quotient, DIGITS], [modulus, DIGITS], { from: 0, keep: 0, to: DIGITS - 1, digits });
  const difference = code.local(I64);
  for (let digit = 0; digit < DIGITS; digit++) {
    code
      .localGet(product + digit)
      .localGet(digits + digit)
      .i64Sub();
    if (digit > 0) code.localGet(difference).i64Const(DIGIT_BITS).i64ShrS().i64Add();
    code.localTee(difference).i64Const(DIGIT_MASK).i64And();
    code.localSet(digits + digit);
  }
  return joinDigits(code, digits);
}

function loadDigits(code: CodeBuilder, entry: number, offset: number, count: number): number {
  const digits = code.locals(I64, count);
  for (let digit = 0; digit < count; digit++) {
    code
      .localGet(entry)
      .i64Load(offset + LIMB_BYTES * digit)
      .localSet(digits + digit);
  }
  return digits;
}

/** @returns the first of five limbs. */
function joinDigits(code: CodeBuilder, digits: number): number {
  const limbs = code.locals(I64, 5);
  for (let limb = 0; limb < 5; limb++) {
    const first = Math.floor((64 * limb) / DIGIT_BITS);
    const last = Math.min(DIGITS - 1, Math.floor((64 * limb + 63) / DIGIT_BITS));
    for (let digit = first; digit <= last; digit++) {
      const shift = digit * DIGIT_BITS - 64 * limb;
      code.localGet(digits + digit);
      if (shift > 0) code.i64Const(shift).i64Shl();
      if (shift < 0) code.i64Const(-shift).i64ShrU();
      if (digit > first) code.i64Or();
    }
    code.localSet(limbs + limb);
  }
  return limbs;
}

/** Takes the modulus from the rest, five limbs, as often as it is in it, and pushes the result. */
function writeFinalSubtractions(code: CodeBuilder, rest: number): void {
  const difference = code.locals(I64, 5);
  const borrow = code.local(I64);
  const done = code.block();
  const again = code.loop();
  for (let limb = 0; limb < 5; limb++) {
    const [from, target] = [rest + limb, difference + limb];
    if (limb === 4) {
      code.localGet(from).localGet(borrow).i64Sub().localSet(target);
      break;
    }
    code
      .localGet(from)
      .localGet(MODULUS + limb)
      .i64Sub()
      .localSet(target);
    const below = (): CodeBuilder =>
      code
        .localGet(from)
        .localGet(MODULUS + limb)
        .i64LtU();
    if (limb === 0) below().i64ExtendI32U().localSet(borrow);
    else {
      below().localGet(target).localGet(borrow).i64LtU().i32Or();
      code.localGet(target).localGet(borrow).i64Sub().localSet(target);
      code.i64ExtendI32U().localSet(borrow);
    }
  }
  code
    .localGet(difference + 4)
    .i64Const(0)
    .i64LtS()
    .brIf(done);
  for (let limb = 0; limb < 5; limb++) code.localGet(difference + limb).localSet(rest + limb);
  code.br(again).end().end();
  for (let limb = 0; limb < 4; limb++) code.localGet(rest + limb);
}

/** (entry, modulus) -> nothing: makes the entry that of a modulus of at least 2^240. */
export function writeMakeReciprocal(code: CodeBuilder, find: FindFunction): void {
  const [entry, modulus] = [0, 1];
  const { dividend, divisor, quotient } = SCRATCH;
  // 2^540: bit 28 of the last of 17 digits of 32 bits, behind which a zero follows.
  for (let limb = 0; limb < 8; limb++)
    code
      .i32Const(0)
      .i64Const(0)
      .i64Store(dividend + LIMB_BYTES * limb);
  code
    .i32Const(0)
    .i64Const(2 ** 28)
    .i64Store(dividend + 64);
  for (let limb = 0; limb < 4; limb++) {
    const offset = LIMB_BYTES * limb;
    code
      .i32Const(0)
      .localGet(modulus + limb)
      .i64Store(divisor + offset);
    code
      .localGet(entry)
      .localGet(modulus + limb)
      .i64Store(RECIPROCAL.modulus + offset);
  }
  code.i32Const(17).i32Const(8).call(find("divideDigits"));
  const limbs = code.locals(I64, 5);
  for (let limb = 0; limb < 5; limb++)
    code
      .i32Const(0)
      .i64Load(quotient + LIMB_BYTES * limb)
      .localSet(limbs + limb);
  storeDigits(code, entry, RECIPROCAL.reciprocal, splitLimbs(code, limbs, 5, HIGH_DIGITS), HIGH_DIGITS);
  storeDigits(code, entry, RECIPROCAL.digits, splitWord(code, modulus), DIGITS);
}

function storeDigits(code: CodeBuilder, entry: number, offset: number, digits: number, count: number): void {
  for (let digit = 0; digit < count; digit++) {
    code
      .localGet(entry)
      .localGet(digits + digit)
      .i64Store(offset + LIMB_BYTES * digit);
  }
}

/** (a, b, modulus) -> word: ADDMOD. Where both terms are below the modulus, as they are in arithmetic on curves, one
 * subtraction does it. */
export function writeAddModulo(code: CodeBuilder, find: FindFunction): void {
  const [a, b] = [0, 4];
  returnZeroIfZero(code, MODULUS);
  const sum = code.locals(I64, 4);
  const difference = code.locals(I64, 4);
  pushLess(code, a, MODULUS);
  pushLess(code, b, MODULUS);
  code.i32And().i32Eqz().if();
  for (let limb = 0; limb < 12; limb++) code.localGet(limb);
  code.call(find("addModuloLarge")).return().end();
  const carry = code.local(I32);
  const borrow = code.local(I32);
  for (let limb = 0; limb < 4; limb++) {
    const [x, y, z] = [a + limb, b + limb, sum + limb];
    code.localGet(x).localGet(y).i64Add().localTee(z).localGet(y).i64LtU();
    code.localGet(z).localGet(carry).i64ExtendI32U().i64Add().localTee(z);
    code.localGet(carry).i64ExtendI32U().i64LtU().i32Or().localSet(carry);
    const [m, d] = [MODULUS + limb, difference + limb];
    code.localGet(z).localGet(m).i64Sub().localSet(d);
    code.localGet(z).localGet(m).i64LtU();
    code.localGet(d).localGet(borrow).i64ExtendI32U().i64LtU().i32Or();
    code.localGet(d).localGet(borrow).i64ExtendI32U().i64Sub().localSet(d).localSet(borrow);
  }
  // The sum is the result if it is below the modulus: nothing is carried, and the subtraction borrows.
  code.localGet(carry).i32Eqz().localGet(borrow).i32And().localSet(borrow);
  for (let limb = 0; limb < 4; limb++)
    code
      .localGet(sum + limb)
      .localGet(difference + limb)
      .localGet(borrow)
      .select();
}

/** Pushes whether one word of four locals is below another. */
function pushLess(code: CodeBuilder, a: number, b: number): void {
  code.localGet(a).localGet(b).i64LtU();
  for (let limb = 1; limb < 4; limb++) {
    const [x, y] = [a + limb, b + limb];
    code.localGet(x).localGet(y).i64LtU();
    code.localGet(x).localGet(y).i64Eq().select();
  }
}

/** (a, b, modulus) -> word: ADDMOD, whatever the terms. The sum has 257 bits. */
export function writeAddModuloLarge(code: CodeBuilder, find: FindFunction): void {
  const [a, b, modulus] = [0, 4, 8];
  const carry = code.local(I64);
  const sum = code.local(I64);
  returnZeroIfZero(code, modulus);
  for (let limb = 0; limb < 4; limb++) {
    code
      .localGet(a + limb)
      .localGet(b + limb)
      .i64Add()
      .localTee(sum);
    code
      .localGet(b + limb)
      .i64LtU()
      .i64ExtendI32U();
    code
      .i32Const(0)
      .localGet(sum)
      .localGet(carry)
      .i64Add()
      .localTee(sum)
      .i64Store(SCRATCH.dividend + 8 * limb);
    code.localGet(sum).localGet(carry).i64LtU().i64ExtendI32U().i64Add().localSet(carry);
  }
  code
    .i32Const(0)
    .localGet(carry)
    .i64Store32(SCRATCH.dividend + WORD_BYTES);
  storeWord(code, modulus, SCRATCH.divisor);
  code.i32Const(WORD_DIGITS + 1).call(find("divideScratch"));
  loadWord(code, SCRATCH.dividend);
}

/** (a, b, modulus) -> word: MULMOD, whatever the modulus. The product has 512 bits. */
export function writeMultiplyModuloSmall(code: CodeBuilder, find: FindFunction): void {
  const modulus = 8;
  returnZeroIfZero(code, modulus);
  for (let limb = 0; limb < 8; limb++) code.localGet(limb);
  code.call(find("multiplyFull"));
  storeWord(code, modulus, SCRATCH.divisor);
  code.i32Const(2 * WORD_DIGITS).call(find("divideScratch"));
  loadWord(code, SCRATCH.dividend);
}
