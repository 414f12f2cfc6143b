import type { Bytes } from "@ostrom/base";
import { createRiscvRunner, type TierOptions, validateRiscv } from "../../riscv/index.ts";
import { DATA_ADDRESS, programFile } from "../../riscv/testing/elf-file.ts";
import { assembleWords, encode } from "../../riscv/testing/encode.ts";
import { MAX_PROGRAM_PAGES, PAGE_SIZE, validationGas } from "../program-gas.ts";
import {
  benchProgram,
  type Calibration,
  leastCost,
  measureLoop,
  measureMessages,
  REPETITIONS,
} from "./measure-program.ts";

/** Registers: the count of rounds, two values, an address, and what an expression needs between. */
const [COUNT, X, Y, P, TEMPORARY, STEP, LIMIT] = [18, 19, 20, 21, 5, 22, 23];
const [A0, A1, A2, A7] = [10, 11, 12, 17];
const INPUT_COPY = 2;
const INPUT_SIZE = 1;
const EXIT = 4;
const MULTIPLIER = 0x2545_f495;
const LINE = 64;

type Loop = {
  readonly name: string;
  /** Words of one repetition. */
  readonly body: readonly number[];
  readonly before?: readonly number[];
  readonly dataSize?: number;
};

function constant(register: number, value: number): number[] {
  const low = (value << 20) >> 20;
  return [
    encode("lui", { rd: register, immediate: (value - low) | 0 }),
    encode("addi", { rd: register, rs1: register, immediate: low }),
  ];
}

function callHost(number: number): number[] {
  return [encode("addi", { rd: A7, immediate: number }), encode("ecall")];
}

function loopProgram({ body, before = [], dataSize = 4096 }: Loop): Bytes {
  const round = Array.from({ length: REPETITIONS }, () => body).flat();
  const words = [
    ...constant(A0, DATA_ADDRESS),
    encode("addi", { rd: A1 }),
    encode("addi", { rd: A2, immediate: 4 }),
    ...callHost(INPUT_COPY),
    ...constant(P, DATA_ADDRESS),
    encode("lw", { rd: COUNT, rs1: P }),
    ...constant(X, 0x1234_5678),
    ...constant(Y, 3),
    ...before,
  ];
  const back = -4 * (round.length + 1);
  words.push(...round, encode("addi", { rd: COUNT, rs1: COUNT, immediate: -1 }));
  words.push(encode("bne", { rs1: COUNT, immediate: back }), encode("addi", { rd: A0 }), ...callHost(EXIT));
  return programFile(assembleWords(words), new Uint8Array(), dataSize);
}

/** Lays a cycle through all cache lines from DATA_ADDRESS on: each holds the address of the next. */
function layCycle(lines: number): readonly number[] {
  const [line, next] = [X, Y];
  const body = [
    encode("mulw", { rd: next, rs1: line, rs2: STEP }),
    encode("addi", { rd: next, rs1: next, immediate: 0x339 }),
    encode("and", { rd: next, rs1: next, rs2: LIMIT }),
    encode("slli", { rd: next, rs1: next, immediate: 6 }),
    encode("add", { rd: next, rs1: next, rs2: P }),
    encode("slli", { rd: TEMPORARY, rs1: line, immediate: 6 }),
    encode("add", { rd: TEMPORARY, rs1: TEMPORARY, rs2: P }),
    encode("sd", { rs1: TEMPORARY, rs2: next }),
    encode("addi", { rd: line, rs1: line, immediate: 1 }),
  ];
  return [
    ...constant(STEP, MULTIPLIER),
    ...constant(LIMIT, lines - 1),
    encode("addi", { rd: X }),
    ...body,
    encode("bgeu", { rs1: LIMIT, rs2: line, immediate: -4 * body.length }),
    // What the first line held, the count of rounds, has been read.
  ];
}

function chase(name: string, bytes: number): Loop {
  return {
    name,
    before: layCycle(bytes / LINE),
    body: [encode("ld", { rd: P, rs1: P })],
    dataSize: bytes,
  };
}

const RANDOM = [
  encode("mul", { rd: X, rs1: X, rs2: STEP }),
  encode("addi", { rd: X, rs1: X, immediate: 0x339 }),
];

