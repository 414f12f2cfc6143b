import { type CodeBuilder, I32, I64, type ValueType } from "@ostrom/wasm";
import { GAS } from "../gas-schedule.ts";
import {
  FRAME,
  LIMB_BYTES,
  ORIGINAL_VALUE,
  SLOT,
  SLOT_JOURNAL,
  SLOT_STATE,
  SLOT_TABLE,
  STORAGE_GENERATION,
} from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";

// What SLOAD has found is kept in a table, so that a contract that reads a slot again does not have to ask the host: the
// slot is warm then, and its value known. An entry counts only in its generation, and the host begins another whenever the
// table could be wrong: with a message, and whenever changes are undone or the reference has run a frame. Which entries
// there are shows in nothing but time, so that a collision, even one that somebody wants, only costs a question.
//
// SSTORE of such a slot writes to the table alone, if the slot's original value is known, and the host is told before
// anything else could look (slot-journal.ts).

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

/** (frame, slot, value) -> nothing: makes the entry of a slot that the host has read or written, in place of whatever was
 * there, unless that was written and the host does not know it yet. */
export function writeRememberSlot(code: CodeBuilder, find: FindFunction): void {
  const [frame, slot, value] = [0, 1, 5];
  const entry = code.local(I32);
  pushSlot(code, frame, slot);
  code.call(find("placeSlot")).localSet(entry);
  code.localGet(entry).i32Load(SLOT.generation).i32Const(0).i32Load(STORAGE_GENERATION).i32Eq();
  code.localGet(entry).i32Load(SLOT.state).i32Const(SLOT_STATE.written).i32Eq().i32And().if();
  code.return().end();
  code.localGet(entry).i32Const(0).i32Load(STORAGE_GENERATION).i32Store(SLOT.generation);
  code.localGet(entry).localGet(frame).i32Load(FRAME.storageId).i32Store(SLOT.storageId);
  code.localGet(entry).i32Const(SLOT_STATE.known).i32Const(SLOT_STATE.read);
  code.i32Const(0).i32Load(SLOT_JOURNAL.isOpen).select().i32Store(SLOT.state);
  for (let limb = 0; limb < 4; limb++) {
    const offset = LIMB_BYTES * limb;
    code
      .localGet(entry)
      .localGet(slot + limb)
      .i64Store(SLOT.key + offset);
    code
      .localGet(entry)
      .localGet(value + limb)
      .i64Store(SLOT.value + offset);
    code
      .localGet(entry)
      .i32Const(0)
      .i64Load(ORIGINAL_VALUE + offset)
      .i64Store(SLOT.original + offset);
  }
}

/** (frame, gas, slot, value) -> gas: SSTORE, where the slot's entry tells all that it needs; else, and wherever it might
 * fail, -1, and nothing has changed: the host is to do it. Source: EIP-2200, 2929 and 3529. */
export function writeStoreSlot(code: CodeBuilder, find: FindFunction): void {
  const [frame, gas, slot, value] = [0, 1, 2, 6];
  const entry = code.local(I32);
  const cost = code.local(I64);
  const refund = code.local(I64);
  code.i32Const(0).i32Load(SLOT_JOURNAL.isOpen).i32Eqz();
  code.localGet(gas).i64Const(GAS.storageSentry).i64LeS().i32Or().if();
  code.i64Const(-1).return().end();
  pushSlot(code, frame, slot);
  code.call(find("findSlot")).localTee(entry).i32Eqz().if();
  code.i64Const(-1).return().end();
  code.localGet(entry).i32Load(SLOT.state).i32Const(SLOT_STATE.read).i32Eq().if();
  code.i64Const(-1).return().end();
  writeStoreGas(code, { entry, value, cost, refund });
  code.localGet(gas).localGet(cost).i64Sub().localTee(gas).i64Const(0).i64LtS().if();
  code.i64Const(-1).return().end();
  code.i32Const(0).i32Const(0).i64Load(SLOT_JOURNAL.refund).localGet(refund).i64Add();
  code.i64Store(SLOT_JOURNAL.refund);
  for (let limb = 0; limb < 4; limb++)
    code
      .localGet(entry)
      .localGet(value + limb)
      .i64Store(SLOT.value + LIMB_BYTES * limb);
  code.localGet(entry).i32Load(SLOT.state).i32Const(SLOT_STATE.written).i32Ne().if();
  code.localGet(entry).i32Const(SLOT_STATE.written).i32Store(SLOT.state);
  code.i32Const(0).i32Load(SLOT_JOURNAL.count).i32Const(2).i32Shl().localGet(entry);
  code.i32Store(SLOT_JOURNAL.entries);
  code.i32Const(0).i32Const(0).i32Load(SLOT_JOURNAL.count).i32Const(1).i32Add();
  code.i32Store(SLOT_JOURNAL.count).end();
  code.localGet(gas);
}

