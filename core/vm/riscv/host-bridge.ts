import { HOST_CALLS, type HostCall } from "../contract-host/host-calls.ts";
import { MAX_PROGRAM_PAGES, PROGRAM_GAS, pagesGas } from "../contract-host/program-gas.ts";
import { runHostCall } from "../contract-host/run-host-call.ts";
import type { ProgramMemory } from "../contract-host/types.ts";
import { charge, type Frame, type Machine } from "../frame.ts";
import { A0 } from "./instruction.ts";

/** The registers of a program that makes a host call. */
export type HostRegisters = {
  /** The low half of a register, signed or not. */
  readonly word: (register: number) => number;
  /** The whole register, signed or not. */
  readonly long: (register: number) => bigint;
};

export type GrowingMemory = ProgramMemory & {
  readonly pages: number;
  /** Throws NodeFault if there is none. */
  readonly grow: (pages: number) => void;
};

const MEMORY_GROW = "memory_grow";

const CALL_BY_NUMBER: readonly (HostCall | undefined)[] = ((): (HostCall | undefined)[] => {
  const table: (HostCall | undefined)[] = [];
  for (const call of HOST_CALLS) table[call.number] = call;
  return table;
})();

/** Makes the host call that an ECALL asks for: its number is the low half of a7, its operands are in a0 and on.
 * @returns what a0 becomes, cut to 64 bits by the caller; undefined: it stays as it is. An i32 is extended by its sign, as the
 * calling convention has it. If `frame.exit` is set, it does not count. */
export function makeHostCall(
  machine: Machine,
  frame: Frame,
  memory: GrowingMemory,
  number: number,
  registers: HostRegisters,
): number | bigint | undefined {
  const call = CALL_BY_NUMBER[number];
  if (call?.name === MEMORY_GROW) return growMemory(frame, memory, registers.word(A0) >>> 0);
  const operands = (call?.parameters ?? []).map(({ type }, index) =>
    type === "i64" ? registers.long(A0 + index) : registers.word(A0 + index) >>> 0,
  );
  const result = runHostCall(machine, frame, memory, number, operands);
  if (call === undefined || call.result === "nothing") return undefined;
  return call.result === "i64" ? result : Number(result) | 0;
}

function growMemory(frame: Frame, memory: GrowingMemory, pages: number): number {
  if (!charge(frame, PROGRAM_GAS.hostCall)) return 0;
  const before = memory.pages;
  if (before + pages > MAX_PROGRAM_PAGES) return -1;
  if (!charge(frame, pagesGas(before + pages) - pagesGas(before))) return 0;
  if (pages > 0) memory.grow(pages);
  return before;
}
