import { type CodeBuilder, I64 } from "@ostrom/wasm";
import {
  emitDivision,
  emitMultiplyHigh,
  isDivision,
  isMultiplyHigh,
  type MultiplyLocals,
  multiplyLocals,
} from "./emit-arithmetic.ts";
import type { Instruction, Operation } from "./instruction.ts";
import { BINARY_CODE, emitAccess, LOAD_OPCODE, STORE_OPCODE } from "./operation-code.ts";
import type { PlacedInstruction } from "./recover-functions.ts";
import { OF_IMMEDIATE } from "./reference-arithmetic.ts";
import type { RegisterFile } from "./register-file.ts";

const PROGRAM_MEMORY = 0;
const TWO_TO_THE_32 = 2 ** 32;
const WORD_BITS = 32;
const LOW_WORD = 0xffff_ffff;

/** Emits what is neither jump nor call. */
export class InstructionEmission {
  readonly #code: CodeBuilder;
  readonly #registers: RegisterFile;
  #multiply: MultiplyLocals | undefined;
  #operands: { readonly left: number; readonly right: number } | undefined;

  constructor(code: CodeBuilder, registers: RegisterFile) {
    this.#code = code;
    this.#registers = registers;
  }

  /** @returns how many instructions it was: some pairs are one. */
  emit(instructions: readonly PlacedInstruction[], index: number): number {
    const { instruction, pc } = instructions[index]!;
    const next = instructions[index + 1]?.instruction;
    if (next !== undefined && this.#emitWordShift(instruction, next)) return 2;
    const { operation, rd, immediate } = instruction;
    if (LOAD_OPCODE[operation] !== undefined) this.#emitLoad(instruction, LOAD_OPCODE[operation]);
    else if (STORE_OPCODE[operation] !== undefined) this.#emitStore(instruction, STORE_OPCODE[operation]);
    else if (rd === 0 || operation === "fence") return 1;
    else if (operation === "lui") this.#registers.setConstant(rd, immediate);
    else if (operation === "auipc") this.#registers.setConstant(rd, pc + immediate);
    else if (isDivision(operation) || isMultiplyHigh(operation)) this.#emitLongArithmetic(instruction);
    else this.#emitBinary(instruction);
    return 1;
  }

  /** A shift to the left by 32, then one to the right: how compilers make a word without sign, or a multiple of it. */
  #emitWordShift(first: Instruction, second: Instruction): boolean {
    const isPair =
      first.operation === "slli" &&
      first.immediate === WORD_BITS &&
      second.operation === "srli" &&
      second.immediate <= WORD_BITS &&
      second.rs1 === first.rd &&
      second.rd === first.rd &&
      first.rd !== 0;
    if (!isPair) return false;
    this.#registers.push(first.rs1);
    this.#code.i64Const(LOW_WORD).i64And();
    const rest = WORD_BITS - second.immediate;
    if (rest > 0) this.#code.i64Const(rest).i64Shl();
    this.#registers.set(first.rd);
    return true;
  }

  #emitBinary({ operation, rd, rs1, rs2, immediate }: Instruction): void {
    const code = this.#code;
    const registers = this.#registers;
    const like = OF_IMMEDIATE[operation];
    const second = like === undefined ? registers.constantOf(rs2) : immediate;
    const folded = fold(like ?? operation, registers.constantOf(rs1), second);
    if (folded !== undefined) {
      registers.setConstant(rd, folded);
      return;
    }
    const binary = BINARY_CODE[like ?? operation]!;
    registers.push(rs1);
    if (second === 0 && (like === "add" || operation === "add")) {
      registers.set(rd);
      return;
    }
    if (second === 0 && like === "addw") code.i64Extend32S();
    else {
      binary.first?.(code);
      if (like === undefined) registers.push(rs2);
      else code.i64Const(immediate);
      binary.second?.(code);
      binary.both(code);
    }
    registers.set(rd);
  }

  #emitLongArithmetic({ operation, rd, rs1, rs2 }: Instruction): void {
    const code = this.#code;
    this.#operands ??= { left: code.local(I64), right: code.local(I64) };
    const { left, right } = this.#operands;
    this.#registers.push(rs1);
    code.localSet(left);
    this.#registers.push(rs2);
    code.localSet(right);
    if (isDivision(operation)) emitDivision(code, operation, left, right);
    else {
      this.#multiply ??= multiplyLocals(code);
      emitMultiplyHigh(code, operation, left, right, this.#multiply);
    }
    this.#registers.set(rd);
  }

  #emitLoad({ rd, rs1, immediate }: Instruction, opcode: number): void {
    const offset = this.#pushAddress(rs1, immediate);
    emitAccess(this.#code, opcode, PROGRAM_MEMORY, offset);
    this.#registers.set(rd);
  }

  #emitStore({ rs1, rs2, immediate }: Instruction, opcode: number): void {
    const offset = this.#pushAddress(rs1, immediate);
    this.#registers.push(rs2);
    emitAccess(this.#code, opcode, PROGRAM_MEMORY, offset);
  }

  /** Pushes an i32. WebAssembly adds the offset without cutting the sum, as the rule for addresses has it; a sum below zero
   * becomes one far above all memory.
   * @returns the offset that is still to be added. */
  #pushAddress(base: number, immediate: number): number {
    const code = this.#code;
    const constant = this.#registers.constantOf(base);
    if (constant !== undefined) {
      const address = ((constant % TWO_TO_THE_32) + TWO_TO_THE_32) % TWO_TO_THE_32;
      if (address + immediate >= 0 && address + immediate < TWO_TO_THE_32) {
        code.i32Const(0);
        return address + immediate;
      }
      code.i32Const(address | 0);
    } else {
      code.localGet(this.#registers.localOf(base)).i32WrapI64();
    }
    if (immediate >= 0) return immediate;
    code.i32Const(immediate).i32Add();
    return 0;
  }
}

/** What an operation gives, if it is known and a safe integer. */
function fold(operation: Operation, left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return undefined;
  switch (operation) {
    case "add":
      return safe(left + right);
    case "addw":
      return Number.isSafeInteger(left + right)
        ? Number(BigInt.asIntN(WORD_BITS, BigInt(left + right)))
        : undefined;
    case "sll":
      return right >= 0 && right < WORD_BITS ? safe(left * 2 ** right) : undefined;
    default:
      return undefined;
  }
}

function safe(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}
