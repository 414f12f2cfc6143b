/** What programs cost, and how large they may be. docs/program-gas.md says it in words and has the measurements; the numbers
 * here count. A change of any of them is a fork. */

/** Programs count fuel: one gas is so much. Gas becomes fuel when a frame begins and after each host call; before a host call
 * and at its end a frame has floor(fuel / FUEL_PER_GAS) gas, and the rest is kept meanwhile. */
export const FUEL_PER_GAS = 16;

/** Fuel of an instruction of WebAssembly, by class. A basic block is charged before it runs. */
export const INSTRUCTION_FUEL = {
  /** Constants, locals, addition, logic, shifts, comparison, selection, conversion, counting bits. */
  simple: 1,
  /** Of variables of the module. */
  global: 3,
  /** Memory is larger than the nearest caches. */
  load: 8,
  store: 3,
  multiply: 2,
  /** Quotient or remainder. */
  divide: 16,
  /** Jumps within a function, conditional or not, the beginnings of blocks and loops not counted. */
  branch: 3,
  branchTable: 16,
  /** Includes the return. */
  call: 8,
  indirectCall: 12,
  memorySize: 2,
  /** memory.grow, besides its pages. */
  memoryGrow: 64,
  /** memory.copy and memory.fill, besides their bytes. */
  bulk: 32,
} as const;

/** Fuel of an instruction of RISC-V, by class: each does what three or four of WebAssembly do, which fetch its operands and
 * store its result. A basic block is charged before it runs. */
export const RISCV_FUEL = {
  /** Addition, logic, shifts, comparison, constants, FENCE, ECALL (the host call apart). */
  simple: 4,
  load: 10,
  store: 6,
  multiply: 6,
  /** MULH, MULHU, MULHSU. */
  multiplyHigh: 16,
  divide: 20,
  /** Conditional branches and JAL, taken or not. */
  branch: 6,
  /** JALR: returns and calls of what a register points to. */
  indirectJump: 20,
} as const;

/** memory.copy and memory.fill of n bytes cost ceil(n / BULK_BYTES_PER_FUEL) fuel besides. */
export const BULK_BYTES_PER_FUEL = 8;

/** In gas. */
export const PROGRAM_GAS = {
  /** A message to a program. */
  entry: 400,
  /** Each 32 bytes that data or segments put into memory when an instance begins. */
  initializedWord: 3,
  /** A page (64 KB). Zeroing one costs less; but frames that wait hold theirs, and gas alone bounds how much all of them hold:
   * 1 GiB for 2^24 gas. */
  page: 1000,
  /** The square of the count of a frame's pages, divided by this, comes to that. */
  pageSquareDivisor: 1,
  /** Each KiB of a program, or part of one, when a message of a transaction, or one that it sends, enters it for the first
   * time: it may have to be read, decoded and compiled. */
  loadKibibyte: 2048,
  /** As `loadKibibyte`, of a program in chunks. Many manifests may name the same chunks, so that it costs little to have more
   * programs than nodes keep: this price alone pays for preparing them. */
  loadChunksKibibyte: 8192,
  /** Each byte of a program that is deployed: decoding, checking, preparing. */
  validationByte: 10,
  /** Each call to the host, besides what the EVM's instruction for the same costs. */
  hostCall: 40,
  /** Each 32 bytes that a host call carries across and that no other price covers. */
  crossingWord: 3,
} as const;

export const PAGE_SIZE = 65_536;
/** Pages that a program's memory may have: 4 MiB, about as much as caches hold. */
export const MAX_PROGRAM_PAGES = 64;

/** The calls inside a program that wait may hold so many slots in one message; a call that would exceed it is a trap. A
 * function's call holds its parameters, its locals, the most operands that it can have, and FRAME_SLOTS. */
export const STATIC_STACK_SLOTS = 8192;
export const FRAME_SLOTS = 8;

/** Kind and prefix; what code holds besides. */
export const CODE_HEADER_BYTES = 3;
/** Header of init code: prefix, kind, length of the payload. */
export const INIT_CODE_HEADER_BYTES = 7;
/** Init code may be 49,152 bytes (EIP-3860): a program that is deployed in one piece, with nothing for its constructor. */
export const MAX_PAYLOAD_BYTES: number = 49_152 - INIT_CODE_HEADER_BYTES;
/** A chunk as a whole is no longer than EIP-170 lets other code be. */
export const MAX_CHUNK_BYTES: number = 24_576 - CODE_HEADER_BYTES;
export const MAX_CHUNKS = 32;
export const MAX_PROGRAM_BYTES: number = MAX_CHUNKS * MAX_CHUNK_BYTES;

const KIBIBYTE = 1024;
const WORD_BYTES = 32;

/** Gas for a memory of so many pages. Growing costs the difference. */
export function pagesGas(pages: number): number {
  return PROGRAM_GAS.page * pages + Math.floor((pages * pages) / PROGRAM_GAS.pageSquareDivisor);
}

/** Gas that a frame is charged before its program runs, whatever it then does.
 * @param pages that its memory has at the beginning.
 * @param initializedBytes that are not left zero in it: data segments; loaded segments of an ELF file. */
export function entryGas(pages: number, initializedBytes: number): number {
  const words = Math.ceil(initializedBytes / WORD_BYTES);
  return PROGRAM_GAS.entry + pagesGas(pages) + PROGRAM_GAS.initializedWord * words;
}

/** Gas for the first entry of a transaction into a program of so many bytes.
 * @param isInChunks whether a manifest names its parts. */
export function loadGas(programBytes: number, isInChunks: boolean): number {
  const { loadKibibyte, loadChunksKibibyte } = PROGRAM_GAS;
  return (isInChunks ? loadChunksKibibyte : loadKibibyte) * Math.ceil(programBytes / KIBIBYTE);
}

/** Gas for deciding whether a program of so many bytes is valid. */
export function validationGas(programBytes: number): number {
  return PROGRAM_GAS.validationByte * programBytes;
}
