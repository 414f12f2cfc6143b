import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder } from "@ostrom/wasm";

/** Arithmetic of SM2's field in emitted WebAssembly, which has no product of 128 bits. A number is nine limbs of 29 bits, signed, 32 bits each in memory:
 * the sum of nine products of two limbs fits into 64 bits with room for one limb to be twice as large, so that carries wait until a product's
 * end, and differences need none. Products are Montgomery's with R = 2^261: as p is -1 modulo 2^64, each of its quotient's digits is the lowest digit
 * itself, and its multiple of p = 2^256 - 2^224 - 2^96 + 2^64 - 1 four shifts.
 *
 * Bounds: coordinates are "reduced", in (-p, 2p) with limbs of 29 bits, the last of which is signed; a sum or difference of two such is a fit factor. */
export const LIMBS = 9;
export const LIMB_BITS = 29;
export const LIMB_BYTES = 4;
const MASK = (1n << BigInt(LIMB_BITS)) - 1n;
/** Bytes of a field element and of an affine point in memory. */
export const ELEMENT_BYTES: number = LIMBS * LIMB_BYTES;
export const AFFINE_BYTES: number = 2 * ELEMENT_BYTES;

/** Powers of two of p without its last term, -1: where each falls among the limbs, how far it is shifted there, and its sign. */
const PRIME_TERMS: readonly (readonly [limb: number, shift: number, sign: 1 | -1])[] = [
  [2, 6, 1],
  [3, 9, -1],
  [7, 21, -1],
  [8, 24, 1],
];
/** 2^256 in the last limb. */
const TOP_SHIFT = 24;

/** Scratch of point operations, from the beginning of the memory. */
const SCRATCH_ELEMENTS = 8;
export const FIRST_FREE: number = SCRATCH_ELEMENTS * ELEMENT_BYTES;

/** An address: one of the function's parameters, or a fixed one, with an offset. */
type Place = { readonly parameter?: number; readonly offset: number };
type Term = readonly [factor: number, place: Place];

/** The module: `memory` is exported; functions take addresses.
 * multiply(to, a, b), square(to, a), double(point), addMixed(point, affine): a Jacobian point is X, Y, Z. */
export function encodeSm2Field(pages: number): Bytes {
  const module = new ModuleBuilder();
  module.importMemory("host", "memory", { minimum: pages, maximum: pages });
  const three = module.type([I32, I32, I32], []);
  const two = module.type([I32, I32], []);
  const one = module.type([I32], []);
  const multiply = module.function(three, (code) => writeProduct(code, false), "multiply");
  const square = module.function(two, (code) => writeProduct(code, true), "square");
  module.function(one, (code) => writeDouble(code, { multiply, square }), "double");
  module.function(two, (code) => writeAddMixed(code, { multiply, square }), "addMixed");
  return module.encode();
}

/** (to, a, b) or (to, a) -> nothing. */
function writeProduct(code: CodeBuilder, isSquare: boolean): void {
  const [to, a, b] = [0, 1, 2];
  const first = code.locals(I64, LIMBS);
  const second = isSquare ? first : code.locals(I64, LIMBS);
  const columns = code.locals(I64, 2 * LIMBS);
  const digit = code.local(I64);
  for (let limb = 0; limb < LIMBS; limb++) {
    code
      .localGet(a)
      .i64Load32S(limb * LIMB_BYTES)
      .localSet(first + limb);
    if (!isSquare)
      code
        .localGet(b)
        .i64Load32S(limb * LIMB_BYTES)
        .localSet(second + limb);
  }
  for (let column = 0; column < 2 * LIMBS - 1; column++) {
    if (isSquare) pushSquareColumn(code, first, column);
    else pushColumn(code, first, second, column);
    code.localSet(columns + column);
  }
  for (let column = 0; column < LIMBS; column++) {
    const here = columns + column;
    code.localGet(here).i64Const(MASK).i64And().localSet(digit);
    for (const [limb, shift, sign] of PRIME_TERMS) {
      const there = columns + column + limb;
      code.localGet(there).localGet(digit).i64Const(shift).i64Shl();
      (sign > 0 ? code.i64Add() : code.i64Sub()).localSet(there);
    }
    code
      .localGet(here + 1)
      .localGet(here)
      .i64Const(LIMB_BITS)
      .i64ShrS()
      .i64Add()
      .localSet(here + 1);
  }
  storeCarried(code, columns + LIMBS, { parameter: to, offset: 0 });
}

