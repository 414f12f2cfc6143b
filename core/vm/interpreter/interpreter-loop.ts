import { type CodeBuilder, I32, I64, type Label, type ModuleBuilder, V128 } from "@ostrom/wasm";
import { MAX_STACK_SIZE } from "../gas-schedule.ts";
import { FRAME, LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import type { RuntimeFunctions } from "../runtime/runtime-functions.ts";
import type { StackNeeds } from "./sequences.ts";

/** Words of the stack that are addressed from its top with a constant, which may not be negative; few, because small
 * constants make smaller and faster code. */
const WINDOW_WORDS = 3;
const WINDOW_BYTES = WINDOW_WORDS * WORD_BYTES;

/** Locals of the function that interprets. There are few, so that V8 keeps them in registers. */
export type LoopLocals = {
  /** i32, a parameter: address of the frame. */
  readonly frame: number;
  /** i32, a parameter: at first the program counter at which to go on; then, within one instruction, an address or a target. */
  readonly scratch: number;
  /** i32: address of the opcode of the instruction that runs. */
  readonly counter: number;
  /** i32: address of the first free slot of the EVM's stack, less WINDOW_BYTES, so that offsets from it are positive. */
  readonly window: number;
  /** i64: what is left; negative: too much was charged. */
  readonly gas: number;
  /** i64, within one instruction. */
  readonly a: number;
  readonly b: number;
  /** v128, within one instruction. */
  readonly vector: number;
};

export type ExitLabels = {
  readonly outOfGas: Label;
  readonly stackUnderflow: Label;
  readonly stackOverflow: Label;
  readonly invalidJump: Label;
  readonly invalidOpcode: Label;
};

/** What the emitters of instructions write to. */
export type Loop = {
  readonly code: CodeBuilder;
  readonly locals: LoopLocals;
  readonly exits: ExitLabels;
  /** A branch to it goes on with the instruction at `counter`. */
  readonly next: Label;
  readonly module: ModuleBuilder;
  readonly runtime: RuntimeFunctions;
  /** Index of the import that runs an instruction by the reference's code. */
  readonly host: number;
};

/** What can reach the EVM's stack: the loop, and the functions that it calls. */
export type StackAccess = { readonly code: CodeBuilder; readonly locals: Pick<LoopLocals, "window"> };

export function declareLocals(code: CodeBuilder): LoopLocals {
  return {
    frame: 0,
    scratch: 1,
    counter: code.local(I32),
    window: code.local(I32),
    gas: code.local(I64),
    a: code.local(I64),
    b: code.local(I64),
    vector: code.local(V128),
  };
}

/** Puts an address on WebAssembly's stack, from which on `limbOffset` counts.
 * @param depth of a word of the EVM's stack: 0 is its top, -1 the first free slot. */
export function pushPlace({ code, locals }: StackAccess, depth: number): CodeBuilder {
  code.localGet(locals.window);
  if (depth >= WINDOW_WORDS) code.i32Const((depth + 1) * WORD_BYTES - WINDOW_BYTES).i32Sub();
  return code;
}

export function limbOffset(depth: number, limb: number): number {
  const word = depth >= WINDOW_WORDS ? 0 : WINDOW_BYTES - (depth + 1) * WORD_BYTES;
  return word + limb * LIMB_BYTES;
}

/** Sets `window`, `counter` and `gas` from the frame. */
export function loadFrame(code: CodeBuilder, { frame, scratch, counter, window, gas }: LoopLocals): void {
  code.localGet(frame).i32Load(FRAME.stackTop).i32Const(WINDOW_BYTES).i32Sub().localSet(window);
  code.localGet(frame).i32Load(FRAME.codeBase).localGet(scratch).i32Add().localSet(counter);
  code.localGet(frame).i64Load(FRAME.gas).localSet(gas);
}

/** What `window` is when the stack has so many words, less the frame's address. */
function windowAt(words: number): number {
  return FRAME.stack - WINDOW_BYTES + words * WORD_BYTES;
}

/** Faults if the stack has fewer words than are needed, or has not room for so many more. */
export function checkStack({ code, locals, exits }: Loop, { words, room }: StackNeeds): void {
  const { frame, window } = locals;
  const isBeyond = (height: number): CodeBuilder =>
    code.localGet(window).localGet(frame).i32Const(windowAt(height)).i32Add();
  if (words > 0) isBeyond(words).i32LtU().brIf(exits.stackUnderflow);
  if (room > 0) {
    isBeyond(MAX_STACK_SIZE - room)
      .i32GtU()
      .brIf(exits.stackOverflow);
  }
}

/** Takes gas without looking whether it was there: that is found out before anything could see it, and before the program
 * jumps, so that it cannot go on for ever. */
export function charge({ code, locals }: Loop, amount: number): void {
  if (amount > 0) code.localGet(locals.gas).i64Const(amount).i64Sub().localSet(locals.gas);
}

/** Leaves if more gas was taken than there was, or the host has ended the frame. */
export function failIfGasIsGone({ code, locals, exits }: Loop): void {
  code.localGet(locals.gas).i64Const(0).i64LtS().brIf(exits.outOfGas);
}

export function moveTop({ code, locals }: Loop, words: number): void {
  if (words !== 0)
    code
      .localGet(locals.window)
      .i32Const(words * WORD_BYTES)
      .i32Add()
      .localSet(locals.window);
}

export function pushLimb(access: StackAccess, depth: number, limb: number): CodeBuilder {
  return pushPlace(access, depth).i64Load(limbOffset(depth, limb));
}

/** Stores a limb of the stack that `pushValue` puts on WebAssembly's. */
export function storeLimb(access: StackAccess, depth: number, limb: number, pushValue: () => void): void {
  pushPlace(access, depth);
  pushValue();
  access.code.i64Store(limbOffset(depth, limb));
}

/** Makes a word of the stack of the limb that `pushValue` puts on WebAssembly's. */
export function storeSingle(access: StackAccess, depth: number, pushValue: () => void): void {
  storeLimb(access, depth, 0, pushValue);
  for (let limb = 1; limb < 4; limb++) storeLimb(access, depth, limb, () => access.code.i64Const(0));
}

/** Puts an i64 on WebAssembly's stack that is 0 if and only if limbs of a word are all 0. */
export function pushOrOfLimbs(access: StackAccess, depth: number, firstLimb: number): CodeBuilder {
  pushLimb(access, depth, firstLimb);
  for (let limb = firstLimb + 1; limb < 4; limb++) pushLimb(access, depth, limb).i64Or();
  return access.code;
}

export function pushWord(access: StackAccess, depth: number): CodeBuilder {
  for (let limb = 0; limb < 4; limb++) pushLimb(access, depth, limb);
  return access.code;
}

/** Puts a word on WebAssembly's stack as one i64: all ones if it does not fit. */
export function pushClamped(access: StackAccess, depth: number): CodeBuilder {
  pushLimb(access, depth, 0).i64Const(-1);
  return pushOrOfLimbs(access, depth, 1).i64Eqz().select();
}

/** Takes a word from WebAssembly's stack to the EVM's.
 * @param free four i64 locals. */
export function takeWord(access: StackAccess, depth: number, free: number): void {
  for (let limb = 3; limb >= 0; limb--) access.code.localSet(free + limb);
  for (let limb = 0; limb < 4; limb++)
    storeLimb(access, depth, limb, () => access.code.localGet(free + limb));
}

/** Puts the address of the first free slot of the EVM's stack on WebAssembly's. */
export function topOf({ code, locals }: Loop): CodeBuilder {
  return code.localGet(locals.window).i32Const(WINDOW_BYTES).i32Add();
}

export function advance({ code, locals }: Loop, bytes: number): void {
  code.localGet(locals.counter).i32Const(bytes).i32Add().localSet(locals.counter);
}

/** Goes on with the instruction at `counter`. One place in the code where all opcodes are told apart: several make V8 slow
 * to compile, and the code no faster. */
export function goOn({ code, next }: Loop): void {
  code.br(next);
}
