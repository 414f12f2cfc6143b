import type { BitOperation } from "../compiler/limb-operations.ts";
import {
  type Loop,
  limbOffset,
  pushClamped,
  pushLimb,
  pushOrOfLimbs,
  storeLimb,
  storeSingle,
} from "./interpreter-loop.ts";

/** 0x10 to 0x1e. */

export function emitCombine(loop: Loop, operation: BitOperation): void {
  for (let limb = 0; limb < 4; limb++)
    storeLimb(loop, 1, limb, () => pushCombined(loop, operation, 0, 1, limb));
}

export function pushCombined(loop: Loop, operation: BitOperation, x: number, y: number, limb: number): void {
  const { code } = loop;
  pushLimb(loop, x, limb);
  pushLimb(loop, y, limb);
  if (operation === "and") code.i64And();
  else if (operation === "or") code.i64Or();
  else code.i64Xor();
}

export function emitNot(loop: Loop): void {
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, 0, limb, () => pushLimb(loop, 0, limb).i64Const(-1).i64Xor());
  }
}

export type Comparison = "less" | "greater" | "lessSigned" | "greaterSigned" | "equal" | "isZero";

/** How many words a comparison takes. */
export function comparedWords(comparison: Comparison): number {
  return comparison === "isZero" ? 1 : 2;
}

/** LT, GT, SLT, SGT, EQ and ISZERO. */
export function emitComparison(loop: Loop, comparison: Comparison): void {
  const { code, locals } = loop;
  pushComparison(loop, comparison);
  code.i64ExtendI32U().localSet(locals.a);
  storeSingle(loop, comparedWords(comparison) - 1, () => code.localGet(locals.a));
}

/** Puts an i32 on WebAssembly's stack: 1 if the words on top of the EVM's compare so, else 0. */
export function pushComparison(loop: Loop, comparison: Comparison): void {
  switch (comparison) {
    case "less":
      pushIsLess(loop, 0, 1, false);
      break;
    case "greater":
      pushIsLess(loop, 1, 0, false);
      break;
    case "lessSigned":
      pushIsLess(loop, 0, 1, true);
      break;
    case "greaterSigned":
      pushIsLess(loop, 1, 0, true);
      break;
    case "equal":
      pushIsEqual(loop);
      break;
    case "isZero":
      pushOrOfLimbs(loop, 0, 0).i64Eqz();
      break;
    default:
      comparison satisfies never;
  }
}

/** From the lowest limb up: what is equal leaves the answer to those below. */
function pushIsLess(loop: Loop, x: number, y: number, isSigned: boolean): void {
  const { code } = loop;
  const pushBoth = (limb: number): void => {
    pushLimb(loop, x, limb);
    pushLimb(loop, y, limb);
  };
  pushBoth(0);
  code.i64LtU();
  for (let limb = 1; limb < 4; limb++) {
    pushBoth(limb);
    if (isSigned && limb === 3) code.i64LtS();
    else code.i64LtU();
    pushBoth(limb);
    code.i64Eq().select();
  }
}

function pushIsEqual(loop: Loop): void {
  for (let limb = 0; limb < 4; limb++) {
    pushCombined(loop, "xor", 0, 1, limb);
    if (limb > 0) loop.code.i64Or();
  }
  loop.code.i64Eqz();
}

/** A byte of the word as it lies in memory: 31 less its index from the lowest. */
export function emitByte(loop: Loop): void {
  const { code, locals } = loop;
  const { a: index } = locals;
  pushClamped(loop, 0).localSet(index);
  code.localGet(locals.window).i32Const(31).i32Add();
  code.localGet(index).i32WrapI64().i32Const(31).i32And().i32Sub().i64Load8U(limbOffset(1, 0));
  code.i64Const(0).localGet(index).i64Const(32).i64LtU().select().localSet(index);
  storeSingle(loop, 1, () => code.localGet(index));
}

/** CLZ: of the highest limb that is not 0, and 64 for each above it. */
export function emitCountLeadingZeros(loop: Loop): void {
  const { code, locals } = loop;
  pushLimb(loop, 0, 0).i64Clz().i64Const(192).i64Add().localSet(locals.a);
  for (let limb = 1; limb < 4; limb++) {
    pushLimb(loop, 0, limb)
      .i64Clz()
      .i64Const(192 - 64 * limb)
      .i64Add();
    code.localGet(locals.a);
    pushLimb(loop, 0, limb).i64Eqz().i32Eqz().select().localSet(locals.a);
  }
  storeSingle(loop, 0, () => code.localGet(locals.a));
}
