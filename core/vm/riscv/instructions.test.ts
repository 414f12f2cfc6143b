import assert from "node:assert/strict";
import { test } from "node:test";
import type { Instruction, Operation } from "./instruction.ts";
import { DATA_ADDRESS, programFile } from "./testing/elf-file.ts";
import { ProgramWriter } from "./testing/program-writer.ts";
import { REFERENCE, runProgram, tiers } from "./testing/run-program.ts";

const ENGINES = [REFERENCE, tiers({ tiers: "tier0" }), tiers({ tiers: "tier1" })];
const DATA = 27;
const [A, B, RESULT] = [5, 6, 7];

const EDGES: readonly bigint[] = [
  0n,
  1n,
  -1n,
  2n,
  63n,
  64n,
  -7n,
  0x7fff_ffffn,
  0x8000_0000n,
  -0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x0123_4567_89ab_cdefn,
  -(2n ** 63n),
  2n ** 63n - 1n,
];
const PAIRS = EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const));

const mod = (value: bigint, bits: bigint): bigint => ((value % 2n ** bits) + 2n ** bits) % 2n ** bits;
const toSigned = (value: bigint, bits: bigint): bigint => {
  const low = mod(value, bits);
  return low >= 2n ** (bits - 1n) ? low - 2n ** bits : low;
};
const floorShift = (value: bigint, by: bigint): bigint => (value - mod(value, by)) / 2n ** by;
const u64 = (value: bigint): bigint => mod(value, 64n);
const u32 = (value: bigint): bigint => mod(value, 32n);
const s32 = (value: bigint): bigint => toSigned(value, 32n);
const bitwise = (a: bigint, b: bigint, rule: (x: string, y: string) => boolean): bigint => {
  const [x, y] = [a, b].map((value) => u64(value).toString(2).padStart(64, "0"));
  return BigInt(`0b${[...x!].map((digit, index) => (rule(digit, y![index]!) ? "1" : "0")).join("")}`);
};
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? -1n : a / b);
const rest = (a: bigint, b: bigint): bigint => (b === 0n ? a : a - b * (a / b));

/** What the manual says, on integers; the result is cut to 64 bits. */
const MODEL: Readonly<Partial<Record<Operation, (a: bigint, b: bigint) => bigint>>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a * 2n ** mod(b, 6n),
  slt: (a, b) => (a < b ? 1n : 0n),
  sltu: (a, b) => (u64(a) < u64(b) ? 1n : 0n),
  xor: (a, b) => bitwise(a, b, (x, y) => x !== y),
  or: (a, b) => bitwise(a, b, (x, y) => x === "1" || y === "1"),
  and: (a, b) => bitwise(a, b, (x, y) => x === "1" && y === "1"),
  srl: (a, b) => floorShift(u64(a), mod(b, 6n)),
  sra: (a, b) => floorShift(a, mod(b, 6n)),
  addw: (a, b) => s32(a + b),
  subw: (a, b) => s32(a - b),
  sllw: (a, b) => s32(a * 2n ** mod(b, 5n)),
  srlw: (a, b) => s32(floorShift(u32(a), mod(b, 5n))),
  sraw: (a, b) => floorShift(s32(a), mod(b, 5n)),
  mul: (a, b) => a * b,
  mulh: (a, b) => floorShift(a * b, 64n),
  mulhsu: (a, b) => floorShift(a * u64(b), 64n),
  mulhu: (a, b) => floorShift(u64(a) * u64(b), 64n),
  div: quotient,
  divu: (a, b) => quotient(u64(a), u64(b)),
  rem: rest,
  remu: (a, b) => rest(u64(a), u64(b)),
  mulw: (a, b) => s32(a * b),
  divw: (a, b) => s32(quotient(s32(a), s32(b))),
  divuw: (a, b) => s32(quotient(u32(a), u32(b))),
  remw: (a, b) => s32(rest(s32(a), s32(b))),
  remuw: (a, b) => s32(rest(u32(a), u32(b))),
};

const WITH_IMMEDIATE: Readonly<Partial<Record<Operation, Operation>>> = {
  addi: "add",
  slti: "slt",
  sltiu: "sltu",
  xori: "xor",
  ori: "or",
  andi: "and",
  addiw: "addw",
  slli: "sll",
  srli: "srl",
  srai: "sra",
  slliw: "sllw",
  srliw: "srlw",
  sraiw: "sraw",
};

