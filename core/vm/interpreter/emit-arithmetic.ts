import { GAS } from "../gas-schedule.ts";
import { LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import type { RuntimeName } from "../runtime/runtime-functions.ts";
import { type ColdFunction, callCold, returnIfGasIsGone } from "./cold-function.ts";
import {
  type Loop,
  limbOffset,
  pushClamped,
  pushLimb,
  pushOrOfLimbs,
  pushWord,
  type StackAccess,
  storeLimb,
  takeWord,
} from "./interpreter-loop.ts";

/** 0x01 to 0x0b. Operands are at depths 0, 1 and 2 of the stack; the result takes the place of the deepest. */

/** Adds the words at two depths. @param store takes each limb of the sum from a local. */
export function emitAdd(
  loop: Loop,
  x: number,
  y: number,
  store: (limb: number, local: number) => void,
): void {
  const { code, locals } = loop;
  const { a: carry, b: sum } = locals;
  for (let limb = 0; limb < 4; limb++) {
    pushLimb(loop, x, limb);
    pushLimb(loop, y, limb).i64Add().localSet(sum);
    if (limb > 0 && limb < 3) {
      // Not both can carry: a sum that wrapped around is at most 2^64 - 2.
      code.localGet(sum);
      pushLimb(loop, x, limb).i64LtU();
      code.localGet(sum).localGet(carry).i64Add().localTee(sum).localGet(carry).i64LtU();
      code.i32Or().i64ExtendI32U().localSet(carry);
    } else if (limb === 3) code.localGet(sum).localGet(carry).i64Add().localSet(sum);
    else {
      code.localGet(sum);
      pushLimb(loop, x, limb).i64LtU().i64ExtendI32U().localSet(carry);
    }
    store(limb, sum);
  }
}

/** Stores the limbs that one of the functions here has computed as the word at a depth. */
export function storeAt(loop: Loop, depth: number): (limb: number, local: number) => void {
  return (limb, local) => storeLimb(loop, depth, limb, () => loop.code.localGet(local));
}

/** Takes the word at depth y from that at depth x; the difference takes the place of that at depth 1. */
export function emitSubtract(loop: Loop, x: number, y: number): void {
  const { code, locals } = loop;
  const { a: borrow, b: difference } = locals;
  for (let limb = 0; limb < 4; limb++) {
    pushLimb(loop, x, limb);
    pushLimb(loop, y, limb).i64Sub().localSet(difference);
    if (limb < 3) {
      pushLimb(loop, x, limb);
      pushLimb(loop, y, limb).i64LtU();
      if (limb > 0) code.localGet(difference).localGet(borrow).i64LtU().i32Or();
      code.i64ExtendI32U();
    }
    if (limb > 0) code.localGet(difference).localGet(borrow).i64Sub().localSet(difference);
    if (limb < 3) code.localSet(borrow);
    storeLimb(loop, 1, limb, () => code.localGet(difference));
  }
}

/** An instruction whose result is what a function of the runtime makes of its operands, the top of the stack first. */
function emitByRuntime(loop: Loop, name: RuntimeName, operands: number): void {
  callCold(loop, (cold) => {
    for (let depth = 0; depth < operands; depth++) pushWord(cold, depth);
    cold.code.call(cold.find(name));
    takeWord(cold, operands - 1, cold.locals.word);
  });
}

/** Small factors are multiplied here. */
export function emitMultiply(loop: Loop): void {
  const { code } = loop;
  pushOrOfLimbs(loop, 0, 1);
  pushOrOfLimbs(loop, 1, 1).i64Or();
  pushLimb(loop, 0, 0);
  pushLimb(loop, 1, 0).i64Or().i64Const(32).i64ShrU().i64Or().i64Eqz().if();
  storeLimb(loop, 1, 0, () => {
    pushLimb(loop, 0, 0);
    pushLimb(loop, 1, 0).i64Mul();
  });
  code.else();
  emitByRuntime(loop, "multiply", 2);
  code.end();
}

/** DIV and MOD. What fits one limb is divided here. */
export function emitDivide(loop: Loop, name: "divide" | "modulo"): void {
  const { code } = loop;
  pushOrOfLimbs(loop, 0, 1);
  pushOrOfLimbs(loop, 1, 1).i64Or().i64Eqz().if();
  pushLimb(loop, 1, 0).i64Eqz().i32Eqz().if();
  storeLimb(loop, 1, 0, () => {
    pushLimb(loop, 0, 0);
    pushLimb(loop, 1, 0);
    if (name === "divide") code.i64DivU();
    else code.i64RemU();
  });
  code.end().else();
  if (name === "modulo") emitByRuntime(loop, name, 2);
  else callCold(loop, emitDivideLong);
  code.end();
}

/** Code from before SHR came divides by powers of two in its place. */
function emitDivideLong(cold: ColdFunction): void {
  const { code, locals } = cold;
  const { word: exponent } = locals;
  for (let limb = 0; limb < 4; limb++) {
    pushLimb(cold, 1, limb).i64Popcnt();
    if (limb > 0) code.i64Add();
  }
  code.i64Const(1).i64Eq().if();
  for (let limb = 0; limb < 4; limb++) {
    pushLimb(cold, 1, limb).i64Ctz();
    code
      .i64Const(LIMB_BITS * limb)
      .i64Add()
      .localGet(exponent);
    pushLimb(cold, 1, limb).i64Eqz().i32Eqz().select().localSet(exponent);
  }
  code.localGet(exponent);
  pushWord(cold, 0).call(cold.find("shiftRight"));
  takeWord(cold, 1, locals.word);
  code.else();
  pushWord(cold, 0);
  pushWord(cold, 1).call(cold.find("divide"));
  takeWord(cold, 1, locals.word);
  code.end();
}

const LIMB_BITS = 64;

/** SDIV and SMOD. Magnitudes below 2^63 are divided here. */
export function emitDivideSigned(loop: Loop, name: "divideSigned" | "moduloSigned"): void {
  const { code, locals } = loop;
  const { a: result } = locals;
  pushIsLong(loop, 0);
  pushIsLong(loop, 1);
  // By 0 and by -1, where the quotient may not fit.
  code.i64Or().i64Eqz();
  pushLimb(loop, 1, 0).i64Const(1).i64Add().i64Const(1).i64GtU().i32And().if();
  pushLimb(loop, 0, 0);
  pushLimb(loop, 1, 0);
  if (name === "divideSigned") code.i64DivS();
  else code.i64RemS();
  code.localSet(result);
  storeLimb(loop, 1, 0, () => code.localGet(result));
  code.localGet(result).i64Const(63).i64ShrS().localSet(result);
  for (let limb = 1; limb < 4; limb++) storeLimb(loop, 1, limb, () => code.localGet(result));
  code.else();
  emitByRuntime(loop, name, 2);
  code.end();
}

/** Puts an i64 on WebAssembly's stack that is 0 if and only if a word is its lowest limb, sign-extended. */
function pushIsLong(loop: Loop, depth: number): void {
  const { code, locals } = loop;
  pushLimb(loop, depth, 0).i64Const(63).i64ShrS().localSet(locals.a);
  for (let limb = 1; limb < 4; limb++) {
    pushLimb(loop, depth, limb).localGet(locals.a).i64Xor();
    if (limb > 1) code.i64Or();
  }
}

export function emitAddModulo(loop: Loop): void {
  emitByRuntime(loop, "addModulo", 3);
}

export function emitMultiplyModulo(loop: Loop): void {
  emitByRuntime(loop, "multiplyModulo", 3);
}

export function emitPower(loop: Loop): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    pushByteLength(cold, 1, locals.word);
    code.i64Const(GAS.exponentByte).i64Mul().localSet(locals.word);
    code.localGet(locals.gas).localGet(locals.word).i64Sub().localSet(locals.gas);
    returnIfGasIsGone(cold);
    pushWord(cold, 0);
    pushWord(cold, 1);
    code.call(cold.find("power"));
    takeWord(cold, 1, locals.word);
  });
}

