import { type Bytes, bytesToBigint, must } from "@ostrom/base";
import { SM2_B, SM2_BASE_X, SM2_BASE_Y, SM2_FIELD } from "@ostrom/crypto";
import {
  AFFINE_BYTES,
  ELEMENT_BYTES,
  encodeSm2Field,
  FIRST_FREE,
  LIMB_BITS,
  LIMB_BYTES,
  LIMBS,
} from "./native-crypto-sm2-field.ts";

/** A comb of six teeth (Lim, Lee, "More flexible exponentiation with precomputation", 1994): column i of a scalar is its bits i, i + 43, i + 86 and so on. */
const TEETH = 6;
const COLUMNS = 43;
const TABLE_POINTS: number = (1 << TEETH) - 1;
const TABLE_BYTES: number = TABLE_POINTS * AFFINE_BYTES;
const WORD = 32;

const MASK = (1n << BigInt(LIMB_BITS)) - 1n;
const MONTGOMERY = 1n << BigInt(LIMBS * LIMB_BITS);

/** Tables of keys that are kept. A verifier meets the same keys again: a validator set's, an account's. */
const MAX_TABLES = 2048;
const PAGE_BYTES = 65_536;

type Point = { readonly x: bigint; readonly y: bigint };

/** What a sum of multiples is compared by, without a division. */
export type Sm2Sum = {
  /** Whether x is the sum's x coordinate. */
  readonly hasX: (x: bigint) => boolean;
};

export type Sm2Arithmetic = {
  /** Makes the multiples of a key that sums are made of, or finds them.
   * @param publicKey x || y. @returns the table's address; undefined for what is no point of the curve. */
  readonly tableOf: (publicKey: Bytes) => number | undefined;
  /** The sum of a multiple of the base point and one of a key.
   * @returns undefined where the sum is infinity or met two equal points on its way: one case in 2^250, unless somebody looked for it. */
  readonly sumOfMultiples: (ofBase: Bytes, ofKey: Bytes, table: number) => Sm2Sum | undefined;
};

/** Where numbers lie in memory: elements, but for tables. */
const PLACE = placesFrom(FIRST_FREE);
const ONE: Int32Array = limbsOf(MONTGOMERY % SM2_FIELD);

type Field = {
  readonly limbs: Int32Array;
  readonly multiply: (to: number, a: number, b: number) => void;
  readonly square: (to: number, a: number) => void;
  readonly double: (point: number) => void;
  readonly addMixed: (point: number, affine: number) => void;
};

/** SM2's points by emitted WebAssembly. Nothing here takes the same time for every scalar: only for what is public.
 * @param maxTables how many keys' tables are kept; the oldest goes first. */
export function createSm2Arithmetic(maxTables: number = MAX_TABLES): Sm2Arithmetic {
  const field = startField(maxTables);
  fillTable(field, PLACE.tables, { x: SM2_BASE_X, y: SM2_BASE_Y });
  return {
    tableOf: keptTables(field, maxTables),
    sumOfMultiples: (ofBase, ofKey, table) => {
      if (!addMultiples(field, ofBase, ofKey, table)) return undefined;
      const z = PLACE.sum + 2 * ELEMENT_BYTES;
      if (isZero(field, z)) return undefined;
      field.square(PLACE.held, z);
      return { hasX: (x) => hasX(field, x) };
    },
  };
}

function placesFrom(start: number) {
  const element = (index: number): number => start + index * ELEMENT_BYTES;
  const afterTeeth = 8 + 3 * TEETH;
  return {
    sum: element(0),
    held: element(3),
    other: element(4),
    power: element(5),
    teeth: element(8),
    jacobian: element(afterTeeth),
    prefixes: element(afterTeeth + 3 * TABLE_POINTS),
    tables: element(afterTeeth + 4 * TABLE_POINTS),
  };
}

