import type { CodeBuilder } from "@ostrom/wasm";
import type { BranchOperation, Operation } from "./instruction.ts";

type Emit = (code: CodeBuilder) => void;

/** How an operation on two i64 becomes an i64: what follows the first operand, the second, and both. */
export type BinaryCode = { readonly first?: Emit; readonly second?: Emit; readonly both: Emit };

const wrap: Emit = (code) => code.i32WrapI64();
const asTruth: Emit = (code) => code.i64ExtendI32U();
const asWord: Emit = (code) => code.i64Extend32S();

function long(both: Emit): BinaryCode {
  return { both };
}

function truth(compare: Emit): BinaryCode {
  return {
    both: (code) => {
      compare(code);
      asTruth(code);
    },
  };
}

/** On i64, of whose result the low half counts. */
function word(both: Emit): BinaryCode {
  return {
    both: (code) => {
      both(code);
      asWord(code);
    },
  };
}

/** On i32: WebAssembly's shifts take their amounts modulo the width, as RISC-V's do. */
function half(both: Emit): BinaryCode {
  return {
    first: wrap,
    second: wrap,
    both: (code) => {
      both(code);
      code.i64ExtendI32S();
    },
  };
}

export const BINARY_CODE: Readonly<Partial<Record<Operation, BinaryCode>>> = {
  add: long((code) => code.i64Add()),
  sub: long((code) => code.i64Sub()),
  sll: long((code) => code.i64Shl()),
  slt: truth((code) => code.i64LtS()),
  sltu: truth((code) => code.i64LtU()),
  xor: long((code) => code.i64Xor()),
  srl: long((code) => code.i64ShrU()),
  sra: long((code) => code.i64ShrS()),
  or: long((code) => code.i64Or()),
  and: long((code) => code.i64And()),
  addw: word((code) => code.i64Add()),
  subw: word((code) => code.i64Sub()),
  sllw: half((code) => code.i32Shl()),
  srlw: half((code) => code.i32ShrU()),
  sraw: half((code) => code.i32ShrS()),
  mul: long((code) => code.i64Mul()),
  mulw: word((code) => code.i64Mul()),
};

/** Compares two i64; leaves an i32. */
export const BRANCH_CODE: Readonly<Record<BranchOperation, Emit>> = {
  beq: (code) => code.i64Eq(),
  bne: (code) => code.i64Ne(),
  blt: (code) => code.i64LtS(),
  bge: (code) => code.i64GeS(),
  bltu: (code) => code.i64LtU(),
  bgeu: (code) => code.i64GeU(),
};

/** Opcodes of WebAssembly's loads and stores of an i64. */
export const LOAD_OPCODE: Readonly<Partial<Record<Operation, number>>> = {
  lb: 0x30,
  lbu: 0x31,
  lh: 0x32,
  lhu: 0x33,
  lw: 0x34,
  lwu: 0x35,
  ld: 0x29,
};
export const STORE_OPCODE: Readonly<Partial<Record<Operation, number>>> = {
  sb: 0x3c,
  sh: 0x3d,
  sw: 0x3e,
  sd: 0x37,
};

const OTHER_MEMORY = 0x40;

/** A load or store without an alignment hint, in memory 0 or another. */
export function emitAccess(code: CodeBuilder, opcode: number, memory: number, offset: number): void {
  code.u8(opcode);
  if (memory === 0) code.u8(0);
  else code.u8(OTHER_MEMORY).u32(memory);
  code.u32(offset);
}
