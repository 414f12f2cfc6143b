import { type Bytes, createRandom, type Random } from "@ostrom/base";
import { A0, A7, RA, SP } from "../../riscv/instruction.ts";
import { elfFile, TEXT_ADDRESS } from "../../riscv/testing/elf-file.ts";
import { ProgramWriter } from "../../riscv/testing/program-writer.ts";
import type { ProgramShape } from "./hostile-webassembly.ts";

/** ELF files that ask a compiler for as much as their bytes can. */

const HEADERS = 64 + 56;
/** Branches reach 4 KiB, JAL a mebibyte. */
const BRANCH_REACH = 1000;

/** A file whose constructor does nothing, and whose text is what is written, from where every call begins. */
function file(
  bytes: number,
  write: (writer: ProgramWriter, room: () => boolean, random: Random) => void,
): Bytes {
  const writer = new ProgramWriter();
  const size = bytes - HEADERS - 64;
  writer.to("beq", "begin", { rs1: A0 });
  exit(writer);
  writer.label("begin");
  write(writer, () => writer.size < size, createRandom(bytes));
  return elfFile(TEXT_ADDRESS, [{ address: TEXT_ADDRESS, bytes: writer.text(), flags: 5 }]);
}

function exit(writer: ProgramWriter): void {
  writer.add("addi", { rd: A0 });
  writer.add("addi", { rd: A7, immediate: 4 });
  writer.add("ecall");
}

/** Conditional branches to places nearby, before and behind, at random: no loops that anybody could name. */
function denseBranches(bytes: number, backward: boolean): Bytes {
  return file(bytes, (writer, room, random) => {
    for (let index = 0; room(); index++) {
      writer.label(`b${index}`);
      const distance = random.below(BRANCH_REACH) - (backward ? BRANCH_REACH >> 1 : -1);
      const operation = (["beq", "bne", "blt", "bgeu"] as const)[index & 3]!;
      writer.to(operation, `b${Math.max(0, index + distance)}`, { rs1: 5 + (index % 8), rs2: 10 });
    }
    exit(writer);
  });
}

function repeatedWords(bytes: number, write: (writer: ProgramWriter, index: number) => void): Bytes {
  return file(bytes, (writer, room) => {
    for (let index = 0; room(); index++) write(writer, index);
    exit(writer);
  });
}

/** Functions of two instructions, each called once. */
function tinyFunctions(bytes: number): Bytes {
  return file(bytes, (writer) => {
    const count = Math.floor((bytes - HEADERS - 100) / 12);
    for (let index = 0; index < count; index++) writer.to("jal", `f${index}`, { rd: RA });
    exit(writer);
    for (let index = 0; index < count; index++) {
      writer.label(`f${index}`);
      writer.add("addi", { rd: 5, rs1: 5, immediate: 1 });
      writer.add("jalr", { rs1: RA });
    }
  });
}

/** Functions that all jump to one end of many instructions: it belongs to each. */
function sharedEnd(bytes: number): Bytes {
  return file(bytes, (writer, room) => {
    const count = Math.floor(bytes / 24);
    for (let index = 0; index < count; index++) writer.to("jal", `f${index}`, { rd: RA });
    exit(writer);
    for (let index = 0; index < count; index++) {
      writer.label(`f${index}`);
      writer.to("jal", "end");
    }
    writer.label("end");
    while (room()) writer.add("add", { rd: 5, rs1: 6, rs2: 5 });
    writer.add("jalr", { rs1: RA });
  });
}

/** Each function calls the next one twice and uses all registers. */
function callTree(bytes: number): Bytes {
  return file(bytes, (writer, room) => {
    for (let index = 0; room(); index++) {
      writer.label(`f${index}`);
      for (let register = 5; register < 32; register++)
        writer.add("addi", { rd: register, rs1: register, immediate: 1 });
      writer.add("addi", { rd: SP, rs1: SP, immediate: -16 });
      writer.add("sd", { rs1: SP, rs2: RA });
      for (let call = 0; call < 2; call++) writer.to("jal", `f${index + 1}`, { rd: RA });
      writer.add("ld", { rd: RA, rs1: SP });
      writer.add("addi", { rd: SP, rs1: SP, immediate: 16 });
      writer.add("jalr", { rs1: RA });
    }
    exit(writer);
  });
}