function startField(maxTables: number): Field {
  const pages = Math.ceil((PLACE.tables + (maxTables + 1) * TABLE_BYTES) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(new Uint8Array(encodeSm2Field(pages)));
  const { exports } = new WebAssembly.Instance(module, { host: { memory } });
  return { ...(exports as Omit<Field, "limbs">), limbs: new Int32Array(memory.buffer) };
}

/** @returns the limbs of a number below 2^261. */
function limbsOf(value: bigint): Int32Array {
  return Int32Array.from({ length: LIMBS }, (_, limb) => Number((value >> BigInt(limb * LIMB_BITS)) & MASK));
}

function write(field: Field, to: number, value: bigint): void {
  field.limbs.set(limbsOf((value * MONTGOMERY) % SM2_FIELD), to / LIMB_BYTES);
}

function isZero(field: Field, at: number): boolean {
  const limbs = field.limbs.subarray(at / LIMB_BYTES, at / LIMB_BYTES + LIMBS);
  const value = limbs.reduceRight((sum, limb) => (sum << BigInt(LIMB_BITS)) + BigInt(limb), 0n);
  return value % SM2_FIELD === 0n;
}

function copy(field: Field, to: number, from: number, elements: number): void {
  field.limbs.copyWithin(to / LIMB_BYTES, from / LIMB_BYTES, (from + elements * ELEMENT_BYTES) / LIMB_BYTES);
}

/** An affine point as a Jacobian one. */
function lift(field: Field, to: number, affine: number): void {
  copy(field, to, affine, 2);
  field.limbs.set(ONE, (to + 2 * ELEMENT_BYTES) / LIMB_BYTES);
}

/** at = 1 / at, by Fermat's theorem. */
function invert(field: Field, at: number): void {
  copy(field, PLACE.held, at, 1);
  const exponent = SM2_FIELD - 2n;
  for (let bit = 254n; bit >= 0n; bit--) {
    field.square(at, at);
    if (((exponent >> bit) & 1n) === 1n) field.multiply(at, at, PLACE.held);
  }
}

/** Jacobian points to affine ones, with one inversion for all (Montgomery's trick).
 * @param to the address of an affine point by its index. */
function normalize(field: Field, from: number, count: number, to: (index: number) => number): void {
  const z = (index: number): number => from + (3 * index + 2) * ELEMENT_BYTES;
  const prefix = (index: number): number => PLACE.prefixes + index * ELEMENT_BYTES;
  copy(field, prefix(0), z(0), 1);
  for (let index = 1; index < count; index++) field.multiply(prefix(index), prefix(index - 1), z(index));
  const running = prefix(count - 1);
  invert(field, running);
  const { other: inverse, power } = PLACE;
  for (let index = count - 1; index >= 0; index--) {
    if (index > 0) field.multiply(inverse, running, prefix(index - 1));
    else copy(field, inverse, running, 1);
    field.multiply(running, running, z(index));
    field.square(power, inverse);
    field.multiply(to(index), from + 3 * index * ELEMENT_BYTES, power);
    field.multiply(power, power, inverse);
    field.multiply(to(index) + ELEMENT_BYTES, from + (3 * index + 1) * ELEMENT_BYTES, power);
  }
}

/** Entry i of a table, counted from 1, is the sum of those of the points P, 2^43 P, 2^86 P, ... whose bits are set in i. */
function fillTable(field: Field, table: number, point: Point): void {
  const entry = (index: number): number => table + (index - 1) * AFFINE_BYTES;
  const tooth = (index: number): number => PLACE.teeth + 3 * index * ELEMENT_BYTES;
  const jacobian = (index: number): number => PLACE.jacobian + 3 * (index - 1) * ELEMENT_BYTES;
  write(field, entry(1), point.x);
  write(field, entry(1) + ELEMENT_BYTES, point.y);
  lift(field, tooth(0), entry(1));
  for (let index = 1; index < TEETH; index++) {
    copy(field, tooth(index), tooth(index - 1), 3);
    for (let step = 0; step < COLUMNS; step++) field.double(tooth(index));
  }
  normalize(field, PLACE.teeth, TEETH, (index) => entry(1 << index));
  for (let index = 1; index <= TABLE_POINTS; index++) {
    const highest = 1 << (31 - Math.clz32(index));
    if (index === highest) lift(field, jacobian(index), entry(index));
    else {
      copy(field, jacobian(index), jacobian(index - highest), 3);
      field.addMixed(jacobian(index), entry(highest));
    }
  }
  normalize(field, PLACE.jacobian, TABLE_POINTS, (index) => entry(index + 1));
}

function keptTables(field: Field, maxTables: number): Sm2Arithmetic["tableOf"] {
  const tables = new Map<string, number>();
  // The first table is the base point's.
  const freeTable = (): number => {
    if (tables.size < maxTables) return PLACE.tables + (tables.size + 1) * TABLE_BYTES;
    const [oldest, table] = must([...tables.entries().take(1)][0], "the cache is full");
    tables.delete(oldest);
    return table;
  };
  return (publicKey) => {
    const name = publicKey.toHex();
    const known = tables.get(name);
    if (known !== undefined) return known;
    const point = readPoint(publicKey);
    if (point === undefined) return undefined;
    const table = freeTable();
    fillTable(field, table, point);
    tables.set(name, table);
    return table;
  };
}

/** @returns false if nothing was added. */
function addMultiples(field: Field, ofBase: Bytes, ofKey: Bytes, table: number): boolean {
  let hasBegun = false;
  const add = (from: number, index: number): void => {
    if (index === 0) return;
    const entry = from + (index - 1) * AFFINE_BYTES;
    if (hasBegun) field.addMixed(PLACE.sum, entry);
    else lift(field, PLACE.sum, entry);
    hasBegun = true;
  };
  for (let column = COLUMNS - 1; column >= 0; column--) {
    if (hasBegun) field.double(PLACE.sum);
    add(PLACE.tables, columnOf(ofBase, column));
    add(table, columnOf(ofKey, column));
  }
  return hasBegun;
}

/** Whether x Z^2 is X; the square of Z is held. */
function hasX(field: Field, x: bigint): boolean {
  const { limbs } = field;
  write(field, PLACE.other, x);
  field.multiply(PLACE.other, PLACE.other, PLACE.held);
  for (let limb = 0; limb < LIMBS; limb++) {
    const at = PLACE.other / LIMB_BYTES + limb;
    limbs[at] = (limbs[at] ?? 0) - (limbs[PLACE.sum / LIMB_BYTES + limb] ?? 0);
  }
  return isZero(field, PLACE.other);
}

/** The bits of a scalar that stand in a column of the comb. @param scalar 32 bytes, big-endian. */
function columnOf(scalar: Bytes, column: number): number {
  let index = 0;
  for (let tooth = 0, bit = column; tooth < TEETH; tooth++, bit += COLUMNS) {
    if (bit < 8 * WORD) index |= (((scalar[WORD - 1 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1) << tooth;
  }
  return index;
}

function readPoint(bytes: Bytes): Point | undefined {
  const [x, y] = [bytesToBigint(bytes.subarray(0, WORD)), bytesToBigint(bytes.subarray(WORD))];
  if (x >= SM2_FIELD || y >= SM2_FIELD) return undefined;
  return (y * y - ((x * x - 3n) * x + SM2_B)) % SM2_FIELD === 0n ? { x, y } : undefined;
}
