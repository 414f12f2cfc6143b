import { type CodeBuilder, I32 } from "@ostrom/wasm";
import { LIMB_BYTES, SCRATCH, WORD_BYTES } from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";

// A shift by a number that is known only when it runs would choose among limbs. Instead the word is written to memory
// between zeros, and read again from as many limbs further as the shift has, which needs no branch.
const WORD_AT = SCRATCH.shift + WORD_BYTES;
const ABOVE_AT = WORD_AT + WORD_BYTES;

export type ShiftKind = "left" | "right" | "signed";

/** (count, word) -> word: SHL, SHR or SAR. */
export function writeShift(code: CodeBuilder, kind: ShiftKind): void {
  const [count, word] = [0, 1];
  const from = code.local(I32);
  const pushFill = (): void => {
    if (kind === "signed")
      code
        .localGet(word + 3)
        .i64Const(63)
        .i64ShrS();
    else code.i64Const(0);
  };
  code.localGet(count).i64Const(255).i64GtU().if();
  for (let limb = 0; limb < 4; limb++) pushFill();
  code.return().end();
  for (let limb = 0; limb < 4; limb++) {
    code
      .i32Const(0)
      .localGet(word + limb)
      .i64Store(WORD_AT + LIMB_BYTES * limb);
    code.i32Const(0);
    if (kind === "left") code.i64Const(0).i64Store(SCRATCH.shift + LIMB_BYTES * limb);
    else {
      pushFill();
      code.i64Store(ABOVE_AT + LIMB_BYTES * limb);
    }
  }
  code.localGet(count).i64Const(6).i64ShrU().i32WrapI64().i32Const(3).i32Shl().localSet(from);
  if (kind === "left")
    code
      .i32Const(WORD_BYTES - LIMB_BYTES)
      .localGet(from)
      .i32Sub()
      .localSet(from);
  for (let limb = 0; limb < 4; limb++) {
    if (kind === "left") writeLeftLimb(code, count, from, limb);
    else writeRightLimb(code, count, from, limb);
  }
}

// The highest limb of the fill is read only where its bits are shifted out again.
function writeRightLimb(code: CodeBuilder, count: number, from: number, limb: number): void {
  const at = WORD_AT + LIMB_BYTES * limb;
  code.localGet(from).i64Load(at).localGet(count).i64ShrU();
  // In two steps, because a shift by 64 would be one by 0.
  code
    .localGet(from)
    .i64Load(at + LIMB_BYTES)
    .i64Const(1)
    .i64Shl();
  code.i64Const(63).localGet(count).i64Sub().i64Shl().i64Or();
}

function writeLeftLimb(code: CodeBuilder, count: number, from: number, limb: number): void {
  const at = SCRATCH.shift + LIMB_BYTES * (limb + 1);
  code.localGet(from).i64Load(at).localGet(count).i64Shl();
  code
    .localGet(from)
    .i64Load(at - LIMB_BYTES)
    .i64Const(1)
    .i64ShrU();
  code.i64Const(63).localGet(count).i64Sub().i64ShrU().i64Or();
}

/** (lastByte, word) -> word: SIGNEXTEND. */
export function writeSignExtend(code: CodeBuilder, find: FindFunction): void {
  const [lastByte, word] = [0, 1];
  code.localGet(lastByte).i64Const(30).i64GtU().if();
  for (let limb = 0; limb < 4; limb++) code.localGet(word + limb);
  code.return().end();
  code.i64Const(248).localGet(lastByte).i64Const(3).i64Shl().i64Sub().localTee(lastByte);
  code.localGet(lastByte);
  for (let limb = 0; limb < 4; limb++) code.localGet(word + limb);
  code.call(find("shiftLeft")).call(find("shiftSigned"));
}

/** (index, word) -> limb: BYTE, 0 the most significant. */
export function writeByteAt(code: CodeBuilder): void {
  const [index, word] = [0, 1];
  code
    .localGet(index)
    .i64Const(WORD_BYTES - 1)
    .i64GtU()
    .if();
  code.i64Const(0).return().end();
  for (let limb = 0; limb < 4; limb++) {
    code
      .i32Const(0)
      .localGet(word + limb)
      .i64Store(WORD_AT + LIMB_BYTES * limb);
  }
  code
    .i32Const(WORD_BYTES - 1)
    .localGet(index)
    .i32WrapI64()
    .i32Sub()
    .i64Load8U(WORD_AT);
}
