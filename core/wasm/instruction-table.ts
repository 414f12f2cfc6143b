import { BULK_BASE, OPCODE, OPCODE_COUNT, VECTOR_BASE } from "./opcodes.ts";
import type { Subset } from "./subset.ts";
import { I32, I64, V128 } from "./types.ts";

/** What follows an opcode. */
export const IMMEDIATE = {
  /** Not in the subset. */
  unsupported: 0,
  none: 1,
  /** A block type. */
  block: 2,
  /** An index: of a label, function, local, global or type. */
  index: 3,
  /** A count of labels, these, and one more. */
  labels: 4,
  /** A type and a table. */
  indirect: 5,
  /** The types of a `select`. */
  types: 6,
  /** Alignment and offset. */
  access: 7,
  /** A memory, which is 0. */
  memory: 8,
  /** Two memories, which are 0. */
  twoMemories: 9,
  i32: 10,
  i64: 11,
  /** 16 bytes. */
  v128: 12,
  /** 16 lanes, each below 32. */
  shuffle: 13,
  /** A lane, below the count in `MAX_LANES`. */
  lane: 14,
  /** Arithmetic on floats: outside the subset, with a code of its own. */
  float: 15,
} as const;

/** The immediates of each opcode, for the whole subset. */
const IMMEDIATES = new Uint8Array(OPCODE_COUNT);
/** 1 for instructions that always have the same operands and result: these are in the next four, 0 where there is none. */
export const HAS_SIGNATURE: Uint8Array = new Uint8Array(OPCODE_COUNT);
export const FIRST_OPERAND: Uint8Array = new Uint8Array(OPCODE_COUNT);
export const SECOND_OPERAND: Uint8Array = new Uint8Array(OPCODE_COUNT);
export const THIRD_OPERAND: Uint8Array = new Uint8Array(OPCODE_COUNT);
export const RESULT: Uint8Array = new Uint8Array(OPCODE_COUNT);
/** 1 for instructions that a module without a memory may not have. */
export const NEEDS_MEMORY: Uint8Array = new Uint8Array(OPCODE_COUNT);
/** The natural alignment of a memory access, as a power of two in bytes. */
export const MAX_ALIGNMENT: Uint8Array = new Uint8Array(OPCODE_COUNT);
/** How many lanes an instruction with a lane can name. */
export const LANE_COUNT: Uint8Array = new Uint8Array(OPCODE_COUNT);

/** Opcodes of one byte that work on floats: constants, accesses, comparisons, arithmetic, conversions. */
const FLOAT_RANGES: readonly (readonly [number, number])[] = [
  [0x2a, 0x2b],
  [0x38, 0x39],
  [0x43, 0x44],
  [0x5b, 0x66],
  [0x8b, 0xa6],
  [0xa8, 0xab],
  [0xae, 0xbf],
  [BULK_BASE, BULK_BASE + 7],
];

const MEMORY_IMMEDIATES: readonly number[] = [IMMEDIATE.access, IMMEDIATE.memory, IMMEDIATE.twoMemories];

const TYPE_OF_LETTER: Readonly<Record<string, number>> = { i: I32, l: I64, v: V128 };

