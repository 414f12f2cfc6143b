import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";
import { SCRATCH } from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";
import { writeShortDivision } from "./runtime-short-division.ts";

const DIGIT_BYTES = 4;
/** Digits of 32 bits in a word. */
export const WORD_DIGITS = 8;
const LOW_HALF = 0xffff_ffff;
const { dividend, divisor, quotient } = SCRATCH;

/** (m, n) -> nothing: divides the m digits of SCRATCH.dividend (behind which a zero digit follows) by the n digits of
 * SCRATCH.divisor, the highest of which is not 0; m >= n. SCRATCH.quotient gets m - n + 1 digits; the remainder takes the
 * place of the dividend, zeros above it; the divisor is not kept. Digits have 32 bits, the lowest first.
 * Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D. */
export function writeDivideDigits(code: CodeBuilder): void {
  const [m, n] = [0, 1];
  const locals = {
    m,
    n,
    shift: code.local(I64),
    top: code.local(I64),
    second: code.local(I64),
    estimate: code.local(I64),
    rest: code.local(I64),
    carry: code.local(I64),
    term: code.local(I64),
    /** Byte offsets of digits. */
    place: code.local(I32),
    digit: code.local(I32),
    end: code.local(I32),
  };
  code.localGet(n).i32Const(1).i32Eq().if();
  writeDivisionByOneDigit(code, locals);
  code.return().end();
  writeNormalize(code, locals);
  code.localGet(m).localGet(n).i32Sub().i32Const(2).i32Shl().localSet(locals.place);
  code.localGet(n).i32Const(2).i32Shl().localSet(locals.end);
  const next = code.loop();
  writeEstimate(code, locals);
  writeSubtractMultiple(code, locals);
  code.localGet(locals.place).localGet(locals.estimate).i64Store32(quotient);
  code.localGet(locals.place).i32Const(DIGIT_BYTES).i32Sub().localTee(locals.place);
  code.i32Const(0).i32GeS().brIf(next).end();
  writeDenormalize(code, locals);
}

type DivisionLocals = Readonly<
  Record<
    | "m"
    | "n"
    | "shift"
    | "top"
    | "second"
    | "estimate"
    | "rest"
    | "carry"
    | "term"
    | "place"
    | "digit"
    | "end",
    number
  >
>;

/** By one digit. */
function writeDivisionByOneDigit(code: CodeBuilder, { m, rest, term, top, place }: DivisionLocals): void {
  code.i32Const(0).i64Load32U(divisor).localSet(top);
  code.i64Const(0).localSet(rest);
  code.localGet(m).i32Const(2).i32Shl().localSet(place);
  const next = code.loop();
  code.localGet(place).i32Const(DIGIT_BYTES).i32Sub().localSet(place);
  code.localGet(rest).i64Const(32).i64Shl().localGet(place).i64Load32U(dividend).i64Or().localSet(term);
  code.localGet(place).localGet(term).localGet(top).i64DivU().i64Store32(quotient);
  code.localGet(term).localGet(top).i64RemU().localSet(rest);
  code.localGet(place).i64Const(0).i64Store32(dividend);
  code.localGet(place).brIf(next).end();
  code.i32Const(0).localGet(rest).i64Store32(dividend);
}

/** Step D1: shifts both so that the divisor's highest bit is set. */
function writeNormalize(code: CodeBuilder, locals: DivisionLocals): void {
  const { m, n, shift, top, second, place } = locals;
  code.localGet(n).i32Const(2).i32Shl().localSet(place);
  code
    .localGet(place)
    .i32Load(divisor - DIGIT_BYTES)
    .i32Clz()
    .i64ExtendI32U()
    .localSet(shift);
  writeShiftLeft(code, locals, n, divisor, -1);
  writeShiftLeft(code, locals, m, dividend, 0);
  code.localGet(n).i32Const(2).i32Shl().localSet(place);
  code
    .localGet(place)
    .i64Load32U(divisor - DIGIT_BYTES)
    .localSet(top);
  code
    .localGet(place)
    .i64Load32U(divisor - 2 * DIGIT_BYTES)
    .localSet(second);
}

/** Shifts the digits from `highest` (counted from the end) down to the lowest: each takes in what leaves the one below. */
function writeShiftLeft(
  code: CodeBuilder,
  { shift, digit }: DivisionLocals,
  count: number,
  base: number,
  highest: number,
): void {
  code.localGet(count).i32Const(highest).i32Add().i32Const(2).i32Shl().localSet(digit);
  const next = code.loop();
  code
    .localGet(digit)
    .localGet(digit)
    .i64Load(base - DIGIT_BYTES, 2);
  code.localGet(shift).i64Shl().i64Const(32).i64ShrU().i64Store32(base);
  code.localGet(digit).i32Const(DIGIT_BYTES).i32Sub().localTee(digit).brIf(next).end();
  code.i32Const(0).i32Const(0).i64Load32U(base).localGet(shift).i64Shl().i64Store32(base);
}

