import { GAS } from "../gas-schedule.ts";
import type { RuntimeName } from "../runtime/runtime-functions.ts";
import { byteLength, toSigned, toWord } from "../word.ts";
import {
  chargeConstant,
  type Emission,
  failIfOutOfGas,
  pushLimb,
  pushWord,
  takeLimb,
  takeWord,
} from "./emission.ts";
import { shiftLeftBy, shiftRightBy } from "./emit-shift.ts";
import {
  addLimbs,
  combineBits,
  pushClamped,
  pushOr,
  readLimb,
  signOf,
  subtractLimbs,
} from "./limb-operations.ts";
import { pop, push } from "./symbolic-stack.ts";
import {
  constantLimb,
  constantOf,
  constantWord,
  isSingle,
  type Limb,
  powerOfTwo,
  singleWord,
  type Word,
  ZERO,
} from "./word-value.ts";

const LIMB_MASK = 2n ** 64n - 1n;

/** 0x01 to 0x0b. Each takes the words off the symbolic stack and puts the result there. */

export function emitAdd(emission: Emission): void {
  const a = pop(emission.stack);
  const b = pop(emission.stack);
  const result: Limb[] = [];
  let carry = ZERO;
  for (let limb = 0; limb < 4; limb++) {
    const added = addLimbs(emission, a[limb]!, b[limb]!, carry, limb < 3);
    result.push(added.sum);
    carry = added.carry;
  }
  push(emission.stack, result as unknown as Word);
}

export function emitSubtract(emission: Emission): void {
  const a = pop(emission.stack);
  const b = pop(emission.stack);
  const [x, y] = [constantOf(a), constantOf(b)];
  if (x !== undefined && y !== undefined) {
    push(emission.stack, constantWord(toWord(x - y)));
    return;
  }
  const result: Limb[] = [];
  let borrow = ZERO;
  for (let limb = 0; limb < 4; limb++) {
    const subtracted = subtractLimbs(emission, a[limb]!, b[limb]!, borrow, limb < 3);
    result.push(subtracted.difference);
    borrow = subtracted.borrow;
  }
  push(emission.stack, result as unknown as Word);
}

export function emitMultiply(emission: Emission): void {
  const { code, stack, runtime } = emission;
  const a = pop(stack);
  const b = pop(stack);
  const [x, y] = [constantOf(a), constantOf(b)];
  if (x !== undefined && y !== undefined) {
    push(stack, constantWord(toWord(x * y)));
    return;
  }
  const [constant, other] = x !== undefined ? [x, b] : [y, a];
  const exponent = constant === undefined ? undefined : powerOfTwo(constant);
  if (constant === 0n) push(stack, constantWord(0n));
  else if (exponent !== undefined) push(stack, shiftLeftBy(emission, other, exponent));
  else if (isSingle(a) && isSingle(b)) push(stack, multiplySingle(emission, a[0], b[0]));
  else {
    pushWord(emission, a);
    pushWord(emission, b);
    code.call(runtime.find("multiply"));
    const product = takeWord(emission);
    emission.products.set(product[0], [a, b]);
    push(stack, product);
  }
}

function multiplySingle(emission: Emission, a: Limb, b: Limb): Word {
  pushLimb(emission, a);
  pushLimb(emission, b);
  if (a.bits + b.bits <= 64) {
    emission.code.i64Mul();
    return singleWord(takeLimb(emission, a.bits + b.bits));
  }
  emission.code.call(emission.runtime.find("multiplyWide"));
  const high = takeLimb(emission, a.bits + b.bits - 64);
  return [takeLimb(emission), high, ZERO, ZERO];
}

/** DIV and MOD. */
export function emitDivide(emission: Emission, result: "quotient" | "remainder"): void {
  const { code, stack } = emission;
  const a = pop(stack);
  const b = pop(stack);
  const divisor = constantOf(b);
  const dividend = constantOf(a);
  if (divisor !== undefined && dividend !== undefined) {
    const quotient = divisor === 0n ? 0n : dividend / divisor;
    push(stack, constantWord(result === "quotient" ? quotient : divisor === 0n ? 0n : dividend % divisor));
    return;
  }
  const exponent = divisor === undefined ? undefined : powerOfTwo(divisor);
  if (divisor === 0n) push(stack, constantWord(0n));
  else if (exponent !== undefined) {
    push(
      stack,
      result === "quotient" ? shiftRightBy(emission, a, exponent) : keepLowBits(emission, a, exponent),
    );
  } else if (divisor !== undefined && isSingle(a) && isSingle(b)) {
    pushLimb(emission, a[0]);
    pushLimb(emission, b[0]);
    if (result === "quotient") code.i64DivU();
    else code.i64RemU();
    const bits = result === "quotient" ? a[0].bits : Math.min(a[0].bits, b[0].bits);
    push(stack, singleWord(takeLimb(emission, bits)));
  } else if (result === "remainder" || !divideProduct(emission, a, b))
    divideWords(emission, result === "quotient" ? "divide" : "modulo", a, b);
}

