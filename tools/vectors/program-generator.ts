import { type Bytes, type Random, wordToBytes } from "@ostrom/base";
import { OP } from "@ostrom/vm";
import {
  anyWord,
  CREATED_AT,
  emit,
  type ProgramSource,
  pick,
  push,
  pushAddress,
  pushOffset,
  pushSize,
  pushSlot,
  type Writer,
} from "./program-writer.ts";

const MAX_NESTING = 2;
const MAX_EXPRESSION_DEPTH = 3;
const INIT_CODE_AT = 0x200;

const UNARY = [0x15, 0x19];
const COUNT_LEADING_ZEROS = 0x1e;
const BINARY = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a,
  0x1b, 0x1c, 0x1d,
];
const TERNARY = [0x08, 0x09];
const READING = [
  0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4a, 0x58,
  0x59, 0x5a,
];
const OF_ACCOUNT = [0x31, 0x3b, 0x3f];
const COPYING = [0x37, OP.CODECOPY, OP.RETURNDATACOPY];

/** Writes an EVM program at random that does much and fails seldom: operands are on the stack, offsets are small, and what
 * is left of gas flows into storage again and again, so that a wrong charge anywhere shows in the state root.
 * @param statements how many it has. */
export function generateProgram(source: ProgramSource, statements: number): Bytes {
  return writeProgram(source, statements, 0);
}

function writeProgram(source: ProgramSource, statements: number, nesting: number): Bytes {
  const writer: Writer = { ...source, code: [], nesting };
  for (let i = 0; i < statements; i++) writeStatement(writer);
  writeEnd(writer);
  return Uint8Array.from(writer.code);
}

type Write = (writer: Writer) => void;

function writeOperands(writer: Writer, count: number, depth: number): void {
  for (let i = 0; i < count; i++) writeExpression(writer, depth + 1);
}

/** Each leaves one word on the stack. What is listed twice comes twice as often. */
const EXPRESSIONS: readonly ((writer: Writer, depth: number) => void)[] = [
  (writer) => push(writer, anyWord(writer)),
  (writer, depth) => {
    writeOperands(writer, 1, depth);
    const opcodes = writer.hasCountLeadingZeros ? [...UNARY, COUNT_LEADING_ZEROS] : UNARY;
    emit(writer, pick(writer.random, opcodes));
  },
  writeBinary,
  writeBinary,
  (writer, depth) => {
    writeOperands(writer, 3, depth);
    emit(writer, pick(writer.random, TERNARY));
  },
  (writer) => emit(writer, pick(writer.random, READING)),
  (writer) => {
    pushAddress(writer);
    emit(writer, pick(writer.random, OF_ACCOUNT));
  },
  (writer) => {
    pushOffset(writer);
    emit(writer, pick(writer.random, [OP.MLOAD, OP.CALLDATALOAD]));
  },
  (writer) => {
    pushSlot(writer);
    emit(writer, pick(writer.random, [OP.SLOAD, OP.TLOAD]));
  },
  (writer) => {
    pushSize(writer);
    pushOffset(writer);
    emit(writer, OP.KECCAK256);
  },
  (writer) => {
    push(writer, BigInt(writer.random.below(3)));
    emit(writer, OP.BLOBHASH);
  },
  (writer) => emit(writer, OP.GAS),
];

function writeBinary(writer: Writer, depth: number): void {
  writeOperands(writer, 2, depth);
  emit(writer, pick(writer.random, BINARY));
}

/** Leaves one word on the stack. */
function writeExpression(writer: Writer, depth: number): void {
  if (depth >= MAX_EXPRESSION_DEPTH) push(writer, anyWord(writer));
  else pick(writer.random, EXPRESSIONS)(writer, depth);
}

/** Each leaves the stack as it was. What is listed more than once comes more often. */
const STATEMENTS: readonly Write[] = [
  (writer) => {
    writeExpression(writer, 0);
    pushOffset(writer);
    emit(writer, pick(writer.random, [OP.MSTORE, OP.MSTORE8]));
  },
  (writer) => writeStore(writer, OP.SSTORE),
  (writer) => writeStore(writer, OP.SSTORE),
  (writer) => writeStore(writer, OP.TSTORE),
  (writer) => {
    emit(writer, OP.GAS);
    pushSlot(writer);
    emit(writer, OP.SSTORE);
  },
  (writer) => {
    pushSize(writer);
    pushOffset(writer);
    pushOffset(writer);
    emit(writer, OP.MCOPY);
  },
  writeCopy,
  writeLog,
  writeSkip,
  writeLoop,
  ...new Array<Write>(3).fill((writer) => writing(writer, writeCreate)),
  ...new Array<Write>(7).fill(writeCall),
];

function writeStatement(writer: Writer): void {
  const { random } = writer;
  if (random.chance(1, ANY_BYTE_CHANCE)) emit(writer, random.below(256));
  else pick(random, STATEMENTS)(writer);
}

/** One statement in so many is a byte that may mean anything, and mostly ends the program. */
const ANY_BYTE_CHANCE = 400;

function writing(writer: Writer, write: Write): void {
  if (writer.nesting < MAX_NESTING) write(writer);
  else writeCall(writer);
}

function writeStore(writer: Writer, opcode: number): void {
  if (writer.random.chance(1, 3)) push(writer, BigInt(writer.random.below(2)));
  else writeExpression(writer, 1);
  pushSlot(writer);
  emit(writer, opcode);
}