/** Step D3: a digit of the quotient, at most 1 too large. */
function writeEstimate(code: CodeBuilder, locals: DivisionLocals): void {
  const { top, second, estimate, rest, term, place, end, digit } = locals;
  code.localGet(place).localGet(end).i32Add().localSet(digit);
  code
    .localGet(digit)
    .i64Load(dividend - DIGIT_BYTES, 2)
    .localTee(term);
  code.localGet(top).i64DivU().localSet(estimate);
  code.localGet(term).localGet(estimate).localGet(top).i64Mul().i64Sub().localSet(rest);
  const exact = code.block();
  const again = code.loop();
  code.localGet(estimate).i64Const(32).i64ShrU().i64Eqz().if();
  code.localGet(estimate).localGet(second).i64Mul();
  code.localGet(rest).i64Const(32).i64Shl();
  code
    .localGet(digit)
    .i64Load32U(dividend - 2 * DIGIT_BYTES)
    .i64Or();
  code.i64LeU().brIf(exact).end();
  code.localGet(estimate).i64Const(1).i64Sub().localSet(estimate);
  code.localGet(rest).localGet(top).i64Add().localTee(rest);
  code.i64Const(32).i64ShrU().i64Eqz().brIf(again);
  code.end().end();
}

/** Steps D4 to D6: takes the estimate times the divisor from the dividend, or one time less where that is too much. */
function writeSubtractMultiple(code: CodeBuilder, locals: DivisionLocals): void {
  const { estimate, carry, term, place, digit, end } = locals;
  const at = (): CodeBuilder => code.localGet(place).localGet(digit).i32Add();
  const eachDigit = (write: () => void): void => {
    code.i64Const(0).localSet(carry).i32Const(0).localSet(digit);
    const next = code.loop();
    write();
    code.localGet(digit).i32Const(DIGIT_BYTES).i32Add().localTee(digit);
    code.localGet(end).i32LtU().brIf(next).end();
  };
  const { rest } = locals;
  eachDigit(() => {
    code.localGet(estimate).localGet(digit).i64Load32U(divisor).i64Mul().localSet(rest);
    at().i64Load32U(dividend).localGet(carry).i64Sub();
    code.localGet(rest).i64Const(LOW_HALF).i64And().i64Sub().localSet(term);
    at().localGet(term).i64Store32(dividend);
    code.localGet(rest).i64Const(32).i64ShrU();
    code.localGet(term).i64Const(32).i64ShrS().i64Sub().localSet(carry);
  });
  at().i64Load32U(dividend).localGet(carry).i64Sub().localSet(term);
  at().localGet(term).i64Store32(dividend);
  code.localGet(term).i64Const(0).i64LtS().if();
  code.localGet(estimate).i64Const(1).i64Sub().localSet(estimate);
  eachDigit(() => {
    at().i64Load32U(dividend).localGet(digit).i64Load32U(divisor).i64Add();
    code.localGet(carry).i64Add().localSet(term);
    at().localGet(term).i64Store32(dividend);
    code.localGet(term).i64Const(32).i64ShrU().localSet(carry);
  });
  at().i64Const(0).i64Store32(dividend);
  code.end();
}

/** Step D8: the remainder lies shifted in the dividend's low digits; all above are 0. */
function writeDenormalize(code: CodeBuilder, { shift, digit, end }: DivisionLocals): void {
  code.i32Const(0).localSet(digit);
  const next = code.loop();
  code.localGet(digit).localGet(digit).i64Load(dividend, 2).localGet(shift).i64ShrU().i64Store32(dividend);
  code.localGet(digit).i32Const(DIGIT_BYTES).i32Add().localTee(digit);
  code.localGet(end).i32LtU().brIf(next).end();
}

/** (address, count) -> count: how many of the digits there are left without the zeros on top. */
export function writeCountDigits(code: CodeBuilder): void {
  const [address, count] = [0, 1];
  const done = code.block();
  const next = code.loop();
  code.localGet(count).i32Eqz().brIf(done);
  code.localGet(address).localGet(count).i32Const(2).i32Shl().i32Add();
  code.i32Const(DIGIT_BYTES).i32Sub().i32Load().brIf(done);
  code.localGet(count).i32Const(1).i32Sub().localSet(count);
  code.br(next).end().end();
  code.localGet(count);
}

/** (digits) -> nothing: divides that many digits of SCRATCH.dividend by the word in SCRATCH.divisor, which is not 0; as
 * writeDivideDigits leaves it, quotient and remainder filled up with zeros to a word. */
