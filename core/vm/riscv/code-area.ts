import { must } from "@ostrom/base";
import { PAGE_SIZE } from "../contract-host/program-gas.ts";
import { NodeFault, type WasmMemory } from "../runtime/webassembly.ts";
import { decode } from "./decode.ts";
import type { RiscvImage } from "./elf.ts";
import { FUEL_OF_OPERATION, type Instruction, isBranch, OPERATIONS, type Operation } from "./instruction.ts";
import { MAX_WORK_PAGES, RECORD, RECORD_BYTES, recordBytes, SCRATCH_REGISTER, WORK } from "./work-area.ts";

/** Where the records of a program's instructions lie in the work memory. */
export type CodeRegion = {
  readonly from: number;
  readonly bytes: number;
  readonly image: RiscvImage;
  /** How many frames run or wait in it. */
  users: number;
};

/** Instructions that are decoded at once when one is reached that was not. */
const DECODE_AHEAD = 32;

const OPERATION_NUMBER: ReadonlyMap<Operation, number> = new Map(
  OPERATIONS.map((operation, index) => [operation, index + 1]),
);

/** Gives programs their places in the work memory, and takes them from those that nothing runs in when it is full. */
export class CodeArea {
  readonly #memory: WasmMemory;
  /** In the order of their addresses, side by side. */
  readonly #regions: CodeRegion[] = [];
  readonly #byImage = new WeakMap<RiscvImage, CodeRegion>();
  #words: Int32Array;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer);
  }

  /** The region of a program, for one more frame. Throws NodeFault if all room is in use.
   * @param compiledEntries where compiled code begins, if the region is new. */
  enter(image: RiscvImage, compiledEntries: Iterable<number>): CodeRegion {
    let region = this.#byImage.get(image);
    if (region === undefined) {
      region = this.#place(image);
      this.#byImage.set(image, region);
      this.markCompiled(region, compiledEntries);
    }
    region.users++;
    return region;
  }

  leave(region: CodeRegion): void {
    region.users--;
  }

  regionOf(image: RiscvImage): CodeRegion | undefined {
    return this.#byImage.get(image);
  }

  markCompiled({ from, image }: CodeRegion, entries: Iterable<number>): void {
    for (const entry of entries) this.#words[recordIndex(from, image, entry)]! |= RECORD.compiled;
  }

  /** Decodes the instruction whose record lies at an address, and some behind it. */
  decodeAt({ from, image }: CodeRegion, address: number): void {
    const { text } = image;
    let offset = ((address - from) / RECORD_BYTES) * 2;
    for (let count = 0; count < DECODE_AHEAD && offset < text.bytes.length + 2; count++) {
      const at = recordIndex(from, image, text.address + offset);
      if ((this.#words[at]! & RECORD.operation) !== 0) return;
      const instruction = decode(text.bytes, offset);
      this.#words[at]! |= pack(instruction);
      this.#words[at + 1] = hasTarget(instruction)
        ? recordAddress(from, image, text.address + offset + instruction.immediate)
        : instruction.immediate;
      offset += instruction.size;
    }
  }

  #place(image: RiscvImage): CodeRegion {
    const bytes = recordBytes(image.text.bytes.length);
    const last = this.#regions[this.#regions.length - 1];
    const end = last === undefined ? WORK.code : last.from + last.bytes;
    if (end + bytes <= MAX_WORK_PAGES * PAGE_SIZE) {
      this.#reserve(end + bytes);
      const region = { from: end, bytes, image, users: 0 };
      this.#regions.push(region);
      return region;
    }
    return this.#replace(image, bytes);
  }

  #reserve(end: number): void {
    const missing = end - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    // By more than is needed: each time V8 makes a new buffer.
    const pages = this.#memory.buffer.byteLength / PAGE_SIZE;
    const wanted = Math.max(Math.ceil(missing / PAGE_SIZE), Math.min(pages, MAX_WORK_PAGES - pages));
    try {
      this.#memory.grow(wanted);
    } catch (error) {
      throw new NodeFault("V8 has no memory for decoded instructions", { cause: error });
    }
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** Takes the place of regions side by side that nothing runs in. */
  #replace(image: RiscvImage, bytes: number): CodeRegion {
    let first = 0;
    let found = 0;
    for (const [index, region] of this.#regions.entries()) {
      if (region.users > 0) {
        first = index + 1;
        found = 0;
        continue;
      }
      found += region.bytes;
      if (found < bytes) continue;
      const { from } = must(this.#regions[first], "the first of those found is one of them");
      const taken = { from, bytes: found, image, users: 0 };
      for (const old of this.#regions.splice(first, index + 1 - first, taken))
        this.#byImage.delete(old.image);
      this.#words.fill(0, from / 4, (from + found) / 4);
      return taken;
    }
    throw new NodeFault("no memory is left for decoded instructions");
  }
}

function hasTarget({ operation }: Instruction): boolean {
  return operation === "jal" || isBranch(operation);
}

/** Of a target outside the text: that of the record behind its end. */
function recordAddress(from: number, { text }: RiscvImage, pc: number): number {
  const offset = pc - text.address;
  const isInside = offset >= 0 && offset < text.bytes.length;
  return from + RECORD_BYTES * (isInside ? offset / 2 : Math.ceil(text.bytes.length / 2));
}

function recordIndex(from: number, image: RiscvImage, pc: number): number {
  return recordAddress(from, image, pc) / 4;
}

function pack({ operation, rd, rs1, rs2, size }: Instruction): number {
  const number = must(OPERATION_NUMBER.get(operation), "every operation has a number");
  return (
    number |
    ((size === 2 ? 1 : 0) << RECORD.compressedShift) |
    ((rd === 0 ? SCRATCH_REGISTER : rd) << RECORD.rdShift) |
    (rs1 << RECORD.rs1Shift) |
    (rs2 << RECORD.rs2Shift) |
    (FUEL_OF_OPERATION[operation] << RECORD.fuelShift)
  );
}
