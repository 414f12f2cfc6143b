import { type Bytes, bigintToBytes, bigintToMinimalBytes, bytesToBigint, must, padLeft } from "@ostrom/base";
import { type ModularEngine, REFERENCE_ENGINES } from "@ostrom/crypto";
import { I32, I64, ModuleBuilder } from "@ostrom/wasm";
import {
  compileWasm,
  createWasmMemory,
  instantiateWasm,
  WASM_PAGE_SIZE,
  type WasmExports,
  type WasmFunction,
  type WasmMemory,
} from "../runtime/webassembly.ts";
import {
  MAX_LIMBS,
  NUMBER_BYTES,
  PLACE,
  UNROLLED_LIMBS,
  writeAdd,
  writeMultiply,
  writePower,
  writeReduce,
  writeUnrolledMultiply,
} from "./emit-montgomery.ts";
import { writeMultiplyLow, writePower64, writePowerLow } from "./emit-power-of-two.ts";

const LIMB_BITS = 32;
const LIMB_BYTES = 4;
const SMALL_BYTES = 8;
/** Up to these many bytes of exponent JavaScript's integers are faster: nothing has to be set up. What is longer exceeds the
 * bits of any modulus here, so that an even base leaves nothing modulo the modulus' power of two. */
const MAX_REFERENCE_EXPONENT_BYTES = 3;
/** Beyond these, a division of JavaScript's integers is faster. */
const MAX_DOUBLINGS = 12;
/** Longest exponent: 16 MiB, far beyond what gas buys. */
const MAX_PAGES = 257;
const IMPORTS = "host";

type Modular = {
  readonly wasmMemory: WasmMemory;
  /** A view of it, made anew when it grows. */
  memory: Uint8Array<ArrayBuffer>;
  readonly functions: WasmExports;
};

/** Modular powers by emitted WebAssembly: Montgomery's form for the modulus' odd part, plain products for its power of two.
 * Very short exponents and very long moduli go to the reference. */
export function createEmittedModular(): ModularEngine {
  let started: Modular | undefined;
  return {
    name: "wasm",
    power: (base, exponent, modulus) => {
      const shortModulus = stripZeros(modulus);
      const shortExponent = stripZeros(exponent);
      const isSuited =
        shortModulus.length > 0 &&
        shortModulus.length <= MAX_LIMBS * LIMB_BYTES &&
        shortExponent.length > MAX_REFERENCE_EXPONENT_BYTES &&
        shortExponent.length < (MAX_PAGES - 1) * WASM_PAGE_SIZE;
      if (!isSuited) return REFERENCE_ENGINES.modular.power(base, exponent, modulus);
      started ??= start();
      placeExponent(started, shortExponent);
      const result =
        shortModulus.length <= SMALL_BYTES
          ? smallPower(started, base, shortExponent, shortModulus)
          : longPower(started, base, shortExponent, shortModulus);
      return padLeft(result, modulus.length);
    },
  };
}

function stripZeros(bytes: Bytes): Bytes {
  let from = 0;
  while (from < bytes.length && bytes[from] === 0) from++;
  return bytes.subarray(from);
}

function start(): Modular {
  const wasmMemory = createWasmMemory(1, MAX_PAGES);
  const functions = instantiateWasm(compileWasm(encodeModular()), { [IMPORTS]: { memory: wasmMemory } });
  const memory = new Uint8Array(wasmMemory.buffer);
  memory[PLACE.plainOne] = 1;
  return { wasmMemory, memory, functions };
}

