import { must } from "@ostrom/base";
import { type CodeBuilder, I64 } from "@ostrom/wasm";
import { emitLoadRegister, emitStoreRegister } from "./compilation.ts";
import { type RegisterSet, registersIn } from "./register-use.ts";

/** The registers of a function that is being compiled: locals, and what is known of them. */
export class RegisterFile {
  readonly #code: CodeBuilder;
  readonly #locals = new Map<number, number>();
  /** Of registers that hold the same number whenever the code comes by; safe integers. */
  readonly #constants = new Map<number, number>();

  /** @param parameters registers in the order of the function's own parameters, of which the first is `first`. */
  constructor(code: CodeBuilder, tracked: RegisterSet, parameters: readonly number[], first: number) {
    this.#code = code;
    for (const [index, register] of parameters.entries()) this.#locals.set(register, first + index);
    for (const register of registersIn(tracked)) {
      if (!this.#locals.has(register)) this.#locals.set(register, code.local(I64));
    }
  }

  localOf(register: number): number {
    return must(this.#locals.get(register), "a register that is used is tracked");
  }

  push(register: number): void {
    const constant = this.constantOf(register);
    if (constant !== undefined) this.#code.i64Const(constant);
    else this.#code.localGet(this.localOf(register));
  }

  constantOf(register: number): number | undefined {
    return register === 0 ? 0 : this.#constants.get(register);
  }

  /** Takes a value from the operand stack. */
  set(register: number): void {
    if (register === 0) {
      this.#code.drop();
      return;
    }
    this.#constants.delete(register);
    this.#code.localSet(this.localOf(register));
  }

  setConstant(register: number, value: number): void {
    if (register === 0) return;
    this.#code.i64Const(value).localSet(this.localOf(register));
    if (Number.isSafeInteger(value)) this.#constants.set(register, value);
  }

  forget(registers: RegisterSet): void {
    for (const register of registersIn(registers)) this.#constants.delete(register);
  }

  forgetAll(): void {
    this.#constants.clear();
  }

  /** From the work memory. */
  load(registers: RegisterSet): void {
    for (const register of registersIn(registers)) {
      emitLoadRegister(this.#code, register, this.localOf(register));
      this.#constants.delete(register);
    }
  }

  /** Into the work memory. */
  store(registers: RegisterSet): void {
    for (const register of registersIn(registers)) {
      emitStoreRegister(this.#code, register, () => this.push(register));
    }
  }
}