export function writeDivideScratch(code: CodeBuilder, find: FindFunction): void {
  const m = 0;
  const n = code.local(I32);
  code.i32Const(dividend).localGet(m).call(find("countDigits")).localSet(m);
  code.i32Const(divisor).i32Const(WORD_DIGITS).call(find("countDigits")).localSet(n);
  for (let limb = 0; limb < 4; limb++)
    code
      .i32Const(0)
      .i64Const(0)
      .i64Store(quotient + 8 * limb);
  code.localGet(m).localGet(n).i32GeU().if();
  code.localGet(m).i32Const(2).i32Shl().i32Const(0).i32Store(dividend);
  code.localGet(m).localGet(n).call(find("divideDigits"));
  code.end();
}

/** Writes four locals from `first` on. */
export function storeWord(code: CodeBuilder, first: number, at: number): void {
  for (let limb = 0; limb < 4; limb++)
    code
      .i32Const(0)
      .localGet(first + limb)
      .i64Store(at + 8 * limb);
}

export function loadWord(code: CodeBuilder, at: number): void {
  for (let limb = 0; limb < 4; limb++) code.i32Const(0).i64Load(at + 8 * limb);
}

function pushZeroWord(code: CodeBuilder): void {
  for (let limb = 0; limb < 4; limb++) code.i64Const(0);
}

/** Returns 0 if the word in the four locals from `first` on is 0. */
export function returnZeroIfZero(code: CodeBuilder, first: number): void {
  code.localGet(first);
  for (let limb = 1; limb < 4; limb++) code.localGet(first + limb).i64Or();
  code.i64Eqz().if();
  pushZeroWord(code);
  code.return().end();
}

/** (dividend, divisor) -> word: DIV, or MOD. */
export function writeDivision(code: CodeBuilder, find: FindFunction, result: "quotient" | "remainder"): void {
  const [a, b] = [0, 4];
  returnZeroIfZero(code, b);
  code.localGet(a + 1);
  for (const limb of [a + 2, a + 3, b + 1, b + 2, b + 3]) code.localGet(limb).i64Or();
  code.i64Eqz().if();
  code.localGet(a).localGet(b);
  if (result === "quotient") code.i64DivU();
  else code.i64RemU();
  code.i64Const(0).i64Const(0).i64Const(0).return().end();
  code.localGet(b + 1);
  for (const limb of [b + 2, b + 3]) code.localGet(limb).i64Or();
  code.i64Eqz().if();
  writeShortDivision(code, find, { a, divisor: b, result });
  code.return().end();
  storeWord(code, a, dividend);
  storeWord(code, b, divisor);
  code.i32Const(WORD_DIGITS).call(find("divideScratch"));
  loadWord(code, result === "quotient" ? quotient : dividend);
}

/** (dividend, divisor) -> word: SDIV, or SMOD: the magnitudes are divided; the quotient is negative if one of them is, the
 * remainder if the dividend is. */
export function writeSignedDivision(
  code: CodeBuilder,
  find: FindFunction,
  result: "quotient" | "remainder",
): void {
  const [a, b] = [0, 4];
  const sign = code.local(I64);
  code.localGet(a + 3);
  if (result === "quotient") code.localGet(b + 3).i64Xor();
  code.localSet(sign);
  negateIfNegative(code, find, a, a + 3);
  negateIfNegative(code, find, b, b + 3);
  for (let limb = 0; limb < 8; limb++) code.localGet(limb);
  code.call(find(result === "quotient" ? "divide" : "modulo"));
  for (let limb = 3; limb >= 0; limb--) code.localSet(a + limb);
  negateIfNegative(code, find, a, sign);
  for (let limb = 0; limb < 4; limb++) code.localGet(a + limb);
}

function negateIfNegative(code: CodeBuilder, find: FindFunction, first: number, sign: number): void {
  code.localGet(sign).i64Const(0).i64LtS().if();
  for (let limb = 0; limb < 4; limb++) code.localGet(first + limb);
  code.call(find("negate"));
  for (let limb = 3; limb >= 0; limb--) code.localSet(first + limb);
  code.end();
}

/** (word) -> word: 2^256 less the word: limb by limb, up to the first that is not 0 the result is 0 too. */
export function writeNegate(code: CodeBuilder): void {
  for (let limb = 0; limb < 4; limb++) {
    code.i64Const(0).localGet(limb).i64Sub();
    if (limb === 0) continue;
    code.localGet(0);
    for (let below = 1; below < limb; below++) code.localGet(below).i64Or();
    code.i64Eqz().i32Eqz().i64ExtendI32U().i64Sub();
  }
}