/** A product divided by one of its factors, as solc does to see whether a multiplication overflowed: the quotient is the
 * other factor where both are below 2^128.
 * @returns false if that is not what it is. */
function divideProduct(emission: Emission, dividend: Word, divisor: Word): boolean {
  const { code, stack, runtime } = emission;
  const factors = emission.products.get(dividend[0]);
  if (factors === undefined) return false;
  const other = factors.findIndex((factor) => factor.every((limb, place) => limb === divisor[place]));
  if (other === -1) return false;
  const quotient = factors[1 - other]!;
  for (const limb of [...dividend, ...divisor, ...quotient]) readLimb(emission, limb);
  const result = [0, 1, 2, 3].map(() => {
    code.i64Const(0);
    return takeLimb(emission);
  });
  pushOr(emission, [divisor[2], divisor[3], quotient[2], quotient[3]]);
  code.i64Eqz().if();
  pushOr(emission, divisor);
  code.i64Eqz().i32Eqz().if();
  for (const [place, limb] of quotient.entries()) {
    pushLimb(emission, limb);
    code.localSet(result[place]!.local);
  }
  code.end().else();
  pushWord(emission, dividend);
  pushWord(emission, divisor);
  code.call(runtime.find("divide"));
  for (const { local } of result.toReversed()) code.localSet(local);
  code.end();
  push(stack, result as unknown as Word);
  return true;
}

function keepLowBits(emission: Emission, word: Word, bits: number): Word {
  const mask = constantWord(2n ** BigInt(bits) - 1n);
  return word.map((limb, place) => combineBits(emission, "and", limb, mask[place]!)) as unknown as Word;
}

/** SDIV and SMOD. */
export function emitDivideSigned(emission: Emission, result: "quotient" | "remainder"): void {
  const a = pop(emission.stack);
  const b = pop(emission.stack);
  const [x, y] = [constantOf(a), constantOf(b)];
  if (x !== undefined && y !== undefined) {
    const [dividend, divisor] = [toSigned(x), toSigned(y)];
    const value = divisor === 0n ? 0n : result === "quotient" ? dividend / divisor : dividend % divisor;
    push(emission.stack, constantWord(toWord(value)));
    return;
  }
  divideWords(emission, result === "quotient" ? "divideSigned" : "moduloSigned", a, b);
}

type Division = "divide" | "modulo" | "divideSigned" | "moduloSigned";

/** By an instruction where both words fit into one limb, which most do, else by the runtime. */
function divideWords(emission: Emission, name: Division, a: Word, b: Word): void {
  const { code, stack, runtime } = emission;
  const isSigned = name === "divideSigned" || name === "moduloSigned";
  for (const limb of [...a, ...b]) readLimb(emission, limb);
  const low = newLimb(emission);
  const high = isSigned ? newLimb(emission) : undefined;
  const others = [newLimb(emission), newLimb(emission), newLimb(emission)];
  pushFitsLimb(emission, a, isSigned);
  pushFitsLimb(emission, b, isSigned);
  code.i32And();
  // Neither by 0 nor -2^63 by -1: the one divides to 0, the other into two limbs.
  pushLimb(emission, b[0]);
  if (isSigned) code.i64Const(1).i64Add().i64Const(1).i64GtU().i32And().if();
  else code.i64Eqz().i32Eqz().i32And().if();
  pushLimb(emission, a[0]);
  pushLimb(emission, b[0]);
  if (name === "divide") code.i64DivU();
  else if (name === "modulo") code.i64RemU();
  else if (name === "divideSigned") code.i64DivS();
  else code.i64RemS();
  code.localSet(low.local);
  if (high !== undefined) code.localGet(low.local).i64Const(63).i64ShrS().localSet(high.local);
  for (const { local } of others) {
    if (high !== undefined) code.localGet(high.local).localSet(local);
    else code.i64Const(0).localSet(local);
  }
  code.else();
  pushWord(emission, a);
  pushWord(emission, b);
  code.call(runtime.find(name));
  for (const { local } of [...others].reverse()) code.localSet(local);
  code.localSet(low.local).end();
  push(stack, [low, ...others] as unknown as Word);
}

function newLimb(emission: Emission): Limb {
  emission.code.i64Const(0);
  return takeLimb(emission);
}

