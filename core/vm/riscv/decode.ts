import type { Bytes } from "@ostrom/base";
import { decodeCompressed } from "./decode-compressed.ts";
import { ILLEGAL, type Instruction, type Operation } from "./instruction.ts";

/** Reads the instruction that begins at an even offset of the text, whatever stands before it. One that does not end inside
 * the text, or that RV64IMC does not define, is `illegal`. Hints are what they look like.
 * Source: RISC-V Instruction Set Manual, Volume I, 20191213: RV32I, RV64I, Zifencei, M, C, "RV32/64G Instruction Set Listings". */
export function decode(text: Bytes, offset: number): Instruction {
  if (offset + 2 > text.length) return ILLEGAL;
  const low = text[offset]! | (text[offset + 1]! << 8);
  if ((low & 3) !== 3) return decodeCompressed(low);
  if (offset + 4 > text.length) return ILLEGAL;
  return decodeWord(low | (text[offset + 2]! << 16) | (text[offset + 3]! << 24));
}

const BRANCHES = ["beq", "bne", undefined, undefined, "blt", "bge", "bltu", "bgeu"] as const;
const LOADS = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu", undefined] as const;
const STORES = ["sb", "sh", "sw", "sd"] as const;
const OF_IMMEDIATE = ["addi", undefined, "slti", "sltiu", "xori", undefined, "ori", "andi"] as const;
const OF_REGISTERS: Readonly<Record<number, readonly (Operation | undefined)[]>> = {
  0: ["add", "sll", "slt", "sltu", "xor", "srl", "or", "and"],
  1: ["mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"],
  32: ["sub", undefined, undefined, undefined, undefined, "sra"],
};
const OF_WORDS: Readonly<Record<number, readonly (Operation | undefined)[]>> = {
  0: ["addw", "sllw", undefined, undefined, undefined, "srlw"],
  1: ["mulw", undefined, undefined, undefined, "divw", "divuw", "remw", "remuw"],
  32: ["subw", undefined, undefined, undefined, undefined, "sraw"],
};
const ECALL = 0x0000_0073;
const FENCE = 0;
const FENCE_I = 1;

function decodeWord(word: number): Instruction {
  const rd = (word >>> 7) & 31;
  const rs1 = (word >>> 15) & 31;
  const rs2 = (word >>> 20) & 31;
  const variant = (word >>> 12) & 7;
  const make = (operation: Operation | undefined, fields: Partial<Instruction>): Instruction =>
    operation === undefined
      ? ILLEGAL
      : { operation, rd: 0, rs1: 0, rs2: 0, immediate: 0, size: 4, ...fields };
  switch (word & 0x7f) {
    case 0x37:
      return make("lui", { rd, immediate: word & ~0xfff });
    case 0x17:
      return make("auipc", { rd, immediate: word & ~0xfff });
    case 0x6f:
      return make("jal", { rd, immediate: jumpImmediate(word) });
    case 0x67:
      return make(variant === 0 ? "jalr" : undefined, { rd, rs1, immediate: word >> 20 });
    case 0x63:
      return make(BRANCHES[variant], { rs1, rs2, immediate: branchImmediate(word) });
    case 0x03:
      return make(LOADS[variant], { rd, rs1, immediate: word >> 20 });
    case 0x23:
      return make(STORES[variant], { rs1, rs2, immediate: ((word >> 25) << 5) | rd });
    case 0x13:
      return decodeImmediate(word, make);
    case 0x1b:
      return decodeWordImmediate(word, make);
    case 0x33:
      return make(OF_REGISTERS[word >>> 25]?.[variant], { rd, rs1, rs2 });
    case 0x3b:
      return make(OF_WORDS[word >>> 25]?.[variant], { rd, rs1, rs2 });
    case 0x0f:
      return make(variant === FENCE || variant === FENCE_I ? "fence" : undefined, {});
    case 0x73:
      return make(word === ECALL ? "ecall" : undefined, {});
    default:
      return ILLEGAL;
  }
}

type Make = (operation: Operation | undefined, fields: Partial<Instruction>) => Instruction;

function decodeImmediate(word: number, make: Make): Instruction {
  const rd = (word >>> 7) & 31;
  const rs1 = (word >>> 15) & 31;
  const variant = (word >>> 12) & 7;
  const immediate = word >> 20;
  if (variant !== 1 && variant !== 5) return make(OF_IMMEDIATE[variant], { rd, rs1, immediate });
  const kind = word >>> 26;
  const shift = { rd, rs1, immediate: immediate & 63 };
  if (variant === 1) return make(kind === 0 ? "slli" : undefined, shift);
  return make(kind === 0 ? "srli" : kind === 16 ? "srai" : undefined, shift);
}

function decodeWordImmediate(word: number, make: Make): Instruction {
  const rd = (word >>> 7) & 31;
  const rs1 = (word >>> 15) & 31;
  const immediate = word >> 20;
  const kind = word >>> 25;
  const shift = { rd, rs1, immediate: immediate & 31 };
  switch ((word >>> 12) & 7) {
    case 0:
      return make("addiw", { rd, rs1, immediate });
    case 1:
      return make(kind === 0 ? "slliw" : undefined, shift);
    case 5:
      return make(kind === 0 ? "srliw" : kind === 32 ? "sraiw" : undefined, shift);
    default:
      return ILLEGAL;
  }
}

function branchImmediate(word: number): number {
  return ((word >> 31) << 12) | ((word << 4) & 0x800) | ((word >>> 20) & 0x7e0) | ((word >>> 7) & 0x1e);
}

function jumpImmediate(word: number): number {
  return ((word >> 31) << 20) | (word & 0xff000) | ((word >>> 9) & 0x800) | ((word >>> 20) & 0x7fe);
}