function pushColumn(code: CodeBuilder, first: number, second: number, column: number): void {
  const from = Math.max(0, column - LIMBS + 1);
  for (let limb = from; limb <= Math.min(column, LIMBS - 1); limb++) {
    code
      .localGet(first + limb)
      .localGet(second + column - limb)
      .i64Mul();
    if (limb > from) code.i64Add();
  }
}

function pushSquareColumn(code: CodeBuilder, limbs: number, column: number): void {
  const from = Math.max(0, column - LIMBS + 1);
  const middle = column / 2;
  for (let limb = from; limb < middle; limb++) {
    code
      .localGet(limbs + limb)
      .localGet(limbs + column - limb)
      .i64Mul();
    if (limb > from) code.i64Add();
  }
  if (from < middle) code.i64Const(1).i64Shl();
  if (column % 2 === 0) {
    code
      .localGet(limbs + middle)
      .localGet(limbs + middle)
      .i64Mul();
    if (from < middle) code.i64Add();
  }
}

/** Carries through nine locals, the last of which keeps its sign, and stores them. */
function storeCarried(code: CodeBuilder, limbs: number, to: Place): void {
  for (let limb = 0; limb < LIMBS; limb++) {
    const here = limbs + limb;
    pushBase(code, to);
    code.localGet(here);
    if (limb < LIMBS - 1) code.i64Const(MASK).i64And();
    code.i64Store32(to.offset + limb * LIMB_BYTES);
    if (limb < LIMBS - 1)
      code
        .localGet(here + 1)
        .localGet(here)
        .i64Const(LIMB_BITS)
        .i64ShrS()
        .i64Add()
        .localSet(here + 1);
  }
}

function pushBase(code: CodeBuilder, place: Place): void {
  if (place.parameter === undefined) code.i32Const(0);
  else code.localGet(place.parameter);
}

/** to = the sum of small multiples, limb by limb; no carries: for factors only. */
function writeSum(code: CodeBuilder, to: Place, terms: readonly Term[]): void {
  for (let limb = 0; limb < LIMBS; limb++) {
    pushBase(code, to);
    pushTerms(code, terms, limb);
    code.i64Store32(to.offset + limb * LIMB_BYTES);
  }
}

function pushTerms(code: CodeBuilder, terms: readonly Term[], limb: number): void {
  for (const [index, [factor, place]] of terms.entries()) {
    pushBase(code, place);
    code.i64Load32S(place.offset + limb * LIMB_BYTES);
    if (factor !== 1) code.i64Const(factor).i64Mul();
    if (index > 0) code.i64Add();
  }
}

/** to = the sum of small multiples, less the multiple of p that its highest bits tell: reduced. */
function writeReducedSum(
  code: CodeBuilder,
  to: Place,
  terms: readonly Term[],
  limbs: number,
  multiple: number,
): void {
  for (let limb = 0; limb < LIMBS; limb++) {
    pushTerms(code, terms, limb);
    code.localSet(limbs + limb);
  }
  for (let limb = 0; limb < LIMBS - 1; limb++) {
    const [here, next] = [limbs + limb, limbs + limb + 1];
    code.localGet(next).localGet(here).i64Const(LIMB_BITS).i64ShrS().i64Add().localSet(next);
    code.localGet(here).i64Const(MASK).i64And().localSet(here);
  }
  code
    .localGet(limbs + LIMBS - 1)
    .i64Const(TOP_SHIFT)
    .i64ShrS()
    .localSet(multiple);
  code.localGet(limbs).localGet(multiple).i64Add().localSet(limbs);
  for (const [limb, shift, sign] of PRIME_TERMS) {
    code
      .localGet(limbs + limb)
      .localGet(multiple)
      .i64Const(shift)
      .i64Shl();
    (sign > 0 ? code.i64Sub() : code.i64Add()).localSet(limbs + limb);
  }
  storeCarried(code, limbs, to);
}