/** Puts an i32 on WebAssembly's stack: whether the lowest limb alone tells the word. */
function pushFitsLimb(emission: Emission, word: Word, isSigned: boolean): void {
  const { code } = emission;
  const [low, ...high] = word;
  if (!isSigned) {
    pushOr(emission, high);
    code.i64Eqz();
    return;
  }
  for (const [place, limb] of high.entries()) {
    pushLimb(emission, limb);
    pushLimb(emission, low);
    code.i64Const(63).i64ShrS().i64Xor();
    if (place > 0) code.i64Or();
  }
  code.i64Eqz();
}

function callWithTwo(emission: Emission, name: RuntimeName, a: Word, b: Word): void {
  pushWord(emission, a);
  pushWord(emission, b);
  emission.code.call(emission.runtime.find(name));
  push(emission.stack, takeWord(emission));
}

/** ADDMOD and MULMOD. */
export function emitModular(emission: Emission, name: "addModulo" | "multiplyModulo"): void {
  const a = pop(emission.stack);
  const b = pop(emission.stack);
  const modulus = pop(emission.stack);
  pushWord(emission, a);
  pushWord(emission, b);
  pushWord(emission, modulus);
  emission.code.call(emission.runtime.find(name));
  push(emission.stack, takeWord(emission));
}

export function emitPower(emission: Emission): void {
  const base = pop(emission.stack);
  const exponent = pop(emission.stack);
  const constant = constantOf(exponent);
  if (constant !== undefined) chargeConstant(emission, GAS.exponentByte * byteLength(constant));
  else chargeExponent(emission, exponent);
  const bits = powerOfTwo(constantOf(base) ?? 0n);
  if (bits !== undefined && bits > 0) powerOfPowerOfTwo(emission, bits, exponent);
  else callWithTwo(emission, "power", base, exponent);
}

/** A shift of 1 by so many bits for each of the exponent. */
function powerOfPowerOfTwo(emission: Emission, bits: number, exponent: Word): void {
  const { code, locals, runtime, stack } = emission;
  pushClamped(emission, exponent);
  code.localTee(locals.end).i64Const(bits).i64Mul();
  // Whatever is beyond the word gives 0, and must not come back when it is multiplied.
  code.i64Const(256).localGet(locals.end).i64Const(256).i64LtU().select();
  pushWord(emission, constantWord(1n));
  code.call(runtime.find("shiftLeft"));
  push(stack, takeWord(emission));
}

/** Charges for each byte of the exponent, found from its highest limb that is not 0. */
function chargeExponent(emission: Emission, exponent: Word): void {
  const { code, locals } = emission;
  const { end } = locals;
  for (const limb of exponent) readLimb(emission, limb);
  code.i64Const(0).localSet(end);
  for (const [place, limb] of exponent.entries()) {
    pushLimb(emission, limb);
    code.i64Eqz().i32Eqz().if();
    // (64 - leading zeros + 7) / 8 bytes, and those below.
    code.i64Const(71);
    pushLimb(emission, limb);
    code.i64Clz().i64Sub().i64Const(3).i64ShrU();
    code
      .i64Const(8 * place)
      .i64Add()
      .localSet(end)
      .end();
  }
  code.localGet(locals.gas).localGet(end).i64Const(GAS.exponentByte).i64Mul().i64Sub().localSet(locals.gas);
  failIfOutOfGas(emission);
}

export function emitSignExtend(emission: Emission): void {
  const lastByte = pop(emission.stack);
  const word = pop(emission.stack);
  const constant = constantOf(lastByte);
  if (constant === undefined) {
    pushClamped(emission, lastByte);
    pushWord(emission, word);
    emission.code.call(emission.runtime.find("signExtend"));
    push(emission.stack, takeWord(emission));
  } else if (constant >= 31n) push(emission.stack, word);
  else push(emission.stack, signExtendFrom(emission, word, 8 * Number(constant) + 7));
}

/** @param signBit its place in the word. */
function signExtendFrom(emission: Emission, word: Word, signBit: number): Word {
  const place = signBit >> 6;
  const unused = 63 - (signBit & 63);
  const last = unused === 0 ? word[place]! : signExtendLimb(emission, word[place]!, unused);
  const sign = place === 3 ? ZERO : signOf(emission, last);
  return [0, 1, 2, 3].map((limb) => {
    if (limb < place) return word[limb]!;
    return limb === place ? last : sign;
  }) as unknown as Word;
}

function signExtendLimb(emission: Emission, limb: Limb, unused: number): Limb {
  if (limb.constant !== undefined) {
    return constantLimb(BigInt.asIntN(64 - unused, limb.constant) & LIMB_MASK);
  }
  pushLimb(emission, limb);
  const { code } = emission;
  if (unused === 56) code.i64Extend8S();
  else if (unused === 48) code.i64Extend16S();
  else if (unused === 32) code.i64Extend32S();
  else code.i64Const(unused).i64Shl().i64Const(unused).i64ShrS();
  return takeLimb(emission);
}
