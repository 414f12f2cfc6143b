import { type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { GAS } from "./gas-schedule.ts";
import { WORD_SIZE, wordCount } from "./word.ts";

/** A frame's memory: zeros wherever nothing was written. */
export type Memory = {
  /** The first `size` bytes count; what follows is room to grow, all zeros. */
  bytes: Bytes;
  view: DataView;
  /** A multiple of 32; what MSIZE tells. */
  size: number;
};

const MIN_CAPACITY = 1024;
const QUADRATIC_DIVISOR = 512;

const NO_VIEW = new DataView(new ArrayBuffer(0));

export function createMemory(): Memory {
  return { bytes: EMPTY_BYTES, view: NO_VIEW, size: 0 };
}

/** What a memory of `size` bytes (up to MAX_MEMORY_SIZE) costs in all. Source: Yellow Paper, appendix H, C_mem. */
export function memoryGas(size: number): number {
  const words = wordCount(size);
  return GAS.memoryWord * words + Math.floor((words * words) / QUADRATIC_DIVISOR);
}

/** Makes [0, end) part of the memory. */
export function growMemory(memory: Memory, end: number): void {
  const size = wordCount(end) * WORD_SIZE;
  if (size <= memory.size) return;
  if (size > memory.bytes.length) {
    const grown = new Uint8Array(Math.max(size, 2 * memory.bytes.length, MIN_CAPACITY));
    grown.set(memory.bytes);
    memory.bytes = grown;
    memory.view = new DataView(grown.buffer);
  }
  memory.size = size;
}

/** A copy. What is read and written here and below lies within the memory's size. */
export function readMemory(memory: Memory, offset: bigint, size: bigint): Bytes {
  if (size === 0n) return EMPTY_BYTES;
  return memory.bytes.slice(Number(offset), Number(offset + size));
}

/** Shares the memory. */
export function viewMemory(memory: Memory, offset: bigint, size: bigint): Bytes {
  if (size === 0n) return EMPTY_BYTES;
  return memory.bytes.subarray(Number(offset), Number(offset + size));
}

export function readMemoryWord(memory: Memory, offset: number): bigint {
  const { view } = memory;
  const upper = (view.getBigUint64(offset) << 64n) | view.getBigUint64(offset + 8);
  const lower = (view.getBigUint64(offset + 16) << 64n) | view.getBigUint64(offset + 24);
  return (upper << 128n) | lower;
}

export function writeMemoryWord(memory: Memory, offset: number, word: bigint): void {
  const { view } = memory;
  view.setBigUint64(offset, BigInt.asUintN(64, word >> 192n));
  view.setBigUint64(offset + 8, BigInt.asUintN(64, word >> 128n));
  view.setBigUint64(offset + 16, BigInt.asUintN(64, word >> 64n));
  view.setBigUint64(offset + 24, BigInt.asUintN(64, word));
}

/** Copies source[sourceOffset, + size) to `offset`; what lies beyond the end of the source is zeros. */
export function copyToMemory(
  memory: Memory,
  offset: bigint,
  source: Bytes,
  sourceOffset: bigint,
  size: bigint,
): void {
  if (size === 0n) return;
  const start = Number(offset);
  const end = start + Number(size);
  const from = sourceOffset < BigInt(source.length) ? Number(sourceOffset) : source.length;
  const part = source.subarray(from, from + Number(size));
  memory.bytes.set(part, start);
  memory.bytes.fill(0, start + part.length, end);
}
