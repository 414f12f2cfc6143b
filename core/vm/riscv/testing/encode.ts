import { concatBytes } from "@ostrom/base";
import type { Instruction, Operation } from "../instruction.ts";

const OP = { lui: 0x37, auipc: 0x17, jal: 0x6f, jalr: 0x67, fence: 0x0f, ecall: 0x73 } as const;
const BRANCHES: readonly Operation[] = ["beq", "bne", "illegal", "illegal", "blt", "bge", "bltu", "bgeu"];
const LOADS: readonly Operation[] = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];
const STORES: readonly Operation[] = ["sb", "sh", "sw", "sd"];
/** By opcode, then by funct3: operations with an immediate. */
const IMMEDIATE: Readonly<Record<number, readonly Operation[]>> = {
  19: ["addi", "slli", "slti", "sltiu", "xori", "srli", "ori", "andi"],
  27: ["addiw", "slliw", "illegal", "illegal", "illegal", "srliw"],
};
/** By opcode, then by funct7, then by funct3. */
const REGISTERS: Readonly<Record<number, Readonly<Record<number, readonly Operation[]>>>> = {
  51: {
    0: ["add", "sll", "slt", "sltu", "xor", "srl", "or", "and"],
    1: ["mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"],
    32: ["sub", "illegal", "illegal", "illegal", "illegal", "sra"],
  },
  59: {
    0: ["addw", "sllw", "illegal", "illegal", "illegal", "srlw"],
    1: ["mulw", "illegal", "illegal", "illegal", "divw", "divuw", "remw", "remuw"],
    32: ["subw", "illegal", "illegal", "illegal", "illegal", "sraw"],
  },
};

/** An instruction's word, uncompressed. For tests: operands are not checked. */
export function encode(operation: Operation, fields: Partial<Instruction> = {}): number {
  const { rd = 0, rs1 = 0, rs2 = 0, immediate: i = 0 } = fields;
  const low = (opcode: number, variant: number): number => opcode | (rd << 7) | (variant << 12) | (rs1 << 15);
  if (operation === "illegal") return 0;
  if (operation === "lui" || operation === "auipc") return OP[operation] | (rd << 7) | (i & ~0xfff);
  if (operation === "jal") {
    const bits = ((i >> 20) << 31) | ((i & 0x7fe) << 20) | ((i & 0x800) << 9) | (i & 0xff000);
    return OP.jal | (rd << 7) | bits;
  }
  if (operation === "jalr") return low(OP.jalr, 0) | (i << 20);
  if (operation === "fence" || operation === "ecall") return OP[operation];
  if (BRANCHES.includes(operation)) {
    const upper = ((i >> 12) << 31) | ((i & 0x7e0) << 20);
    const lower = ((i & 0x1e) << 7) | ((i & 0x800) >> 4);
    return 0x63 | (BRANCHES.indexOf(operation) << 12) | (rs1 << 15) | (rs2 << 20) | upper | lower;
  }
  if (LOADS.includes(operation)) return low(0x03, LOADS.indexOf(operation)) | (i << 20);
  if (STORES.includes(operation)) {
    return (
      0x23 |
      (STORES.indexOf(operation) << 12) |
      (rs1 << 15) |
      (rs2 << 20) |
      ((i >> 5) << 25) |
      ((i & 31) << 7)
    );
  }
  return encodeArithmetic(operation, low, rs2, i);
}

function encodeArithmetic(
  operation: Operation,
  low: (opcode: number, variant: number) => number,
  rs2: number,
  immediate: number,
): number {
  const plain = operation.replace("sra", "srl") as Operation;
  const isArithmetic = plain !== operation;
  for (const [opcode, operations] of Object.entries(IMMEDIATE)) {
    const variant = operations.indexOf(plain);
    if (variant !== -1)
      return low(Number(opcode), variant) | (immediate << 20) | (isArithmetic ? 1 << 30 : 0);
  }
  for (const [opcode, families] of Object.entries(REGISTERS)) {
    for (const [family, operations] of Object.entries(families)) {
      const variant = operations.indexOf(operation);
      if (variant !== -1) return low(Number(opcode), variant) | (rs2 << 20) | (Number(family) << 25);
    }
  }
  throw new Error(`no encoding for ${operation}`);
}

/** Words of instructions, one after the other. */
export function assembleWords(words: readonly number[]): Uint8Array {
  return concatBytes(...words.map((word) => Uint8Array.of(word, word >> 8, word >> 16, word >> 24)));
}
