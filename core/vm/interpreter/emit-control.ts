import { GAS } from "../gas-schedule.ts";
import { FRAME } from "../runtime/memory-layout.ts";
import { callCold, claimRange } from "./cold-function.ts";
import {
  advance,
  charge,
  failIfGasIsGone,
  goOn,
  type Loop,
  moveTop,
  pushLimb,
  pushOrOfLimbs,
} from "./interpreter-loop.ts";

/** STOP, jumps, RETURN and REVERT. */

export function emitStop(loop: Loop): void {
  failIfGasIsGone(loop);
  leaveWith(loop, 0);
}

/** Tells the host how much gas is left, and returns a status. */
export function leaveWith({ code, locals }: Loop, status: number): void {
  code.localGet(locals.frame).localGet(locals.gas).i64Store(FRAME.gas);
  code.i32Const(status).return();
}

export function emitReturn(loop: Loop, status: number): void {
  callCold(loop, (cold) => {
    const { code, locals } = cold;
    claimRange(cold, 0, 1);
    code.localGet(locals.frame).localGet(locals.address);
    code.localGet(locals.frame).i32Load(FRAME.memoryBase).i32Sub().i32Store(FRAME.outputOffset);
    code.localGet(locals.frame).localGet(locals.length).i32Store(FRAME.outputSize);
  });
  leaveWith(loop, status);
}

export function emitJump(loop: Loop): void {
  pushTarget(loop, 0);
  moveTop(loop, -1);
  goTo(loop);
}

export function emitJumpIf(loop: Loop): void {
  pushOrOfLimbs(loop, 1, 0).i64Eqz().if();
  moveTop(loop, -2);
  advance(loop, 1);
  goOn(loop);
  loop.code.end();
  pushTarget(loop, 0);
  moveTop(loop, -2);
  goTo(loop);
}

/** Puts the word at a depth on WebAssembly's stack, as an i32; faults if it is 2^32 or more. */
function pushTarget(loop: Loop, depth: number): void {
  pushOrOfLimbs(loop, depth, 1);
  pushLimb(loop, depth, 0).i64Const(32).i64ShrU().i64Or().i64Eqz().i32Eqz().brIf(loop.exits.invalidJump);
  pushLimb(loop, depth, 0).i32WrapI64();
}

/** Goes to the instruction behind the JUMPDEST whose place, an i32, is on WebAssembly's stack, and charges for it. */
export function goTo(loop: Loop): void {
  const { code, locals, exits } = loop;
  const { frame, scratch: target, counter } = locals;
  code.localTee(target).localGet(frame).i32Load(FRAME.codeSize).i32GeU().brIf(exits.invalidJump);
  code.localGet(target).i32Const(3).i32ShrU().localGet(frame).i32Load(FRAME.jumpMap).i32Add().i32Load8U();
  code.localGet(target).i32Const(7).i32And().i32ShrU().i32Const(1).i32And().i32Eqz().brIf(exits.invalidJump);
  code.localGet(frame).i32Load(FRAME.codeBase).localGet(target).i32Add().i32Const(1).i32Add();
  code.localSet(counter);
  charge(loop, GAS.jumpDestination);
  failIfGasIsGone(loop);
  goOn(loop);
}