/** Runs code in every engine, and gives the 64-bit numbers at the beginning of its data when it has ended. */
function run(write: (writer: ProgramWriter) => void, data: readonly bigint[], count: number): bigint[] {
  const writer = new ProgramWriter();
  writer.constant(DATA, DATA_ADDRESS);
  write(writer);
  writer.constant(10, DATA_ADDRESS);
  writer.constant(11, 8 * count);
  for (const number of [3, 4]) {
    writer.add("addi", { rd: 17, immediate: number });
    writer.add("ecall");
    writer.add("addi", { rd: 10 });
  }
  const bytes = new Uint8Array(8 * data.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of data.entries()) view.setBigInt64(8 * index, BigInt.asIntN(64, value), true);
  const file = programFile(writer.text(), bytes, Math.max(bytes.length, 8 * count));
  const results = ENGINES.map((engine) => {
    const { outcome } = runProgram(engine, file);
    assert.equal(outcome.status, "success", engine.name);
    const output = new DataView(outcome.output.buffer, outcome.output.byteOffset);
    return Array.from({ length: count }, (_, index) => output.getBigInt64(8 * index, true));
  });
  for (const other of results) assert.deepEqual(other, results[0]);
  return results[0]!;
}

function place(writer: ProgramWriter, index: number): void {
  writer.constant(DATA, DATA_ADDRESS + 8 * index);
}

test("operations on two registers give what the manual says", () => {
  for (const [operation, model] of Object.entries(MODEL)) {
    const results = run(
      (writer) => {
        for (const index of PAIRS.keys()) {
          place(writer, 2 * index);
          writer.add("ld", { rd: A, rs1: DATA });
          writer.add("ld", { rd: B, rs1: DATA, immediate: 8 });
          // In turn to another register, to the first operand's, and to the second's.
          const rd = [RESULT, A, B][index % 3]!;
          writer.add(operation as Operation, { rd, rs1: A, rs2: B });
          place(writer, index);
          writer.add("sd", { rs1: DATA, rs2: rd });
        }
      },
      PAIRS.flat(),
      PAIRS.length,
    );
    for (const [index, [a, b]] of PAIRS.entries()) {
      assert.equal(results[index], toSigned(model(a, b), 64n), `${operation} ${a} ${b}`);
    }
  }
});

test("operations with an immediate are those on registers", () => {
  for (const [operation, like] of Object.entries(WITH_IMMEDIATE)) {
    const isShift = operation.startsWith("s") && !operation.startsWith("slt");
    const immediates = isShift
      ? operation.endsWith("w")
        ? [0, 1, 31]
        : [0, 1, 32, 63]
      : [0, 1, -1, 2047, -2048];
    const cases = EDGES.flatMap((a) => immediates.map((immediate) => [a, immediate] as const));
    const results = run(
      (writer) => {
        for (const [index, [, immediate]] of cases.entries()) {
          place(writer, index);
          writer.add("ld", { rd: A, rs1: DATA });
          writer.add(operation as Operation, { rd: RESULT, rs1: A, immediate });
          writer.add("sd", { rs1: DATA, rs2: RESULT });
        }
      },
      cases.map(([a]) => a),
      cases.length,
    );
    for (const [index, [a, immediate]] of cases.entries()) {
      const expected = MODEL[like as Operation]!(a, BigInt(immediate));
      assert.equal(results[index], toSigned(expected, 64n), `${operation} ${a} ${immediate}`);
    }
  }
});

test("branches compare", () => {
  const model: Readonly<Partial<Record<Operation, (a: bigint, b: bigint) => boolean>>> = {
    beq: (a, b) => a === b,
    bne: (a, b) => a !== b,
    blt: (a, b) => a < b,
    bge: (a, b) => a >= b,
    bltu: (a, b) => u64(a) < u64(b),
    bgeu: (a, b) => u64(a) >= u64(b),
  };
  for (const [operation, compare] of Object.entries(model)) {
    const results = run(
      (writer) => {
        for (const index of PAIRS.keys()) {
          place(writer, 2 * index);
          writer.add("ld", { rd: A, rs1: DATA });
          writer.add("ld", { rd: B, rs1: DATA, immediate: 8 });
          writer.add("addi", { rd: RESULT, immediate: 1 });
          writer.add(operation as Operation, { rs1: A, rs2: B, immediate: 8 });
          writer.add("addi", { rd: RESULT });
          place(writer, index);
          writer.add("sd", { rs1: DATA, rs2: RESULT });
        }
      },
      PAIRS.flat(),
      PAIRS.length,
    );
    for (const [index, [a, b]] of PAIRS.entries()) {
      assert.equal(results[index], compare(a, b) ? 1n : 0n, `${operation} ${a} ${b}`);
    }
  }
});

