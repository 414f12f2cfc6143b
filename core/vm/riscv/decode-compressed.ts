import { ILLEGAL, type Instruction, type Operation, RA, SP } from "./instruction.ts";

/** Reads an instruction of 16 bits as the one that it abbreviates.
 * Source: RISC-V Instruction Set Manual, Volume I, 20191213, "C" (RV64C without floating point). */
export function decodeCompressed(half: number): Instruction {
  const variant = (half >>> 13) & 7;
  switch (half & 3) {
    case 0:
      return decodeQuadrant0(half, variant);
    case 1:
      return decodeQuadrant1(half, variant);
    default:
      return decodeQuadrant2(half, variant);
  }
}

function make(operation: Operation, fields: Partial<Instruction>): Instruction {
  return { operation, rd: 0, rs1: 0, rs2: 0, immediate: 0, size: 2, ...fields };
}

/** Bits `from` to `from + count - 1`, put at `to`. */
function bits(half: number, from: number, count: number, to: number): number {
  return ((half >>> from) & ((1 << count) - 1)) << to;
}

/** One of x8 to x15. */
function shortRegister(half: number, from: number): number {
  return 8 + ((half >>> from) & 7);
}

/** The signed six bits that most instructions of the second quadrant have. */
function signedSix(half: number): number {
  return (bits(half, 12, 1, 5) | bits(half, 2, 5, 0)) - bits(half, 12, 1, 6);
}

/** The unsigned six bits by which shifts shift. */
function shiftAmount(half: number): number {
  return bits(half, 12, 1, 5) | bits(half, 2, 5, 0);
}

function decodeQuadrant0(half: number, variant: number): Instruction {
  const rs1 = shortRegister(half, 7);
  const other = shortRegister(half, 2);
  const word = bits(half, 10, 3, 3) | bits(half, 6, 1, 2) | bits(half, 5, 1, 6);
  const double = bits(half, 10, 3, 3) | bits(half, 5, 2, 6);
  switch (variant) {
    case 0: {
      const immediate =
        bits(half, 11, 2, 4) | bits(half, 7, 4, 6) | bits(half, 6, 1, 2) | bits(half, 5, 1, 3);
      return immediate === 0 ? ILLEGAL : make("addi", { rd: other, rs1: SP, immediate });
    }
    case 2:
      return make("lw", { rd: other, rs1, immediate: word });
    case 3:
      return make("ld", { rd: other, rs1, immediate: double });
    case 6:
      return make("sw", { rs1, rs2: other, immediate: word });
    case 7:
      return make("sd", { rs1, rs2: other, immediate: double });
    default:
      return ILLEGAL;
  }
}

function decodeQuadrant1(half: number, variant: number): Instruction {
  const rd = (half >>> 7) & 31;
  const immediate = signedSix(half);
  switch (variant) {
    case 0:
      return make("addi", { rd, rs1: rd, immediate });
    case 1:
      return rd === 0 ? ILLEGAL : make("addiw", { rd, rs1: rd, immediate });
    case 2:
      return make("addi", { rd, immediate });
    case 3:
      if (rd === SP) return decodeStackAddition(half);
      return immediate === 0 ? ILLEGAL : make("lui", { rd, immediate: immediate << 12 });
    case 4:
      return decodeArithmetic(half);
    case 5:
      return make("jal", { immediate: jumpOffset(half) });
    default: {
      const offset = bits(half, 10, 2, 3) | bits(half, 5, 2, 6) | bits(half, 3, 2, 1) | bits(half, 2, 1, 5);
      return make(variant === 6 ? "beq" : "bne", {
        rs1: shortRegister(half, 7),
        immediate: offset - bits(half, 12, 1, 8),
      });
    }
  }
}

function decodeStackAddition(half: number): Instruction {
  const immediate =
    (bits(half, 6, 1, 4) | bits(half, 5, 1, 6) | bits(half, 3, 2, 7) | bits(half, 2, 1, 5)) -
    bits(half, 12, 1, 9);
  return immediate === 0 ? ILLEGAL : make("addi", { rd: SP, rs1: SP, immediate });
}

function jumpOffset(half: number): number {
  const magnitude =
    bits(half, 11, 1, 4) |
    bits(half, 9, 2, 8) |
    bits(half, 8, 1, 10) |
    bits(half, 7, 1, 6) |
    bits(half, 6, 1, 7) |
    bits(half, 3, 3, 1) |
    bits(half, 2, 1, 5);
  return magnitude - bits(half, 12, 1, 11);
}

const OF_DOUBLES = ["sub", "xor", "or", "and"] as const;
const OF_WORDS = ["subw", "addw", undefined, undefined] as const;

function decodeArithmetic(half: number): Instruction {
  const rd = shortRegister(half, 7);
  switch ((half >>> 10) & 3) {
    case 0:
      return make("srli", { rd, rs1: rd, immediate: shiftAmount(half) });
    case 1:
      return make("srai", { rd, rs1: rd, immediate: shiftAmount(half) });
    case 2:
      return make("andi", { rd, rs1: rd, immediate: signedSix(half) });
    default: {
      const operation = ((half >>> 12) & 1) === 0 ? OF_DOUBLES[(half >>> 5) & 3] : OF_WORDS[(half >>> 5) & 3];
      return operation === undefined
        ? ILLEGAL
        : make(operation, { rd, rs1: rd, rs2: shortRegister(half, 2) });
    }
  }
}

function decodeQuadrant2(half: number, variant: number): Instruction {
  const rd = (half >>> 7) & 31;
  const rs2 = (half >>> 2) & 31;
  switch (variant) {
    case 0:
      return make("slli", { rd, rs1: rd, immediate: shiftAmount(half) });
    case 2: {
      const immediate = bits(half, 12, 1, 5) | bits(half, 4, 3, 2) | bits(half, 2, 2, 6);
      return rd === 0 ? ILLEGAL : make("lw", { rd, rs1: SP, immediate });
    }
    case 3: {
      const immediate = bits(half, 12, 1, 5) | bits(half, 5, 2, 3) | bits(half, 2, 3, 6);
      return rd === 0 ? ILLEGAL : make("ld", { rd, rs1: SP, immediate });
    }
    case 4:
      return decodeMoveOrJump(half, rd, rs2);
    case 6:
      return make("sw", { rs1: SP, rs2, immediate: bits(half, 9, 4, 2) | bits(half, 7, 2, 6) });
    case 7:
      return make("sd", { rs1: SP, rs2, immediate: bits(half, 10, 3, 3) | bits(half, 7, 3, 6) });
    default:
      return ILLEGAL;
  }
}

/** C.JR, C.MV, C.JALR, C.ADD; C.EBREAK is not defined here. */
function decodeMoveOrJump(half: number, rd: number, rs2: number): Instruction {
  const isSecond = ((half >>> 12) & 1) === 1;
  if (rs2 !== 0) return make("add", { rd, rs1: isSecond ? rd : 0, rs2 });
  if (rd === 0) return ILLEGAL;
  return make("jalr", { rd: isSecond ? RA : 0, rs1: rd });
}
