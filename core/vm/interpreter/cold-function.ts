import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";
import { MAX_MEMORY_SIZE } from "../gas-schedule.ts";
import { FRAME } from "../runtime/memory-layout.ts";
import type { FindFunction } from "../runtime/runtime-functions.ts";
import { failIfGasIsGone, type Loop, type LoopLocals, pushLimb, pushOrOfLimbs } from "./interpreter-loop.ts";

// Instructions that are long or seldom have functions of their own, so that the loop stays small and V8 needs no registers
// for them there. They find their operands on the EVM's stack and leave the result there.

/** In place of the gas that is left: the host has ended the frame. */
export const ENDED_BY_HOST: bigint = -(2n ** 62n);
const OUT_OF_GAS = -1;

/** What the emitters of such a function write to: (frame, window, gas) -> gas, as in LoopLocals; a negative result ends the
 * frame. */
export type ColdFunction = {
  readonly code: CodeBuilder;
  readonly locals: Pick<LoopLocals, "frame" | "window" | "gas"> & {
    /** i32: absolute address and length of a part of memory that was claimed. */
    readonly address: number;
    readonly length: number;
    /** Four i64. */
    readonly word: number;
  };
  readonly find: FindFunction;
  readonly host: number;
};

/** Emits a function for an instruction, and the call to it: it begins with the gas there, and returns what is left of it. */
export function callCold(loop: Loop, write: (cold: ColdFunction) => void): void {
  const { code, locals, module, runtime, host } = loop;
  const index = module.function(module.type([I32, I32, I64], [I64]), (body) => {
    const cold: ColdFunction = {
      code: body,
      locals: {
        frame: 0,
        window: 1,
        gas: 2,
        address: body.local(I32),
        length: body.local(I32),
        word: body.locals(I64, 4),
      },
      find: runtime.find,
      host,
    };
    returnIfGasIsGone(cold);
    write(cold);
    body.localGet(cold.locals.gas);
  });
  code.localGet(locals.frame).localGet(locals.window).localGet(locals.gas).call(index).localSet(locals.gas);
  failIfGasIsGone(loop);
}

export function returnIfGasIsGone({ code, locals }: ColdFunction): void {
  code.localGet(locals.gas).i64Const(0).i64LtS().if();
  code.localGet(locals.gas).return().end();
}

function returnOutOfGas({ code }: ColdFunction): void {
  code.i64Const(OUT_OF_GAS).return();
}

/** Makes a range of memory part of the frame's; nothing is touched where the size is 0, wherever the offset is. Leaves the
 * absolute address in locals.address and the size in locals.length. */
export function claimRange(cold: ColdFunction, offsetDepth: number, sizeDepth: number): void {
  const { code, locals } = cold;
  returnIfBeyondMemory(cold, sizeDepth);
  pushLimb(cold, sizeDepth, 0).i32WrapI64().localTee(locals.length).if();
  returnIfBeyondMemory(cold, offsetDepth);
  pushLimb(cold, offsetDepth, 0);
  pushLimb(cold, sizeDepth, 0).i64Add().localTee(locals.word);
  code.localGet(locals.frame).i64Load32U(FRAME.memorySize).i64GtU().if();
  code.localGet(locals.frame).localGet(locals.gas).localGet(locals.word);
  code.call(cold.find("expand")).localSet(locals.gas);
  returnIfGasIsGone(cold);
  code.end();
  code.localGet(locals.frame).i32Load(FRAME.memoryBase);
  pushLimb(cold, offsetDepth, 0).i32WrapI64().i32Add().localSet(locals.address);
  code.else();
  code.localGet(locals.frame).i32Load(FRAME.memoryBase).localSet(locals.address);
  code.end();
}

/** The sum of two words that are not fits an i64. */
function returnIfBeyondMemory(cold: ColdFunction, depth: number): void {
  const { code } = cold;
  pushOrOfLimbs(cold, depth, 1).i64Eqz().i32Eqz();
  pushLimb(cold, depth, 0).i64Const(MAX_MEMORY_SIZE).i64GtU().i32Or().if();
  returnOutOfGas(cold);
  code.end();
}

/** Charges `price` for each 32-byte word of locals.length. */
export function chargeWords(cold: ColdFunction, price: number): void {
  const { code, locals } = cold;
  code.localGet(locals.gas);
  code.localGet(locals.length).i64ExtendI32U().i64Const(31).i64Add().i64Const(5).i64ShrU();
  code.i64Const(price).i64Mul().i64Sub().localSet(locals.gas);
  returnIfGasIsGone(cold);
}
