import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, I64, V128 } from "@ostrom/wasm";
import { GAS, MAX_MEMORY_SIZE } from "../gas-schedule.ts";
import { BLOB_HASHES, FRAME, INPUT_END, LIMB_BYTES, WORD_BYTES } from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";

/** Bytes cleared beyond what is asked for, so that a memory that grows word by word is not cleared word by word. */
const CLEAR_AHEAD = 1024;
const PAGE_SHIFT = 16;
const QUADRATIC_SHIFT = 9;

/** (frame, gas, end) -> gas: makes [0, end) part of the frame's memory, where end is beyond its size, and takes what that
 * costs. The gas is negative if there was not enough; then nothing has changed. Traps if the engine's memory cannot grow,
 * which is a fault of the node, not of the program. */
export function writeExpand(code: CodeBuilder): void {
  const [frame, gas, end] = [0, 1, 2];
  const size = code.local(I64);
  const clean = code.local(I64);
  code.localGet(end).i64Const(MAX_MEMORY_SIZE).i64GtU().if();
  code.i64Const(-1).return().end();
  code.localGet(end).i64Const(31).i64Add().i64Const(5).i64ShrU().localSet(end);
  code.localGet(frame).i64Load32U(FRAME.memorySize).i64Const(5).i64ShrU().localSet(size);
  code.localGet(gas);
  pushMemoryGas(code, end);
  pushMemoryGas(code, size);
  code.i64Sub().i64Sub().localTee(gas).i64Const(0).i64LtS().if();
  code.localGet(gas).return().end();
  code.localGet(end).i64Const(5).i64Shl().localSet(size);
  code.localGet(frame).localGet(size).i64Store32(FRAME.memorySize);
  code.localGet(size).localGet(frame).i64Load32U(FRAME.memoryClean).localTee(clean).i64GtU().if();
  code.localGet(size).i64Const(CLEAR_AHEAD).i64Add().localSet(size);
  growTo(code, frame, size);
  code.localGet(frame).i32Load(FRAME.memoryBase).localGet(clean).i32WrapI64().i32Add();
  code.i32Const(0).localGet(size).localGet(clean).i64Sub().i32WrapI64().memoryFill();
  code.localGet(frame).localGet(size).i64Store32(FRAME.memoryClean);
  code.end();
  code.localGet(gas);
}

/** (frame, gas, end) -> gas, size: as expand; the size is the memory's, in bytes. */
export function writeClaim(code: CodeBuilder, find: FindFunction): void {
  const [frame, gas, end] = [0, 1, 2];
  code.localGet(frame).localGet(gas).localGet(end).call(find("expand"));
  code.localGet(frame).i64Load32U(FRAME.memorySize);
}

/** What so many words cost in all. Source: Yellow Paper, appendix H, C_mem. */
function pushMemoryGas(code: CodeBuilder, words: number): void {
  code.localGet(words).i64Const(GAS.memoryWord).i64Mul();
  code.localGet(words).localGet(words).i64Mul().i64Const(QUADRATIC_SHIFT).i64ShrU().i64Add();
}

/** Makes the engine's memory reach to `size` bytes from the frame's memoryBase on. */
function growTo(code: CodeBuilder, frame: number, size: number): void {
  const pages = code.local(I64);
  code.localGet(frame).i64Load32U(FRAME.memoryBase).localGet(size).i64Add();
  code
    .i64Const(2 ** PAGE_SHIFT - 1)
    .i64Add()
    .i64Const(PAGE_SHIFT)
    .i64ShrU();
  code.memorySize().i64ExtendI32U().i64Sub().localTee(pages).i64Const(0).i64GtS().if();
  // In steps, since growing costs a call to the operating system, and exactly where a step is too much.
  code.localGet(pages).i64Const(GROWTH_PAGES).i64Add().i32WrapI64().memoryGrow().i32Const(-1).i32Eq().if();
  code.localGet(pages).i32WrapI64().memoryGrow().i32Const(-1).i32Eq().if();
  code.unreachable().end().end().end();
}

