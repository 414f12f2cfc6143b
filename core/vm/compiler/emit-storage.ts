import { type CodeBuilder, I32, I64, type ModuleBuilder } from "@ostrom/wasm";
import { GAS } from "../gas-schedule.ts";
import { OP } from "../opcodes.ts";
import { FRAME, LIMB_BYTES, OPERANDS, SLOT, WORD_BYTES } from "../runtime/memory-layout.ts";
import type { RuntimeFunctions } from "../runtime/runtime-functions.ts";
import { type Emission, pushWord, takeWord } from "./emission.ts";
import { pop, push } from "./symbolic-stack.ts";

/** Functions of a contract's module for SLOAD and SSTORE, written when they are first asked for. Both take the gas and give
 * what is left, or -1 if the host has ended the frame. */
export type SlotFunctions = {
  /** (frame, gas, slot) -> gas, value. */
  readonly load: () => number;
  /** (frame, gas, slot, value) -> gas. */
  readonly store: () => number;
};

const WORD = [I64, I64, I64, I64] as const;
const FRAME_PARAMETER = 0;
const GAS_PARAMETER = 1;
const SLOT_PARAMETER = 2;
const VALUE_PARAMETER = 6;

export function createSlotFunctions(
  module: ModuleBuilder,
  runtime: RuntimeFunctions,
  host: number,
): SlotFunctions {
  let load: number | undefined;
  let store: number | undefined;
  return {
    load: () => {
      load ??= module.function(module.type([I32, I64, ...WORD], [I64, ...WORD]), (code) =>
        writeLoad(code, runtime, host),
      );
      return load;
    },
    store: () => {
      store ??= module.function(module.type([I32, I64, ...WORD, ...WORD], [I64]), (code) =>
        writeStore(code, runtime, host),
      );
      return store;
    },
  };
}

/** From the table of slots that are known (runtime-storage.ts), else by the host. */
function writeLoad(code: CodeBuilder, { find }: RuntimeFunctions, host: number): void {
  const entry = code.local(I32);
  const value = code.locals(I64, 4);
  code.localGet(FRAME_PARAMETER);
  pushLocals(code, SLOT_PARAMETER);
  code.call(find("findSlot")).localTee(entry).i32Const(0).i32Ne();
  code.localGet(GAS_PARAMETER).i64Const(GAS.warmAccess).i64GeS().i32And().if();
  code.localGet(GAS_PARAMETER).i64Const(GAS.warmAccess).i64Sub();
  for (let limb = 0; limb < 4; limb++) code.localGet(entry).i64Load(SLOT.value + LIMB_BYTES * limb);
  code.return().end();
  passLocals(code, SLOT_PARAMETER, 0);
  callHost(code, host, OP.SLOAD, WORD.length);
  for (let limb = 0; limb < 4; limb++)
    code
      .i32Const(0)
      .i64Load(OPERANDS + LIMB_BYTES * limb)
      .localSet(value + limb);
  remember(code, find("rememberSlot"), value);
  code.localGet(FRAME_PARAMETER).i64Load(FRAME.gas);
  pushLocals(code, value);
}

/** To the table, if it tells all that is needed, else by the host. */
function writeStore(code: CodeBuilder, { find }: RuntimeFunctions, host: number): void {
  const gas = code.local(I64);
  code.localGet(FRAME_PARAMETER).localGet(GAS_PARAMETER);
  pushLocals(code, SLOT_PARAMETER);
  pushLocals(code, VALUE_PARAMETER);
  code.call(find("storeSlot")).localTee(gas).i64Const(0).i64GeS().if();
  code.localGet(gas).return().end();
  passLocals(code, SLOT_PARAMETER, 0);
  passLocals(code, VALUE_PARAMETER, 1);
  callHost(code, host, OP.SSTORE, 0);
  remember(code, find("rememberSlot"), VALUE_PARAMETER);
  code.localGet(FRAME_PARAMETER).i64Load(FRAME.gas);
}

function pushLocals(code: CodeBuilder, first: number): void {
  for (let limb = 0; limb < 4; limb++) code.localGet(first + limb);
}

function passLocals(code: CodeBuilder, first: number, operand: number): void {
  for (let limb = 0; limb < 4; limb++)
    code
      .i32Const(0)
      .localGet(first + limb)
      .i64Store(OPERANDS + WORD_BYTES * operand + LIMB_BYTES * limb);
}

/** Returns -1, and zeros as so many other results, if the host ends the frame. */
function callHost(code: CodeBuilder, host: number, opcode: number, otherResults: number): void {
  code.localGet(FRAME_PARAMETER).localGet(GAS_PARAMETER).i64Store(FRAME.gas);
  code.i32Const(opcode).call(host).if();
  code.i64Const(-1);
  for (let result = 0; result < otherResults; result++) code.i64Const(0);
  code.return().end();
}

function remember(code: CodeBuilder, rememberSlot: number, value: number): void {
  code.localGet(FRAME_PARAMETER);
  pushLocals(code, SLOT_PARAMETER);
  pushLocals(code, value);
  code.call(rememberSlot);
}

export function emitLoadSlot(emission: Emission): void {
  const { code, locals, stack, slotFunctions } = emission;
  const slot = pop(stack);
  code.localGet(locals.frame).localGet(locals.gas);
  pushWord(emission, slot);
  code.call(slotFunctions.load());
  const value = takeWord(emission);
  code.localSet(locals.gas);
  leaveIfEnded(emission);
  push(stack, value);
}

export function emitStoreSlot(emission: Emission): void {
  const { code, locals, stack, slotFunctions } = emission;
  const slot = pop(stack);
  const value = pop(stack);
  code.localGet(locals.frame).localGet(locals.gas);
  pushWord(emission, slot);
  pushWord(emission, value);
  code.call(slotFunctions.store()).localSet(locals.gas);
  leaveIfEnded(emission);
}

function leaveIfEnded({ code, locals, faults }: Emission): void {
  code.localGet(locals.gas).i64Const(0).i64LtS().brIf(faults.endedByHost);
}
