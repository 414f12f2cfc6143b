import { MAX_CALL_DEPTH, MAX_STACK_SIZE } from "../gas-schedule.ts";
import { WASM_PAGE_SIZE } from "./webassembly.ts";

/** Where things lie in the engine's linear memory. One memory serves all contracts: what a contract may touch is its own
 * frame, and the code that the compiler emits for it reaches nothing else.
 *
 * ```
 * 0          nothing, so that a wrong zero address meets nobody's data
 * 1024       words that all frames of a transaction share (TRANSACTION_WORDS)
 * 2048       operands and results of instructions that the host runs
 * 4096       scratch space of the runtime
 * 8192       what MULMOD keeps of moduli
 * 16384      which of the storage slots that are known were written
 * 65536      the table of storage slots that are known, then that of hashes
 *            frames, by depth: header, then the EVM's stack
 *            code that the interpreter runs (CODE_AREA)
 * HEAP       by depth: the input of a frame, then its memory; a frame's begin where its caller's end
 * ``` */
export const WORD_BYTES = 32;
export const LIMB_BYTES = 8;

export const TRANSACTION_WORDS = {
  origin: 1024,
  gasPrice: 1056,
  coinbase: 1088,
  timestamp: 1120,
  number: 1152,
  prevRandao: 1184,
  gasLimit: 1216,
  chainId: 1248,
  baseFee: 1280,
  blobBaseFee: 1312,
} as const;

/** The blobs' versioned hashes, words: how many the transaction has, a u32, and as many of them as there is room for. */
export const BLOB_HASHES = { count: 1560, at: 2560, room: 40 } as const;

/** The top of the EVM's stack first; what the instruction pushes takes the place of the first. */
export const OPERANDS = 2048;

export const SCRATCH = {
  /** Zeros, the word that is shifted, what comes in from above it: a shift reads beyond the word. */
  shift: 4096,
  /** Digits of 32 bits (division): at most 17. */
  dividend: 4352,
  divisor: 4480,
  quotient: 4608,
  /** 25 lanes. */
  keccakState: 4864,
  /** What is left of the input, padded. */
  keccakBlock: 5120,
  /** Written once, when the memory is made. */
  keccakConstants: 5376,
} as const;

/** The last part of a frame's input, then zeros that nobody overwrites. */
export const INPUT_END = { at: 8064, size: 64 } as const;

/** What is kept of a modulus by which MULMOD reduces (runtime-modular.ts): limbs, digits of 30 bits, and the reciprocal's. */
export const RECIPROCAL = { modulus: 0, digits: 32, reciprocal: 104, size: 192 } as const;
/** A table of so many, a power of two. */
export const RECIPROCALS = { at: 8192, count: 16 } as const;

/** Byte offsets from a frame's address. */
export const FRAME = {
  /** i64. */
  gas: 0,
  /** Address of the first free slot of the EVM's stack. */
  stackTop: 8,
  memoryBase: 12,
  /** Bytes that count (MSIZE). */
  memorySize: 16,
  /** Bytes from memoryBase that hold zeros wherever the program wrote nothing; never below memorySize. */
  memoryClean: 20,
  inputBase: 24,
  inputSize: 28,
  returnDataSize: 32,
  /** What RETURN and REVERT leave, relative to memoryBase. */
  outputOffset: 36,
  outputSize: 40,
  /** The entry at which to go on after a call. */
  resumeEntry: 44,
  /** Which account's storage the frame works on, as a number that is another for each account. */
  storageId: 48,
  /** Where the interpreter finds the frame's code, its size, and which of its bytes are jump destinations (a bit each);
   * compiled code needs none of them. */
  codeBase: 52,
  codeSize: 56,
  jumpMap: 60,
  /** Words. */
  address: 64,
  caller: 96,
  value: 128,
  /** The account's balance, a word, if balanceIsKnown, a u32, is 1. */
  balance: 160,
  balanceIsKnown: 192,
  stack: 256,
} as const;

export const STACK_BYTES: number = MAX_STACK_SIZE * WORD_BYTES;
export const FRAME_BYTES: number = FRAME.stack + STACK_BYTES;

/** An entry of the table of slots. */
export const SLOT = {
  key: 0,
  value: 32,
  storageId: 64,
  generation: 68,
  /** Of SLOT_STATE. */
  state: 72,
  /** The value when the transaction began. */
  original: 80,
  size: 112,
} as const;
/** What an entry is good for: reading; writing too, because its original value is known; and it has been written, which the
 * host does not know yet. */
export const SLOT_STATE = { read: 0, known: 1, written: 2 } as const;
export const SLOT_TABLE = { at: 65_536, indexBits: 12 } as const;
/** u32: entries of other generations do not count. */
export const STORAGE_GENERATION = 1536;

/** What SSTORE did without the host (runtime-storage.ts, slot-journal.ts). */
export const SLOT_JOURNAL = {
  /** u32: 1 if the frame that runs may write so, and the host tells original values. */
  isOpen: 1540,
  /** u32: how many entries were written; their addresses, u32 each. */
  count: 1544,
  entries: 16_384,
  /** i64: what is to be added to the refund. */
  refund: 1552,
} as const;
/** Where the host puts the original value of the slot that it has read or written. */
export const ORIGINAL_VALUE: number = OPERANDS + WORD_BYTES;

/** A hash of one or two words that was computed before (runtime-keccak.ts): the input's size, the hash, the input. */
export const KNOWN_HASH = { length: 0, hash: 8, input: 40, size: 112 } as const;
export const KNOWN_HASHES: { readonly at: number; readonly indexBits: number } = {
  at: SLOT_TABLE.at + SLOT.size * 2 ** SLOT_TABLE.indexBits,
  indexBits: 10,
};

export const FRAMES: number = KNOWN_HASHES.at + KNOWN_HASH.size * 2 ** KNOWN_HASHES.indexBits;
const FRAME_COUNT = MAX_CALL_DEPTH + 1;

/** Address of the frame at a depth, 0 for the outermost. */
export function frameAddress(depth: number): number {
  return FRAMES + depth * FRAME_BYTES;
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Pages of it that nobody touches cost nothing. What does not fit lies on the heap, with the frame that runs it. As a message
 * has seven eighths of it, that takes more gas than EIP-7825 gives a transaction: over 8,000 cold calls of 24 KB. */
export const CODE_AREA: { readonly at: number; readonly size: number } = {
  at: roundUp(FRAMES + FRAME_COUNT * FRAME_BYTES, WASM_PAGE_SIZE),
  size: 512 * 2 ** 20,
};

export const HEAP: number = CODE_AREA.at + CODE_AREA.size;

/** Room for the memories of ordinary transactions; pages that nobody touches cost nothing. */
const INITIAL_HEAP_BYTES = 16 * 2 ** 20;
export const INITIAL_PAGES: number = (HEAP + INITIAL_HEAP_BYTES) / WASM_PAGE_SIZE;
/** 2 GB. A transaction that needs more is run by the reference. */
export const MAXIMUM_PAGES = 32_768;
