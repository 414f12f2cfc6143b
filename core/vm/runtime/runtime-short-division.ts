import { type CodeBuilder, I64 } from "@ostrom/wasm";
import type { FindFunction } from "./runtime-functions.ts";

const LOW_HALF = 0xffff_ffff;

/** First locals of the dividend's four limbs and of the divisor's only one. */
export type ShortDivision = {
  readonly a: number;
  readonly divisor: number;
  readonly result: "quotient" | "remainder";
};

/** Divides a word by a divisor of one limb that is not 0, and pushes the result. The dividend's locals are not kept. */
export function writeShortDivision(code: CodeBuilder, find: FindFunction, division: ShortDivision): void {
  code.localGet(division.divisor).i64Const(32).i64ShrU().i64Eqz().if();
  writeDivisionByDigit(code, division);
  code.return().end();
  writeDivisionByLimb(code, find, division);
}

function pushResult(
  code: CodeBuilder,
  { a, result, rest }: Pick<ShortDivision, "a" | "result"> & { readonly rest: number },
): void {
  if (result === "quotient") for (let limb = 0; limb < 4; limb++) code.localGet(a + limb);
  else {
    code.localGet(rest);
    for (let limb = 1; limb < 4; limb++) code.i64Const(0);
  }
}

/** A limb at a time from the highest. */
function writeDivisionByLimb(
  code: CodeBuilder,
  find: FindFunction,
  { a, divisor, result }: ShortDivision,
): void {
  const rest = code.local(I64);
  for (let limb = a + 3; limb >= a; limb--) {
    code.localGet(rest).i64Eqz().if();
    code.localGet(limb).localGet(divisor).i64RemU().localSet(rest);
    code.localGet(limb).localGet(divisor).i64DivU().localSet(limb);
    code.else();
    code.localGet(rest).localGet(limb).localGet(divisor).call(find("divideWide"));
    code.localSet(rest).localSet(limb).end();
  }
  pushResult(code, { a, result, rest });
}

/** (high, low, divisor) -> quotient, remainder: of two limbs by one that is above the high one and at least 2^32.
 * Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D, for two digits of 32 bits. */
export function writeDivideWide(code: CodeBuilder): void {
  const [high, low, divisor] = [0, 1, 2];
  const shift = code.local(I64);
  const rest = code.local(I64);
  const quotient = code.local(I64);
  const first = code.local(I64);
  code.localGet(divisor).i64Clz().localSet(shift);
  code.localGet(divisor).localGet(shift).i64Shl().localSet(divisor);
  code.localGet(high).localGet(shift).i64Shl();
  // In two steps, because a shift by 64 would be one by 0.
  code.localGet(low).i64Const(1).i64ShrU().i64Const(63).localGet(shift).i64Sub().i64ShrU().i64Or();
  code.localSet(high);
  code.localGet(low).localGet(shift).i64Shl().localSet(low);
  const digit = { divisor, rest, quotient };
  writeQuotientDigit(code, { ...digit, dividend: high }, () => code.localGet(low).i64Const(32).i64ShrU());
  code.localGet(quotient).localSet(first);
  writeQuotientDigit(code, { ...digit, dividend: high }, () =>
    code.localGet(low).i64Const(LOW_HALF).i64And(),
  );
  code.localGet(first).i64Const(32).i64Shl().localGet(quotient).i64Or();
  code.localGet(high).localGet(shift).i64ShrU();
}

type QuotientDigit = {
  /** Below the divisor; becomes the remainder. */
  readonly dividend: number;
  readonly divisor: number;
  readonly rest: number;
  readonly quotient: number;
};

