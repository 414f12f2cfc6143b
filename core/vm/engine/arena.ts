import type { Bytes } from "@ostrom/base";
import { FRAME, HEAP, LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { WASM_PAGE_SIZE, type WasmMemory } from "../runtime/webassembly.ts";
import { type KnownAddress, writeAddress } from "./address-book.ts";

const LIMB_MASK = 2n ** 64n - 1n;
const LIMB_HALF = 2 ** 32;
const MAX_COUNT = 2 ** 52;

/** The host's view of the engine's linear memory. Growing replaces the buffer under it, and contracts grow it: so each
 * access goes through `refresh`. */
export class Arena {
  readonly #memory: WasmMemory;
  #buffer: ArrayBuffer;
  #bytes: Bytes;
  #view: DataView;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#buffer = memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  /** Must come first whenever compiled code has run. */
  refresh(): void {
    // A buffer that was replaced is empty; to ask the memory for its buffer takes longer.
    if (this.#bytes.length !== 0) return;
    this.#buffer = this.#memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  /** Makes the memory reach to `end`. Throws a RangeError if V8 has no more: a fault of the node. */
  reserve(end: number): void {
    if (end <= this.#buffer.byteLength) return;
    this.#memory.grow(Math.ceil((end - this.#buffer.byteLength) / WASM_PAGE_SIZE));
    this.refresh();
  }

  /** In bytes. */
  size(): number {
    return this.#buffer.byteLength;
  }

  number(address: number): number {
    return this.#view.getUint32(address, true);
  }

  setNumber(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
  }

  /** Negative if code has charged more than there was. */
  gas(frame: number): number {
    const view = this.#view;
    return view.getInt32(frame + FRAME.gas + 4, true) * LIMB_HALF + view.getUint32(frame + FRAME.gas, true);
  }

  /** @param gas up to MAX_TIERED_GAS. */
  setGas(frame: number, gas: number): void {
    const view = this.#view;
    const high = Math.floor(gas / LIMB_HALF);
    view.setUint32(frame + FRAME.gas, gas - high * LIMB_HALF, true);
    view.setUint32(frame + FRAME.gas + 4, high, true);
  }

  isZero(address: number): boolean {
    const view = this.#view;
    for (let at = address; at < address + WORD_BYTES; at += 4)
      if (view.getUint32(at, true) !== 0) return false;
    return true;
  }

  /** A word as a number; Infinity if it is 2^52 or more. */
  count(address: number): number {
    const view = this.#view;
    for (let at = address + LIMB_BYTES; at < address + WORD_BYTES; at += 4)
      if (view.getUint32(at, true) !== 0) return Number.POSITIVE_INFINITY;
    const count = view.getUint32(address + 4, true) * LIMB_HALF + view.getUint32(address, true);
    return count < MAX_COUNT ? count : Number.POSITIVE_INFINITY;
  }

  /** Makes a word of a number that fits 32 bits. */
  setSmallWord(address: number, value: number): void {
    const view = this.#view;
    view.setUint32(address, value, true);
    for (let at = address + 4; at < address + WORD_BYTES; at += 4) view.setUint32(at, 0, true);
  }

  word(address: number): bigint {
    const view = this.#view;
    const high =
      (view.getBigUint64(address + 3 * LIMB_BYTES, true) << 64n) |
      view.getBigUint64(address + 2 * LIMB_BYTES, true);
    const low = (view.getBigUint64(address + LIMB_BYTES, true) << 64n) | view.getBigUint64(address, true);
    return high === 0n ? low : (high << 128n) | low;
  }

  setWord(address: number, word: bigint): void {
    const view = this.#view;
    view.setBigUint64(address, word & LIMB_MASK, true);
    const rest = word >> 64n;
    view.setBigUint64(address + LIMB_BYTES, rest & LIMB_MASK, true);
    view.setBigUint64(address + 2 * LIMB_BYTES, (rest >> 64n) & LIMB_MASK, true);
    view.setBigUint64(address + 3 * LIMB_BYTES, rest >> 128n, true);
  }

  /** Makes a word of 32 bytes, the highest first. */
  setWordBytes(address: number, bytes: Bytes): void {
    for (let i = 0; i < WORD_BYTES; i++) this.#view.setUint8(address + WORD_BYTES - 1 - i, bytes[i]!);
  }

  /** Shares the memory; valid until compiled code runs again. */
  view(address: number, size: number): Bytes {
    return this.#bytes.subarray(address, address + size);
  }

  copy(address: number, size: number): Bytes {
    return this.#bytes.slice(address, address + size);
  }

  write(address: number, bytes: Bytes): void {
    this.#bytes.set(bytes, address);
  }

  fill(address: number, size: number): void {
    this.#bytes.fill(0, address, address + size);
  }
}

function align(address: number): number {
  return Math.ceil(address / WORD_BYTES) * WORD_BYTES;
}

/** Where the part of the heap ends that a frame uses now; a frame that it calls may have what follows. */
export function heapEnd(arena: Arena, frame: number | undefined): number {
  if (frame === undefined) return HEAP;
  return align(arena.number(frame + FRAME.memoryBase) + arena.number(frame + FRAME.memorySize));
}

/** Bytes in the engine's memory. */
export type Region = { readonly address: number; readonly size: number };

/** What a frame begins with. */
export type FrameLayout = {
  readonly gas: number;
  /** Where its input lies: with the frame that calls it, or on the heap before it. It stays there while the frame runs. */
  readonly input: Region;
  readonly address: KnownAddress;
  readonly caller: KnownAddress;
  readonly value: bigint;
};

/** Lays out a frame that is about to begin, whose memory is still empty.
 * @param heapStart where its memory may begin. @returns where it begins. */
export function layFrame(arena: Arena, frame: number, heapStart: number, start: FrameLayout): number {
  const memoryBase = align(heapStart);
  arena.reserve(memoryBase);
  arena.setGas(frame, start.gas);
  arena.setNumber(frame + FRAME.stackTop, frame + FRAME.stack);
  arena.setNumber(frame + FRAME.memoryBase, memoryBase);
  arena.setNumber(frame + FRAME.memorySize, 0);
  arena.setNumber(frame + FRAME.memoryClean, 0);
  arena.setNumber(frame + FRAME.inputBase, start.input.address);
  arena.setNumber(frame + FRAME.inputSize, start.input.size);
  arena.setNumber(frame + FRAME.returnDataSize, 0);
  arena.setNumber(frame + FRAME.storageId, start.address.storageId);
  arena.setNumber(frame + FRAME.balanceIsKnown, 0);
  writeAddress(arena, frame + FRAME.address, start.address);
  writeAddress(arena, frame + FRAME.caller, start.caller);
  if (start.value === 0n) arena.setSmallWord(frame + FRAME.value, 0);
  else arena.setWord(frame + FRAME.value, start.value);
  return memoryBase;
}

/** Puts bytes that the host has on the heap. @returns where they end. */
export function putOnHeap(arena: Arena, heapStart: number, bytes: Bytes): number {
  const end = heapStart + bytes.length;
  arena.reserve(end);
  arena.write(heapStart, bytes);
  return end;
}

/** Puts the result of a call on a frame's stack, where its next block finds it. */
export function pushSmallResult(arena: Arena, frame: number, value: number): void {
  const top = arena.number(frame + FRAME.stackTop);
  arena.setSmallWord(top, value);
  arena.setNumber(frame + FRAME.stackTop, top + WORD_BYTES);
}

/** As pushSmallResult, for any word. */
export function pushResult(arena: Arena, frame: number, word: bigint): void {
  const top = arena.number(frame + FRAME.stackTop);
  arena.setWord(top, word);
  arena.setNumber(frame + FRAME.stackTop, top + WORD_BYTES);
}
