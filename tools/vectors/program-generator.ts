import {
  type Address,
  addressToWord,
  type Bytes,
  bigintToMinimalBytes,
  type Random,
  wordToBytes,
} from "@ostrom/base";

/** Writes EVM programs at random that do much and fail seldom: operands are on the stack, offsets are small, and what
 * is left of gas flows into storage again and again, so that a wrong charge anywhere shows in the state root. */
export type ProgramSource = {
  readonly random: Random;
  /** Accounts that programs look at, call and give to. */
  readonly addresses: readonly Address[];
  /** Opcodes that the fork lacks are left out. */
  readonly hasCountLeadingZeros: boolean;
};

type Writer = ProgramSource & {
  readonly code: number[];
  /** How many programs this one is inside of, as init code. */
  readonly nesting: number;
};

const MAX_NESTING = 2;
const MAX_EXPRESSION_DEPTH = 3;
/** Where a program keeps the address of the last contract it created. */
const CREATED_AT = 0x1e0;
const INIT_CODE_AT = 0x200;

const OP = {
  STOP: 0x00,
  SUB: 0x03,
  KECCAK256: 0x20,
  BALANCE: 0x31,
  CODECOPY: 0x39,
  POP: 0x50,
  MLOAD: 0x51,
  MSTORE: 0x52,
  MSTORE8: 0x53,
  SLOAD: 0x54,
  SSTORE: 0x55,
  JUMPI: 0x57,
  GAS: 0x5a,
  JUMPDEST: 0x5b,
  TLOAD: 0x5c,
  TSTORE: 0x5d,
  MCOPY: 0x5e,
  PUSH0: 0x5f,
  PUSH1: 0x60,
  PUSH2: 0x61,
  DUP1: 0x80,
  SWAP1: 0x90,
  LOG0: 0xa0,
  CREATE: 0xf0,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  RETURN: 0xf3,
  DELEGATECALL: 0xf4,
  CREATE2: 0xf5,
  STATICCALL: 0xfa,
  REVERT: 0xfd,
  INVALID: 0xfe,
  SELFDESTRUCT: 0xff,
} as const;

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
const COPYING = [0x37, 0x39, 0x3e];

/** One program. @param statements about how many it has. */
export function generateProgram(source: ProgramSource, statements: number): Bytes {
  return writeProgram(source, statements, 0);
}

function writeProgram(source: ProgramSource, statements: number, nesting: number): Bytes {
  const writer: Writer = { ...source, code: [], nesting };
  for (let i = 0; i < statements; i++) writeStatement(writer);
  writeEnd(writer);
  return Uint8Array.from(writer.code);
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

function emit(writer: Writer, ...opcodes: readonly number[]): void {
  writer.code.push(...opcodes);
}

function push(writer: Writer, word: bigint): void {
  const bytes = bigintToMinimalBytes(word);
  emit(writer, OP.PUSH0 + bytes.length, ...bytes);
}

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  31n,
  32n,
  33n,
  64n,
  255n,
  256n,
  2n ** 64n - 1n,
  2n ** 255n,
  2n ** 256n - 1n,
];

function anyWord({ random }: Writer): bigint {
  switch (random.below(5)) {
    case 0:
      return pick(random, EDGES);
    case 1:
      return (2n ** BigInt(random.below(256)) - BigInt(random.below(2))) & (2n ** 256n - 1n);
    case 2:
      return BigInt(`0x${Buffer.from(random.bytes(32)).toString("hex")}`);
    default:
      return BigInt(random.below(1000));
  }
}

function pushOffset(writer: Writer): void {
  const { random } = writer;
  if (random.chance(1, 500)) push(writer, pick(random, [0x10000n, 2n ** 32n, 2n ** 64n, 2n ** 256n - 1n]));
  else push(writer, BigInt(random.below(300)));
}

function pushSize(writer: Writer): void {
  const { random } = writer;
  push(writer, random.chance(1, 500) ? 2n ** 40n : BigInt(pick(random, [0, 0, 1, 31, 32, 33, 64, 100])));
}

