import { type Bytes, createRandom, type Random } from "@ostrom/base";
import { HOST_CALLS } from "../../contract-host/host-calls.ts";
import { decodeCompressed } from "../decode-compressed.ts";
import { A0, A7, type Operation, RA, SP } from "../instruction.ts";
import { DATA_ADDRESS, elfFile, programFile, TEXT_ADDRESS } from "./elf-file.ts";
import { ProgramWriter } from "./program-writer.ts";

const COUNTER = 26;
const DATA = 27;
const DATA_SIZE = 1024;
/** Registers that random instructions write: not those that calls, loops and addresses need. */
const FREE = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 28, 29, 30, 31];
const BINARY: readonly Operation[] = [
  ...(["add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and"] as const),
  ...(["addw", "subw", "sllw", "srlw", "sraw", "mul", "mulh", "mulhsu", "mulhu", "mulw"] as const),
  ...(["div", "divu", "rem", "remu", "divw", "divuw", "remw", "remuw"] as const),
];
const IMMEDIATE: readonly Operation[] = ["addi", "slti", "sltiu", "xori", "ori", "andi", "addiw"];
const SHIFTS: readonly Operation[] = ["slli", "srli", "srai"];
const WORD_SHIFTS: readonly Operation[] = ["slliw", "srliw", "sraiw"];
const LOADS: readonly Operation[] = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];
const STORES: readonly Operation[] = ["sb", "sh", "sw", "sd"];
const BRANCHES: readonly Operation[] = ["beq", "bne", "blt", "bge", "bltu", "bgeu"];
/** Values at which arithmetic is special. */
const EDGES = [0, 1, -1, 2, 31, 32, 63, 0x7fff_ffff, -0x8000_0000, 0xffff, -2048];
/** Host calls that need nothing but memory. */
const HARMLESS = [
  "input_size",
  "gas_left",
  "address",
  "caller",
  "value",
  "keccak256",
  "u256_mul",
  "memory_grow",
];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

/** A program that mostly does what it looks like: functions that call later ones, loops that end, tables of jumps, host calls;
 * in the end it outputs its registers and its data. Now and then a call returns elsewhere, or a jump goes astray. */
export function randomProgram(seed: number): Bytes {
  return new RandomProgram(createRandom(seed)).make();
}

