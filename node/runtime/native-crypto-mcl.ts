import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assert, type Bytes, must } from "@ostrom/base";

/** mcl-wasm's arithmetic, called on its own memory. The package's interface starts asynchronously, has one curve a process
 * and copies each operand; so its WebAssembly module is taken out of it and started here, once for each curve. */
export type Mcl = {
  readonly heap: Uint8Array;
  readonly call: Readonly<Record<string, (...operands: readonly number[]) => number>>;
  /** Memory that is never given back: for operands, at start. */
  readonly allocate: (bytes: number) => number;
  /** Bytes of a coordinate in the outside encoding: big-endian. */
  readonly fieldBytes: number;
  /** Copies a coordinate in. @returns false if it reaches the field's order. */
  readonly readField: (bytes: Bytes, offset: number, to: number) => boolean;
  /** Copies a coordinate out. */
  readonly writeField: (from: number, bytes: Bytes, offset: number) => void;
  /** Makes a point affine, by its third coordinate: 1. */
  readonly writeOne: (to: number) => void;
};

/** mcl's ids of the curves (mcl/curve_type.h). */
export const MCL_BN254 = 4;
export const MCL_BLS12_381 = 5;

/** Sizes of its values in its memory, whatever the curve. */
export const MCL_FIELD_SIZE = 48;
export const MCL_SCALAR_SIZE = 32;
export const MCL_G1_SIZE: number = 3 * MCL_FIELD_SIZE;
export const MCL_G2_SIZE: number = 6 * MCL_FIELD_SIZE;
export const MCL_GT_SIZE: number = 12 * MCL_FIELD_SIZE;

/** Says how it was compiled: 4 units for a scalar and 6 for a field element (MCLBN_COMPILED_TIME_VAR). */
const COMPILED_FOR = 46;
/** The map to curves of RFC 9380. */
const MAP_MODE_RFC9380 = 5;
/** 4 MiB: its stack takes one, its heap the rest. Nothing here makes it grow. */
const MEMORY_PAGES = 64;
const WORD_BYTES = 4;

const MODULE_PATH = "mcl-wasm/dist/mcl_c.js";
/** SHA-256 of the module that was tested: all nodes must compute alike. */
const MODULE_HASH = "99e25601f2eed784d994aa5c8c1733989350255f78bbbd18571e8df8b65b8f60";

let bytesOfModule: Uint8Array<ArrayBuffer> | undefined;
let compiled: WebAssembly.Module | undefined;

/** Reads the module without compiling it. Throws an Error that says what to do if it is missing or another one. */
export function findMcl(): void {
  if (bytesOfModule !== undefined) return;
  let text: string;
  try {
    text = readFileSync(createRequire(import.meta.url).resolve(MODULE_PATH), "latin1");
  } catch (cause) {
    throw new Error(`"${MODULE_PATH}" is missing; delete node_modules and install again`, { cause });
  }
  const bytes = Uint8Array.fromBase64(/wasmBase64 = '([A-Za-z0-9+/=]+)'/.exec(text)?.[1] ?? "");
  if (hash("sha256", bytes) !== MODULE_HASH) {
    throw new Error(`"${MODULE_PATH}" is not the tested version; delete node_modules and install again`);
  }
  bytesOfModule = bytes;
}

/** Starts an instance for a curve: tens of milliseconds. `findMcl` comes first. */
export function startMcl(curve: number): Mcl {
  compiled ??= new WebAssembly.Module(must(bytesOfModule, "mcl must be found before it starts"));
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const call = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Mcl["call"];
  call["__wasm_call_ctors"]!();
  assert(call["mclBn_init"]!(curve, COMPILED_FOR) === 0, "mcl must know the curve");
  call["mclBn_setMapToMode"]!(curve === MCL_BLS12_381 ? MAP_MODE_RFC9380 : 0);
  // Whether a point lies in the subgroup is asked for where the protocol asks.
  call["mclBn_verifyOrderG1"]!(0);
  call["mclBn_verifyOrderG2"]!(0);
  const allocate = (bytes: number): number => {
    const address = call["malloc"]!(bytes);
    assert(address !== 0, "mcl's memory must suffice");
    return address;
  };
  return { heap: new Uint8Array(memory.buffer), call, allocate, ...fieldCopies(memory, call, allocate) };
}

/** mcl keeps a coordinate v as v R modulo the field's order, little-endian. Multiplying by R R there brings one in, by a
 * plain 1 takes one out. */
function fieldCopies(
  memory: WebAssembly.Memory,
  call: Mcl["call"],
  allocate: Mcl["allocate"],
): Pick<Mcl, "fieldBytes" | "readField" | "writeField" | "writeOne"> {
  const heap = new Uint8Array(memory.buffer);
  const words = new Uint32Array(memory.buffer);
  const multiply = call["mclBnFp_mul"]!;
  const fieldBytes = call["mclBn_getFpByteSize"]!();
  const order = fieldOrder(memory, call, allocate, fieldBytes);
  const [plainOne, one, square, held] = [0, 1, 2, 3].map(() => allocate(MCL_FIELD_SIZE)) as [
    number,
    number,
    number,
    number,
  ];
  heap.fill(0, plainOne, plainOne + MCL_FIELD_SIZE);
  heap[plainOne] = 1;
  call["mclBnFp_setInt32"]!(one, 1);
  // What lies in memory for 1 is R: taken for a value, it becomes R R.
  assert(call["mclBnFp_setLittleEndian"]!(square, one, fieldBytes) === 0, "R must be below the order");

  const isBelowOrder = (at: number): boolean => {
    for (let word = order.length - 1; word >= 0; word--) {
      const difference = words[at / WORD_BYTES + word]! - order[word]!;
      if (difference !== 0) return difference < 0;
    }
    return false;
  };
  return {
    fieldBytes,
    readField: (bytes, offset, to) => {
      for (let i = 0; i < fieldBytes; i++) heap[to + i] = bytes[offset + fieldBytes - 1 - i]!;
      if (!isBelowOrder(to)) return false;
      multiply(to, to, square);
      return true;
    },
    writeField: (from, bytes, offset) => {
      multiply(held, from, plainOne);
      for (let i = 0; i < fieldBytes; i++) bytes[offset + fieldBytes - 1 - i] = heap[held + i]!;
    },
    writeOne: (to) => {
      heap.copyWithin(to, one, one + MCL_FIELD_SIZE);
    },
  };
}

const ORDER_TEXT_LENGTH = 512;

function fieldOrder(
  memory: WebAssembly.Memory,
  call: Mcl["call"],
  allocate: Mcl["allocate"],
  fieldBytes: number,
): Uint32Array {
  const at = allocate(ORDER_TEXT_LENGTH);
  const length = call["mclBn_getFieldOrder"]!(at, ORDER_TEXT_LENGTH);
  const digits = new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
  const order = new Uint32Array(fieldBytes / WORD_BYTES);
  let rest = BigInt(digits);
  for (let word = 0; word < order.length; word++, rest >>= 32n) order[word] = Number(rest & 0xffff_ffffn);
  return order;
}
