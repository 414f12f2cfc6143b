import type { Bytes } from "@ostrom/base";
import { OPCODE } from "@ostrom/wasm";
import type { ProgramMemory } from "../contract-host/types.ts";
import { WASM_PAGE_SIZE } from "../runtime/webassembly.ts";
import { Trap, type Value } from "./reference-arithmetic.ts";

/** How an instruction loads: bytes, and what the bits become. */
type Load = { readonly bytes: number; readonly isSigned: boolean; readonly isLong: boolean };

const I32 = false;
const I64 = true;

const LOADS: Readonly<Record<number, Load>> = {
  [OPCODE.i32Load]: { bytes: 4, isSigned: true, isLong: I32 },
  [OPCODE.i64Load]: { bytes: 8, isSigned: true, isLong: I64 },
  [OPCODE.i32Load8S]: { bytes: 1, isSigned: true, isLong: I32 },
  [OPCODE.i32Load8U]: { bytes: 1, isSigned: false, isLong: I32 },
  [OPCODE.i32Load16S]: { bytes: 2, isSigned: true, isLong: I32 },
  [OPCODE.i32Load16U]: { bytes: 2, isSigned: false, isLong: I32 },
  [OPCODE.i64Load8S]: { bytes: 1, isSigned: true, isLong: I64 },
  [OPCODE.i64Load8U]: { bytes: 1, isSigned: false, isLong: I64 },
  [OPCODE.i64Load16S]: { bytes: 2, isSigned: true, isLong: I64 },
  [OPCODE.i64Load16U]: { bytes: 2, isSigned: false, isLong: I64 },
  [OPCODE.i64Load32S]: { bytes: 4, isSigned: true, isLong: I64 },
  [OPCODE.i64Load32U]: { bytes: 4, isSigned: false, isLong: I64 },
};

/** How many bytes an instruction stores. */
const STORES: Readonly<Record<number, number>> = {
  [OPCODE.i32Store]: 4,
  [OPCODE.i64Store]: 8,
  [OPCODE.i32Store8]: 1,
  [OPCODE.i32Store16]: 2,
  [OPCODE.i64Store8]: 1,
  [OPCODE.i64Store16]: 2,
  [OPCODE.i64Store32]: 4,
};

export function isLoad(opcode: number): boolean {
  return LOADS[opcode] !== undefined;
}

export function isStore(opcode: number): boolean {
  return STORES[opcode] !== undefined;
}

/** The memory of a contract in the reference. Accesses outside it throw Trap. */
export class ReferenceMemory implements ProgramMemory {
  #bytes: Bytes;

  constructor(pages: number) {
    this.#bytes = new Uint8Array(pages * WASM_PAGE_SIZE);
  }

  get pages(): number {
    return this.#bytes.length / WASM_PAGE_SIZE;
  }

  grow(pages: number): void {
    const grown = new Uint8Array(this.#bytes.length + pages * WASM_PAGE_SIZE);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  read = (from: number, size: number): Bytes | undefined => {
    const [start, length] = [from >>> 0, size >>> 0];
    return start + length <= this.#bytes.length ? this.#bytes.slice(start, start + length) : undefined;
  };

  write = (to: number, bytes: Bytes): boolean => {
    const start = to >>> 0;
    if (start + bytes.length > this.#bytes.length) return false;
    this.#bytes.set(bytes, start);
    return true;
  };

  load(opcode: number, address: number): Value {
    const { bytes, isSigned, isLong } = LOADS[opcode]!;
    this.#check(address, bytes);
    let value = 0n;
    for (let index = bytes - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(this.#bytes[address + index]!);
    if (isSigned) value = BigInt.asIntN(8 * bytes, value);
    return isLong ? value : Number(value);
  }

  store(opcode: number, address: number, value: Value): void {
    const bytes = STORES[opcode]!;
    this.#check(address, bytes);
    let rest = BigInt.asUintN(8 * bytes, BigInt(value));
    for (let index = 0; index < bytes; index++) {
      this.#bytes[address + index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }

  copy(to: number, from: number, count: number): void {
    this.#check(to, count);
    this.#check(from, count);
    this.#bytes.copyWithin(to, from, from + count);
  }

  fill(to: number, byte: number, count: number): void {
    this.#check(to, count);
    this.#bytes.fill(byte & 0xff, to, to + count);
  }

  #check(address: number, count: number): void {
    if (address + count > this.#bytes.length) throw new Trap("an access out of bounds");
  }
}