/** A table of addresses of code that jumps are computed from, and such a jump for every few of them. */
function jumpTables(bytes: number): Bytes {
  return file(bytes, (writer, room) => {
    let index = 0;
    while (room()) {
      writer.label(`c${index}`);
      writer.address(28, `t${index >> 6}`);
      writer.add("lw", { rd: 29, rs1: 28, immediate: 4 * (index % 60) });
      writer.add("jalr", { rs1: 29 });
      if (++index % 64 !== 0) continue;
      writer.label(`t${(index >> 6) - 1}`);
      for (let entry = 64; entry > 0; entry--) writer.addressWord(`c${index - entry}`);
    }
  });
}

/** Halves that begin an instruction of four bytes wherever one begins to read: two programs in the same bytes, which meet. */
function overlapping(bytes: number): Bytes {
  return file(bytes, (writer, room, random) => {
    while (room()) {
      switch (random.below(6)) {
        case 0:
          writer.half(0x0001);
          break;
        case 1:
          // c.j, c.beqz: with offsets at random.
          writer.half(0xa001 | (random.below(0x800) << 2));
          break;
        case 2:
          writer.half(0xc001 | (random.below(0x800) << 2));
          break;
        default:
          // ADDI or a branch whose upper half reads as the beginning of another.
          writer.half(random.chance(1, 2) ? 0x0293 : 0x0063);
          writer.half((random.below(0x4000) << 2) | 3);
      }
    }
  });
}

export const RISCV_BOMBS: readonly ProgramShape[] = [
  { name: "branches ahead", make: (bytes) => denseBranches(bytes, false) },
  { name: "branches ahead and back", make: (bytes) => denseBranches(bytes, true) },
  {
    name: "computed jumps alone",
    make: (bytes) =>
      repeatedWords(bytes, (writer, index) => writer.add("jalr", { rd: index & 1, rs1: 5 + (index % 20) })),
  },
  {
    name: "returns alone",
    make: (bytes) => repeatedWords(bytes, (writer) => writer.add("jalr", { rs1: RA })),
  },
  {
    name: "calls of where the program stands",
    make: (bytes) =>
      repeatedWords(bytes, (writer, index) => {
        writer.label(`h${index}`);
        writer.to("jal", `h${index + 1}`, { rd: RA });
      }),
  },
  {
    name: "upper halves of products",
    make: (bytes) =>
      repeatedWords(bytes, (writer, index) =>
        writer.add("mulhsu", { rd: 5 + (index % 20), rs1: 6 + (index % 17), rs2: 7 }),
      ),
  },
  {
    name: "divisions",
    make: (bytes) =>
      repeatedWords(bytes, (writer, index) =>
        writer.add("div", { rd: 5 + (index % 20), rs1: 6 + (index % 17), rs2: 7 }),
      ),
  },
  { name: "host calls", make: (bytes) => repeatedWords(bytes, (writer) => writer.add("ecall")) },
  {
    name: "stores",
    make: (bytes) => repeatedWords(bytes, (writer) => writer.add("sd", { rs1: SP, rs2: 5, immediate: -8 })),
  },
  { name: "functions of two instructions", make: tinyFunctions },
  { name: "an end that all functions share", make: sharedEnd },
  { name: "a tree of calls", make: callTree },
  { name: "tables of jumps", make: jumpTables },
  { name: "two programs in the same bytes", make: overlapping },
  { name: "nothing but zeros", make: (bytes) => repeatedWords(bytes, (writer) => writer.word(0)) },
];