/** Divides the dividend, with another digit behind it, by a divisor whose highest bit is set. */
function writeQuotientDigit(code: CodeBuilder, locals: QuotientDigit, pushNext: () => void): void {
  const { dividend, divisor, rest, quotient } = locals;
  const pushTop = (): CodeBuilder => code.localGet(divisor).i64Const(32).i64ShrU();
  code.localGet(dividend);
  pushTop().i64DivU().localSet(quotient);
  code.localGet(dividend).localGet(quotient);
  pushTop().i64Mul().i64Sub().localSet(rest);
  const exact = code.block();
  const again = code.loop();
  code.localGet(quotient).i64Const(32).i64ShrU().i64Eqz().if();
  code.localGet(quotient).localGet(divisor).i64Const(LOW_HALF).i64And().i64Mul();
  code.localGet(rest).i64Const(32).i64Shl();
  pushNext();
  code.i64Or().i64LeU().brIf(exact).end();
  code.localGet(quotient).i64Const(1).i64Sub().localSet(quotient);
  code.localGet(rest);
  pushTop().i64Add().localTee(rest).i64Const(32).i64ShrU().i64Eqz().brIf(again);
  code.end().end();
  code.localGet(dividend).i64Const(32).i64Shl();
  pushNext();
  code.i64Or().localGet(quotient).localGet(divisor).i64Mul().i64Sub().localSet(dividend);
}

type DigitDivision = {
  readonly code: CodeBuilder;
  /** i64 locals. */
  readonly divisor: number;
  readonly rest: number;
  readonly term: number;
  readonly digit: number;
};

/** Divides the word by a divisor of 32 bits, half a limb at a time from the highest, and pushes the result. */
function writeDivisionByDigit(code: CodeBuilder, { a, divisor, result }: ShortDivision): void {
  const [rest, term, digit, high] = [code.local(I64), code.local(I64), code.local(I64), code.local(I64)];
  const division: DigitDivision = { code, divisor, rest, term, digit };
  code
    .localGet(a + 1)
    .i64Const(32)
    .i64ShrU();
  code
    .localGet(a + 2)
    .i64Or()
    .localGet(a + 3)
    .i64Or()
    .i64Eqz()
    .if();
  writeDivisionOf96Bits(division, a, high);
  pushResult(code, { a, result, rest });
  code.return().end();
  for (let limb = 3; limb >= 0; limb--) {
    pushWithRest(division, () =>
      code
        .localGet(a + limb)
        .i64Const(32)
        .i64ShrU(),
    );
    divideTerm(division);
    code.localGet(digit).i64Const(32).i64Shl().localSet(high);
    pushWithRest(division, () =>
      code
        .localGet(a + limb)
        .i64Const(LOW_HALF)
        .i64And(),
    );
    divideTerm(division);
    code
      .localGet(digit)
      .localGet(high)
      .i64Or()
      .localSet(a + limb);
  }
  pushResult(code, { a, result, rest });
}

/** Fixed-point numbers times each other are seldom longer: two divisions do it. */
function writeDivisionOf96Bits(division: DigitDivision, a: number, high: number): void {
  const { code, digit } = division;
  code
    .localGet(a + 1)
    .i64Const(32)
    .i64Shl()
    .localGet(a)
    .i64Const(32)
    .i64ShrU()
    .i64Or();
  divideTerm(division);
  code.localGet(digit).localSet(high);
  pushWithRest(division, () => code.localGet(a).i64Const(LOW_HALF).i64And());
  divideTerm(division);
  code.localGet(high).i64Const(32).i64Shl().localGet(digit).i64Or().localSet(a);
  code
    .localGet(high)
    .i64Const(32)
    .i64ShrU()
    .localSet(a + 1);
}

function pushWithRest({ code, rest }: DigitDivision, pushHalf: () => void): void {
  code.localGet(rest).i64Const(32).i64Shl();
  pushHalf();
  code.i64Or();
}

/** Takes the term from the stack; leaves quotient and remainder in locals. */
function divideTerm({ code, divisor, rest, term, digit }: DigitDivision): void {
  code.localTee(term).localGet(divisor).i64DivU().localSet(digit);
  code.localGet(term).localGet(digit).localGet(divisor).i64Mul().i64Sub().localSet(rest);
}