/** Puts the bytes of a word without its leading zeros on WebAssembly's stack, as an i64: from the highest limb that is not
 * 0, (64 - leading zeros + 7) / 8 and those below.
 * @param length a free i64 local. */
function pushByteLength(access: StackAccess, depth: number, length: number): void {
  const { code } = access;
  code.i64Const(0).localSet(length);
  for (let limb = 0; limb < 4; limb++) {
    code.i64Const(71);
    pushLimb(access, depth, limb)
      .i64Clz()
      .i64Sub()
      .i64Const(3)
      .i64ShrU()
      .i64Const(8 * limb)
      .i64Add();
    code.localGet(length);
    pushLimb(access, depth, limb).i64Eqz().i32Eqz().select().localSet(length);
  }
  code.localGet(length);
}

/** SIGNEXTEND: in the limb with the sign, then in those above it. */
export function emitSignExtend(loop: Loop): void {
  const { code, locals } = loop;
  const { a: lastByte, b: extended, scratch: place } = locals;
  pushClamped(loop, 0)
    .localTee(lastByte)
    .i64Const(WORD_BYTES - 1)
    .i64LtU()
    .if();
  code.localGet(locals.window);
  code.localGet(lastByte).i32WrapI64().i32Const(-LIMB_BYTES).i32And().i32Add().localTee(place);
  code.localGet(place).i64Load(limbOffset(1, 0));
  pushUnusedBits(loop);
  code.i64Shl();
  pushUnusedBits(loop);
  code.i64ShrS().localTee(extended).i64Store(limbOffset(1, 0));
  code.localGet(extended).i64Const(63).i64ShrS().localSet(extended);
  for (let limb = 1; limb < 4; limb++) {
    storeLimb(loop, 1, limb, () => {
      code.localGet(extended);
      pushLimb(loop, 1, limb);
      code
        .localGet(lastByte)
        .i64Const(LIMB_BYTES * limb)
        .i64LtU()
        .select();
    });
  }
  code.end();
}

/** Puts the bits of the limb with the sign that are above the sign on WebAssembly's stack, modulo 64. */
function pushUnusedBits({ code, locals }: Loop): void {
  code
    .i64Const(LIMB_BYTES - 1)
    .localGet(locals.a)
    .i64Sub()
    .i64Const(3)
    .i64Shl();
}