test("loads extend and stores cut, at any alignment", () => {
  const loads = { lb: [8n, true], lbu: [8n, false], lh: [16n, true], lhu: [16n, false] } as const;
  const wide = { lw: [32n, true], lwu: [32n, false], ld: [64n, true] } as const;
  const bytes = 0xf1e2_d3c4_b5a6_9788n;
  const following = 0x8091_a2b3_c4d5_e6f7n;
  const both = bytes + (following << 64n);
  for (const [operation, [bits, isSigned]] of Object.entries({ ...loads, ...wide })) {
    const results = run(
      (writer) => {
        for (let offset = 0; offset < 8; offset++) {
          writer.add(operation as Operation, { rd: 8 + offset, rs1: DATA, immediate: offset });
        }
        for (let offset = 0; offset < 8; offset++) {
          writer.add("sd", { rs1: DATA, rs2: 8 + offset, immediate: 8 * offset });
        }
      },
      [bytes, following],
      8,
    );
    for (const [offset, value] of results.entries()) {
      const raw = mod(both >> BigInt(8 * offset), bits);
      assert.equal(value, isSigned ? toSigned(raw, bits) : raw, `${operation} at ${offset}`);
    }
  }
  for (const [operation, bits] of [
    ["sb", 8n],
    ["sh", 16n],
    ["sw", 32n],
    ["sd", 64n],
  ] as const) {
    for (const offset of [0, 1, 3, 7]) {
      const [low, high] = run(
        (writer) => {
          writer.add("ld", { rd: A, rs1: DATA, immediate: 16 });
          writer.add(operation, { rs1: DATA, rs2: A, immediate: offset });
        },
        [0n, 0n, bytes],
        2,
      );
      const stored = u64(low!) + (u64(high!) << 64n);
      assert.equal(stored, mod(bytes, bits) << BigInt(8 * offset), `${operation} at ${offset}`);
    }
  }
});

test("x0 stays zero, whatever writes it", () => {
  const [result] = run(
    (writer) => {
      writer.add("addi", { rd: 0, immediate: 5 });
      writer.add("lui", { rd: 0, immediate: 0x1000 });
      writer.add("ld", { rd: 0, rs1: DATA });
      writer.add("mulhu", { rd: 0, rs1: DATA, rs2: DATA });
      writer.add("sd", { rs1: DATA, rs2: 0 });
    },
    [-1n],
    1,
  );
  assert.equal(result, 0n);
});

test("JAL, JALR, LUI and AUIPC keep and make addresses", () => {
  const fields: Partial<Instruction> = { rd: A };
  const results = run(
    (writer) => {
      writer.add("auipc", fields);
      writer.add("auipc", { rd: B, immediate: -0x8000_0000 });
      writer.add("sub", { rd: B, rs1: B, rs2: A });
      writer.to("jal", "over", { rd: 8 });
      writer.add("illegal");
      writer.label("over");
      writer.add("sub", { rd: 8, rs1: 8, rs2: A });
      writer.address(9, "behind");
      writer.add("jalr", { rd: 9, rs1: 9, immediate: 1 });
      writer.add("illegal");
      writer.label("behind");
      writer.add("sub", { rd: 9, rs1: 9, rs2: A });
      writer.add("lui", { rd: A, immediate: -0x8000_0000 });
      for (const [index, register] of [A, B, 8, 9].entries()) {
        writer.add("sd", { rs1: DATA, rs2: register, immediate: 8 * index });
      }
    },
    [],
    4,
  );
  // The jumps stand 12 and 32 bytes behind the first AUIPC.
  assert.deepEqual(results, [-0x8000_0000n, -0x8000_0000n + 4n, 16n, 36n]);
});