/** The module that computes; exported for the test that validates it. */
export function encodeModular(): Bytes {
  const module = new ModuleBuilder();
  module.importMemory(IMPORTS, "memory", { minimum: 1, maximum: MAX_PAGES });
  const three = module.type([I32, I32, I32], []);
  const four = module.type([I32, I32, I32, I32], []);
  const reduce = module.function(module.type([I32, I32], []), writeReduce);
  const unrolled = new Map(
    UNROLLED_LIMBS.map((limbs) => [
      limbs,
      module.function(three, (code) => writeUnrolledMultiply(code, limbs, reduce)),
    ]),
  );
  const multiply = module.function(four, (code) => writeMultiply(code, reduce, unrolled), "multiply");
  module.function(four, (code) => writeAdd(code, reduce), "add");
  module.function(three, (code) => writePower(code, multiply), "power");
  const multiplyLow = module.function(four, writeMultiplyLow);
  module.function(
    module.type([I32, I32, I32], [I32]),
    (code) => writePowerLow(code, multiplyLow),
    "powerLow",
  );
  module.function(module.type([I64, I64, I32, I32, I64], [I64]), writePower64, "power64");
  return module.encode();
}

function call(modular: Modular, name: string): WasmFunction {
  return must(modular.functions[name], "the module exports what it is asked for");
}

function placeExponent(modular: Modular, exponent: Bytes): void {
  const missing = PLACE.exponent + exponent.length - modular.memory.length;
  if (missing > 0) {
    modular.wasmMemory.grow(Math.ceil(missing / WASM_PAGE_SIZE));
    modular.memory = new Uint8Array(modular.wasmMemory.buffer);
  }
  modular.memory.set(exponent, PLACE.exponent);
}

function smallPower(modular: Modular, base: Bytes, exponent: Bytes, modulusBytes: Bytes): Bytes {
  const modulus = bytesToBigint(modulusBytes);
  const low = bytesToBigint(exponent.subarray(-SMALL_BYTES));
  const shortBase = base.length <= SMALL_BYTES ? bytesToBigint(base) : bytesToBigint(base) % modulus;
  const power = call(modular, "power64")(shortBase, modulus, PLACE.exponent, exponent.length, low);
  return bigintToBytes(BigInt.asUintN(64, power as bigint), modulusBytes.length);
}

/** @param modulusBytes without leading zeros. @returns as many bytes. */
function longPower(modular: Modular, base: Bytes, exponent: Bytes, modulusBytes: Bytes): Bytes {
  const { length } = modulusBytes;
  if ((modulusBytes[length - 1]! & 1) === 1) {
    return readNumber(modular, powerModuloOdd(modular, base, exponent, modulusBytes), length);
  }
  const modulus = bytesToBigint(modulusBytes);
  const twos = countTwos(modulus);
  const odd = modulus >> BigInt(twos);
  const evenPower = powerModuloTwos(modular, base, exponent, twos);
  if (odd === 1n) return bigintToBytes(evenPower, length);
  const oddBytes = bigintToMinimalBytes(odd);
  const place = powerModuloOdd(modular, base, exponent, oddBytes);
  const oddPower = bytesToBigint(readNumber(modular, place, oddBytes.length));
  // The number that is right modulo both parts (Garner).
  const factor = BigInt.asUintN(twos, (evenPower - oddPower) * inverseModuloTwos(odd, twos));
  return bigintToBytes(oddPower + odd * factor, length);
}

function countTwos(value: bigint): number {
  let twos = 0;
  let rest = value;
  while ((rest & 0xffff_ffffn) === 0n) {
    rest >>= 32n;
    twos += LIMB_BITS;
  }
  const low = Number(rest & 0xffff_ffffn);
  return twos + (LIMB_BITS - 1 - Math.clz32(low & -low));
}

/** Newton's iteration doubles the bits that are right. @param odd any odd number. */
function inverseModuloTwos(odd: bigint, twos: number): bigint {
  let inverse = 1n;
  for (let bits = 1; bits < twos; ) {
    bits = Math.min(2 * bits, twos);
    inverse = BigInt.asUintN(bits, inverse * (2n - BigInt.asUintN(bits, odd) * inverse));
  }
  return inverse;
}

/** An even number of limbs, at least four: the loops take two at a time. */
function limbsFor(bits: number): number {
  return Math.max(4, 2 * Math.ceil(bits / (2 * LIMB_BITS)));
}

/** @param number big-endian, at most as long as the limbs. */
function writeNumber(modular: Modular, number: Bytes, place: number, limbs: number): void {
  const { memory } = modular;
  const width = limbs * LIMB_BYTES;
  for (let i = 0; i < width; i++) memory[place + i] = i < number.length ? number[number.length - 1 - i]! : 0;
}

