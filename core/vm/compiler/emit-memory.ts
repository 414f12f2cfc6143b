import { GAS, MAX_MEMORY_SIZE } from "../gas-schedule.ts";
import { WORD_BYTES } from "../runtime/memory-layout.ts";
import { writeLoadWord } from "../runtime/runtime-memory.ts";
import { chargeConstant, chargeWordsOfLength, type Emission, pushLimb, takeWord } from "./emission.ts";
import { pushClamped, pushOr, readLimb } from "./limb-operations.ts";
import { borrow, pop, push } from "./symbolic-stack.ts";
import { constantOf, isSingle, type Limb, type Word, ZERO } from "./word-value.ts";

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
  narrow(emission, offset);
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
  const { code, locals, runtime, faults } = emission;
  code.localGet(locals.end).localGet(locals.memorySize).i64GtU().if();
  code.localGet(locals.frame).localGet(locals.gas).localGet(locals.end);
  code.call(runtime.find("claim")).localSet(locals.memorySize).localTee(locals.gas);
  code.i64Const(0).i64LtS().brIf(faults.outOfGas).end();
}

/** Faults where a word is beyond what any memory can have; then the sum of two such fits an i64. */
function checkBelowMaximum(emission: Emission, word: Word): void {
  const { code, faults } = emission;
  const [low, ...high] = word;
  if (!isSingle(word)) {
    pushOr(emission, high);
    code.i64Eqz().i32Eqz().brIf(faults.outOfGas);
  }
  if (low.bits >= SIZE_BITS) {
    pushLimb(emission, low);
    code.i64Const(MAX_MEMORY_SIZE).i64GtU().brIf(faults.outOfGas);
  }
}

const SIZE_BITS = 32;

/** What goes on has a small word: the same word elsewhere on the stack, such as a pointer that is used again, is known to
 * be small from here on. */
function narrow({ stack }: Emission, word: Word): void {
  if (isSingle(word) && word[0].bits <= SIZE_BITS) return;
  const [low, ...high] = word;
  const narrowed: Limb[] = [{ ...low, bits: Math.min(low.bits, SIZE_BITS) }];
  for (const { slot } of high) narrowed.push({ ...ZERO, slot });
  for (const [position, other] of stack.words.entries()) {
    if (other.every((limb, place) => limb === word[place]))
      stack.words[position] = narrowed as unknown as Word;
  }
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
  narrow(emission, size);
  if (constantSize !== undefined) {
    claimOffset(emission, offset, size);
    narrow(emission, offset);
    return;
  }
  pushLimb(emission, size[0]);
  code.i32WrapI64().localSet(locals.length);
  code.localGet(locals.memoryBase).localSet(locals.address);
  code.localGet(locals.length).if();
  claimOffset(emission, offset, size);
  code.end();
}

/** For a size that is not 0. */
function claimOffset(emission: Emission, offset: Word, size: Word): void {
  const { code, locals } = emission;
  checkBelowMaximum(emission, offset);
  pushLimb(emission, offset[0]);
  pushLimb(emission, size[0]);
  code.i64Add().localSet(locals.end);
  expandToEnd(emission);
  pushLimb(emission, size[0]);
  code.i32WrapI64().localSet(locals.length);
  code.localGet(locals.memoryBase);
  pushLimb(emission, offset[0]);
  code.i32WrapI64().i32Add().localSet(locals.address);
}

/** Of the vector on WebAssembly's stack. */
function reverseBytes({ code, locals }: Emission): void {
  code.localGet(locals.reversed).i8x16Swizzle();
}

export function emitLoad(emission: Emission): void {
  const { code, locals, stack } = emission;
  const place = claimKnownSize(emission, pop(stack), WORD_BYTES);
  writeLoadWord(code, locals.vector, place.pushAddress, place.offset, () => reverseBytes(emission));
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
  const { code } = emission;
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
    code.i64x2ReplaceLane(1);
    reverseBytes(emission);
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

/** Constants that solc copies from the code, or zeros, for which it copies from beyond the code's end. */
const MAX_INLINE_COPY = 512n;

/** CODECOPY of few bytes from a place that is known: they are written as constants.
 * @returns false if the host is to do it. */
export function emitCopyCode(emission: Emission): boolean {
  const { code, locals, stack, bytecode } = emission;
  borrow(stack, 3);
  const [size, source, offset] = stack.words.slice(-3) as [Word, Word, Word];
  const from = constantOf(source);
  const count = constantOf(size);
  if (from === undefined || count === undefined || count > MAX_INLINE_COPY) return false;
  for (let i = 0; i < 3; i++) pop(stack);
  claimRange(emission, offset, size);
  chargeConstant(emission, GAS.copyWord * Math.ceil(Number(count) / WORD_BYTES));
  const bytes = new Uint8Array(Number(count));
  if (from < bytecode.length) bytes.set(bytecode.subarray(Number(from), Number(from + count)));
  let at = 0;
  for (; at + 16 <= bytes.length; at += 16)
    code
      .localGet(locals.address)
      .v128Const(bytes.subarray(at, at + 16))
      .v128Store(at, 0);
  for (; at < bytes.length; at++) code.localGet(locals.address).i32Const(bytes[at]!).i32Store8(at);
  return true;
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
