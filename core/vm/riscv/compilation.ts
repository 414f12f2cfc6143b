import type { CodeBuilder } from "@ostrom/wasm";
import type { FunctionInterface } from "./function-interfaces.ts";
import { emitAccess, LOAD_OPCODE, STORE_OPCODE } from "./operation-code.ts";
import { REGISTER_BYTES, WORK } from "./work-area.ts";

/** A function of the program that is being compiled. */
export type CompiledFunction = {
  readonly entry: number;
  readonly face: FunctionInterface;
  /** Of the function in the module, with its own type. */
  readonly index: number;
  /** Of one that has the open type: the function itself, or what stands before a closed one. */
  readonly openIndex: number;
  /** What a call of it holds of the stack. */
  readonly slots: number;
};

/** What the functions of a module know of each other. */
export type Compilation = {
  /** By entry. What is not among them is left to the interpreter. */
  readonly functions: ReadonlyMap<number, CompiledFunction>;
  /** () -> whether the frame has ended. */
  readonly hostIndex: number;
  /** (pc, slots that are left) -> pc: calls the function that begins there, if the program knows its address. */
  readonly pointerIndex: number;
  /** What such a call holds of the stack, at most. */
  readonly pointerSlots: number;
};

const WORK_MEMORY = 1;
const LOAD_LONG = LOAD_OPCODE.ld!;
const STORE_LONG = STORE_OPCODE.sd!;

export function emitLoadRegister(code: CodeBuilder, register: number, local: number): void {
  code.i32Const(0);
  emitAccess(code, LOAD_LONG, WORK_MEMORY, WORK.registers + REGISTER_BYTES * register);
  code.localSet(local);
}

/** @param push of the value. */
export function emitStoreRegister(code: CodeBuilder, register: number, push: () => void): void {
  code.i32Const(0);
  push();
  emitAccess(code, STORE_LONG, WORK_MEMORY, WORK.registers + REGISTER_BYTES * register);
}

export function emitLoadFuel(code: CodeBuilder, local: number): void {
  code.i32Const(0);
  emitAccess(code, LOAD_LONG, WORK_MEMORY, WORK.fuel);
  code.localSet(local);
}

export function emitStoreFuel(code: CodeBuilder, local: number): void {
  code.i32Const(0).localGet(local);
  emitAccess(code, STORE_LONG, WORK_MEMORY, WORK.fuel);
}

export function emitSetFault(code: CodeBuilder, fault: number): void {
  code.i32Const(0).i64Const(fault);
  emitAccess(code, STORE_OPCODE.sw!, WORK_MEMORY, WORK.fault);
}
