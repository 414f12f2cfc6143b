import { GAS, MAX_MEMORY_SIZE } from "../gas-schedule.ts";
import { FRAME, WORD_BYTES } from "../runtime/memory-layout.ts";
import { REVERSED, writeLoadWord } from "../runtime/runtime-memory.ts";
import {
  chargeConstant,
  chargeWordsOfLength,
  type Emission,
  failIfOutOfGas,
  pushLimb,
  takeWord,
} from "./emission.ts";
import { pushClamped, pushOr, readLimb } from "./limb-operations.ts";
import { pop, push } from "./symbolic-stack.ts";
import { constantOf, isSingle, type Limb, type Word } from "./word-value.ts";

/** Constant offsets below this are added by the load and store instructions themselves. */
const MAX_CONSTANT_OFFSET = 2n ** 24n;

/** Where an instruction accesses memory: `pushAddress` puts an i32 on WebAssembly's stack, to which `offset` is added. */
type Place = { readonly pushAddress: () => void; readonly offset: number };

/** Makes [offset, offset + size) part of the memory, for a size known to the compiler. */
function claimKnownSize(emission: Emission, offset: Word, size: number): Place {
  const { code, locals } = emission;
  const constant = constantOf(offset);
  if (constant !== undefined && constant < MAX_CONSTANT_OFFSET) {
    claimUpTo(emission, Number(constant) + size);
    return { pushAddress: () => code.localGet(locals.memoryBase), offset: Number(constant) };
  }
  checkBelowMaximum(emission, offset);
  pushLimb(emission, offset[0]);
  code.i64Const(size).i64Add().localSet(locals.end);
  expandToEnd(emission);
  pushLimb(emission, offset[0]);
  code.i32WrapI64().localGet(locals.memoryBase).i32Add().localSet(locals.address);
  return { pushAddress: () => code.localGet(locals.address), offset: 0 };
}

/** A block asks for the same memory again and again: what it has once is known. */
function claimUpTo(emission: Emission, end: number): void {
  if (end <= emission.knownMemorySize) return;
  emission.knownMemorySize = Math.ceil(end / WORD_BYTES) * WORD_BYTES;
  emission.code.i64Const(end).localSet(emission.locals.end);
  expandToEnd(emission);
}

/** Makes [0, locals.end) part of the memory. */
function expandToEnd(emission: Emission): void {
  const { code, locals, runtime } = emission;
  code.localGet(locals.end).localGet(locals.memorySize).i64GtU().if();
  code.localGet(locals.frame).localGet(locals.gas).localGet(locals.end);
  code.call(runtime.find("expand")).localSet(locals.gas);
  failIfOutOfGas(emission);
  code.localGet(locals.frame).i64Load32U(FRAME.memorySize).localSet(locals.memorySize).end();
}

/** Faults where a word is beyond what any memory can have; then the sum of two such fits an i64. */
function checkBelowMaximum(emission: Emission, word: Word): void {
  const { code, faults } = emission;
  const [low, ...high] = word;
  if (!isSingle(word)) {
    pushOr(emission, high);
    code.i64Eqz().i32Eqz().brIf(faults.outOfGas);
  }
  if (low.bits < 32) return;
  pushLimb(emission, low);
  code.i64Const(MAX_MEMORY_SIZE).i64GtU().brIf(faults.outOfGas);
}

/** Makes [offset, offset + size) part of the memory; nothing is touched where the size is 0, wherever the offset is.
 * Leaves the absolute address in locals.address and the size in locals.length. */
export function claimRange(emission: Emission, offset: Word, size: Word): void {
  const { code, locals } = emission;
  const constantSize = constantOf(size);
  const constantOffset = constantOf(offset);
  if (constantSize === 0n) {
    code.localGet(locals.memoryBase).localSet(locals.address).i32Const(0).localSet(locals.length);
    return;
  }
  const isSmall = (value: bigint | undefined): value is bigint =>
    value !== undefined && value < MAX_CONSTANT_OFFSET;
  if (isSmall(constantSize) && isSmall(constantOffset)) {
    claimUpTo(emission, Number(constantOffset + constantSize));
    code.localGet(locals.memoryBase).i32Const(Number(constantOffset)).i32Add().localSet(locals.address);
    code.i32Const(Number(constantSize)).localSet(locals.length);
    return;
  }
  // What follows may not run: nothing may be read for the first time there.
  for (const limb of [...offset, ...size]) readLimb(emission, limb);
  checkBelowMaximum(emission, size);
  pushLimb(emission, size[0]);
  code.i32WrapI64().localSet(locals.length);
  code.localGet(locals.memoryBase).localSet(locals.address);
  code.localGet(locals.length).if();
  checkBelowMaximum(emission, offset);
  pushLimb(emission, offset[0]);
  pushLimb(emission, size[0]);
  code.i64Add().localSet(locals.end);
  expandToEnd(emission);
  code.localGet(locals.memoryBase);
  pushLimb(emission, offset[0]);
  code.i32WrapI64().i32Add().localSet(locals.address).end();
}

