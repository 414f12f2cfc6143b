import { A0, A7, type Instruction, REGISTER_COUNT } from "./instruction.ts";

/** Registers as bits of an i32; x0 is never one of them. */
export type RegisterSet = number;

export const NO_REGISTERS: RegisterSet = 0;
export const ALL_REGISTERS: RegisterSet = -2;

/** Registers that a host call may have operands in, from a0 on. */
export const HOST_OPERANDS = 6;
const OPERANDS_OF_ECALL: RegisterSet = (((1 << HOST_OPERANDS) - 1) << A0) | (1 << A7);

export function bit(register: number): RegisterSet {
  return register === 0 ? NO_REGISTERS : 1 << register;
}

export function registersIn(set: RegisterSet): number[] {
  const registers: number[] = [];
  for (let register = 1; register < REGISTER_COUNT; register++) {
    if ((set & bit(register)) !== 0) registers.push(register);
  }
  return registers;
}

/** What an instruction reads of registers itself, not what it calls. */
export function readsOf({ operation, rs1, rs2 }: Instruction): RegisterSet {
  return operation === "ecall" ? OPERANDS_OF_ECALL : bit(rs1) | bit(rs2);
}

/** What an instruction writes itself. */
export function writesOf({ operation, rd }: Instruction): RegisterSet {
  return operation === "ecall" ? bit(A0) : bit(rd);
}

/** Whether an instruction keeps where it stands, to go on there later. */
export function isCall({ operation, rd }: Instruction): boolean {
  return rd !== 0 && (operation === "jal" || operation === "jalr");
}