class RandomProgram {
  readonly #random: Random;
  readonly #writer = new ProgramWriter();
  readonly #functions: number;
  #labels = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#functions = 1 + random.below(5);
  }

  make(): Bytes {
    const writer = this.#writer;
    writer.constant(DATA, DATA_ADDRESS);
    for (const register of FREE) {
      const value = this.#random.chance(1, 3) ? pick(this.#random, EDGES) : this.#random.nextUint32() | 0;
      writer.constant(register, value);
      if (this.#random.chance(1, 3))
        writer.add("slli", { rd: register, rs1: register, immediate: this.#random.below(40) });
    }
    this.#body(0, 0);
    if (this.#random.chance(1, 2)) writer.to("jal", "f1", { rd: RA });
    this.#finish();
    for (let index = 1; index <= this.#functions; index++) this.#function(index);
    return programFile(writer.text(), this.#random.bytes(DATA_SIZE));
  }

  /** Outputs registers and data, and exits. */
  #finish(): void {
    const writer = this.#writer;
    for (let register = 1; register < 32; register++) {
      if (register !== DATA) writer.add("sd", { rs1: DATA, rs2: register, immediate: 8 * register });
    }
    writer.add("addi", { rd: A0, rs1: DATA });
    writer.add("addi", { rd: A0 + 1, immediate: DATA_SIZE });
    writer.add("addi", { rd: A7, immediate: 3 });
    writer.add("ecall");
    writer.add("addi", { rd: A0, immediate: this.#random.chance(1, 4) ? 1 : 0 });
    writer.add("addi", { rd: A7, immediate: 4 });
    writer.add("ecall");
  }

  #function(index: number): void {
    const writer = this.#writer;
    const random = this.#random;
    writer.label(`f${index}`);
    writer.add("addi", { rd: SP, rs1: SP, immediate: -32 });
    writer.add("sd", { rs1: SP, rs2: RA, immediate: 0 });
    writer.add("sd", { rs1: SP, rs2: COUNTER, immediate: 8 });
    this.#body(index, 0);
    writer.add("ld", { rd: RA, rs1: SP, immediate: 0 });
    writer.add("ld", { rd: COUNTER, rs1: SP, immediate: 8 });
    writer.add("addi", { rd: SP, rs1: SP, immediate: 32 });
    if (random.chance(1, 20)) writer.add("addi", { rd: RA, rs1: RA, immediate: pick(random, [1, 2, 4, -4]) });
    if (index < this.#functions && random.chance(1, 8)) writer.to("jal", `f${this.#later(index)}`);
    else writer.add("jalr", { rs1: RA });
  }

  #later(index: number): number {
    return index + 1 + this.#random.below(this.#functions - index);
  }

  #body(index: number, depth: number): void {
    const count = 1 + this.#random.below(12);
    for (let i = 0; i < count; i++) this.#statement(index, depth);
  }

  #statement(index: number, depth: number): void {
    const random = this.#random;
    const kind = random.below(depth < 2 ? 14 : 9);
    if (kind < 6) this.#arithmetic();
    else if (kind < 8) this.#access();
    else if (kind === 8) this.#hostCall();
    else if (kind === 9) this.#loop(index, depth);
    else if (kind === 10) this.#table(index, depth);
    else if (kind === 11 && index < this.#functions) this.#call(index);
    else this.#condition(index, depth);
  }

  #arithmetic(): void {
    const random = this.#random;
    const writer = this.#writer;
    const fields = {
      rd: pick(random, FREE),
      rs1: pick(random, FREE),
      rs2: random.chance(1, 10) ? 0 : pick(random, FREE),
    };
    switch (random.below(7)) {
      case 0:
        writer.add(pick(random, IMMEDIATE), { ...fields, immediate: random.below(4096) - 2048 });
        return;
      case 1:
        writer.add(pick(random, SHIFTS), { ...fields, immediate: random.below(64) });
        return;
      case 2:
        writer.add(pick(random, WORD_SHIFTS), { ...fields, immediate: random.below(32) });
        return;
      case 3:
        writer.add(pick(random, ["lui", "auipc"]), {
          rd: fields.rd,
          immediate: random.nextUint32() & ~0xfff,
        });
        return;
      case 4:
        this.#compressed();
        return;
      case 5:
        writer.add("slli", { rd: fields.rd, rs1: fields.rs1, immediate: 32 });
        writer.add("srli", { rd: fields.rd, rs1: fields.rd, immediate: random.below(40) });
        return;
      default:
        writer.add(pick(random, BINARY), fields);
    }
  }

  /** One that writes a free register and nothing else. */
  #compressed(): void {
    for (let tries = 0; tries < 50; tries++) {
      const half = this.#random.below(0x1_0000);
      if ((half & 3) === 3) continue;
      const { operation, rd, rs1 } = decodeCompressed(half);
      const isArithmetic =
        FREE.includes(rd) && rs1 !== SP && !LOADS.includes(operation) && operation !== "jalr";
      if (!isArithmetic || operation === "jal" || operation === "illegal") continue;
      this.#writer.half(half);
      return;
    }
  }

  #access(): void {
    const random = this.#random;
    const writer = this.#writer;
    const immediate = random.below(DATA_SIZE - 8);
    let base = DATA;
    let offset = immediate;
    if (random.chance(1, 3)) {
      // The upper half of a base does not count.
      base = pick(random, FREE);
      offset = random.below(32) - 16;
      writer.add("addi", { rd: base, immediate: -1 });
      writer.add("slli", { rd: base, rs1: base, immediate: 32 + random.below(8) });
      writer.add("add", { rd: base, rs1: base, rs2: DATA });
      writer.add("addi", { rd: base, rs1: base, immediate: 16 + (immediate >> 1) });
    }
    if (random.chance(1, 2))
      writer.add(pick(random, LOADS), { rd: pick(random, [...FREE, 0]), rs1: base, immediate: offset });
    else writer.add(pick(random, STORES), { rs1: base, rs2: pick(random, FREE), immediate: offset });
  }

  #hostCall(): void {
    const random = this.#random;
    const writer = this.#writer;
    const name = pick(random, HARMLESS);
    const call = HOST_CALLS.find((one) => one.name === name)!;
    for (const [index, parameter] of call.parameters.entries()) {
      const register = A0 + index;
      if (parameter.name === "size") writer.add("addi", { rd: register, immediate: random.below(100) });
      else if (parameter.name === "pages") writer.add("addi", { rd: register, immediate: random.below(3) });
      else writer.add("addi", { rd: register, rs1: DATA, immediate: random.below(DATA_SIZE - 200) });
    }
    writer.add("addi", { rd: A7, immediate: call.number });
    writer.add("ecall");
  }

  #label(): string {
    return `l${this.#labels++}`;
  }

  #loop(index: number, depth: number): void {
    const writer = this.#writer;
    const label = this.#label();
    if (depth > 0) {
      this.#body(index, depth + 1);
      return;
    }
    writer.add("addi", { rd: COUNTER, immediate: 1 + this.#random.below(6) });
    writer.label(label);
    this.#body(index, depth + 1);
    writer.add("addi", { rd: COUNTER, rs1: COUNTER, immediate: -1 });
    writer.to("bne", label, { rs1: COUNTER });
  }

  #condition(index: number, depth: number): void {
    const random = this.#random;
    const label = this.#label();
    this.#writer.to(pick(random, BRANCHES), label, {
      rs1: pick(random, FREE),
      rs2: pick(random, [...FREE, 0]),
    });
    this.#body(index, depth + 1);
    this.#writer.label(label);
  }

  #call(index: number): void {
    const random = this.#random;
    const writer = this.#writer;
    const name = `f${this.#later(index)}`;
    if (random.chance(2, 3)) {
      writer.to("jal", name, { rd: random.chance(1, 12) ? 5 : RA });
      return;
    }
    const register = pick(random, FREE);
    writer.address(register, name);
    writer.add("jalr", {
      rd: RA,
      rs1: register,
      immediate: random.chance(1, 15) ? pick(random, [1, 4, 8]) : 0,
    });
  }

  /** A switch of four cases. */
  #table(index: number, depth: number): void {
    const random = this.#random;
    const writer = this.#writer;
    const [table, end] = [this.#label(), this.#label()];
    const cases = Array.from({ length: 4 }, () => this.#label());
    const [chosen, base] = [28, 29];
    writer.add("andi", { rd: chosen, rs1: pick(random, FREE), immediate: 3 });
    writer.add("slli", { rd: chosen, rs1: chosen, immediate: 2 });
    writer.address(base, table);
    writer.add("add", { rd: base, rs1: base, rs2: chosen });
    writer.add("lw", { rd: base, rs1: base });
    writer.add("jalr", { rs1: base });
    writer.align();
    writer.label(table);
    for (const label of cases) writer.addressWord(label);
    for (const label of cases) {
      writer.label(label);
      this.#body(index, depth + 1);
      writer.to("jal", end);
    }
    writer.label(end);
  }
}

