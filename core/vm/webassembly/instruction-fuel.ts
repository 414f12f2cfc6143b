import { OPCODE } from "@ostrom/wasm";
import { INSTRUCTION_FUEL } from "../contract-host/program-gas.ts";

/** Opcodes in which a table by opcode has a place for every instruction that contracts may use. */
const TABLE_SIZE = 0x200;

const { simple, load, store, multiply, divide, branch, branchTable } = INSTRUCTION_FUEL;

/** Fuel of each instruction that contracts may use, by opcode; without what `memory.grow`, `memory.copy` and `memory.fill`
 * cost for each page and byte. */
export const FUEL_OF_OPCODE: Uint8Array = new Uint8Array(TABLE_SIZE).fill(simple);

function set(fuel: number, first: number, last: number = first): void {
  FUEL_OF_OPCODE.fill(fuel, first, last + 1);
}

// What only says where blocks are leaves nothing behind in machine code.
for (const opcode of [OPCODE.nop, OPCODE.block, OPCODE.loop, OPCODE.else, OPCODE.end]) set(0, opcode);
for (const opcode of [OPCODE.if, OPCODE.br, OPCODE.brIf, OPCODE.return]) set(branch, opcode);
set(branchTable, OPCODE.brTable);
set(INSTRUCTION_FUEL.call, OPCODE.call);
set(INSTRUCTION_FUEL.indirectCall, OPCODE.callIndirect);
set(INSTRUCTION_FUEL.global, OPCODE.globalGet, OPCODE.globalSet);
set(load, OPCODE.i32Load, OPCODE.i64Load32U);
set(store, OPCODE.i32Store, OPCODE.i64Store32);
set(INSTRUCTION_FUEL.memorySize, OPCODE.memorySize);
set(INSTRUCTION_FUEL.memoryGrow, OPCODE.memoryGrow);
set(multiply, OPCODE.i32Mul);
set(multiply, OPCODE.i64Mul);
set(divide, OPCODE.i32DivS, OPCODE.i32RemU);
set(divide, OPCODE.i64DivS, OPCODE.i64RemU);
set(INSTRUCTION_FUEL.bulk, OPCODE.memoryCopy, OPCODE.memoryFill);