function readNumber(modular: Modular, place: number, length: number): Bytes {
  return modular.memory.slice(place, place + length).reverse();
}

function powerModuloTwos(modular: Modular, base: Bytes, exponent: Bytes, twos: number): bigint {
  const isOdd = ((base[base.length - 1] ?? 0) & 1) === 1;
  if (!isOdd) return 0n;
  const limbs = Math.ceil(twos / LIMB_BITS);
  writeNumber(modular, base.subarray(-limbs * LIMB_BYTES), PLACE.held, limbs);
  // An odd base's powers modulo 2^k repeat after 2^(k - 2), so the exponent's last k bits suffice.
  const length = Math.min(exponent.length, Math.ceil(twos / 8));
  const place = call(modular, "powerLow")(PLACE.exponent + exponent.length - length, length, limbs);
  return BigInt.asUintN(twos, bytesToBigint(readNumber(modular, Number(place), limbs * LIMB_BYTES)));
}

/** @param odd without leading zeros. @returns where the power lies. */
function powerModuloOdd(modular: Modular, base: Bytes, exponent: Bytes, odd: Bytes): number {
  const bits = 8 * odd.length - (Math.clz32(odd[0]!) - 24);
  const limbs = limbsFor(bits);
  const multiply = call(modular, "multiply");
  prepareModulus(modular, odd, bits, limbs);
  const width = limbs * LIMB_BYTES;
  // A base longer than the modulus is divided first: that is not worth a loop here.
  const shortBase =
    base.length <= width ? base : bigintToBytes(bytesToBigint(base) % bytesToBigint(odd), width);
  writeNumber(modular, shortBase, PLACE.held, limbs);
  multiply(PLACE.powers + NUMBER_BYTES, PLACE.held, PLACE.square, limbs);
  modular.memory.copyWithin(PLACE.powers, PLACE.one, PLACE.one + width);
  call(modular, "power")(PLACE.exponent, exponent.length, limbs);
  multiply(PLACE.result, PLACE.result, PLACE.plainOne, limbs);
  return PLACE.result;
}

/** Places the modulus, its inverse, and R and R R modulo it, for R = 2^(32 limbs). */
function prepareModulus(modular: Modular, odd: Bytes, bits: number, limbs: number): void {
  const { memory } = modular;
  const [multiply, add] = [call(modular, "multiply"), call(modular, "add")];
  const width = limbs * LIMB_BITS;
  writeNumber(modular, odd, PLACE.modulus, limbs);
  const view = new DataView(memory.buffer);
  view.setInt32(PLACE.inverse, negatedInverse(view.getInt32(PLACE.modulus, true)), true);
  if (width - bits > MAX_DOUBLINGS) {
    const rest = (1n << BigInt(width)) % bytesToBigint(odd);
    writeNumber(modular, bigintToBytes(rest, odd.length), PLACE.one, limbs);
  } else {
    // The highest power of two below the modulus, doubled until it is R.
    memory.fill(0, PLACE.one, PLACE.one + limbs * LIMB_BYTES);
    memory[PLACE.one + ((bits - 1) >> 3)] = 1 << ((bits - 1) & 7);
    for (let power = bits - 1; power < width; power++) add(PLACE.one, PLACE.one, PLACE.one, limbs);
  }
  // R R is R's power of two in Montgomery's form: from 2 on by squaring and doubling.
  add(PLACE.square, PLACE.one, PLACE.one, limbs);
  for (let bit = 30 - Math.clz32(width); bit >= 0; bit--) {
    multiply(PLACE.square, PLACE.square, PLACE.square, limbs);
    if (((width >> bit) & 1) === 1) add(PLACE.square, PLACE.square, PLACE.square, limbs);
  }
}

/** -1 / odd modulo 2^32, by Newton's iteration: 5, 10, 20, 40 bits are right. */
function negatedInverse(odd: number): number {
  let inverse = Math.imul(odd, 3) ^ 2;
  for (let i = 0; i < 3; i++) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  return -inverse | 0;
}
