import { type Emission, pushLimb, takeLimb } from "./emission.ts";
import {
  constantLimb,
  isSingle,
  isZero,
  LIMB_BITS,
  type Limb,
  NO_LOCAL,
  powerOfTwo,
  type Word,
  ZERO,
} from "./word-value.ts";

const LIMB_MASK = 2n ** 64n - 1n;

/** Sum of two limbs and a carry (0 or 1), and what it carries. */
export type Sum = { readonly sum: Limb; readonly carry: Limb };

/** @param wantsCarry false for the highest limb, whose carry nobody needs. */
export function addLimbs(emission: Emission, a: Limb, b: Limb, carry: Limb, wantsCarry: boolean): Sum {
  const terms = [a, b, carry].filter((limb) => !isZero(limb));
  const [first = ZERO, second, third] = terms;
  if (second === undefined) return { sum: first, carry: ZERO };
  if (terms.every((limb) => limb.constant !== undefined)) return addConstants(terms);
  const { code } = emission;
  const bits = Math.max(first.bits, second.bits) + 1;
  pushLimb(emission, first);
  pushLimb(emission, second);
  code.i64Add();
  if (third === undefined) {
    const sum = takeLimb(emission, bits);
    return { sum, carry: bits > LIMB_BITS && wantsCarry ? isBelow(emission, sum, second) : ZERO };
  }
  if (bits <= LIMB_BITS || !wantsCarry) {
    // The sum of the two is at most 2^64 - 2, so that 1 more cannot overflow.
    pushLimb(emission, third);
    code.i64Add();
    return { sum: takeLimb(emission, bits), carry: ZERO };
  }
  const partial = takeLimb(emission);
  pushLimb(emission, partial);
  pushLimb(emission, third);
  code.i64Add();
  const sum = takeLimb(emission);
  pushBelow(emission, partial, second);
  pushBelow(emission, sum, partial);
  code.i32Or().i64ExtendI32U();
  return { sum, carry: takeLimb(emission, 1) };
}

function addConstants(terms: readonly Limb[]): Sum {
  const total = terms.reduce((sum, limb) => sum + limb.constant!, 0n);
  return { sum: constantLimb(total & LIMB_MASK), carry: constantLimb(total >> 64n) };
}

/** Difference of two limbs and a borrow (0 or 1), and what it borrows.
 * @param wantsBorrow false for the highest limb. */
export function subtractLimbs(
  emission: Emission,
  a: Limb,
  b: Limb,
  borrow: Limb,
  wantsBorrow: boolean,
): { readonly difference: Limb; readonly borrow: Limb } {
  if (isZero(b) && isZero(borrow)) return { difference: a, borrow: ZERO };
  const { code } = emission;
  if (isZero(b) || isZero(borrow)) {
    const taken = isZero(b) ? borrow : b;
    pushLimb(emission, a);
    pushLimb(emission, taken);
    code.i64Sub();
    const difference = takeLimb(emission);
    return { difference, borrow: wantsBorrow ? isBelow(emission, a, taken) : ZERO };
  }
  pushLimb(emission, a);
  pushLimb(emission, b);
  code.i64Sub();
  const partial = takeLimb(emission);
  pushLimb(emission, partial);
  pushLimb(emission, borrow);
  code.i64Sub();
  const difference = takeLimb(emission);
  if (!wantsBorrow) return { difference, borrow: ZERO };
  pushBelow(emission, a, b);
  pushBelow(emission, partial, borrow);
  code.i32Or().i64ExtendI32U();
  return { difference, borrow: takeLimb(emission, 1) };
}

/** Puts the i32 a < b on WebAssembly's stack. */
export function pushBelow(emission: Emission, a: Limb, b: Limb): void {
  pushLimb(emission, a);
  pushLimb(emission, b);
  emission.code.i64LtU();
}

function isBelow(emission: Emission, a: Limb, b: Limb): Limb {
  pushBelow(emission, a, b);
  emission.code.i64ExtendI32U();
  return takeLimb(emission, 1);
}

export type BitOperation = "and" | "or" | "xor";

/** One limb of AND, OR or XOR. */
export function combineBits(emission: Emission, operation: BitOperation, a: Limb, b: Limb): Limb {
  const [x, y] = a.constant === undefined ? [a, b] : [b, a];
  if (y.constant !== undefined) {
    if (x.constant !== undefined) return constantLimb(combineConstants(operation, x.constant, y.constant));
    if (operation === "and") {
      if (isZero(y)) return ZERO;
      // A mask that keeps all bits that there may be.
      if (powerOfTwo(y.constant + 1n) !== undefined && y.bits >= x.bits) return x;
    } else if (isZero(y)) return x;
  }
  if (operation === "and" && isZero(x)) return ZERO;
  pushLimb(emission, x);
  pushLimb(emission, y);
  const { code } = emission;
  if (operation === "and") code.i64And();
  else if (operation === "or") code.i64Or();
  else code.i64Xor();
  return takeLimb(emission, operation === "and" ? Math.min(x.bits, y.bits) : Math.max(x.bits, y.bits));
}

function combineConstants(operation: BitOperation, a: bigint, b: bigint): bigint {
  if (operation === "and") return a & b;
  return operation === "or" ? a | b : a ^ b;
}

/** The 64 bits of `high:low` (128 bits) from bit `shift` on; shift is in [1, 63]. */
export function funnelShift(emission: Emission, high: Limb, low: Limb, shift: number): Limb {
  if (high.constant !== undefined && low.constant !== undefined) {
    return constantLimb((((high.constant << 64n) | low.constant) >> BigInt(shift)) & LIMB_MASK);
  }
  const { code } = emission;
  const hasLow = low.bits > shift;
  const hasHigh = !isZero(high);
  if (!hasLow && !hasHigh) return ZERO;
  if (hasLow) {
    pushLimb(emission, low);
    code.i64Const(shift).i64ShrU();
  }
  if (hasHigh) {
    pushLimb(emission, high);
    code.i64Const(LIMB_BITS - shift).i64Shl();
  }
  if (hasLow && hasHigh) code.i64Or();
  return takeLimb(emission, hasHigh ? high.bits + LIMB_BITS - shift : low.bits - shift);
}

/** All ones if the limb's highest bit is set, else 0. */
export function signOf(emission: Emission, limb: Limb): Limb {
  if (limb.constant !== undefined) return constantLimb(limb.constant >> 63n === 1n ? LIMB_MASK : 0n);
  if (limb.bits < LIMB_BITS) return ZERO;
  pushLimb(emission, limb);
  emission.code.i64Const(63).i64ShrS();
  return takeLimb(emission);
}

/** Puts an i64 on WebAssembly's stack that is 0 if and only if all the limbs are. */
export function pushOr(emission: Emission, limbs: readonly Limb[]): void {
  const present = limbs.filter((limb) => !isZero(limb));
  const [first = ZERO, ...others] = present;
  pushLimb(emission, first);
  for (const limb of others) {
    pushLimb(emission, limb);
    emission.code.i64Or();
  }
}

/** Puts a word on WebAssembly's stack as one i64: all ones if it does not fit. */
export function pushClamped(emission: Emission, word: Word): void {
  pushLimb(emission, word[0]);
  if (isSingle(word)) return;
  emission.code.i64Const(-1);
  pushOr(emission, word.slice(1));
  emission.code.i64Eqz().select();
}

/** Makes sure that a limb is in a local, so that code which may not run can use it. */
export function readLimb(emission: Emission, limb: Limb): void {
  if (limb.constant !== undefined || limb.local !== NO_LOCAL) return;
  pushLimb(emission, limb);
  emission.code.drop();
}
