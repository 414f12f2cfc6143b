import type { Instruction } from "../instruction.ts";
import { FRAME, LIMB_BYTES } from "../runtime/memory-layout.ts";
import { callCold } from "./cold-function.ts";
import { callHost } from "./emit-host.ts";
import { type Loop, pushClamped, storeLimb, storeSingle, takeWord } from "./interpreter-loop.ts";

/** What is read from the frame or the transaction without the host. */

/** @param at a word that all frames share. */
export function emitSharedWord(loop: Loop, at: number): void {
  const { code } = loop;
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, -1, limb, () => code.i32Const(0).i64Load(at + LIMB_BYTES * limb));
  }
}

/** @param at offset of a word from the frame's address. */
export function emitFrameWord(loop: Loop, at: number): void {
  const { code, locals } = loop;
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, -1, limb, () => code.localGet(locals.frame).i64Load(at + LIMB_BYTES * limb));
  }
}

/** @param at offset of a u32 from the frame's address. */
export function emitFrameSize(loop: Loop, at: number): void {
  storeSingle(loop, -1, () => loop.code.localGet(loop.locals.frame).i64Load32U(at));
}

/** If it is negative, the program will fail before anybody can see it. */
export function emitGas(loop: Loop): void {
  storeSingle(loop, -1, () => loop.code.localGet(loop.locals.gas));
}

/** PC. */
export function emitCounter(loop: Loop): void {
  const { code, locals } = loop;
  storeSingle(loop, -1, () => {
    code.localGet(locals.counter).localGet(locals.frame).i32Load(FRAME.codeBase).i32Sub();
    code.i64ExtendI32U();
  });
}

export function emitLoadInput(loop: Loop): void {
  callCold(loop, (cold) => {
    cold.code.localGet(cold.locals.frame);
    pushClamped(cold, 0).call(cold.find("loadInput"));
    takeWord(cold, 0, cold.locals.word);
  });
}

export function emitBlobHash(loop: Loop): void {
  callCold(loop, (cold) => {
    pushClamped(cold, 0).call(cold.find("blobHash"));
    takeWord(cold, 0, cold.locals.word);
  });
}

/** By the host the first time, and again after a call: it leaves the balance in the frame's header. */
export function emitSelfBalance(loop: Loop, { opcode }: Instruction): void {
  const { code, locals } = loop;
  code.localGet(locals.frame).i32Load(FRAME.balanceIsKnown).i32Eqz().if();
  callCold(loop, (cold) => callHost(cold, opcode));
  code.end();
  emitFrameWord(loop, FRAME.balance);
}
