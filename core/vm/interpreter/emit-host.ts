import { RANGES } from "../compiler/emit-host.ts";
import type { Instruction } from "../instruction.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { FRAME, LIMB_BYTES, OPERANDS, WORD_BYTES } from "../runtime/memory-layout.ts";
import { type ColdFunction, callCold, claimRange, ENDED_BY_HOST } from "./cold-function.ts";
import { leaveWith } from "./emit-control.ts";
import { type Loop, moveTop, pushLimb, storeLimb, topOf } from "./interpreter-loop.ts";

/** Instructions that the host runs, as in the compiler's emit-host.ts. */
export function emitHostCall(loop: Loop, { opcode, pops, pushes }: Instruction): void {
  callCold(loop, (cold) => {
    passOperands(cold, opcode, pops);
    callHost(cold, opcode);
    if (pushes > 0) takeResult(cold, pops - 1);
  });
}

/** CALL and CREATE: leaves, and is called again when the other frame has ended; the result is on the stack then. */
export function emitCall(loop: Loop, { opcode, pops }: Instruction): void {
  const { code, locals } = loop;
  callCold(loop, (cold) => passOperands(cold, opcode, pops));
  moveTop(loop, -pops);
  code.localGet(locals.frame);
  topOf(loop).i32Store(FRAME.stackTop);
  code
    .localGet(locals.frame)
    .localGet(locals.counter)
    .localGet(locals.frame)
    .i32Load(FRAME.codeBase)
    .i32Sub()
    .i32Const(1)
    .i32Add();
  code.i32Store(FRAME.resumeEntry);
  leaveWith(loop, STATUS.call + opcode);
}

/** Claims the memory that an instruction touches and copies its operands to where the host looks for them. */
export function passOperands(cold: ColdFunction, opcode: number, pops: number): void {
  const { code } = cold;
  for (const [offset, size] of RANGES.get(opcode) ?? []) claimRange(cold, offset, size);
  for (let depth = 0; depth < pops; depth++) {
    for (let limb = 0; limb < 4; limb++) {
      code.i32Const(0);
      pushLimb(cold, depth, limb).i64Store(OPERANDS + WORD_BYTES * depth + LIMB_BYTES * limb);
    }
  }
}

/** Has the host run an instruction whose operands it has been passed. */
export function callHost({ code, locals, host }: ColdFunction, opcode: number): void {
  const { frame, gas } = locals;
  code.localGet(frame).localGet(gas).i64Store(FRAME.gas);
  code.i32Const(opcode).call(host).if();
  code.i64Const(ENDED_BY_HOST).return().end();
  code.localGet(frame).i64Load(FRAME.gas).localSet(gas);
}

/** Puts what the host pushes on the stack. */
export function takeResult(cold: ColdFunction, depth: number): void {
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(cold, depth, limb, () => cold.code.i32Const(0).i64Load(OPERANDS + LIMB_BYTES * limb));
  }
}
