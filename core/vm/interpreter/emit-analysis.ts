import { type CodeBuilder, I32, I64, type ModuleBuilder, V128 } from "@ostrom/wasm";
import { OP } from "../opcodes.ts";
import {
  BLOCK,
  DATA_SIZE_MASK,
  MIXED_ROWS,
  REVERSAL,
  REVERSALS,
  SEQUENCE_OPCODES,
  TRIE,
  TRIE_ROW,
} from "./analysis-tables.ts";

/** Declares the functions that make an image (code-image.ts) of code.
 * @returns the functions' indices. `classes` is the address of the fork's table. */
export function emitAnalysis(module: ModuleBuilder): {
  /** (image, size, jumpMap, original, classes) -> nothing: all but sequences. The code lies in the image and at `original`,
   * with zeros behind both. All that is written here is behind what is read: from memory that was just written, the processor
   * would have to wait. */
  readonly analyse: number;
  /** (image, size, classes) -> nothing: puts in sequences, at any time after that. */
  readonly joinSequences: number;
} {
  const reverse = module.function(module.type([I32, I32, I32], []), writeReverse);
  const match = module.function(module.type([I32, I32, I32], [I32]), emitMatch);
  return {
    analyse: module.function(module.type([I32, I32, I32, I32, I32], []), (code) => emitScan(code, reverse)),
    joinSequences: module.function(module.type([I32, I32, I32], []), (code) => emitJoin(code, match)),
  };
}

/** Goes through the code by blocks of 16 bytes. What is done for each byte is done for all of them at once; one by one go only
 * opcodes with data, because it takes one to find the next, and invalid ones. Nothing branches on what an opcode is: whoever
 * writes code could make it as hard to predict as he likes. */
function emitScan(code: CodeBuilder, reverse: number): void {
  const [image, size, jumpMap, original, classes] = [0, 1, 2, 3, 4];
  const [offset, end] = [code.local(I32), size];
  const block = code.local(V128);
  // Bits of a block's bytes: opcodes, opcodes with data that are to be done, invalid ones.
  const [opcodes, withData, invalid] = [code.local(I64), code.local(I64), code.local(I64)];
  /** Where the next opcode is at the earliest, from the beginning of the block. */
  const next = code.local(I64);
  const rows = MIXED_ROWS.map((row) => ({ row, vector: code.local(V128) }));
  for (const { row, vector } of rows)
    code
      .localGet(classes)
      .v128Load(BLOCK * row)
      .localSet(vector);
  const done = code.block();
  const blocks = code.loop();
  code.localGet(offset).localGet(end).i32GeU().brIf(done);
  code.localGet(original).localGet(offset).i32Add().v128Load().localSet(block);
  code.i64Const(-1).localGet(next).i64Shl().localSet(opcodes);
  pushWithData(code, block);
  code.i8x16Bitmask().i64ExtendI32U().localGet(opcodes).i64And().localSet(withData);
  passData(code, { image, original, offset, opcodes, withData, next, reverse });
  code.localGet(next).i64Const(BLOCK).i64Sub().i64Const(0);
  code.localGet(next).i64Const(BLOCK).i64GtU().select().localSet(next);
  code.localGet(jumpMap).localGet(offset).i32Const(3).i32ShrU().i32Add();
  code.localGet(block);
  every(code, OP.JUMPDEST).i8x16Eq().i8x16Bitmask();
  code.localGet(opcodes).i32WrapI64().i32And().i32Store16();
  pushInvalid(code, block, rows);
  code.i8x16Bitmask().i64ExtendI32U().localGet(opcodes).i64And().localSet(invalid);
  markInvalid(code, image, offset, invalid);
  code.localGet(offset).i32Const(BLOCK).i32Add().localSet(offset);
  code.br(blocks).end().end();
}

/** Which bytes would be opcodes with data: 0x60 to 0x7f. */
function pushWithData(code: CodeBuilder, block: number): void {
  code.localGet(block);
  every(code, 0xe0).v128And();
  every(code, 0x60).i8x16Eq();
}

/** Which bytes would be opcodes that are invalid. */
function pushInvalid(
  code: CodeBuilder,
  block: number,
  rows: readonly { readonly row: number; readonly vector: number }[],
): void {
  // From 0xb0 to 0xef, in all forks.
  code.localGet(block);
  every(code, 0x50).i8x16Add();
  every(code, 0xc0).v128And();
  every(code, 0).i8x16Eq();
  for (const { row, vector } of rows) {
    // What is not of the row becomes an index beyond it, which gives 0.
    code.localGet(vector).localGet(block);
    if (row > 0) every(code, BLOCK * row).i8x16Sub();
    code.i8x16Swizzle().v128Or();
  }
}

function every(code: CodeBuilder, byte: number): CodeBuilder {
  return code.v128Const(new Uint8Array(BLOCK).fill(byte));
}