function writeCopy(writer: Writer): void {
  const { random } = writer;
  const ofAccount = random.chance(1, 3);
  // Beyond the return data a copy fails: mostly ask for none.
  const opcode = ofAccount ? OP.EXTCODECOPY : pick(random, COPYING);
  if (opcode === OP.RETURNDATACOPY && random.chance(19, 20)) emit(writer, OP.RETURNDATASIZE, OP.PUSH0);
  else {
    pushSize(writer);
    pushOffset(writer);
  }
  pushOffset(writer);
  if (ofAccount) pushAddress(writer);
  emit(writer, opcode);
}

function writeLog(writer: Writer): void {
  const topics = writer.random.below(5);
  for (let i = 0; i < topics; i++) writeExpression(writer, 2);
  pushSize(writer);
  pushOffset(writer);
  emit(writer, OP.LOG0 + topics);
}

/** if (expression) skip some statements. */
function writeSkip(writer: Writer): void {
  writeExpression(writer, 1);
  emit(writer, OP.PUSH2, 0, 0, OP.JUMPI);
  const hole = writer.code.length - 3;
  writeStatement(writer);
  patch(writer, hole);
  emit(writer, OP.JUMPDEST);
}

function patch(writer: Writer, hole: number): void {
  writer.code[hole] = writer.code.length >> 8;
  writer.code[hole + 1] = writer.code.length & 0xff;
}

/** Runs a statement two or three times. */
function writeLoop(writer: Writer): void {
  emit(writer, OP.PUSH1, 2 + writer.random.below(2));
  const start = writer.code.length;
  emit(writer, OP.JUMPDEST);
  writeStatement(writer);
  emit(writer, OP.PUSH1, 1, OP.SWAP1, OP.SUB, OP.DUP1, OP.PUSH2, start >> 8, start & 0xff, OP.JUMPI, OP.POP);
}

const CALL_GAS: readonly bigint[] = [
  0n,
  700n,
  2300n,
  2301n,
  5000n,
  30_000n,
  50_000n,
  50_000n,
  100_000n,
  2n ** 64n,
  2n ** 256n - 1n,
];

function writeCall(writer: Writer): void {
  const { random } = writer;
  const opcode = pick(random, [OP.CALL, OP.CALL, OP.CALLCODE, OP.DELEGATECALL, OP.STATICCALL]);
  pushSize(writer);
  pushOffset(writer);
  pushSize(writer);
  pushOffset(writer);
  if (opcode === OP.CALL || opcode === OP.CALLCODE)
    push(writer, pick(random, [0n, 0n, 0n, 1n, 1000n, 2n ** 200n]));
  pushAddress(writer);
  if (random.chance(1, 4)) emit(writer, OP.GAS);
  else push(writer, pick(random, CALL_GAS));
  emit(writer, opcode);
  if (random.chance(1, 2)) {
    emit(writer, OP.POP);
    return;
  }
  pushSlot(writer);
  emit(writer, OP.SSTORE);
}

/** Writes init code to memory, creates from it and keeps the address. */
function writeCreate(writer: Writer): void {
  const { random } = writer;
  const initCode = writeInitCode(writer);
  for (let i = 0; i < initCode.length; i += 32) {
    const chunk = new Uint8Array(32);
    chunk.set(initCode.subarray(i, i + 32));
    push(writer, BigInt(`0x${Buffer.from(chunk).toString("hex")}`));
    push(writer, BigInt(INIT_CODE_AT + i));
    emit(writer, OP.MSTORE);
  }
  const isSalted = random.chance(1, 2);
  // The same salt twice collides.
  if (isSalted) push(writer, BigInt(random.below(2)));
  push(writer, random.chance(1, 40) ? 60_000n : BigInt(initCode.length));
  push(writer, BigInt(INIT_CODE_AT));
  push(writer, pick(random, [0n, 0n, 1n, 2n ** 200n]));
  emit(writer, isSalted ? OP.CREATE2 : OP.CREATE);
  push(writer, BigInt(CREATED_AT));
  emit(writer, OP.MSTORE);
}

/** Some statements, then code to deploy: a program of its own, or bytes that may not be deployed. */
function writeInitCode(writer: Writer): Bytes {
  const { random } = writer;
  const inside: Writer = { ...writer, code: [], nesting: writer.nesting + 1 };
  for (let i = random.below(3); i > 0; i--) writeStatement(inside);
  if (random.chance(1, 6)) {
    writeEnd(inside);
    return Uint8Array.from(inside.code);
  }
  const deployed = random.chance(1, 12)
    ? Uint8Array.of(0xef, random.below(2), 0)
    : writeProgram(writer, random.below(3), MAX_NESTING);
  const length = random.chance(1, 30) ? 24_577 : deployed.length;
  push(inside, BigInt(length));
  emit(inside, OP.PUSH2, 0, 0);
  const hole = inside.code.length - 2;
  emit(inside, OP.PUSH0, OP.CODECOPY);
  push(inside, BigInt(length));
  emit(inside, OP.PUSH0, OP.RETURN);
  patch(inside, hole);
  emit(inside, ...deployed);
  return Uint8Array.from(inside.code);
}

const ENDS: readonly Write[] = [
  ...new Array<Write>(5).fill((writer) => emit(writer, OP.STOP)),
  ...new Array<Write>(3).fill((writer) => endWithOutput(writer, OP.RETURN)),
  (writer) => endWithOutput(writer, OP.REVERT),
  (writer) => {
    pushAddress(writer);
    emit(writer, OP.SELFDESTRUCT);
  },
];

function endWithOutput(writer: Writer, opcode: number): void {
  pushSize(writer);
  pushOffset(writer);
  emit(writer, opcode);
}

function writeEnd(writer: Writer): void {
  pick(writer.random, ENDS)(writer);
}

/** Call data: words that programs find interesting. */
export function generateInput(random: Random): Bytes {
  return random.chance(1, 2) ? random.bytes(random.below(100)) : wordToBytes(BigInt(random.below(1000)));
}
