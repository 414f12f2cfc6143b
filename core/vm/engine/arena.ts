import type { Bytes } from "@ostrom/base";
import { FRAME, HEAP, INPUT_PADDING, LIMB_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { WASM_PAGE_SIZE, type WasmMemory } from "../runtime/webassembly.ts";

const LIMB_MASK = 2n ** 64n - 1n;

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
    if (this.#memory.buffer === this.#buffer) return;
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

  gas(frame: number): bigint {
    return this.#view.getBigInt64(frame + FRAME.gas, true);
  }

  setGas(frame: number, gas: bigint): void {
    this.#view.setBigInt64(frame + FRAME.gas, gas, true);
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

/** Lays out a frame that is about to begin: its input from `heapStart` on, then its memory, still empty.
 * @returns where the memory begins. */
export function layFrame(
  arena: Arena,
  frame: number,
  heapStart: number,
  start: {
    readonly gas: bigint;
    readonly input: Bytes;
    readonly address: bigint;
    readonly caller: bigint;
    readonly value: bigint;
    readonly storageId: number;
  },
): number {
  const { input } = start;
  const memoryBase = align(heapStart + input.length + INPUT_PADDING);
  arena.reserve(memoryBase);
  arena.write(heapStart, input);
  arena.fill(heapStart + input.length, INPUT_PADDING);
  arena.setGas(frame, start.gas);
  arena.setNumber(frame + FRAME.stackTop, frame + FRAME.stack);
  arena.setNumber(frame + FRAME.memoryBase, memoryBase);
  arena.setNumber(frame + FRAME.memorySize, 0);
  arena.setNumber(frame + FRAME.memoryClean, 0);
  arena.setNumber(frame + FRAME.inputBase, heapStart);
  arena.setNumber(frame + FRAME.inputSize, input.length);
  arena.setNumber(frame + FRAME.returnDataSize, 0);
  arena.setNumber(frame + FRAME.storageId, start.storageId);
  arena.setWord(frame + FRAME.address, start.address);
  arena.setWord(frame + FRAME.caller, start.caller);
  arena.setWord(frame + FRAME.value, start.value);
  return memoryBase;
}

/** Puts the result of a call on a frame's stack, where its next block finds it. */
export function pushResult(arena: Arena, frame: number, word: bigint): void {
  const top = arena.number(frame + FRAME.stackTop);
  arena.setWord(top, word);
  arena.setNumber(frame + FRAME.stackTop, top + WORD_BYTES);
}