function pushAddress(writer: Writer): void {
  const { random } = writer;
  if (random.chance(1, 5)) {
    push(writer, BigInt(CREATED_AT));
    emit(writer, OP.MLOAD);
  } else push(writer, addressToWord(pick(random, writer.addresses)));
}

function pushSlot(writer: Writer): void {
  push(writer, BigInt(writer.random.below(4)));
}

/** Leaves one word on the stack. */
function writeExpression(writer: Writer, depth: number): void {
  const { random } = writer;
  const operands = (count: number): void => {
    for (let i = 0; i < count; i++) writeExpression(writer, depth + 1);
  };
  switch (depth >= MAX_EXPRESSION_DEPTH ? 0 : random.below(12)) {
    case 1:
      operands(1);
      return emit(
        writer,
        pick(
          random,
          writer.hasCountLeadingZeros ? [...UNARY, COUNT_LEADING_ZEROS, COUNT_LEADING_ZEROS] : UNARY,
        ),
      );
    case 2:
    case 3:
      operands(2);
      return emit(writer, pick(random, BINARY));
    case 4:
      operands(3);
      return emit(writer, pick(random, TERNARY));
    case 5:
      return emit(writer, pick(random, READING));
    case 6:
      pushAddress(writer);
      return emit(writer, pick(random, OF_ACCOUNT));
    case 7:
      pushOffset(writer);
      return emit(writer, pick(random, [OP.MLOAD, 0x35]));
    case 8:
      pushSlot(writer);
      return emit(writer, pick(random, [OP.SLOAD, OP.TLOAD]));
    case 9:
      pushSize(writer);
      pushOffset(writer);
      return emit(writer, OP.KECCAK256);
    case 10:
      push(writer, BigInt(random.below(3)));
      return emit(writer, 0x49);
    case 11:
      return emit(writer, OP.GAS);
    default:
      return push(writer, anyWord(writer));
  }
}

/** Leaves the stack as it was. */
function writeStatement(writer: Writer): void {
  const { random } = writer;
  switch (random.below(20)) {
    case 0:
      writeExpression(writer, 0);
      pushOffset(writer);
      return emit(writer, pick(random, [OP.MSTORE, OP.MSTORE8]));
    case 1:
    case 2:
      return writeStore(writer, OP.SSTORE);
    case 3:
      return writeStore(writer, OP.TSTORE);
    case 4:
      emit(writer, OP.GAS);
      pushSlot(writer);
      return emit(writer, OP.SSTORE);
    case 5:
      pushSize(writer);
      pushOffset(writer);
      pushOffset(writer);
      return emit(writer, OP.MCOPY);
    case 6:
      return writeCopy(writer);
    case 7:
      return writeLog(writer);
    case 8:
      return writeSkip(writer);
    case 9:
      return writeLoop(writer);
    case 10:
    case 11:
    case 12:
      return writing(writer, writeCreate);
    case 13:
      return random.chance(1, 20) ? emit(writer, random.below(256)) : writeCall(writer);
    default:
      return writeCall(writer);
  }
}

function writing(writer: Writer, write: (writer: Writer) => void): void {
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
  const opcode = ofAccount ? 0x3c : pick(random, COPYING);
  if (opcode === 0x3e && random.chance(19, 20)) emit(writer, 0x3d, OP.PUSH0);
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
  if (random.chance(1, 2)) return emit(writer, OP.POP);
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

function writeEnd(writer: Writer): void {
  const { random } = writer;
  switch (random.below(10)) {
    case 0:
      pushAddress(writer);
      return emit(writer, OP.SELFDESTRUCT);
    case 1:
      pushSize(writer);
      pushOffset(writer);
      return emit(writer, OP.REVERT);
    case 2:
      return emit(writer, random.chance(1, 3) ? OP.INVALID : OP.STOP);
    case 3:
    case 4:
    case 5:
      pushSize(writer);
      pushOffset(writer);
      return emit(writer, OP.RETURN);
    default:
      return emit(writer, OP.STOP);
  }
}

/** Call data: words that programs find interesting. */
export function generateInput(random: Random): Bytes {
  return random.chance(1, 2) ? random.bytes(random.below(100)) : wordToBytes(BigInt(random.below(1000)));
}
