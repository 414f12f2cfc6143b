/** What both tiers keep in a memory of their own, the work memory, so that the program's memory holds nothing but the program's.
 * All that runs shares it: what belongs to one frame is moved out while a child runs. Addresses are in bytes. */
export const WORK = {
  /** x0 to x31, 8 bytes each, then one that takes what is written to x0. */
  registers: 0,
  /** An i64. */
  fuel: 272,
  /** Why the frame ends, an i32: one of WORK_FAULT. */
  fault: 280,
  /** Instructions that were decoded begin here. */
  code: 1024,
} as const;

/** Where writes to x0 go. */
export const SCRATCH_REGISTER = 32;
export const REGISTER_SHIFT = 3;
export const REGISTER_BYTES: number = 1 << REGISTER_SHIFT;

export const WORK_FAULT = { none: 0, outOfFuel: 1, trap: 2 } as const;

/** A decoded instruction takes so many bytes for each two of the text. The first i32 of a record, from its lowest bit on:
 * operation and one (7 bits; 0: not yet decoded), whether it is compressed (1), rd (6), rs1 (5), rs2 (5), fuel (7), whether
 * compiled code begins here (1). The second is the immediate; of branches and JAL, the address of the target's record. */
export const RECORD_SHIFT = 3;
export const RECORD_BYTES: number = 1 << RECORD_SHIFT;
export const RECORD = {
  operation: 0x7f,
  compressedShift: 7,
  rdShift: 8,
  rs1Shift: 14,
  rs2Shift: 19,
  fuelShift: 24,
  maxFuel: 0x7f,
  compiled: -0x8000_0000,
} as const;

/** Text of so many bytes has so many bytes of records: a last one says that the text has ended. */
export function recordBytes(textBytes: number): number {
  return RECORD_BYTES * (Math.ceil(textBytes / 2) + 1);
}

export const WORK_MODULE = "work";
export const MEMORY_IMPORT = "memory";
export const PROGRAM_MODULE = "program";
export const HOST_IMPORT = "host";
export const DECODE_IMPORT = "decode";
/** Of programs' memories and of the work memory, in pages. */
export const MAX_WORK_PAGES = 2048;
