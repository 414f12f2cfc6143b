import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, must } from "@ostrom/base";
import { RISCV_BOMBS } from "../engine/testing/hostile-riscv.ts";
import { emitProgram } from "./compile-program.ts";
import { readElf } from "./elf.ts";
import type { Instruction } from "./instruction.ts";
import { recoverFunctions } from "./recover-functions.ts";
import { elfFile, TEXT_ADDRESS } from "./testing/elf-file.ts";
import { Text } from "./text.ts";

/** Instructions that are looked at, and blocks, entries of tables and instructions that come of it, for each byte of a file. */
const MAX_WORK_PER_BYTE = 8;
const SIZES = [49_000, 200_000, 786_000];

/** Counts how often an instruction is looked at. */
class CountingText extends Text {
  looks = 0;

  override at(pc: number): Instruction {
    this.looks++;
    return super.at(pc);
  }
}

function imageOf(file: Bytes): ReturnType<typeof textOf>["image"] {
  return textOf(file).image;
}

function textOf(file: Bytes): CountingText {
  const image = readElf(file);
  assert.ok(image.ok);
  return new CountingText(image.value);
}

/** What the recovery of a file's functions looks at and makes. */
function workOf(file: Bytes): number {
  const text = textOf(file);
  const { functions } = recoverFunctions(text);
  let work = text.looks;
  for (const { blocks } of functions) {
    work += blocks.length;
    for (const { instructions, successors } of blocks) work += instructions.length + successors.length;
  }
  return work;
}

/** Computed jumps and nothing else, each a target of all others of its function: two bytes of text and four of a table each.
 * @param jumps of a function. */
function jumpsToAllJumps(bytes: number, jumps: number): Bytes {
  const count = Math.floor((bytes - 200) / 6);
  const text = new Uint8Array(2 * count);
  const halves = new DataView(text.buffer);
  const table = new Uint8Array(4 * count);
  const words = new DataView(table.buffer);
  for (let index = 0; index < count; index++) {
    // C.JR a0.
    halves.setUint16(2 * index, 0x8502, true);
    words.setUint32(4 * index, TEXT_ADDRESS + 2 * index, true);
  }
  const entries: number[] = [];
  for (let at = 0; at < count; at += jumps) entries.push(at);
  const calls = new Uint8Array(4 * entries.length);
  const end = TEXT_ADDRESS + 2 * count;
  entries.forEach((at, index) => {
    const offset = 2 * at - (2 * count + 4 * index);
    const bits =
      ((offset >> 20) & 1) * 2 ** 31 + (((offset >> 1) & 0x3ff) << 21) + (((offset >> 11) & 1) << 20);
    new DataView(calls.buffer).setUint32(4 * index, bits + (offset & 0xff000) + 0xef, true);
  });
  return elfFile(end, [
    { address: TEXT_ADDRESS, bytes: concatBytes(text, calls), flags: 5 },
    { address: 0x10_0000, bytes: table, flags: 6 },
  ]);
}

for (const { name, make } of [
  ...RISCV_BOMBS,
  { name: "jumps to all jumps", make: (bytes: number) => jumpsToAllJumps(bytes, 4000) },
  { name: "few jumps to all jumps of the function", make: (bytes: number) => jumpsToAllJumps(bytes, 100) },
]) {
  test(`what compiling looks at is linear in the file: ${name}`, (context) => {
    const perByte = SIZES.map((size) => {
      const file = make(size);
      return workOf(file) / file.length;
    });
    context.diagnostic(perByte.map((work) => work.toFixed(1)).join(", "));
    for (const work of perByte) assert.ok(work <= MAX_WORK_PER_BYTE, `${work} a byte`);
  });
}

test("what little of a hostile program is compiled does not grow beyond what is looked at", () => {
  const { make } = must(
    RISCV_BOMBS.find(({ name }) => name === "an end that all functions share"),
    "it is a case",
  );
  const emitted = must(emitProgram(imageOf(make(SIZES[0]!))), "some functions are compiled");
  assert.ok(emitted.bytes.length < 40 * SIZES[0]!, String(emitted.bytes.length));
});
