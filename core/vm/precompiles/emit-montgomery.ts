import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";

/** Montgomery's multiplication modulo an odd number, on little-endian limbs of 32 bits in memory.
 * Source: Koc, Acar, Kaliski, "Analyzing and comparing Montgomery multiplication algorithms" (1996), FIOS. */

const LIMB_BYTES = 4;
const LOW_HALF = 0xffff_ffffn;

/** Longest modulus in limbs. Above it JavaScript's integers, which divide and conquer, are as fast. */
export const MAX_LIMBS = 48;

/** Bytes that a number has in memory: two limbs more than the longest modulus are used. */
export const NUMBER_BYTES = 512;
const NUMBER_SHIFT = 9;

type Place =
  | "modulus"
  | "sum"
  | "one"
  | "square"
  | "result"
  | "held"
  | "plainOne"
  | "inverse"
  | "powers"
  | "exponent";

/** Where numbers lie in memory: `inverse` is -1 / modulus modulo 2^32; `powers` are sixteen; the exponent, of any length,
 * comes last. */
export const PLACE: Readonly<Record<Place, number>> = {
  modulus: 0,
  sum: NUMBER_BYTES,
  one: 2 * NUMBER_BYTES,
  square: 3 * NUMBER_BYTES,
  result: 4 * NUMBER_BYTES,
  held: 5 * NUMBER_BYTES,
  plainOne: 6 * NUMBER_BYTES,
  inverse: 7 * NUMBER_BYTES,
  powers: 8 * NUMBER_BYTES,
  exponent: 24 * NUMBER_BYTES,
};

/** Lengths in limbs for which the multiplication is unrolled. */
export const UNROLLED_LIMBS: readonly number[] = [4, 6, 8];

/** Counts a local from 0 to before another one. */
function countTo(code: CodeBuilder, index: number, end: number, body: () => void): void {
  const done = code.block();
  const next = code.loop();
  code.localGet(index).localGet(end).i32GeU().brIf(done);
  body();
  code.localGet(index).i32Const(1).i32Add().localSet(index);
  code.br(next).end().end();
}

/** Pushes the address of a limb: an address plus an index, both in locals. */
function limbAt(code: CodeBuilder, base: number, index: number): CodeBuilder {
  return code.localGet(base).localGet(index).i32Const(2).i32Shl().i32Add();
}

/** (to, a, b) -> nothing: to = a b / 2^(32 limbs) mod modulus, for a below 2^(32 limbs) and b below the modulus. */
export function writeUnrolledMultiply(code: CodeBuilder, limbs: number, reduce: number): void {
  const [to, a, b] = [0, 1, 2];
  const first = code.locals(I64, limbs);
  const sums = code.locals(I64, limbs + 1);
  const factor = code.local(I64);
  const inverse = code.local(I64);
  const quotient = code.local(I64);
  const partial = code.local(I64);
  const carry = code.local(I64);
  const otherCarry = code.local(I64);
  for (let j = 0; j < limbs; j++) {
    code
      .localGet(a)
      .i64Load32U(LIMB_BYTES * j)
      .localSet(first + j);
  }
  code.i32Const(0).i64Load32U(PLACE.inverse).localSet(inverse);
  for (let i = 0; i < limbs; i++) {
    code
      .localGet(b)
      .i64Load32U(LIMB_BYTES * i)
      .localSet(factor);
    for (let j = 0; j < limbs; j++) {
      code
        .localGet(first + j)
        .localGet(factor)
        .i64Mul();
      if (i > 0) code.localGet(sums + j).i64Add();
      if (j > 0) code.localGet(carry).i64Add();
      code.localTee(partial).i64Const(32).i64ShrU().localSet(carry);
      code.localGet(partial).i64Const(LOW_HALF).i64And();
      if (j === 0) {
        code.localTee(partial).localGet(inverse).i64Mul().i64Const(LOW_HALF).i64And().localSet(quotient);
        code.localGet(partial);
      }
      code
        .localGet(quotient)
        .i32Const(0)
        .i64Load32U(PLACE.modulus + LIMB_BYTES * j)
        .i64Mul()
        .i64Add();
      if (j > 0) code.localGet(otherCarry).i64Add();
      if (j > 0)
        code
          .localTee(partial)
          .i64Const(LOW_HALF)
          .i64And()
          .localSet(sums + j - 1)
          .localGet(partial);
      code.i64Const(32).i64ShrU().localSet(otherCarry);
    }
    code.localGet(carry).localGet(otherCarry).i64Add();
    if (i > 0) code.localGet(sums + limbs).i64Add();
    code
      .localTee(partial)
      .i64Const(LOW_HALF)
      .i64And()
      .localSet(sums + limbs - 1);
    code
      .localGet(partial)
      .i64Const(32)
      .i64ShrU()
      .localSet(sums + limbs);
  }
  storeSum(code, sums, limbs + 1);
  code.localGet(to).i32Const(limbs).call(reduce);
}

