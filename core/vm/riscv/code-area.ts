import { must } from "@ostrom/base";
import { PAGE_SIZE } from "../contract-host/program-gas.ts";
import { NodeFault, type WasmMemory } from "../runtime/webassembly.ts";
import type { CompiledProgram } from "./compile-program.ts";
import { decode } from "./decode.ts";
import type { RiscvImage } from "./elf.ts";
import { FUEL_OF_OPERATION, type Instruction, isBranch, OPERATIONS, type Operation } from "./instruction.ts";
import { MAX_WORK_PAGES, RECORD, RECORD_BYTES, recordBytes, SCRATCH_REGISTER, WORK } from "./work-area.ts";

/** Where the records of a program's instructions lie in the work memory. */
export type CodeRegion = {
  readonly from: number;
  readonly bytes: number;
  /** Whether the records tell where compiled code begins. */
  isMarked: boolean;
  /** Whether another program has its place. */
  isReplaced: boolean;
  /** How many frames run or wait in it. */
  users: number;
};

/** Of a region, so that small programs are not too many to look through. */
const MIN_REGION_BYTES = 16_384;
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
  /** Programs are not kept for the sake of their regions. */
  readonly #byImage = new WeakMap<RiscvImage, CodeRegion>();
  /** Where the next region to be replaced is looked for: behind the one that was replaced last. */
  #hand = 0;
  #words: Int32Array;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer);
  }

  /** The region of a program, for one more frame. Throws NodeFault if all room is in use. */
  enter(image: RiscvImage): CodeRegion {
    let region = this.#byImage.get(image);
    if (region === undefined || region.isReplaced) {
      region = this.#place(image);
      this.#byImage.set(image, region);
    }
    region.users++;
    return region;
  }

  leave(region: CodeRegion): void {
    region.users--;
  }

  /** Has the records tell where compiled code begins. It is the same whenever the same program is compiled. */
  markCompiled(region: CodeRegion, image: RiscvImage, compiled: CompiledProgram): void {
    if (region.isMarked) return;
    region.isMarked = true;
    const { from } = region;
    for (const entry of compiled.entries.keys()) {
      this.#words[recordIndex(from, image, entry)]! |= RECORD.compiled;
    }
  }

  /** Decodes the instruction whose record lies at an address, and some behind it. */
  decodeAt({ from }: CodeRegion, image: RiscvImage, address: number): void {
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
    const bytes = Math.max(recordBytes(image.text.bytes.length), MIN_REGION_BYTES);
    const last = this.#regions[this.#regions.length - 1];
    const end = last === undefined ? WORK.code : last.from + last.bytes;
    if (end + bytes > MAX_WORK_PAGES * PAGE_SIZE) {
      return this.#replace(this.#hand, bytes) ?? this.#replace(0, bytes) ?? noRoom();
    }
    this.#reserve(end + bytes);
    const region = newRegion(end, bytes);
    this.#regions.push(region);
    return region;
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

  /** Takes the place of regions side by side that nothing runs in.
   * @param start the region from which on they are looked for. */
  #replace(start: number, bytes: number): CodeRegion | undefined {
    let first = start;
    let found = 0;
    for (let index = start; index < this.#regions.length; index++) {
      const region = this.#regions[index]!;
      if (region.users > 0) {
        first = index + 1;
        found = 0;
        continue;
      }
      found += region.bytes;
      if (found < bytes) continue;
      const taken = newRegion(this.#regions[first]!.from, found);
      for (const old of this.#regions.splice(first, index + 1 - first, taken)) old.isReplaced = true;
      this.#words.fill(0, taken.from / 4, (taken.from + found) / 4);
      this.#hand = first + 1;
      return taken;
    }
    return undefined;
  }
}

function newRegion(from: number, bytes: number): CodeRegion {
  return { from, bytes, isMarked: false, isReplaced: false, users: 0 };
}

function noRoom(): never {
  throw new NodeFault("no memory is left for decoded instructions");
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
