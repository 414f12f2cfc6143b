// Runs a program that recurses as deep as its stack allows, and prints what it leaves: the same under all of V8's compilers.
import { A0, RA, SP } from "../instruction.ts";
import { elfFile } from "./elf-file.ts";
import { ProgramWriter } from "./program-writer.ts";
import { observe, REFERENCE, tiers } from "./run-program.ts";

const HIGH_ADDRESS = 0x4_0000;
const DEPTH = 8000;

/** sum(n) = n + sum(n - 1), with two words of stack for each. */
export function deepProgram(depth: number): Uint8Array {
  const writer = new ProgramWriter(HIGH_ADDRESS);
  writer.constant(A0, depth);
  writer.to("jal", "sum", { rd: RA });
  writer.add("sd", { rs1: SP, rs2: A0, immediate: -8 });
  writer.add("addi", { rd: A0, rs1: SP, immediate: -8 });
  writer.add("addi", { rd: 11, immediate: 8 });
  writer.add("addi", { rd: 17, immediate: 3 });
  writer.add("ecall");
  writer.add("addi", { rd: A0 });
  writer.add("addi", { rd: 17, immediate: 4 });
  writer.add("ecall");
  writer.label("sum");
  writer.to("beq", "end", { rs1: A0 });
  writer.add("addi", { rd: SP, rs1: SP, immediate: -16 });
  writer.add("sd", { rs1: SP, rs2: RA });
  writer.add("sd", { rs1: SP, rs2: A0, immediate: 8 });
  writer.add("addi", { rd: A0, rs1: A0, immediate: -1 });
  writer.to("jal", "sum", { rd: RA });
  writer.add("ld", { rd: 5, rs1: SP, immediate: 8 });
  writer.add("add", { rd: A0, rs1: A0, rs2: 5 });
  writer.add("ld", { rd: RA, rs1: SP });
  writer.add("addi", { rd: SP, rs1: SP, immediate: 16 });
  writer.label("end");
  writer.add("jalr", { rs1: RA });
  return elfFile(HIGH_ADDRESS, [{ address: HIGH_ADDRESS, bytes: writer.text(), flags: 5 }]);
}

if (import.meta.main) {
  for (const depth of [DEPTH, HIGH_ADDRESS]) {
    const file = deepProgram(depth);
    const expected = observe(REFERENCE, file);
    for (const kind of ["tier0", "tier1"] as const) {
      const actual = observe(tiers({ tiers: kind }), file);
      process.stdout.write(`${depth} ${kind} ${actual === expected} ${actual}\n`);
    }
  }
}
