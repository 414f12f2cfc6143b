import { CONTRACT_SUBSET, type Subset } from "@ostrom/wasm";

/** What contracts may use: the subset for contracts, and `memory.grow`, which costs gas here for each page. */
export const PROGRAM_SUBSET: Subset = {
  ...CONTRACT_SUBSET,
  memoryGrow: true,
  maxBodyBytes: 128 * 1024,
  maxFunctions: 5_000,
  maxLocals: 1_000,
  maxOperands: 1_000,
};

// What follows keeps the time that V8 takes for a module in proportion to its bytes.

/** Loops of one function: V8's optimizing compiler takes time that grows with their square (1,500: 1.2 s; 6,000: 31 s). */
export const MAX_LOOPS = 256;

/** Where branches meet, compilers bring together what each local and operand holds: one step for each value of each such place
 * (10 to 30 ns); and each local of a function is a step as well. A module may need so many steps for each of its bytes, and those
 * besides. Compiled C, Rust and AssemblyScript needs less than one. */
export const MAX_MERGED_VALUES_PER_BYTE = 8;
export const FREE_MERGED_VALUES = 65_536;
