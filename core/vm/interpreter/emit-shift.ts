import { LIMB_BYTES } from "../runtime/memory-layout.ts";
import type { ShiftKind } from "../runtime/runtime-shift.ts";
import { type Loop, limbOffset, pushClamped, pushLimb, storeLimb } from "./interpreter-loop.ts";

/** SHL, SHR and SAR. The word lies right below the count, whose place is free once it has been read: so that each limb of
 * the result is read from as many limbs further as the count has, without a branch. */

const MAX_COUNT = 255;
/** Depth of the word; the count is above it, and so is its place in memory. */
const WORD = 1;

export function emitShift(loop: Loop, kind: ShiftKind): void {
  const { code, locals } = loop;
  const { a: count } = locals;
  pushClamped(loop, 0).localTee(count).i64Const(MAX_COUNT).i64GtU().if();
  storeFill(loop, WORD, WORD, kind);
  code.else();
  emitShiftByCount(loop, kind, WORD);
  code.end();
}

/** Shifts the word at a depth by the count in locals.a, which is in [0, 255]. What is above the word is lost. */
export function emitShiftByCount(loop: Loop, kind: ShiftKind, word: number): void {
  const { code, locals } = loop;
  const { a: count, scratch: from } = locals;
  if (kind === "left") {
    for (let limb = 0; limb < 4; limb++) storeLimb(loop, word - 1, limb, () => pushLimb(loop, word, limb));
    storeFill(loop, word, word, kind);
  } else storeFill(loop, word - 1, word, kind);
  code.localGet(locals.window);
  code.localGet(count).i64Const(6).i64ShrU().i32WrapI64().i32Const(3).i32Shl();
  if (kind === "left") code.i32Sub();
  else code.i32Add();
  code.localSet(from);
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, word, limb, () => (kind === "left" ? pushLeft : pushRight)(loop, word, limb));
  }
}

/** Puts what comes in from outside the word into all limbs at a depth. */
function storeFill(loop: Loop, depth: number, word: number, kind: ShiftKind): void {
  const { code, locals } = loop;
  if (kind === "signed") pushLimb(loop, word, 3).i64Const(63).i64ShrS().localSet(locals.b);
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, depth, limb, () => {
      if (kind === "signed") code.localGet(locals.b);
      else code.i64Const(0);
    });
  }
}

// What the limb beside gives is shifted in two steps, because a shift by 64 would be one by 0.

function pushLeft({ code, locals }: Loop, word: number, limb: number): void {
  const { a: count, scratch: from } = locals;
  const at = limbOffset(word - 1, limb);
  code.localGet(from).i64Load(at).localGet(count).i64Shl();
  code
    .localGet(from)
    .i64Load(at - LIMB_BYTES)
    .i64Const(1)
    .i64ShrU();
  code.i64Const(63).localGet(count).i64Sub().i64ShrU().i64Or();
}

function pushRight({ code, locals }: Loop, word: number, limb: number): void {
  const { a: count, scratch: from } = locals;
  const at = limbOffset(word, limb);
  code.localGet(from).i64Load(at).localGet(count).i64ShrU();
  code
    .localGet(from)
    .i64Load(at + LIMB_BYTES)
    .i64Const(1)
    .i64Shl();
  code.i64Const(63).localGet(count).i64Sub().i64Shl().i64Or();
}