const LOOPS: readonly Loop[] = [
  { name: "simple: add", body: [encode("add", { rd: X, rs1: X, rs2: Y })] },
  { name: "simple: addw", body: [encode("addw", { rd: X, rs1: X, rs2: Y })] },
  { name: "simple: shift", body: [encode("sll", { rd: X, rs1: Y, rs2: X })] },
  { name: "simple: compare", body: [encode("slt", { rd: X, rs1: X, rs2: Y })] },
  { name: "load, in cache", body: [encode("ld", { rd: X, rs1: P })] },
  { name: "store, in cache", body: [encode("sd", { rs1: P, rs2: X })] },
  chase("load, 1 MiB at random", 2 ** 20),
  chase("load, 2 MiB at random", 2 ** 21),
  { name: "multiply", body: [encode("mul", { rd: X, rs1: X, rs2: Y })] },
  { name: "multiply, high", body: [encode("mulhu", { rd: X, rs1: X, rs2: Y })] },
  { name: "divide", body: [encode("divu", { rd: TEMPORARY, rs1: X, rs2: Y })] },
  { name: "remainder", body: [encode("rem", { rd: TEMPORARY, rs1: X, rs2: Y })] },
  { name: "branch, not taken", body: [encode("beq", { rs1: Y, immediate: 4 })] },
  { name: "jump", body: [encode("jal", { immediate: 4 })] },
  {
    name: "branch, unforeseeable",
    before: constant(STEP, MULTIPLIER),
    body: [
      ...RANDOM,
      encode("srli", { rd: TEMPORARY, rs1: X, immediate: 63 }),
      encode("beq", { rs1: TEMPORARY, immediate: 8 }),
      encode("addi", { rd: Y, rs1: Y, immediate: 1 }),
    ],
  },
  {
    name: "indirect jump",
    body: [encode("auipc", { rd: TEMPORARY }), encode("jalr", { rs1: TEMPORARY, immediate: 8 })],
  },
  {
    name: "indirect jump, unforeseeable",
    before: constant(STEP, MULTIPLIER),
    body: [
      ...RANDOM,
      encode("srli", { rd: TEMPORARY, rs1: X, immediate: 62 }),
      encode("slli", { rd: TEMPORARY, rs1: TEMPORARY, immediate: 2 }),
      encode("auipc", { rd: Y }),
      encode("add", { rd: Y, rs1: Y, rs2: TEMPORARY }),
      encode("jalr", { rs1: Y, immediate: 12 }),
      encode("addi", { rd: TEMPORARY }),
      encode("addi", { rd: TEMPORARY }),
      encode("addi", { rd: TEMPORARY }),
    ],
  },
  {
    name: "call and return",
    body: [
      encode("jal", { rd: 1, immediate: 8 }),
      encode("jal", { immediate: 8 }),
      encode("jalr", { rs1: 1 }),
    ],
  },
  { name: "host: input_size", body: callHost(INPUT_SIZE) },
];

/** Files that are dear to prepare for their size. */
function densePrograms(): readonly (readonly [string, Bytes])[] {
  const of = (words: number, word: number): Bytes =>
    loopProgram({ name: "", body: [], before: new Array<number>(words).fill(word) });
  return [
    ["arithmetic", of(12_000, encode("mul", { rd: X, rs1: X, rs2: Y }))],
    ["branches", of(12_000, encode("beq", { rs1: X, immediate: 4 }))],
  ];
}

const MESSAGES = 50;

/** What the classes of RISC-V's instructions, its entry, its loading and its validation take. */
export function calibrateRiscv(tiers: NonNullable<TierOptions["tiers"]>): Calibration[] {
  const dense = densePrograms();
  const label = `riscv ${tiers}`;
  return [
    ...LOOPS.map((loop) => {
      const run = benchProgram("riscv", loopProgram(loop), createRiscvRunner({ tiers }));
      return measureLoop(`${label}, ${loop.name}`, run);
    }),
    ...[PAGE_SIZE, (MAX_PROGRAM_PAGES - 2) * PAGE_SIZE].map((dataSize) => {
      const program = programFile(
        assembleWords([encode("addi", { rd: A0 }), ...callHost(EXIT)]),
        new Uint8Array(),
        dataSize,
      );
      const run = benchProgram("riscv", program, createRiscvRunner({ tiers }));
      return measureMessages(`${label}, entry with ${dataSize / PAGE_SIZE + 2} pages`, run, MESSAGES);
    }),
    ...dense.map(([name, program]) => {
      const runner = createRiscvRunner({ tiers });
      const runNew = (data: Bytes): number =>
        benchProgram("riscv", program, runner)(data.length < 4 ? ONE : data);
      return measureMessages(`${label}, first entry: ${name}, ${program.length} bytes`, runNew, 1);
    }),
    ...dense.map(([name, program]) => {
      const { ns } = leastCost(() => (validateRiscv(program.slice()).ok ? 1 : 0));
      const nanosecondsPerGas = ns / validationGas(program.length);
      return {
        name: `${label}, validation: ${name}`,
        nanosecondsPerGas,
        detail: `${(ns / program.length).toFixed(1)} ns a byte`,
      };
    }),
  ];
}

const ONE: Bytes = Uint8Array.of(1, 0, 0, 0);
