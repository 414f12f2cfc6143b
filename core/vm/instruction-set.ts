import { assert } from "@ostrom/base";
import { ARITHMETIC } from "./arithmetic.ts";
import { BITWISE } from "./bitwise.ts";
import { BLOCK_INFORMATION } from "./block-information.ts";
import { CALLS } from "./calls.ts";
import { CONTROL } from "./control.ts";
import { CREATES } from "./creates.ts";
import { ENVIRONMENT } from "./environment.ts";
import { FORKS, hasFork } from "./fork-rules.ts";
import type { Instruction } from "./instruction.ts";
import { LOGS } from "./logs.ts";
import { MEMORY } from "./memory-instructions.ts";
import { SELF_DESTRUCT } from "./self-destruct.ts";
import { STACK } from "./stack.ts";
import { STORAGE } from "./storage.ts";
import type { Fork } from "./types.ts";

const INSTRUCTIONS: readonly Instruction[] = [
  ...ARITHMETIC,
  ...BITWISE,
  ...MEMORY,
  ...ENVIRONMENT,
  ...BLOCK_INFORMATION,
  ...STORAGE,
  ...CONTROL,
  ...STACK,
  ...LOGS,
  ...CALLS,
  ...CREATES,
  ...SELF_DESTRUCT,
];

const OPCODES = 256;

type InstructionTable = readonly (Instruction | undefined)[];

function tableOf(fork: Fork): InstructionTable {
  const table = new Array<Instruction | undefined>(OPCODES).fill(undefined);
  for (const instruction of INSTRUCTIONS) {
    if (instruction.since !== undefined && !hasFork(fork, instruction.since)) continue;
    assert(table[instruction.opcode] === undefined, `opcode ${instruction.opcode} must be defined once`);
    table[instruction.opcode] = instruction;
  }
  return table;
}

const TABLES: Readonly<Record<Fork, InstructionTable>> = {
  cancun: tableOf("cancun"),
  prague: tableOf("prague"),
  osaka: tableOf("osaka"),
};

/** The instructions of a fork, by opcode; undefined where an opcode is invalid. */
export function instructionsOf(fork: Fork): InstructionTable {
  return TABLES[fork];
}

const NEWEST_FORK: Fork = FORKS[FORKS.length - 1]!;

/** The name of an opcode, for people: of the newest fork unless told.
 * @returns for example "PUSH1", or "0x0c" if there is no such instruction. */
export function describeOpcode(opcode: number, fork: Fork = NEWEST_FORK): string {
  return TABLES[fork][opcode]?.name ?? `0x${opcode.toString(16).padStart(2, "0")}`;
}