type StoreLocals = Readonly<Record<"entry" | "value" | "cost" | "refund", number>>;

/** Finds what a write to a warm slot costs, and what it adds to the refund; as in the reference (storage.ts). */
function writeStoreGas(code: CodeBuilder, { entry, value, cost, refund }: StoreLocals): void {
  const isSame = code.local(I32);
  const isFirst = code.local(I32);
  const wasZero = code.local(I32);
  const isRestored = code.local(I32);
  pushSameWord(code, entry, SLOT.value, value);
  code.localSet(isSame);
  for (let limb = 0; limb < 4; limb++) {
    code.localGet(entry).i64Load(SLOT.value + LIMB_BYTES * limb);
    code.localGet(entry).i64Load(SLOT.original + LIMB_BYTES * limb);
    code.i64Xor();
    if (limb > 0) code.i64Or();
  }
  code.i64Eqz().localSet(isFirst);
  pushIsZero(code, entry, SLOT.original);
  code.localSet(wasZero);
  pushSameWord(code, entry, SLOT.original, value);
  code.localSet(isRestored);
  const setCost = (): CodeBuilder =>
    code.i64Const(GAS.storageSet).i64Const(GAS.storageReset).localGet(wasZero).select();
  code.i64Const(GAS.warmAccess).localSet(cost);
  code.localGet(isSame).if();
  code.else();
  code.localGet(isFirst).if();
  setCost().localSet(cost).end();
  code.localGet(wasZero).i32Eqz().if();
  pushIsZero(code, entry, SLOT.value);
  code.if();
  code.localGet(refund).i64Const(GAS.storageClearRefund).i64Sub().localSet(refund).end();
  for (let limb = 0; limb < 4; limb++) {
    code.localGet(value + limb);
    if (limb > 0) code.i64Or();
  }
  code.i64Eqz().if();
  code.localGet(refund).i64Const(GAS.storageClearRefund).i64Add().localSet(refund).end();
  code.end();
  code.localGet(isFirst).i32Eqz().localGet(isRestored).i32And().if();
  code.localGet(refund);
  setCost().i64Const(GAS.warmAccess).i64Sub().i64Add().localSet(refund).end();
  code.end();
}

function pushSameWord(code: CodeBuilder, entry: number, at: number, word: number): void {
  for (let limb = 0; limb < 4; limb++) {
    code.localGet(entry).i64Load(at + LIMB_BYTES * limb);
    code.localGet(word + limb).i64Xor();
    if (limb > 0) code.i64Or();
  }
  code.i64Eqz();
}

function pushIsZero(code: CodeBuilder, entry: number, at: number): void {
  for (let limb = 0; limb < 4; limb++) {
    code.localGet(entry).i64Load(at + LIMB_BYTES * limb);
    if (limb > 0) code.i64Or();
  }
  code.i64Eqz();
}

function pushSlot(code: CodeBuilder, frame: number, slot: number): void {
  code.localGet(frame);
  for (let limb = 0; limb < 4; limb++) code.localGet(slot + limb);
}

/** Of all; rememberSlot takes a value besides. */
export const SLOT_PARAMETERS: readonly ValueType[] = [I32, I64, I64, I64, I64];