function storeSum(code: CodeBuilder, from: number, limbs: number): void {
  for (let j = 0; j < limbs; j++) {
    code
      .i32Const(PLACE.sum)
      .localGet(from + j)
      .i64Store32(LIMB_BYTES * j);
  }
}

/** (to, a, b, limbs) -> nothing: as the unrolled one, for any length. */
export function writeMultiply(
  code: CodeBuilder,
  reduce: number,
  unrolled: ReadonlyMap<number, number>,
): void {
  const [to, a, b, limbs] = [0, 1, 2, 3];
  for (const [length, index] of unrolled) {
    code.localGet(limbs).i32Const(length).i32Eq().if();
    code.localGet(to).localGet(a).localGet(b).call(index).return().end();
  }
  const i = code.local(I32);
  const factor = code.local(I64);
  const inverse = code.local(I64);
  const top = code.local(I64);
  const topAt = code.local(I32);
  code.i32Const(0).i64Load32U(PLACE.inverse).localSet(inverse);
  code.localGet(limbs).i32Const(2).i32Shl().i32Const(PLACE.sum).i32Add().localSet(topAt);
  clearSum(code, topAt);
  const row = multiplyRow(code, { a, limbs, factor, inverse });
  countTo(code, i, limbs, () => {
    limbAt(code, b, i).i64Load32U().localSet(factor);
    row();
    code.localGet(top).i64Add().localSet(factor);
    code.localGet(topAt).i32Const(LIMB_BYTES).i32Sub().localGet(factor).i64Store32();
    code.localGet(factor).i64Const(32).i64ShrU().localSet(top);
  });
  code.localGet(topAt).localGet(top).i64Store32();
  code.localGet(to).localGet(limbs).call(reduce);
}

function clearSum(code: CodeBuilder, end: number): void {
  code
    .i32Const(PLACE.sum)
    .i32Const(0)
    .localGet(end)
    .i32Const(PLACE.sum - LIMB_BYTES)
    .i32Sub()
    .memoryFill();
}

/** Emits one limb of b times a, with the quotient's multiple of the modulus, added to the sum and moved down a limb.
 * Pushes the two carries' sum. */
function multiplyRow(
  code: CodeBuilder,
  locals: { readonly a: number; readonly limbs: number; readonly factor: number; readonly inverse: number },
): () => void {
  const { a, limbs, factor, inverse } = locals;
  const offset = code.local(I32);
  const length = code.local(I32);
  const quotient = code.local(I64);
  const partial = code.local(I64);
  const carry = code.local(I64);
  const otherCarry = code.local(I64);
  const addProduct = (isFirst: boolean, extra: number): void => {
    code.localGet(a).localGet(offset).i32Add().i64Load32U(extra).localGet(factor).i64Mul();
    code
      .localGet(offset)
      .i64Load32U(PLACE.sum + extra)
      .i64Add();
    if (!isFirst) code.localGet(carry).i64Add();
    code.localTee(partial).i64Const(32).i64ShrU().localSet(carry);
    code.localGet(partial).i64Const(LOW_HALF).i64And();
    if (isFirst) {
      code.localTee(partial).localGet(inverse).i64Mul().i64Const(LOW_HALF).i64And().localSet(quotient);
      code.localGet(partial);
    }
    code
      .localGet(quotient)
      .localGet(offset)
      .i64Load32U(PLACE.modulus + extra)
      .i64Mul()
      .i64Add();
    if (!isFirst) code.localGet(otherCarry).i64Add();
    if (!isFirst) {
      code.localSet(partial);
      code
        .localGet(offset)
        .localGet(partial)
        .i64Store32(PLACE.sum + extra - LIMB_BYTES);
      code.localGet(partial);
    }
    code.i64Const(32).i64ShrU().localSet(otherCarry);
  };
  code.localGet(limbs).i32Const(2).i32Shl().localSet(length);
  return () => {
    code.i32Const(0).localSet(offset);
    addProduct(true, 0);
    addProduct(false, LIMB_BYTES);
    const done = code.block();
    const next = code.loop();
    // Lengths are even: two limbs a turn.
    code
      .localGet(offset)
      .i32Const(2 * LIMB_BYTES)
      .i32Add()
      .localTee(offset)
      .localGet(length)
      .i32GeU()
      .brIf(done);
    addProduct(false, 0);
    addProduct(false, LIMB_BYTES);
    code.br(next).end().end();
    code.localGet(carry).localGet(otherCarry).i64Add();
  };
}