/** @param signature operands, a colon, and the result: i is i32, l is i64, v is v128. */
function define(signature: string, immediate: number, opcodes: readonly number[]): void {
  const [operands = "", result = ""] = signature.split(":");
  const typeAt = (index: number): number => TYPE_OF_LETTER[operands[index] ?? ""] ?? 0;
  for (const opcode of opcodes) {
    IMMEDIATES[opcode] = immediate;
    HAS_SIGNATURE[opcode] = 1;
    FIRST_OPERAND[opcode] = typeAt(0);
    SECOND_OPERAND[opcode] = typeAt(1);
    THIRD_OPERAND[opcode] = typeAt(2);
    RESULT[opcode] = TYPE_OF_LETTER[result] ?? 0;
    NEEDS_MEMORY[opcode] = MEMORY_IMMEDIATES.includes(immediate) ? 1 : 0;
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function defineAccess(signature: string, alignment: number, opcodes: readonly number[]): void {
  define(signature, IMMEDIATE.access, opcodes);
  for (const opcode of opcodes) MAX_ALIGNMENT[opcode] = alignment;
}

function defineLanes(signature: string, count: number, opcode: number): void {
  define(signature, IMMEDIATE.lane, [opcode]);
  LANE_COUNT[opcode] = count;
}

function defineControl(): void {
  const set = (immediate: number, opcodes: readonly number[]): void => {
    for (const opcode of opcodes) IMMEDIATES[opcode] = immediate;
  };
  set(IMMEDIATE.none, [OPCODE.unreachable, OPCODE.else, OPCODE.end, OPCODE.return, OPCODE.drop]);
  set(IMMEDIATE.none, [OPCODE.select]);
  set(IMMEDIATE.block, [OPCODE.block, OPCODE.loop, OPCODE.if]);
  set(IMMEDIATE.index, [OPCODE.br, OPCODE.brIf, OPCODE.call, OPCODE.returnCall]);
  set(IMMEDIATE.index, range(OPCODE.localGet, OPCODE.globalSet));
  set(IMMEDIATE.labels, [OPCODE.brTable]);
  set(IMMEDIATE.indirect, [OPCODE.callIndirect, OPCODE.returnCallIndirect]);
  set(IMMEDIATE.types, [OPCODE.selectTyped]);
  for (const [first, last] of FLOAT_RANGES) set(IMMEDIATE.float, range(first, last));
}

function defineIntegers(): void {
  const { none } = IMMEDIATE;
  define(":", none, [OPCODE.nop]);
  define(":i", IMMEDIATE.i32, [OPCODE.i32Const]);
  define(":l", IMMEDIATE.i64, [OPCODE.i64Const]);
  define("i:i", none, [OPCODE.i32Eqz, OPCODE.i32Clz, OPCODE.i32Ctz, OPCODE.i32Popcnt]);
  define("i:i", none, [OPCODE.i32Extend8S, OPCODE.i32Extend16S]);
  define("ii:i", none, [...range(OPCODE.i32Eq, OPCODE.i32GeU), ...range(OPCODE.i32Add, OPCODE.i32Rotr)]);
  define("l:l", none, [OPCODE.i64Clz, OPCODE.i64Ctz, OPCODE.i64Popcnt]);
  define("l:l", none, [OPCODE.i64Extend8S, OPCODE.i64Extend16S, OPCODE.i64Extend32S]);
  define("ll:l", none, range(OPCODE.i64Add, OPCODE.i64Rotr));
  define("ll:i", none, range(OPCODE.i64Eq, OPCODE.i64GeU));
  define("l:i", none, [OPCODE.i64Eqz, OPCODE.i32WrapI64]);
  define("i:l", none, [OPCODE.i64ExtendI32S, OPCODE.i64ExtendI32U]);
}

function defineMemory(): void {
  defineAccess("i:i", 0, [OPCODE.i32Load8S, OPCODE.i32Load8U]);
  defineAccess("i:i", 1, [OPCODE.i32Load16S, OPCODE.i32Load16U]);
  defineAccess("i:i", 2, [OPCODE.i32Load]);
  defineAccess("i:l", 0, [OPCODE.i64Load8S, OPCODE.i64Load8U]);
  defineAccess("i:l", 1, [OPCODE.i64Load16S, OPCODE.i64Load16U]);
  defineAccess("i:l", 2, [OPCODE.i64Load32S, OPCODE.i64Load32U]);
  defineAccess("i:l", 3, [OPCODE.i64Load]);
  defineAccess("ii:", 0, [OPCODE.i32Store8]);
  defineAccess("ii:", 1, [OPCODE.i32Store16]);
  defineAccess("ii:", 2, [OPCODE.i32Store]);
  defineAccess("il:", 0, [OPCODE.i64Store8]);
  defineAccess("il:", 1, [OPCODE.i64Store16]);
  defineAccess("il:", 2, [OPCODE.i64Store32]);
  defineAccess("il:", 3, [OPCODE.i64Store]);
  define(":i", IMMEDIATE.memory, [OPCODE.memorySize]);
  define("i:i", IMMEDIATE.memory, [OPCODE.memoryGrow]);
  define("iii:", IMMEDIATE.twoMemories, [OPCODE.memoryCopy]);
  define("iii:", IMMEDIATE.memory, [OPCODE.memoryFill]);
}

function defineVectors(): void {
  const { none } = IMMEDIATE;
  defineAccess("i:v", 2, [OPCODE.v128Load32Splat, OPCODE.v128Load32Zero]);
  defineAccess("i:v", 3, [OPCODE.v128Load64Splat, OPCODE.v128Load64Zero]);
  defineAccess("i:v", 4, [OPCODE.v128Load]);
  defineAccess("iv:", 4, [OPCODE.v128Store]);
  define(":v", IMMEDIATE.v128, [OPCODE.v128Const]);
  define("vv:v", IMMEDIATE.shuffle, [OPCODE.i8x16Shuffle]);
  define("i:v", none, [OPCODE.i8x16Splat, OPCODE.i32x4Splat]);
  define("l:v", none, [OPCODE.i64x2Splat]);
  defineLanes("v:i", 4, OPCODE.i32x4ExtractLane);
  defineLanes("vi:v", 4, OPCODE.i32x4ReplaceLane);
  defineLanes("v:l", 2, OPCODE.i64x2ExtractLane);
  defineLanes("vl:v", 2, OPCODE.i64x2ReplaceLane);
  define("v:v", none, [OPCODE.v128Not]);
  define("vv:v", none, [OPCODE.i8x16Swizzle, OPCODE.i8x16Eq, OPCODE.i32x4Eq]);
  define("vv:v", none, range(OPCODE.v128And, OPCODE.v128Xor));
  define("vvv:v", none, [OPCODE.v128Bitselect]);
  define("v:i", none, [OPCODE.v128AnyTrue, OPCODE.i8x16AllTrue, OPCODE.i8x16Bitmask]);
  define("v:i", none, [OPCODE.i64x2AllTrue, OPCODE.i64x2Bitmask]);
  define("vv:v", none, [OPCODE.i8x16Add, OPCODE.i8x16Sub, OPCODE.i32x4Add, OPCODE.i32x4Sub, OPCODE.i32x4Mul]);
  define("vi:v", none, [
    ...range(OPCODE.i32x4Shl, OPCODE.i32x4ShrU),
    ...range(OPCODE.i64x2Shl, OPCODE.i64x2ShrU),
  ]);
  define("vv:v", none, [OPCODE.i64x2Add, OPCODE.i64x2Sub, OPCODE.i64x2Mul, OPCODE.i64x2Eq, OPCODE.i64x2Ne]);
  define("vv:v", none, range(OPCODE.i64x2ExtmulLowI32x4S, OPCODE.i64x2ExtmulHighI32x4U));
}

defineControl();
defineIntegers();
defineMemory();
defineVectors();

/** The immediates of each opcode, with those that `subset` leaves out marked as unsupported. */
export function immediatesOf(subset: Subset): Uint8Array {
  const immediates = IMMEDIATES.slice();
  if (!subset.memoryGrow) immediates[OPCODE.memoryGrow] = IMMEDIATE.unsupported;
  if (!subset.vectors) immediates.fill(IMMEDIATE.unsupported, VECTOR_BASE);
  if (!subset.tailCalls) {
    immediates[OPCODE.returnCall] = IMMEDIATE.unsupported;
    immediates[OPCODE.returnCallIndirect] = IMMEDIATE.unsupported;
  }
  return immediates;
}
