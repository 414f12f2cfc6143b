import type { CodeBuilder } from "@ostrom/wasm";

// Code as the interpreter runs it: its bytes, zeros behind them (which are STOP, and the missing data of a PUSH at the
// end), then a map with a bit for each byte where a jump may land. The bytes are not quite the code's: data of PUSH lie in
// the machine's order, the lowest byte first, opcodes that the fork does not have are INVALID, and sequences of instructions
// that run as one begin with an opcode of their own (sequences.ts). Behind the map lies the code as it was, for CODECOPY,
// and zeros again.

/** A PUSH32 as the last byte, then STOP, and a margin that is read but not used. */
const PADDING = 64;
/** Of images and their parts, in bytes. */
export const IMAGE_ALIGNMENT = 64;

function align(size: number): number {
  return Math.ceil(size / IMAGE_ALIGNMENT) * IMAGE_ALIGNMENT;
}

/** Bytes from the beginning of an image to its map of jump destinations. */
export function jumpMapOffset(codeSize: number): number {
  return align(codeSize + PADDING);
}

/** Bytes from the beginning of the map to the code as it was. */
function jumpMapSize(codeSize: number): number {
  return align((codeSize >> 3) + 1);
}

/** Puts jumpMapSize, an i32, on WebAssembly's stack.
 * @param pushCodeSize puts the size there, an i32. */
export function emitJumpMapSize(code: CodeBuilder, pushCodeSize: () => void): void {
  pushCodeSize();
  code.i32Const(3).i32ShrU().i32Const(IMAGE_ALIGNMENT).i32Add().i32Const(-IMAGE_ALIGNMENT).i32And();
}

export function originalOffset(codeSize: number): number {
  return jumpMapOffset(codeSize) + jumpMapSize(codeSize);
}

export function imageSize(codeSize: number): number {
  return align(originalOffset(codeSize) + codeSize + PADDING);
}