type Products = { readonly multiply: number; readonly square: number };

/** Emits field operations of one function: places in, places out. */
function fieldWriter(code: CodeBuilder, products: Products) {
  const limbs = code.locals(I64, LIMBS);
  const multiple = code.local(I64);
  const pushAddress = ({ parameter, offset }: Place): void => {
    if (parameter === undefined) code.i32Const(offset);
    else code.localGet(parameter).i32Const(offset).i32Add();
  };
  return {
    multiply: (to: Place, a: Place, b: Place): void => {
      for (const place of [to, a, b]) pushAddress(place);
      code.call(products.multiply);
    },
    square: (to: Place, a: Place): void => {
      for (const place of [to, a]) pushAddress(place);
      code.call(products.square);
    },
    sum: (to: Place, terms: readonly Term[]): void => writeSum(code, to, terms),
    reduced: (to: Place, terms: readonly Term[]): void => writeReducedSum(code, to, terms, limbs, multiple),
  };
}

function scratch(index: number): Place {
  return { offset: index * ELEMENT_BYTES };
}

function coordinate(parameter: number, index: number): Place {
  return { parameter, offset: index * ELEMENT_BYTES };
}

/** (point) -> nothing: doubles in place. Source: Bernstein, Lange, "Explicit-Formulas Database", dbl-2001-b, with Z3 = 2 Y Z. */
function writeDouble(code: CodeBuilder, products: Products): void {
  const field = fieldWriter(code, products);
  const [x, y, z] = [coordinate(0, 0), coordinate(0, 1), coordinate(0, 2)];
  const [delta, gamma, beta, alpha, first, second] = [0, 1, 2, 3, 4, 5].map(scratch) as [
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
  ];
  field.square(delta, z);
  field.square(gamma, y);
  field.multiply(beta, x, gamma);
  field.sum(first, [
    [1, x],
    [-1, delta],
  ]);
  field.sum(second, [
    [1, x],
    [1, delta],
  ]);
  field.multiply(alpha, first, second);
  field.reduced(alpha, [[3, alpha]]);
  field.multiply(first, y, z);
  field.reduced(z, [[2, first]]);
  field.square(first, alpha);
  field.reduced(x, [
    [1, first],
    [-8, beta],
  ]);
  field.reduced(first, [
    [4, beta],
    [-1, x],
  ]);
  field.multiply(first, alpha, first);
  field.square(second, gamma);
  field.reduced(y, [
    [1, first],
    [-8, second],
  ]);
}

/** (point, affine) -> nothing: adds in place. Neither may be infinity. If both have the same x, Z becomes 0 and stays so: the caller sees that
 * at the end. Source: Cohen, Miyaji, Ono, "Efficient elliptic curve exponentiation using mixed coordinates" (1998). */
function writeAddMixed(code: CodeBuilder, products: Products): void {
  const field = fieldWriter(code, products);
  const [x, y, z] = [coordinate(0, 0), coordinate(0, 1), coordinate(0, 2)];
  const [otherX, otherY] = [coordinate(1, 0), coordinate(1, 1)];
  const [zz, h, r, hh, hhh, v, held] = [0, 1, 2, 3, 4, 5, 6].map(scratch) as [
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
    Place,
  ];
  field.square(zz, z);
  field.multiply(h, otherX, zz);
  field.sum(h, [
    [1, h],
    [-1, x],
  ]);
  field.multiply(r, z, zz);
  field.multiply(r, otherY, r);
  field.sum(r, [
    [1, r],
    [-1, y],
  ]);
  field.square(hh, h);
  field.multiply(hhh, h, hh);
  field.multiply(v, x, hh);
  field.square(held, r);
  field.reduced(x, [
    [1, held],
    [-1, hhh],
    [-2, v],
  ]);
  field.sum(v, [
    [1, v],
    [-1, x],
  ]);
  field.multiply(v, r, v);
  field.multiply(hhh, y, hhh);
  field.reduced(y, [
    [1, v],
    [-1, hhh],
  ]);
  field.multiply(z, z, h);
}
