import type { Bytes } from "@ostrom/base";
import { FORKS } from "../fork-rules.ts";
import { CODE_AREA, FRAME } from "../runtime/memory-layout.ts";
import { WASM_PAGE_SIZE, type WasmFunction, type WasmMemory } from "../runtime/webassembly.ts";
import type { Fork } from "../types.ts";
import { classesAddress, TABLES_END, writeTables } from "./analysis-tables.ts";
import { IMAGE_ALIGNMENT, imageSize, jumpMapOffset, originalOffset } from "./code-image.ts";

/** Where code lies in the area, in one of its generations. */
type Place = {
  readonly generation: number;
  readonly address: number;
  /** How often frames began to run it, up to JOIN_AFTER. */
  frames: number;
};

/** A message finds up to one part in so many taken. */
const KEPT_PART = 8;

/** See emit-analysis.ts. */
type Analysis = { readonly analyse: WasmFunction; readonly joinSequences: WasmFunction };

/** Sequences are put into long code only when so many frames have run it: finding them takes longer than the rest of the
 * analysis, and who has code loaded for the first time has not paid for that much. */
const JOIN_AFTER = 32;
/** In shorter code, in bytes, they are at once. */
const JOIN_AT_ONCE = 2048;

const FIRST_CODE = Math.ceil(TABLES_END / IMAGE_ALIGNMENT) * IMAGE_ALIGNMENT;

/** Code in linear memory, as the interpreter runs it (code-image.ts).
 *
 * Code is loaded when a frame first runs it and stays until the area is full, then all of it makes place for the next
 * message's. While a message runs nothing is taken away, since frames that wait still need theirs: what finds no room in the
 * area lies on the heap, with its frame, and costs memory as long as the frame. It has to be copied there for each frame,
 * but is analysed only once. */
export class CodeArea {
  readonly #memory: WasmMemory;
  readonly #analysis: Analysis;
  readonly #areaEnd: number;
  #bytes: Bytes;
  #view: DataView;
  #end = FIRST_CODE;
  #generation = 0;
  // Keyed by identity, as analyseCode is: whoever keeps code gives out one object for it.
  readonly #places = new Map<Fork, WeakMap<Bytes, Place>>();
  readonly #images = new Map<Fork, WeakMap<Bytes, Bytes>>();

  /** @param size how many bytes of the area are used: all unless told. */
  constructor(memory: WasmMemory, analysis: Analysis, size: number = CODE_AREA.size) {
    this.#areaEnd = CODE_AREA.at + size;
    this.#memory = memory;
    this.#analysis = analysis;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    writeTables(this.#bytes);
    for (const fork of FORKS) {
      this.#places.set(fork, new WeakMap());
      this.#images.set(fork, new WeakMap());
    }
  }

  /** Must come before the first frame of a message: makes sure that most of the area is free. */
  beginMessage(): void {
    if (this.#end - CODE_AREA.at < (this.#areaEnd - CODE_AREA.at) / KEPT_PART) return;
    this.#end = FIRST_CODE;
    this.#generation++;
  }

  /** Gives a frame its code: writes FRAME.codeBase, codeSize and jumpMap.
   * @param code by identity: whoever keeps code gives out one object for it.
   * @param heapStart where on the heap the frame may begin.
   * @returns where on the heap the frame's input may begin: at heapStart, unless the code lies there.
   * Throws a RangeError if V8 has no more memory: a fault of the node. */
  attach(frame: number, code: Bytes, fork: Fork, heapStart: number): number {
    const places = this.#places.get(fork)!;
    const known = places.get(code);
    if (known !== undefined && known.generation === this.#generation) {
      if (known.frames < JOIN_AFTER && ++known.frames === JOIN_AFTER)
        this.#join(known.address, code.length, fork);
      this.#tell(frame, known.address, code.length);
      return heapStart;
    }
    const size = imageSize(code.length);
    if (this.#end + size > this.#areaEnd) return this.#putOnHeap(frame, code, fork, heapStart);
    const address = this.#end;
    this.#end += size;
    this.#load(address, code, fork);
    const isShort = code.length <= JOIN_AT_ONCE;
    if (isShort) this.#join(address, code.length, fork);
    places.set(code, { generation: this.#generation, address, frames: isShort ? JOIN_AFTER : 1 });
    this.#tell(frame, address, code.length);
    return heapStart;
  }

  /** Makes images of code that nobody runs, where the next one will be. */
  warmUp(code: Bytes, fork: Fork, times: number): void {
    for (let i = 0; i < times; i++) this.#load(this.#end, code, fork);
  }

  #putOnHeap(frame: number, code: Bytes, fork: Fork, heapStart: number): number {
    const size = imageSize(code.length);
    this.#reserve(heapStart + size);
    const images = this.#images.get(fork)!;
    const image = images.get(code);
    if (image !== undefined) this.#refresh().set(image, heapStart);
    else {
      this.#load(heapStart, code, fork);
      this.#join(heapStart, code.length, fork);
      images.set(code, this.#bytes.slice(heapStart, heapStart + size));
    }
    this.#tell(frame, heapStart, code.length);
    return heapStart + size;
  }

  #load(address: number, code: Bytes, fork: Fork): void {
    const bytes = this.#refresh();
    const original = address + originalOffset(code.length);
    bytes.set(code, address);
    bytes.fill(0, address + code.length, original);
    bytes.set(code, original);
    bytes.fill(0, original + code.length, address + imageSize(code.length));
    const jumpMap = address + jumpMapOffset(code.length);
    this.#analysis.analyse(address, code.length, jumpMap, original, classesAddress(fork));
  }

  /** Frames that wait are in no sequence: these have no calls. */
  #join(address: number, size: number, fork: Fork): void {
    this.#analysis.joinSequences(address, size, classesAddress(fork));
  }

  #tell(frame: number, address: number, size: number): void {
    this.#refresh();
    const view = this.#view;
    view.setUint32(frame + FRAME.codeBase, address, true);
    view.setUint32(frame + FRAME.codeSize, size, true);
    view.setUint32(frame + FRAME.jumpMap, address + jumpMapOffset(size), true);
  }

  /** Growing replaces the buffer, and whatever ran since may have grown it; the one that was replaced is empty. */
  #refresh(): Bytes {
    if (this.#bytes.length === 0) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#view = new DataView(this.#memory.buffer);
    }
    return this.#bytes;
  }

  #reserve(end: number): void {
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / WASM_PAGE_SIZE));
  }
}