/** A program that may do anything: words and halves at random among plausible instructions, jumps to anywhere. */
export function hostileProgram(seed: number): Bytes {
  const random = createRandom(seed);
  const writer = new ProgramWriter();
  writer.constant(DATA, DATA_ADDRESS);
  writer.constant(SP, random.chance(1, 2) ? TEXT_ADDRESS : random.nextUint32() | 0);
  const count = 20 + random.below(150);
  const any = (): number => random.below(32);
  for (let i = 0; i < count; i++) {
    if (random.chance(1, 12)) writer.label(`l${random.below(8)}`);
    const label = `l${random.below(8)}`;
    switch (random.below(12)) {
      case 0:
        writer.word(random.nextUint32());
        break;
      case 1:
        writer.half(random.below(0x1_0000));
        break;
      case 2:
        writer.to("jal", label, { rd: pick(random, [0, 0, RA, RA, 5]) });
        break;
      case 3:
      case 4:
        writer.to(pick(random, BRANCHES), label, { rs1: any(), rs2: any() });
        break;
      case 5:
        writer.address(any(), label);
        break;
      case 6:
        writer.add("jalr", {
          rd: pick(random, [0, 0, RA, 5]),
          rs1: pick(random, [RA, RA, 5, any()]),
          immediate: random.below(8),
        });
        break;
      case 7:
        writer.add(pick(random, LOADS), {
          rd: any(),
          rs1: pick(random, [DATA, SP, any()]),
          immediate: random.below(64) - 32,
        });
        break;
      case 8:
        writer.add(pick(random, STORES), {
          rs1: pick(random, [DATA, SP]),
          rs2: any(),
          immediate: random.below(64) - 32,
        });
        break;
      case 9:
        writer.add("addi", { rd: A7, immediate: pick(random, HOST_CALLS).number });
        writer.add("ecall");
        break;
      default:
        writer.add(pick(random, BINARY), { rd: any(), rs1: any(), rs2: any() });
    }
  }
  return elfFile(TEXT_ADDRESS + 2 * random.below(4), [
    { address: TEXT_ADDRESS, bytes: writer.text(), flags: 5 },
    { address: DATA_ADDRESS, bytes: random.bytes(DATA_SIZE), flags: 6 },
  ]);
}
