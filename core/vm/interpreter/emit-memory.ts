import { type CodeBuilder, I32 } from "@ostrom/wasm";
import { GAS } from "../gas-schedule.ts";
import { FRAME, LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { REVERSED } from "../runtime/runtime-memory.ts";
import { emitJumpMapSize } from "./code-image.ts";
import { callCold, chargeWords, claimRange } from "./cold-function.ts";
import {
  failIfGasIsGone,
  type Loop,
  limbOffset,
  pushClamped,
  pushLimb,
  pushOrOfLimbs,
  pushPlace,
  takeWord,
} from "./interpreter-loop.ts";

/** KECCAK256 and what reads and writes memory. */

const HALF_WORD = 16;

/** Where the offset of an access is: at a depth of the stack, or in the byte behind the opcode. */
export type OffsetPlace = number | "data";

function pushOffset(loop: Loop, place: OffsetPlace): CodeBuilder {
  if (place !== "data") return pushLimb(loop, place, 0);
  return loop.code.localGet(loop.locals.counter).i64Load8U(1);
}

/** Makes bytes of memory from an offset on part of the memory; leaves the absolute address in locals.scratch. */
function claimKnownSize(loop: Loop, place: OffsetPlace, size: number): void {
  const { code, locals, exits, runtime } = loop;
  const { frame, scratch: address, a: end } = locals;
  if (place !== "data") {
    // No memory reaches to 2^32, and below that the sum fits an i64.
    pushOrOfLimbs(loop, place, 1);
    pushOffset(loop, place).i64Const(32).i64ShrU().i64Or().i64Eqz().i32Eqz().brIf(exits.outOfGas);
  }
  pushOffset(loop, place).i64Const(size).i64Add().localTee(end);
  code.localGet(frame).i64Load32U(FRAME.memorySize).i64GtU().if();
  code.localGet(frame).localGet(locals.gas).localGet(end).call(runtime.find("expand")).localSet(locals.gas);
  failIfGasIsGone(loop);
  code.end();
  pushOffset(loop, place).i32WrapI64().localGet(frame).i32Load(FRAME.memoryBase).i32Add().localSet(address);
}

/** @param to depth at which the word is put. */
export function emitLoad(loop: Loop, place: OffsetPlace, to: number): void {
  const { code, locals } = loop;
  claimKnownSize(loop, place, WORD_BYTES);
  for (const half of [0, HALF_WORD]) {
    pushPlace(loop, to);
    const from = HALF_WORD - half;
    code.localGet(locals.scratch).v128Load(from, 0).localTee(locals.vector);
    const offset = limbOffset(to, 0) + half;
    code.localGet(locals.vector).i8x16Shuffle(REVERSED).v128Store(offset);
  }
}

/** @param from depth of the word that is stored. */
export function emitStore(loop: Loop, place: OffsetPlace, from: number): void {
  const { code, locals } = loop;
  claimKnownSize(loop, place, WORD_BYTES);
  for (const limb of [0, 2]) {
    code.localGet(locals.scratch);
    // Limb by limb, as they were written: the processor cannot pass on two writes to one read that soon.
    pushPlace(loop, from).v128Load64Zero(limbOffset(from, limb), 3);
    pushLimb(loop, from, limb + 1)
      .i64x2ReplaceLane(1)
      .localTee(locals.vector);
    const offset = HALF_WORD - LIMB_BYTES * limb;
    code.localGet(locals.vector).i8x16Shuffle(REVERSED).v128Store(offset, 0);
  }
}

export function emitStoreByte(loop: Loop): void {
  claimKnownSize(loop, 0, 1);
  loop.code.localGet(loop.locals.scratch);
  pushLimb(loop, 1, 0).i64Store8();
}

export function emitKeccak(loop: Loop): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    claimRange(cold, 0, 1);
    chargeWords(cold, GAS.keccakWord);
    code.localGet(locals.address).localGet(locals.length).call(cold.find("keccak"));
    takeWord(cold, 1, locals.word);
  });
}

export function emitCopyInput(loop: Loop): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    claimRange(cold, 0, 2);
    chargeWords(cold, GAS.copyWord);
    code.localGet(locals.frame).localGet(locals.address).localGet(locals.length);
    pushClamped(cold, 1).call(cold.find("copyInput"));
  });
}

export function emitCopyCode(loop: Loop): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    const { frame, address, length, word: offset } = locals;
    const pushSize = (): CodeBuilder => code.localGet(frame).i32Load(FRAME.codeSize);
    const present = code.local(I32);
    claimRange(cold, 0, 2);
    chargeWords(cold, GAS.copyWord);
    pushClamped(cold, 1).localTee(offset).localGet(frame).i64Load32U(FRAME.codeSize).i64LtU().if();
    pushSize().localGet(offset).i32WrapI64().i32Sub().localTee(present);
    code.localGet(length).localGet(present).localGet(length).i32LtU().select().localSet(present);
    code.localGet(address);
    code.localGet(frame).i32Load(FRAME.jumpMap);
    emitJumpMapSize(code, pushSize);
    code.i32Add().localGet(offset).i32WrapI64().i32Add();
    code.localGet(present).memoryCopy().end();
    code.localGet(address).localGet(present).i32Add();
    code.i32Const(0).localGet(length).localGet(present).i32Sub().memoryFill();
  });
}

export function emitCopyWithin(loop: Loop): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    const { address } = locals;
    // The target's address waits on WebAssembly's stack while the source is claimed. No memory moves by that.
    claimRange(cold, 0, 2);
    code.localGet(address);
    claimRange(cold, 1, 2);
    chargeWords(cold, GAS.copyWord);
    code.localGet(address).localGet(locals.length).memoryCopy();
  });
}
