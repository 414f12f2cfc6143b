import { type Emission, pushLimb, pushWord, takeLimb } from "./emission.ts";
import { type BitOperation, combineBits, pushClamped, pushOr } from "./limb-operations.ts";
import { pop, push } from "./symbolic-stack.ts";
import {
  constantLimb,
  constantOf,
  constantWord,
  isZero,
  type Limb,
  singleWord,
  type Word,
} from "./word-value.ts";

const LIMB_MASK = 2n ** 64n - 1n;
const ALL_ONES = constantLimb(LIMB_MASK);

/** 0x10 to 0x1e, but the shifts. */

export function emitCombine(emission: Emission, operation: BitOperation): void {
  const a = pop(emission.stack);
  const b = pop(emission.stack);
  push(
    emission.stack,
    a.map((limb, place) => combineBits(emission, operation, limb, b[place]!)) as unknown as Word,
  );
}

export function emitNot(emission: Emission): void {
  const word = pop(emission.stack);
  push(emission.stack, word.map((limb) => combineBits(emission, "xor", limb, ALL_ONES)) as unknown as Word);
}

/** LT, GT, SLT and SGT.
 * @param swapped GT and SGT: the operands change places. */
export function emitLess(emission: Emission, isSigned: boolean, swapped: boolean): void {
  const { code, stack } = emission;
  const first = pop(stack);
  const second = pop(stack);
  const [a, b] = swapped ? [second, first] : [first, second];
  const places = [0, 1, 2, 3].filter((place) => !isZero(a[place]!) || !isZero(b[place]!));
  const [lowest, ...higher] = places;
  if (lowest === undefined) {
    push(stack, constantWord(0n));
    return;
  }
  const isLess = (place: number): void => {
    pushLimb(emission, a[place]!);
    pushLimb(emission, b[place]!);
    if (isSigned && place === 3) code.i64LtS();
    else code.i64LtU();
  };
  // From the lowest limb up: what is equal leaves the answer to those below.
  isLess(lowest);
  for (const place of higher) {
    isLess(place);
    pushLimb(emission, a[place]!);
    pushLimb(emission, b[place]!);
    code.i64Eq().select();
  }
  code.i64ExtendI32U();
  push(stack, singleWord(takeLimb(emission, 1)));
}

export function emitEqual(emission: Emission): void {
  const { code, stack } = emission;
  const a = pop(stack);
  const b = pop(stack);
  const differences = a.map((limb, place) => combineBits(emission, "xor", limb, b[place]!));
  if (differences.some((limb) => limb.constant !== undefined && !isZero(limb))) {
    push(stack, constantWord(0n));
    return;
  }
  pushIsZero(emission, differences);
  code.i64ExtendI32U();
  push(stack, singleWord(takeLimb(emission, 1)));
}

export function emitIsZero(emission: Emission): void {
  const word = pop(emission.stack);
  const constant = constantOf(word);
  if (constant !== undefined) {
    push(emission.stack, constantWord(constant === 0n ? 1n : 0n));
    return;
  }
  pushIsZero(emission, word);
  emission.code.i64ExtendI32U();
  push(emission.stack, singleWord(takeLimb(emission, 1)));
}

/** Puts an i32 on WebAssembly's stack: whether all limbs are 0. */
export function pushIsZero(emission: Emission, limbs: readonly Limb[]): void {
  pushOr(emission, limbs);
  emission.code.i64Eqz();
}

export function emitByte(emission: Emission): void {
  const { code, stack } = emission;
  const index = pop(stack);
  const word = pop(stack);
  const constant = constantOf(index);
  if (constant === undefined) {
    pushClamped(emission, index);
    pushWord(emission, word);
    code.call(emission.runtime.find("byteAt"));
    push(stack, singleWord(takeLimb(emission, 8)));
    return;
  }
  if (constant > 31n) {
    push(stack, constantWord(0n));
    return;
  }
  const place = 31 - Number(constant);
  const limb = word[place >> 3]!;
  const shift = 8 * (place & 7);
  if (limb.constant !== undefined) {
    push(stack, constantWord((limb.constant >> BigInt(shift)) & 0xffn));
    return;
  }
  pushLimb(emission, limb);
  code.i64Const(shift).i64ShrU().i64Const(0xff).i64And();
  push(stack, singleWord(takeLimb(emission, 8)));
}

/** CLZ: of the highest limb that is not 0, and 64 for each above it. */
export function emitCountLeadingZeros(emission: Emission): void {
  const { code, stack } = emission;
  const word = pop(stack);
  pushLimb(emission, word[0]);
  code.i64Clz().i64Const(192).i64Add();
  for (let place = 1; place < 4; place++) {
    const limb = word[place]!;
    if (isZero(limb)) continue;
    const lower = takeLimb(emission);
    pushLimb(emission, limb);
    code
      .i64Clz()
      .i64Const(192 - 64 * place)
      .i64Add();
    pushLimb(emission, lower);
    pushLimb(emission, limb);
    code.i64Eqz().i32Eqz().select();
  }
  push(stack, singleWord(takeLimb(emission, 9)));
}
