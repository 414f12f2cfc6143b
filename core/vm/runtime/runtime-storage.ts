import { type CodeBuilder, I32, I64, type ValueType } from "@ostrom/wasm";
import { FRAME, LIMB_BYTES, SLOT, SLOT_TABLE, STORAGE_GENERATION } from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";

// What SLOAD has found is kept in a table, so that a contract that reads a slot again does not have to ask the host: the
// slot is warm then, and its value known. An entry counts only in its generation, and the host begins another whenever the
// table could be wrong: with a message, and whenever changes are undone or the reference has run a frame. Which entries
// there are shows in nothing but time, so that a collision, even one that somebody wants, only costs a question.

/** Odd, with bits spread evenly. */
const MULTIPLIER = 0x9e37_79b9_7f4a_7c15n;

/** (frame, slot) -> address: where in the table the frame's slot belongs. */
export function writePlaceSlot(code: CodeBuilder): void {
  const [frame, slot] = [0, 1];
  code.localGet(slot);
  for (let limb = 1; limb < 4; limb++) {
    code
      .localGet(slot + limb)
      .i64Const(16 * limb + 1)
      .i64Rotl()
      .i64Xor();
  }
  code.localGet(frame).i64Load32U(FRAME.storageId).i64Add();
  code
    .i64Const(MULTIPLIER)
    .i64Mul()
    .i64Const(64 - SLOT_TABLE.indexBits)
    .i64ShrU()
    .i32WrapI64();
  code.i32Const(SLOT.size).i32Mul().i32Const(SLOT_TABLE.at).i32Add();
}

/** (frame, slot) -> address: the slot's entry, or 0 if there is none. */
export function writeFindSlot(code: CodeBuilder, find: FindFunction): void {
  const [frame, slot] = [0, 1];
  const entry = code.local(I32);
  pushSlot(code, frame, slot);
  code.call(find("placeSlot")).localSet(entry);
  code.localGet(entry).i32Const(0);
  code.localGet(entry).i32Load(SLOT.generation).i32Const(0).i32Load(STORAGE_GENERATION).i32Eq();
  code.localGet(entry).i32Load(SLOT.storageId).localGet(frame).i32Load(FRAME.storageId).i32Eq().i32And();
  for (let limb = 0; limb < 4; limb++) {
    code
      .localGet(entry)
      .i64Load(SLOT.key + LIMB_BYTES * limb)
      .localGet(slot + limb)
      .i64Eq()
      .i32And();
  }
  code.select();
}

/** (frame, slot, value) -> nothing: makes the entry, in place of whatever was there. */
export function writeRememberSlot(code: CodeBuilder, find: FindFunction): void {
  const [frame, slot, value] = [0, 1, 5];
  const entry = code.local(I32);
  pushSlot(code, frame, slot);
  code.call(find("placeSlot")).localSet(entry);
  code.localGet(entry).i32Const(0).i32Load(STORAGE_GENERATION).i32Store(SLOT.generation);
  code.localGet(entry).localGet(frame).i32Load(FRAME.storageId).i32Store(SLOT.storageId);
  for (let limb = 0; limb < 4; limb++) {
    code
      .localGet(entry)
      .localGet(slot + limb)
      .i64Store(SLOT.key + LIMB_BYTES * limb);
    code
      .localGet(entry)
      .localGet(value + limb)
      .i64Store(SLOT.value + LIMB_BYTES * limb);
  }
}

function pushSlot(code: CodeBuilder, frame: number, slot: number): void {
  code.localGet(frame);
  for (let limb = 0; limb < 4; limb++) code.localGet(slot + limb);
}

/** Of all three; rememberSlot takes a value besides. */
export const SLOT_PARAMETERS: readonly ValueType[] = [I32, I64, I64, I64, I64];