export function emitLoad(emission: Emission): void {
  const { code, locals, stack } = emission;
  const place = claimKnownSize(emission, pop(stack), WORD_BYTES);
  writeLoadWord(code, locals.vector, place.pushAddress, place.offset);
  push(stack, takeWord(emission));
}

export function emitStore(emission: Emission): void {
  const { stack } = emission;
  const offset = pop(stack);
  const word = pop(stack);
  const place = claimKnownSize(emission, offset, WORD_BYTES);
  storeHalf(emission, place, 0, word[2], word[3]);
  storeHalf(emission, place, 16, word[0], word[1]);
}

/** Stores two limbs as 16 bytes, the highest first. */
function storeHalf(
  emission: Emission,
  { pushAddress, offset }: Place,
  at: number,
  low: Limb,
  high: Limb,
): void {
  const { code, locals } = emission;
  pushAddress();
  if (low.constant !== undefined && high.constant !== undefined) {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, high.constant);
    view.setBigUint64(8, low.constant);
    code.v128Const(bytes);
  } else {
    pushLimb(emission, low);
    code.i64x2Splat();
    pushLimb(emission, high);
    code.i64x2ReplaceLane(1).localTee(locals.vector).localGet(locals.vector).i8x16Shuffle(REVERSED);
  }
  code.v128Store(offset + at, 0);
}

export function emitStoreByte(emission: Emission): void {
  const { code, stack } = emission;
  const offset = pop(stack);
  const word = pop(stack);
  const place = claimKnownSize(emission, offset, 1);
  place.pushAddress();
  pushLimb(emission, word[0]);
  code.i64Store8(place.offset);
}

export function emitKeccak(emission: Emission): void {
  const { code, locals, stack, runtime } = emission;
  const offset = pop(stack);
  const size = pop(stack);
  claimRange(emission, offset, size);
  chargeLengthWords(emission, size, GAS.keccakWord);
  code.localGet(locals.address).localGet(locals.length).call(runtime.find("keccak"));
  push(stack, takeWord(emission));
}

/** Charges `price` for each word of a range that was claimed. */
function chargeLengthWords(emission: Emission, size: Word, price: number): void {
  const constant = constantOf(size);
  if (constant === undefined || constant >= MAX_CONSTANT_OFFSET) chargeWordsOfLength(emission, price);
  else chargeConstant(emission, price * Math.ceil(Number(constant) / WORD_BYTES));
}

export function emitCopyInput(emission: Emission): void {
  const { code, locals, stack, runtime } = emission;
  const offset = pop(stack);
  const source = pop(stack);
  const size = pop(stack);
  claimRange(emission, offset, size);
  chargeLengthWords(emission, size, GAS.copyWord);
  code.localGet(locals.frame).localGet(locals.address).localGet(locals.length);
  pushClamped(emission, source);
  code.call(runtime.find("copyInput"));
}

export function emitCopyWithin(emission: Emission): void {
  const { code, locals, stack } = emission;
  const to = pop(stack);
  const from = pop(stack);
  const size = pop(stack);
  claimRange(emission, from, size);
  claimRange(emission, to, size);
  chargeLengthWords(emission, size, GAS.copyWord);
  code.localGet(locals.address);
  // The source's address once more: claiming the target took its local. If the size is 0, the copy does not read it.
  code.localGet(locals.memoryBase);
  pushLimb(emission, from[0]);
  code.i32WrapI64().i32Add();
  code.i32Const(0).localGet(locals.length).select();
  code.localGet(locals.length).memoryCopy();
}
