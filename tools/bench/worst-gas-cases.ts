import { addressToWord, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { describeOpcode, OP } from "@ostrom/vm";
import { CodeWriter } from "../fuzz/code-writer.ts";
import {
  FIRST_CONTRACT,
  FIRST_RANDOM_CONTRACT,
  SCATTER_ACCOUNTS,
  SCATTER_SLOTS,
  SUBJECT,
} from "./worst-gas-state.ts";

/** A program that does one thing over and over until its gas is gone, or a number of times and then ends well. */
export type GasCase = {
  readonly name: string;
  readonly code: Bytes;
  /** How many times what costs is to be done; undefined: until the gas is gone. Only a program that ends well leaves changes
   * to commit. */
  readonly input: Bytes;
};

const WORD = 2n ** 256n - 1n;
const FULL = [
  0xfedc_ba98_7654_3210n * 2n ** 190n + 12345n,
  2n ** 255n + 2n ** 130n + 977n,
  WORD - 2n ** 200n - 1n,
];
/** Operands by what they make an instruction do; the first is on top. */
const OPERANDS: Readonly<Record<string, readonly bigint[]>> = {
  "full words": FULL,
  "divisor of 3 limbs": [WORD - 5n, 2n ** 191n + 3n * 2n ** 70n + 1n, 2n ** 190n + 7n],
  "divisor of 1 limb": [WORD - 5n, 2n ** 63n + 9n, 2n ** 62n + 11n],
  "small words": [3n, 7n, 11n],
  "negative words": [WORD - 1000n, WORD - 77n, WORD - 13n],
};
const CODE_LIMIT = 20_000;

/** Repeats a body that leaves the stack as it was, as often as fits, in a loop. */
function loopOf(
  prelude: (writer: CodeWriter) => void,
  body: (writer: CodeWriter) => void,
  most = 400,
): Bytes {
  const writer = new CodeWriter();
  prelude(writer);
  writer.label("again");
  const start = writer.code.length;
  body(writer);
  const size = writer.code.length - start;
  const times = Math.max(1, Math.min(most, Math.floor(CODE_LIMIT / size)));
  for (let i = 1; i < times; i++) body(writer);
  return writer.pushLabel("again").emit(OP.JUMP).bytes();
}

function endless(
  name: string,
  prelude: (writer: CodeWriter) => void,
  body: (writer: CodeWriter) => void,
): GasCase {
  return { name, code: loopOf(prelude, body), input: new Uint8Array(2048).fill(0xa5) };
}

const nothing = (): void => {};

function pureCases(): GasCase[] {
  const arities: readonly (readonly [number, readonly number[]])[] = [
    [1, [0x15, 0x19, 0x1e, OP.CALLDATALOAD]],
    [
      2,
      [
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18,
        0x1a, 0x1b, 0x1c, 0x1d,
      ],
    ],
    [3, [0x08, 0x09]],
  ];
  return arities.flatMap(([arity, opcodes]) =>
    opcodes.flatMap((opcode) =>
      Object.entries(OPERANDS).map(([kind, words]) =>
        endless(
          `${describeOpcode(opcode)}, ${kind}`,
          (writer) => {
            for (let i = arity - 1; i >= 0; i--) writer.push(words[i]!);
          },
          (writer) => {
            for (let i = 0; i < arity; i++) writer.emit(OP.DUP1 + arity - 1);
            writer.emit(opcode, OP.POP);
          },
        ),
      ),
    ),
  );
}

function stackAndControlCases(): GasCase[] {
  const environment = [
    0x30,
    0x32,
    0x33,
    0x34,
    0x36,
    0x38,
    0x3a,
    0x3d,
    0x41,
    0x42,
    0x43,
    0x44,
    0x45,
    0x46,
    0x47,
    0x48,
    0x4a,
    OP.PC,
    OP.MSIZE,
    OP.GAS,
    OP.PUSH0,
  ];
  return [
    ...environment.map((opcode) =>
      endless(describeOpcode(opcode), nothing, (writer) => writer.emit(opcode, OP.POP)),
    ),
    endless("JUMPDEST", nothing, (writer) => writer.emit(OP.JUMPDEST)),
    endless("PUSH32", nothing, (writer) => writer.push(WORD).emit(OP.POP)),
    endless(
      "DUP16, SWAP16",
      (writer) => {
        for (let i = 0; i < 17; i++) writer.push(WORD - BigInt(i));
      },
      (writer) => writer.emit(OP.DUP1 + 15, OP.SWAP1 + 15, OP.POP),
    ),
    endless(
      "SWAP1",
      (writer) => writer.push(1).push(2),
      (writer) => writer.emit(OP.SWAP1),
    ),
    { ...endless("JUMP", nothing, nothing), code: jumps(false) },
    { ...endless("JUMPI", nothing, nothing), code: jumps(true) },
    { ...endless("JUMP, computed", nothing, nothing), code: computedJumps() },
    endless("BLOCKHASH", nothing, (writer) => writer.push(999).emit(0x40, OP.POP)),
    endless("BLOBHASH", nothing, (writer) => writer.push(0).emit(0x49, OP.POP)),
  ];
}

function jumps(conditional: boolean): Bytes {
  const writer = new CodeWriter().label("again");
  for (let i = 0; i < 2000; i++) {
    if (conditional) writer.push(1);
    writer
      .pushLabel(`l${i}`)
      .emit(conditional ? OP.JUMPI : OP.JUMP)
      .label(`l${i}`);
  }
  return writer.pushLabel("again").emit(OP.JUMP).bytes();
}

/** Functions' returns: the destination comes from the stack. */
function computedJumps(): Bytes {
  const writer = new CodeWriter().label("again");
  for (let i = 0; i < 1500; i++) writer.pushLabel(`l${i}`).pushLabel("function").emit(OP.JUMP).label(`l${i}`);
  return writer.pushLabel("again").emit(OP.JUMP).label("function").emit(OP.JUMP).bytes();
}

const SIZES = [0, 1, 32, 136, 1024, 16_384];

function memoryCases(): GasCase[] {
  const grown = (writer: CodeWriter): void => void writer.push(1).push(65_536).emit(OP.MSTORE);
  const copies = [OP.CALLDATACOPY, OP.CODECOPY, OP.MCOPY];
  return [
    endless("MLOAD", grown, (writer) => writer.push(33).emit(OP.MLOAD, OP.POP)),
    endless("MSTORE", grown, (writer) => writer.push(WORD).push(33).emit(OP.MSTORE)),
    endless("MSTORE8", grown, (writer) => writer.push(77).push(33).emit(OP.MSTORE8)),
    endless(
      "memory growth",
      (writer) => writer.push(0),
      (writer) => writer.push(32).emit(OP.ADD, OP.DUP1, OP.MLOAD, OP.POP),
    ),
    ...SIZES.flatMap((size) => [
      endless(`KECCAK256 of ${size}`, grown, (writer) =>
        writer.push(size).push(5).emit(OP.KECCAK256, OP.POP),
      ),
      ...copies.map((opcode) =>
        endless(`${describeOpcode(opcode)} of ${size}`, grown, (writer) =>
          writer.push(size).push(7).push(1).emit(opcode),
        ),
      ),
      endless(`EXTCODECOPY of ${size}, warm`, grown, (writer) =>
        writer.push(size).push(7).push(1).emit(0x30, OP.EXTCODECOPY),
      ),
      ...[0, 4].map((topics) =>
        endless(`LOG${topics} of ${size}`, grown, (writer) => {
          for (let i = 0; i < topics; i++) writer.push(WORD);
          writer
            .push(size)
            .push(0)
            .emit(OP.LOG0 + topics);
        }),
      ),
    ]),
  ];
}

/** Ends well after a number of rounds, which the gas allows. */
function counted(name: string, rounds: number, body: (writer: CodeWriter) => void): GasCase {
  const writer = new CodeWriter().push(rounds).label("again");
  body(writer);
  writer.push(1).emit(OP.SWAP1, OP.SUB, OP.DUP1).pushLabel("again").emit(OP.JUMPI, OP.STOP);
  return { name, code: writer.bytes(), input: EMPTY_BYTES };
}

const scattered = (writer: CodeWriter, first: bigint, factor: bigint): CodeWriter =>
  writer.emit(OP.DUP1).push(first).emit(OP.ADD).push(factor).emit(0x02);

/** Slots that nobody has written begin here. */
const FIRST_NEW = 10n ** 9n;

function stateCases(): GasCase[] {
  const subject = addressToWord(SUBJECT);
  return [
    endless("SLOAD, warm", nothing, (writer) => writer.push(SCATTER_SLOTS).emit(OP.SLOAD, OP.POP)),
    counted("SLOAD, cold, there", 2000, (writer) =>
      scattered(writer, 1n, SCATTER_SLOTS).emit(OP.SLOAD, OP.POP),
    ),
    counted("SLOAD, cold, absent", 2000, (writer) =>
      scattered(writer, FIRST_NEW, SCATTER_SLOTS).emit(OP.SLOAD, OP.POP),
    ),
    counted("SSTORE, cold, new", 220, (writer) =>
      scattered(writer.emit(OP.DUP1), FIRST_NEW, SCATTER_SLOTS).emit(OP.SSTORE),
    ),
    counted("SSTORE, cold, changed", 900, (writer) =>
      writer
        .push(WORD)
        .emit(OP.DUP1 + 1)
        .push(1)
        .emit(OP.ADD)
        .push(SCATTER_SLOTS)
        .emit(0x02, OP.SSTORE),
    ),
    endless("SSTORE, warm, changed again", nothing, (writer) =>
      writer.emit(OP.GAS).push(SCATTER_SLOTS).emit(OP.SSTORE),
    ),
    endless("TLOAD", nothing, (writer) => writer.push(5).emit(OP.TLOAD, OP.POP)),
    endless("TSTORE", nothing, (writer) => writer.push(7).push(5).emit(OP.TSTORE)),
    counted("TSTORE, new slots", 40_000, (writer) => writer.emit(OP.DUP1, OP.DUP1, OP.TSTORE)),
    endless("BALANCE, warm", nothing, (writer) => writer.emit(0x30, 0x31, OP.POP)),
    counted("BALANCE, cold", 1800, (writer) => scattered(writer, 1n, SCATTER_ACCOUNTS).emit(0x31, OP.POP)),
    counted("EXTCODEHASH, cold, absent", 1800, (writer) =>
      scattered(writer, FIRST_NEW, SCATTER_ACCOUNTS).emit(0x3f, OP.POP),
    ),
    counted("EXTCODESIZE, cold, 24 KB", 590, (writer) =>
      scattered(writer, FIRST_CONTRACT - 1n, SCATTER_ACCOUNTS).emit(0x3b, OP.POP),
    ),
    counted("EXTCODECOPY of 1, cold, 24 KB", 590, (writer) =>
      writer
        .push(1)
        .push(0)
        .push(0)
        .emit(OP.DUP1 + 3)
        .push(FIRST_CONTRACT - 1n)
        .emit(OP.ADD)
        .push(SCATTER_ACCOUNTS)
        .emit(0x02, OP.EXTCODECOPY),
    ),
    endless("SELFBALANCE", nothing, (writer) => writer.emit(0x47, OP.POP)),
    endless("EXTCODEHASH, warm", nothing, (writer) => writer.push(subject).emit(0x3f, OP.POP)),
  ];
}

/** Puts the operands of a call without input and output, and calls. */
function call(
  writer: CodeWriter,
  opcode: number,
  address: (writer: CodeWriter) => void,
  value: number | undefined,
): void {
  for (let i = 0; i < 4; i++) writer.emit(OP.PUSH0);
  if (value !== undefined) writer.push(value);
  address(writer);
  writer.emit(OP.GAS, opcode, OP.POP);
}

function callCases(): GasCase[] {
  const kinds = [
    [OP.CALL, 0],
    [OP.CALLCODE, 0],
    [OP.DELEGATECALL, undefined],
    [OP.STATICCALL, undefined],
  ] as const;
  return [
    ...kinds.map(([opcode, value]) =>
      endless(`${describeOpcode(opcode)}, warm, of nobody`, nothing, (writer) =>
        call(writer, opcode, (w) => void w.push(0xdead), value),
      ),
    ),
    ...kinds.map(([opcode, value]) => recursion(describeOpcode(opcode), opcode, value)),
    endless("CALL with value, warm", nothing, (writer) =>
      call(writer, OP.CALL, (w) => void w.push(0xdead), 1),
    ),
    counted("CALL, cold, new account with value", 130, (writer) => {
      for (let i = 0; i < 4; i++) writer.emit(OP.PUSH0);
      writer.push(1);
      writer
        .emit(OP.DUP1 + 5)
        .push(FIRST_NEW)
        .emit(OP.ADD)
        .push(SCATTER_ACCOUNTS)
        .emit(0x02);
      writer.push(0).emit(OP.CALL, OP.POP);
    }),
    ...kinds.flatMap(([opcode, value]) => [
      coldCalls(opcode, value, "24 KB of JUMPDEST", FIRST_CONTRACT),
      coldCalls(opcode, value, "24 KB of anything", FIRST_RANDOM_CONTRACT),
    ]),
    ...[0xdead, 2, 4].flatMap((address) =>
      [1024, 131_072].map((size) =>
        endless(
          `STATICCALL of ${address === 0xdead ? "nobody" : `precompile ${address} without gas`}, ${size} bytes of input`,
          (writer) => void writer.push(1).push(131_072).emit(OP.MSTORE),
          (writer) => {
            writer.emit(OP.PUSH0, OP.PUSH0).push(size).emit(OP.PUSH0).push(address);
            writer.emit(address === 0xdead ? OP.GAS : OP.PUSH0, OP.STATICCALL, OP.POP);
          },
        ),
      ),
    ),
    ...[0, 32, 1024, 49_152].flatMap((size) => [
      creation(`CREATE of ${size} bytes of JUMPDEST`, OP.CREATE, size),
      creation(`CREATE2 of ${size} bytes of JUMPDEST`, OP.CREATE2, size),
    ]),
  ];
}

function coldCalls(opcode: number, value: number | undefined, of: string, first: bigint): GasCase {
  return counted(`${describeOpcode(opcode)}, cold, of ${of}`, 590, (writer) => {
    for (let i = 0; i < 4; i++) writer.emit(OP.PUSH0);
    if (value !== undefined) writer.push(value);
    writer
      .emit(OP.DUP1 + (value === undefined ? 4 : 5))
      .push(first - 1n)
      .emit(OP.ADD);
    writer.push(SCATTER_ACCOUNTS).emit(0x02, OP.GAS, opcode, OP.POP);
  });
}

/** Calls itself as deep as the gas goes, again and again. */
function recursion(name: string, opcode: number, value: number | undefined): GasCase {
  const writer = new CodeWriter().label("again");
  call(writer, opcode, (w) => void w.emit(0x30), value);
  return {
    name: `${name}, warm, of itself`,
    code: writer.pushLabel("again").emit(OP.JUMP).bytes(),
    input: EMPTY_BYTES,
  };
}

function creation(name: string, opcode: number, size: number): GasCase {
  return endless(
    name,
    (writer) => {
      // Doubles what is there: memory full of JUMPDESTs.
      writer
        .push(BigInt(`0x${"5b".repeat(32)}`))
        .push(0)
        .emit(OP.MSTORE);
      for (let have = 32; have < size; have *= 2) writer.push(have).push(0).push(have).emit(OP.MCOPY);
      writer.push(0);
    },
    (writer) => {
      // Another salt each time: the counter below.
      writer.push(1).emit(OP.ADD);
      if (opcode === OP.CREATE2) writer.emit(OP.DUP1);
      writer.push(size).push(0).push(0).emit(opcode, OP.POP);
    },
  );
}

export function gasCases(): readonly GasCase[] {
  return [...pureCases(), ...stackAndControlCases(), ...memoryCases(), ...stateCases(), ...callCases()];
}
