import { RISCV_FUEL } from "../contract-host/program-gas.ts";

const { simple, load, store, multiply, multiplyHigh, divide, branch, indirectJump } = RISCV_FUEL;

/** `illegal` is whatever is no other: it traps. */
export const OPERATIONS = [
  "illegal",
  "lui",
  "auipc",
  "jal",
  "jalr",
  "beq",
  "bne",
  "blt",
  "bge",
  "bltu",
  "bgeu",
  "lb",
  "lh",
  "lw",
  "ld",
  "lbu",
  "lhu",
  "lwu",
  "sb",
  "sh",
  "sw",
  "sd",
  "addi",
  "slti",
  "sltiu",
  "xori",
  "ori",
  "andi",
  "slli",
  "srli",
  "srai",
  "addiw",
  "slliw",
  "srliw",
  "sraiw",
  "add",
  "sub",
  "sll",
  "slt",
  "sltu",
  "xor",
  "srl",
  "sra",
  "or",
  "and",
  "addw",
  "subw",
  "sllw",
  "srlw",
  "sraw",
  "mul",
  "mulh",
  "mulhsu",
  "mulhu",
  "div",
  "divu",
  "rem",
  "remu",
  "mulw",
  "divw",
  "divuw",
  "remw",
  "remuw",
  "fence",
  "ecall",
] as const;

export type Operation = (typeof OPERATIONS)[number];

function fuelOf(operation: Operation): number {
  switch (operation) {
    case "jalr":
      return indirectJump;
    case "mul":
    case "mulw":
      return multiply;
    case "mulh":
    case "mulhsu":
    case "mulhu":
      return multiplyHigh;
    default:
      if (operation === "jal" || isBranch(operation)) return branch;
      if (/^l[bhwd]u?$/.test(operation)) return load;
      if (/^s[bhwd]$/.test(operation)) return store;
      return /^(div|rem)/.test(operation) ? divide : simple;
  }
}

export const FUEL_OF_OPERATION: Readonly<Record<Operation, number>> = Object.fromEntries(
  OPERATIONS.map((operation) => [operation, fuelOf(operation)]),
) as Record<Operation, number>;

/** An instruction; fields that its operation does not use are 0. */
export type Instruction = {
  readonly operation: Operation;
  /** Numbers of registers. */
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  /** As it is added, compared or shifted by; of LUI and AUIPC with its twelve zeros. A signed 32-bit number. */
  readonly immediate: number;
  /** In bytes: 2 or 4. */
  readonly size: number;
};

export const ILLEGAL: Instruction = { operation: "illegal", rd: 0, rs1: 0, rs2: 0, immediate: 0, size: 2 };

export type BranchOperation = "beq" | "bne" | "blt" | "bge" | "bltu" | "bgeu";

export function isBranch(operation: Operation): operation is BranchOperation {
  switch (operation) {
    case "beq":
    case "bne":
    case "blt":
    case "bge":
    case "bltu":
    case "bgeu":
      return true;
    default:
      return false;
  }
}

/** Registers with a part in how programs call. */
export const RA = 1;
export const SP = 2;
export const A0 = 10;
export const A7 = 17;
export const REGISTER_COUNT = 32;
