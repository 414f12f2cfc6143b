import type { BranchOperation, Operation } from "./instruction.ts";

/** Values of registers are bigints in [-2^63, 2^63). */
type Binary = (left: bigint, right: bigint) => bigint;

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const signedWord = (value: bigint): bigint => BigInt.asIntN(32, value);
const unsignedWord = (value: bigint): bigint => BigInt.asUintN(32, value);
const truth = (condition: boolean): bigint => (condition ? 1n : 0n);
const shift = (amount: bigint): bigint => amount & 63n;
const wordShift = (amount: bigint): bigint => amount & 31n;

/** Division never traps: by zero it gives all ones, and what is too large for a register is cut. */
const divide = (left: bigint, right: bigint): bigint => (right === 0n ? -1n : left / right);
const remainder = (left: bigint, right: bigint): bigint => (right === 0n ? left : left % right);

/** What operations on two registers, or on a register and an immediate, give.
 * Source: RISC-V Instruction Set Manual, Volume I, 20191213, RV32I, RV64I, M. */
export const BINARY: Readonly<Partial<Record<Operation, Binary>>> = {
  add: (a, b) => signed(a + b),
  sub: (a, b) => signed(a - b),
  sll: (a, b) => signed(a << shift(b)),
  slt: (a, b) => truth(a < b),
  sltu: (a, b) => truth(unsigned(a) < unsigned(b)),
  xor: (a, b) => a ^ b,
  srl: (a, b) => signed(unsigned(a) >> shift(b)),
  sra: (a, b) => a >> shift(b),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => signedWord(a + b),
  subw: (a, b) => signedWord(a - b),
  sllw: (a, b) => signedWord(a << wordShift(b)),
  srlw: (a, b) => signedWord(unsignedWord(a) >> wordShift(b)),
  sraw: (a, b) => signedWord(a) >> wordShift(b),
  mul: (a, b) => signed(a * b),
  mulh: (a, b) => (a * b) >> 64n,
  mulhsu: (a, b) => (a * unsigned(b)) >> 64n,
  mulhu: (a, b) => signed((unsigned(a) * unsigned(b)) >> 64n),
  div: (a, b) => signed(divide(a, b)),
  divu: (a, b) => signed(divide(unsigned(a), unsigned(b))),
  rem: (a, b) => remainder(a, b),
  remu: (a, b) => signed(remainder(unsigned(a), unsigned(b))),
  mulw: (a, b) => signedWord(a * b),
  divw: (a, b) => signedWord(divide(signedWord(a), signedWord(b))),
  divuw: (a, b) => signedWord(divide(unsignedWord(a), unsignedWord(b))),
  remw: (a, b) => signedWord(remainder(signedWord(a), signedWord(b))),
  remuw: (a, b) => signedWord(remainder(unsignedWord(a), unsignedWord(b))),
};

/** Operations with an immediate, by the ones on registers that they are like. */
export const OF_IMMEDIATE: Readonly<Partial<Record<Operation, Operation>>> = {
  addi: "add",
  slti: "slt",
  sltiu: "sltu",
  xori: "xor",
  ori: "or",
  andi: "and",
  slli: "sll",
  srli: "srl",
  srai: "sra",
  addiw: "addw",
  slliw: "sllw",
  srliw: "srlw",
  sraiw: "sraw",
};

export const BRANCHES: Readonly<Record<BranchOperation, (left: bigint, right: bigint) => boolean>> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => a < b,
  bge: (a, b) => a >= b,
  bltu: (a, b) => unsigned(a) < unsigned(b),
  bgeu: (a, b) => unsigned(a) >= unsigned(b),
};

export type Access = { readonly bytes: number; readonly isSigned: boolean };

export const LOADS: Readonly<Partial<Record<Operation, Access>>> = {
  lb: { bytes: 1, isSigned: true },
  lh: { bytes: 2, isSigned: true },
  lw: { bytes: 4, isSigned: true },
  ld: { bytes: 8, isSigned: true },
  lbu: { bytes: 1, isSigned: false },
  lhu: { bytes: 2, isSigned: false },
  lwu: { bytes: 4, isSigned: false },
};

export const STORES: Readonly<Partial<Record<Operation, number>>> = { sb: 1, sh: 2, sw: 4, sd: 8 };