const GROWTH_PAGES = 256;

/** Puts 32 bytes in the order of a word on the stack, from the address that `pushAddress` puts there.
 * @param reverse reverses the bytes of the vector on the stack. */
export function writeLoadWord(
  code: CodeBuilder,
  vector: number,
  pushAddress: () => void,
  offset = 0,
  reverse: () => void = () => code.localTee(vector).localGet(vector).i8x16Shuffle(REVERSED),
): void {
  for (const half of [16, 0]) {
    pushAddress();
    code.v128Load(offset + half, 0);
    reverse();
    code.localSet(vector);
    code.localGet(vector).i64x2ExtractLane(0).localGet(vector).i64x2ExtractLane(1);
  }
}

/** Lanes of a vector from the last to the first, for a shuffle; and for a swizzle. */
export const REVERSED: readonly number[] = Array.from({ length: 16 }, (_, lane) => 15 - lane);
export const REVERSED_LANES: Bytes = Uint8Array.from(REVERSED);

/** (frame, offset) -> word: CALLDATALOAD. Behind the input there are zeros for who reads it, though in memory there is
 * whatever its owner has there. */
export function writeLoadInput(code: CodeBuilder): void {
  const [frame, offset] = [0, 1];
  const address = code.local(I32);
  const present = code.local(I32);
  const vector = code.local(V128);
  code.localGet(offset).localGet(frame).i64Load32U(FRAME.inputSize).i64GeU().if();
  for (let limb = 0; limb < 4; limb++) code.i64Const(0);
  code.return().end();
  code.localGet(frame).i32Load(FRAME.inputBase).localGet(offset).i32WrapI64().i32Add().localSet(address);
  code.localGet(frame).i32Load(FRAME.inputSize).localGet(offset).i32WrapI64().i32Sub().localTee(present);
  code.i32Const(WORD_BYTES).i32LtU().if();
  // The input's last 32 bytes, or what lies before it: then what is read from the middle of them ends in zeros.
  for (const half of [0, 16]) {
    code.i32Const(0).localGet(address).localGet(present).i32Add().i32Const(WORD_BYTES).i32Sub();
    code.v128Load(half, 0).v128Store(INPUT_END.at + half);
  }
  code
    .i32Const(INPUT_END.at + WORD_BYTES)
    .localGet(present)
    .i32Sub()
    .localSet(address);
  code.end();
  writeLoadWord(code, vector, () => code.localGet(address));
}

/** (index) -> word: BLOBHASH; 0 where the transaction has no such blob. */
export function writeBlobHash(code: CodeBuilder): void {
  const index = 0;
  const address = code.local(I32);
  code.localGet(index).i32Const(0).i64Load32U(BLOB_HASHES.count).i64LtU().if();
  code.localGet(index).i32WrapI64().i32Const(WORD_BYTES).i32Mul().localSet(address);
  for (let limb = 0; limb < 4; limb++) code.localGet(address).i64Load(BLOB_HASHES.at + LIMB_BYTES * limb);
  code.return().end();
  for (let limb = 0; limb < 4; limb++) code.i64Const(0);
}

/** (frame, address, length, offset) -> nothing: copies input from the offset on to an address, zeros where it has ended. */
export function writeCopyInput(code: CodeBuilder): void {
  const [frame, address, length, offset] = [0, 1, 2, 3];
  const present = code.local(I32);
  code.localGet(offset).localGet(frame).i64Load32U(FRAME.inputSize).i64LtU().if();
  code.localGet(frame).i32Load(FRAME.inputSize).localGet(offset).i32WrapI64().i32Sub().localTee(present);
  code.localGet(length).localGet(present).localGet(length).i32LtU().select().localSet(present);
  code.localGet(address);
  code.localGet(frame).i32Load(FRAME.inputBase).localGet(offset).i32WrapI64().i32Add();
  code.localGet(present).memoryCopy().end();
  code.localGet(address).localGet(present).i32Add();
  code.i32Const(0).localGet(length).localGet(present).i32Sub().memoryFill();
}