/** (to, limbs) -> nothing: to = sum, less the modulus where that leaves no negative number. The sum has a limb more. */
export function writeReduce(code: CodeBuilder): void {
  const [to, limbs] = [0, 1];
  const offset = code.local(I32);
  const length = code.local(I32);
  const borrow = code.local(I64);
  const difference = code.local(I64);
  code.localGet(limbs).i32Const(2).i32Shl().localSet(length);
  const forEachLimb = (body: () => void): void => {
    code.i32Const(0).localSet(offset);
    const next = code.loop();
    body();
    code.localGet(offset).i32Const(LIMB_BYTES).i32Add().localTee(offset).localGet(length).i32LtU().brIf(next);
    code.end();
  };
  forEachLimb(() => {
    code.localGet(offset).i64Load32U(PLACE.sum).localGet(offset).i64Load32U(PLACE.modulus).i64Sub();
    code.localGet(borrow).i64Add().localSet(difference);
    code.localGet(to).localGet(offset).i32Add().localGet(difference).i64Store32();
    code.localGet(difference).i64Const(32).i64ShrS().localSet(borrow);
  });
  code.localGet(length).i64Load32U(PLACE.sum).localGet(borrow).i64Add().i64Const(0).i64LtS().if();
  forEachLimb(() => {
    code.localGet(to).localGet(offset).i32Add();
    code.localGet(offset).i32Load(PLACE.sum).i32Store();
  });
  code.end();
}

/** (to, a, b, limbs) -> nothing: to = a + b mod modulus, for both below it. */
export function writeAdd(code: CodeBuilder, reduce: number): void {
  const [to, a, b, limbs] = [0, 1, 2, 3];
  const i = code.local(I32);
  const carry = code.local(I64);
  countTo(code, i, limbs, () => {
    limbAt(code, a, i).i64Load32U();
    limbAt(code, b, i).i64Load32U().i64Add().localGet(carry).i64Add().localSet(carry);
    code.localGet(i).i32Const(2).i32Shl().localGet(carry).i64Store32(PLACE.sum);
    code.localGet(carry).i64Const(32).i64ShrU().localSet(carry);
  });
  code.localGet(limbs).i32Const(2).i32Shl().localGet(carry).i64Store32(PLACE.sum);
  code.localGet(to).localGet(limbs).call(reduce);
}

/** (exponent, length, limbs) -> nothing: result = power 1 of the table to the exponent, which is big-endian bytes. Powers 0
 * and 1 are there. Windows of four bits. */
export function writePower(code: CodeBuilder, multiply: number): void {
  const [exponent, length, limbs] = [0, 1, 2];
  const end = code.local(I32);
  const place = code.local(I32);
  const digit = code.local(I32);
  const result = PLACE.result;
  code.i32Const(PLACE.powers + 2 * NUMBER_BYTES).localSet(place);
  const filled = code.loop();
  code.localGet(place).localGet(place).i32Const(NUMBER_BYTES).i32Sub();
  code
    .i32Const(PLACE.powers + NUMBER_BYTES)
    .localGet(limbs)
    .call(multiply);
  code.localGet(place).i32Const(NUMBER_BYTES).i32Add().localTee(place);
  code
    .i32Const(PLACE.powers + 16 * NUMBER_BYTES)
    .i32LtU()
    .brIf(filled)
    .end();
  code.i32Const(result).i32Const(PLACE.powers).localGet(limbs).i32Const(2).i32Shl().memoryCopy();
  code.localGet(exponent).localGet(length).i32Add().localSet(end);
  const done = code.block();
  const next = code.loop();
  code.localGet(exponent).localGet(end).i32GeU().brIf(done);
  for (const shift of [4, 0]) {
    for (let square = 0; square < 4; square++) {
      code.i32Const(result).i32Const(result).i32Const(result).localGet(limbs).call(multiply);
    }
    code.localGet(exponent).i32Load8U().i32Const(shift).i32ShrU().i32Const(15).i32And().localTee(digit).if();
    code.i32Const(result).i32Const(result);
    code.localGet(digit).i32Const(NUMBER_SHIFT).i32Shl().i32Const(PLACE.powers).i32Add();
    code.localGet(limbs).call(multiply).end();
  }
  code.localGet(exponent).i32Const(1).i32Add().localSet(exponent);
  code.br(next).end().end();
}
