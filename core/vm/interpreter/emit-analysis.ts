import { type CodeBuilder, I32, type ModuleBuilder } from "@ostrom/wasm";
import { OP } from "../compiler/opcodes.ts";
import { BYTE_CLASS, DATA_SIZE_MASK, SEQUENCE_OPCODES, TRIE, TRIE_ROW } from "./analysis-tables.ts";

type AnalysisLocals = {
  /** i32, parameters: addresses of the code and of the map of jump destinations. */
  readonly start: number;
  readonly jumpMap: number;
  /** i32: address of the opcode that is looked at, and its class (BYTE_CLASS). */
  readonly at: number;
  readonly byteClass: number;
};

/** Declares (code, size, jumpMap, classes) -> nothing: makes an image (code-image.ts) of code that lies at an address, zeros
 * behind it and in the map; `classes` is the address of the fork's table. The code is read once, and from where a sequence
 * may begin a little further.
 * @returns the function's index. */
export function emitAnalysis(module: ModuleBuilder): number {
  const match = module.function(module.type([I32, I32, I32], [I32]), emitMatch);
  return module.function(module.type([I32, I32, I32, I32], []), (code) => emitScan(code, match));
}

function emitScan(code: CodeBuilder, match: number): void {
  const [start, size, jumpMap, classes] = [0, 1, 2, 3];
  const locals = { start, jumpMap, at: code.local(I32), byteClass: code.local(I32) };
  const { at, byteClass } = locals;
  const opcode = code.local(I32);
  const node = code.local(I32);
  const end = code.local(I32);
  const sequenceEnd = code.local(I32);
  code.localGet(start).localTee(at).localGet(size).i32Add().localSet(end);
  const done = code.block();
  const next = code.loop();
  code.localGet(at).localGet(end).i32GeU().brIf(done);
  code.localGet(at).i32Load8U().localTee(opcode).localGet(classes).i32Add().i32Load8U().localSet(byteClass);
  // No sequence begins within another.
  code.localGet(opcode).i32Load8U(TRIE).localTee(node).i32Const(0).localGet(at);
  code.localGet(sequenceEnd).i32GeU().select().if();
  code.localGet(at).localGet(classes).localGet(node).call(match).localSet(sequenceEnd).end();
  code.localGet(at).i32Const(1).i32Add().localSet(at);
  code.localGet(byteClass).i32Eqz().brIf(next);
  code.localGet(byteClass).i32Const(DATA_SIZE_MASK).i32LeU().if();
  reverseData(code, at, byteClass);
  code.localGet(at).localGet(byteClass).i32Add().localSet(at).br(next).end();
  code.localGet(byteClass).i32Const(BYTE_CLASS.invalid).i32Eq().if();
  code.localGet(at).i32Const(1).i32Sub().i32Const(OP.INVALID).i32Store8().else();
  markJumpDestination(code, locals);
  code.end();
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

/** The byte before locals.at is one. */
function markJumpDestination(code: CodeBuilder, { start, jumpMap, at, byteClass }: AnalysisLocals): void {
  const offset = byteClass;
  code.localGet(at).localGet(start).i32Sub().i32Const(1).i32Sub().localTee(offset);
  code.i32Const(3).i32ShrU().localGet(jumpMap).i32Add();
  code.localGet(offset).i32Const(3).i32ShrU().localGet(jumpMap).i32Add().i32Load8U();
  code.i32Const(1).localGet(offset).i32Const(7).i32And().i32Shl().i32Or().i32Store8();
}

/** Turns around the `count` bytes at an address. */
function reverseData(code: CodeBuilder, at: number, count: number): void {
  const first = code.local(I32);
  const last = code.local(I32);
  const byte = code.local(I32);
  code.localGet(at).localTee(first).localGet(count).i32Add().i32Const(1).i32Sub().localSet(last);
  const done = code.block();
  const next = code.loop();
  code.localGet(first).localGet(last).i32GeS().brIf(done);
  code.localGet(first).i32Load8U().localSet(byte);
  code.localGet(first).localGet(last).i32Load8U().i32Store8();
  code.localGet(last).localGet(byte).i32Store8();
  code.localGet(first).i32Const(1).i32Add().localSet(first);
  code.localGet(last).i32Const(1).i32Sub().localSet(last);
  code.br(next).end().end();
}
