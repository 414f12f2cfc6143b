import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOpcode, instructionsOf } from "./instruction-set.ts";
import { assemble } from "./testing/assemble.ts";
import { runCode } from "./testing/run-code.ts";

test("Cancun and Prague have 149 instructions, Osaka adds CLZ", () => {
  const count = (fork: "cancun" | "prague" | "osaka"): number =>
    instructionsOf(fork).filter((instruction) => instruction !== undefined).length;
  assert.deepEqual([count("cancun"), count("prague"), count("osaka")], [149, 149, 150]);
});

test("opcodes are named, and numbers stand for those that do not exist", () => {
  assert.equal(describeOpcode(0x00), "STOP");
  assert.equal(describeOpcode(0x60), "PUSH1");
  assert.equal(describeOpcode(0x7f), "PUSH32");
  assert.equal(describeOpcode(0x8f), "DUP16");
  assert.equal(describeOpcode(0x9f), "SWAP16");
  assert.equal(describeOpcode(0xa4), "LOG4");
  assert.equal(describeOpcode(0x0c), "0x0c");
  assert.equal(describeOpcode(0x1e), "CLZ");
  assert.equal(describeOpcode(0x1e, "prague"), "0x1e");
});

test("an instruction of a later fork is invalid", () => {
  assert.equal(runCode(assemble(1n, "CLZ"), { fork: "prague" }).outcome.fault, "vm/invalid-opcode");
  assert.equal(runCode(assemble(1n, "CLZ"), { fork: "osaka" }).outcome.status, "success");
});

test("every instruction fails without its operands, and with no room for its result", () => {
  for (const instruction of instructionsOf("osaka")) {
    if (instruction === undefined) continue;
    const { opcode, name, pops, pushes } = instruction;
    if (pops > 0) {
      const code = Uint8Array.of(...new Array<number>(pops - 1).fill(0x5f), opcode);
      assert.equal(runCode(code).outcome.fault, "vm/stack-underflow", name);
    }
    if (pushes > pops) {
      const code = Uint8Array.of(
        ...new Array<number>(1024).fill(0x5f),
        opcode,
        ...new Array<number>(32).fill(0),
      );
      assert.equal(runCode(code).outcome.fault, "vm/stack-overflow", name);
    }
  }
});