/** Turns data around, and takes it out of the opcodes. */
function passData(
  code: CodeBuilder,
  locals: Readonly<
    Record<"image" | "original" | "offset" | "opcodes" | "withData" | "next" | "reverse", number>
  >,
): void {
  const { image, original, offset, opcodes, withData, next, reverse } = locals;
  const data = code.local(I64);
  const count = code.local(I32);
  const place = code.local(I32);
  const done = code.block();
  const again = code.loop();
  code.localGet(withData).i64Eqz().brIf(done);
  code.localGet(withData).i64Ctz().i64Const(1).i64Add().localSet(data);
  code.localGet(offset).localGet(data).i32WrapI64().i32Add().localSet(place);
  code.localGet(original).localGet(place).i32Add().i32Const(1).i32Sub().i32Load8U();
  code.i32Const(OP.PUSH0).i32Sub().localTee(count).i32Const(1).i32Eq().if();
  // Guessed where it is frequent: then the processor need not wait for the byte to know where the next opcode is.
  code.localGet(data).i64Const(1).i64Add().localSet(next).else();
  code.localGet(image).localGet(place).i32Add().localGet(original).localGet(place).i32Add();
  code.localGet(count).call(reverse);
  code.localGet(data).localGet(count).i64ExtendI32U().i64Add().localSet(next).end();
  code.localGet(opcodes);
  code.i64Const(-1).localGet(next).i64Shl();
  code.i64Const(-1).localGet(data).i64Shl().i64Const(-1).i64Xor().i64Or().i64And().localSet(opcodes);
  code.localGet(withData).i64Const(-1).localGet(next).i64Shl().i64And().localSet(withData);
  code.br(again).end().end();
}

function markInvalid(code: CodeBuilder, image: number, offset: number, invalid: number): void {
  const done = code.block();
  const again = code.loop();
  code.localGet(invalid).i64Eqz().brIf(done);
  code.localGet(image).localGet(offset).i32Add().localGet(invalid).i64Ctz().i32WrapI64().i32Add();
  code.i32Const(OP.INVALID).i32Store8();
  code.localGet(invalid).localGet(invalid).i64Const(1).i64Sub().i64And().localSet(invalid);
  code.br(again).end().end();
}

function emitJoin(code: CodeBuilder, match: number): void {
  const [start, size, classes] = [0, 1, 2];
  const at = code.local(I32);
  const opcode = code.local(I32);
  const node = code.local(I32);
  const end = code.local(I32);
  const sequenceEnd = code.local(I32);
  code.localGet(start).localTee(at).localGet(size).i32Add().localSet(end);
  const done = code.block();
  const next = code.loop();
  code.localGet(at).localGet(end).i32GeU().brIf(done);
  code.localGet(at).i32Load8U().localTee(opcode);
  // No sequence begins within another.
  code.i32Load8U(TRIE).localTee(node).i32Const(0).localGet(at);
  code.localGet(sequenceEnd).i32GeU().select().if();
  code.localGet(at).localGet(classes).localGet(node).call(match).localSet(sequenceEnd).end();
  code.localGet(opcode).localGet(classes).i32Add().i32Load8U().i32Const(DATA_SIZE_MASK).i32And();
  code.i32Const(1).i32Add().localGet(at).i32Add().localSet(at);
  code.br(next).end().end();
}

/** (at, classes, node) -> end: goes down the trie with the opcodes that follow the one at an address, which led to a node;
 * puts the longest sequence's opcode in its place.
 * @returns where that sequence ends; 0 if there is none. */
function emitMatch(code: CodeBuilder): void {
  const [at, classes, node] = [0, 1, 2];
  const position = code.local(I32);
  const opcode = code.local(I32);
  const found = code.local(I32);
  const end = code.local(I32);
  const pass = (): void => {
    code.localGet(position).i32Const(1).i32Add();
    code.localGet(classes).localGet(opcode).i32Add().i32Load8U().i32Const(DATA_SIZE_MASK).i32And().i32Add();
    code.localSet(position);
  };
  code.localGet(at).localTee(position).i32Load8U().localSet(opcode);
  pass();
  const done = code.block();
  const next = code.loop();
  // What lies behind the code are zeros, which no sequence has.
  code.localGet(position).i32Load8U().localSet(opcode);
  code.localGet(node).i32Const(TRIE_ROW).i32Mul().localGet(opcode).i32Add().i32Load8U(TRIE).localTee(node);
  code.i32Eqz().brIf(done);
  pass();
  code.localGet(node).i32Load8U(SEQUENCE_OPCODES).if();
  code.localGet(node).i32Load8U(SEQUENCE_OPCODES).localSet(found);
  code.localGet(position).localSet(end).end();
  code.br(next).end().end();
  code.localGet(found).if();
  code.localGet(at).localGet(found).i32Store8().end();
  code.localGet(end);
}

/** (to, from, count) -> nothing: writes 2 to 32 bytes turned around, and those that follow them as they are, 16 or 32 in all. */
function writeReverse(code: CodeBuilder): void {
  const [to, from, count] = [0, 1, 2];
  const source = code.local(V128);
  const behind = code.local(V128);
  code.localGet(from).v128Load(0, 0).localTee(source).localSet(behind);
  code.localGet(count).i32Const(BLOCK).i32GtU().if();
  code.localGet(from).v128Load(BLOCK, 0).localSet(behind);
  code.localGet(to).localGet(from).localGet(count).i32Add().i32Const(BLOCK).i32Sub().v128Load(0, 0);
  code.i32Const(0).v128Load(REVERSALS + REVERSAL.size * BLOCK + REVERSAL.turned);
  code.i8x16Swizzle().v128Store(0, 0);
  code.localGet(to).i32Const(BLOCK).i32Add().localSet(to);
  code.localGet(count).i32Const(BLOCK).i32Sub().localSet(count).end();
  code.localGet(count).i32Const(REVERSAL.size).i32Mul().localSet(count);
  code.localGet(to);
  code
    .localGet(source)
    .localGet(count)
    .v128Load(REVERSALS + REVERSAL.turned)
    .i8x16Swizzle();
  code
    .localGet(behind)
    .localGet(count)
    .v128Load(REVERSALS + REVERSAL.kept)
    .i8x16Swizzle();
  code.v128Or().v128Store(0, 0);
}
