import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { type Bytes, concatBytes, must } from "@ostrom/base";
import { HOST_CALLS, type HostCallName } from "../contract-host/host-calls.ts";
import { MAX_PROGRAM_PAGES } from "../contract-host/program-gas.ts";
import { NodeFault } from "../runtime/webassembly.ts";
import { CONTRACT, OTHER } from "../testing/run-code.ts";
import { compileRiscv, createRiscvRunner } from "./index.ts";
import { A0, A7, RA, SP } from "./instruction.ts";
import { difference, riscvTiers } from "./testing/compare-engines.ts";
import { DATA_ADDRESS, elfFile, programFile, TEXT_ADDRESS } from "./testing/elf-file.ts";
import { ProgramWriter } from "./testing/program-writer.ts";
import {
  observe,
  type ProgramEngine,
  type ProgramRun,
  REFERENCE,
  runProgram,
  tiers,
} from "./testing/run-program.ts";

const ENGINES = [REFERENCE, tiers({ tiers: "tier0" }), tiers({ tiers: "tier1" })];
const [T0, T1, DATA] = [5, 6, 27];
const RANDOM_PROGRAMS = 60;

function callHost(writer: ProgramWriter, name: HostCallName): void {
  const { number } = must(
    HOST_CALLS.find((call) => call.name === name),
    "it is a host call",
  );
  writer.add("addi", { rd: A7, immediate: number });
  writer.add("ecall");
}

/** Outputs what lies at the beginning of the data, and exits. */
function finish(writer: ProgramWriter, bytes: number): void {
  writer.constant(A0, DATA_ADDRESS);
  writer.add("addi", { rd: A0 + 1, immediate: bytes });
  callHost(writer, "output");
  writer.add("addi", { rd: A0 });
  callHost(writer, "exit");
}

function program(write: (writer: ProgramWriter) => void, data: Bytes = new Uint8Array(256)): Bytes {
  const writer = new ProgramWriter();
  writer.constant(DATA, DATA_ADDRESS);
  write(writer);
  return programFile(writer.text(), data);
}

/** Runs in every engine, which must agree. @returns what the message returned, or how it failed. */
function result(file: Bytes, run: ProgramRun = {}): Bytes | string {
  const expected = observe(REFERENCE, file, run);
  for (const engine of ENGINES) assert.equal(observe(engine, file, run), expected, engine.name);
  const { outcome } = runProgram(REFERENCE, file, run);
  return outcome.status === "success" ? outcome.output : (outcome.fault ?? outcome.status);
}

function longs(bytes: Bytes | string): bigint[] {
  assert.ok(typeof bytes !== "string", String(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigInt64(8 * index, true));
}

function storeAll(writer: ProgramWriter, registers: readonly number[]): void {
  for (const [index, register] of registers.entries()) {
    writer.add("sd", { rs1: DATA, rs2: register, immediate: 8 * index });
  }
  finish(writer, 8 * registers.length);
}

test("a program begins with its reason in a0, its stack below its segments, and zeros", () => {
  const registers = Array.from({ length: 31 }, (_, index) => index + 1).filter(
    (register) => register !== DATA,
  );
  const values = longs(result(program((writer) => storeAll(writer, registers))));
  for (const [index, register] of registers.entries()) {
    assert.equal(values[index], register === SP ? BigInt(TEXT_ADDRESS) : 0n, `x${register}`);
  }
});

test("the upper half of a base address does not count, and its sum with the offset is not cut", () => {
  const loadWith = (upper: number, lower: number, immediate: number): Bytes | string =>
    result(
      program(
        (writer) => {
          writer.add("addi", { rd: T0, immediate: upper });
          writer.add("slli", { rd: T0, rs1: T0, immediate: 32 });
          writer.constant(T1, lower);
          writer.add("add", { rd: T0, rs1: T0, rs2: T1 });
          writer.add("ld", { rd: T0, rs1: T0, immediate });
          storeAll(writer, [T0]);
        },
        Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0),
      ),
    );
  assert.deepEqual(longs(loadWith(77, DATA_ADDRESS - 16, 16)), [7n]);
  assert.deepEqual(longs(loadWith(77, DATA_ADDRESS + 16, -16)), [7n]);
  assert.equal(loadWith(0, -8, 16), "vm/trap");
  assert.equal(loadWith(0, 8, -16), "vm/trap");
  assert.equal(loadWith(0, 3 * 65_536 - 7, 0), "vm/trap");
  assert.deepEqual(longs(loadWith(0, 3 * 65_536 - 8, 0)), [0n]);
});

test("stores into the text are read back, but never executed", () => {
  const file = program((writer) => {
    writer.address(T0, "changed");
    writer.constant(T1, 0);
    writer.add("sw", { rs1: T0, rs2: T1 });
    writer.add("fence");
    writer.add("lw", { rd: T1, rs1: T0 });
    writer.label("changed");
    writer.add("addi", { rd: T0, immediate: 5 });
    storeAll(writer, [T0, T1]);
  });
  assert.deepEqual(longs(result(file)), [5n, 0n]);
});

test("jumps go to any even address of the text, into the middle of instructions too", () => {
  const file = program((writer) => {
    writer.address(T0, "inside");
    // The upper half of this LUI is C.LI t1, 9, and the lower half of the next word goes on behind it.
    writer.add("jalr", { rs1: T0, immediate: 3 });
    writer.label("inside");
    writer.half(0x0337);
    writer.half(0x4325);
    storeAll(writer, [T1]);
  });
  assert.deepEqual(longs(result(file)), [9n]);
});

test("code that is left, not there, or none, is a trap", () => {
  const traps: readonly ((writer: ProgramWriter) => void)[] = [
    (writer) => writer.add("jalr", { rs1: RA }),
    (writer) => writer.add("jalr", { rd: RA, rs1: DATA }),
    (writer) => writer.add("illegal"),
    (writer) => writer.word(0x0010_0073),
    (writer) => writer.word(0xc000_2573 | 0),
    (writer) => writer.half(0x9002),
    (writer) => writer.add("addi"),
    (writer) => writer.half(3),
    (writer) => writer.to("jal", "nowhere", { rd: 0, immediate: 0 }),
  ];
  for (const [index, write] of traps.entries()) {
    const fault = result(program(write), { gas: 20_000n });
    assert.ok(
      fault === "vm/trap" || (index === traps.length - 1 && fault === "vm/out-of-gas"),
      `${index}: ${fault}`,
    );
  }
});

test("a call may return elsewhere than behind itself", () => {
  const file = program((writer) => {
    writer.to("jal", "function", { rd: RA });
    writer.add("illegal");
    writer.add("addi", { rd: T1, immediate: 1 });
    writer.to("jal", "outer", { rd: RA });
    writer.add("illegal");
    writer.label("landing");
    storeAll(writer, [T0, T1]);
    writer.label("function");
    writer.add("addi", { rd: T0, immediate: 3 });
    writer.add("jalr", { rs1: RA, immediate: 4 });
    writer.label("outer");
    writer.to("jal", "inner", { rd: RA });
    writer.add("illegal");
    writer.label("inner");
    writer.address(RA, "landing");
    writer.add("jalr", { rs1: RA });
  });
  assert.deepEqual(longs(result(file)), [3n, 1n]);
});

test("fuel counts every instruction once, whatever the tier", () => {
  for (let gas = 3000n; gas < 6000n; gas += 37n) {
    result(
      program((writer) => {
        writer.add("addi", { rd: T0, immediate: 40 });
        writer.label("again");
        writer.add("addi", { rd: T0, rs1: T0, immediate: -1 });
        writer.add("mulhu", { rd: T1, rs1: T0, rs2: T0 });
        callHost(writer, "gas_left");
        writer.to("bne", "again", { rs1: T0 });
        storeAll(writer, [A0]);
      }),
      { gas },
    );
  }
});

test("memory grows up to the limit, zeroed, and is as small as ever in the next message", () => {
  const grow = (pages: number): Bytes =>
    program((writer) => {
      writer.constant(A0, pages);
      callHost(writer, "memory_grow");
      writer.add("addi", { rd: T0, rs1: A0 });
      writer.constant(A0, 0);
      callHost(writer, "memory_grow");
      writer.add("addi", { rd: T1, rs1: A0 });
      writer.add("slli", { rd: 7, rs1: A0, immediate: 16 });
      writer.add("ld", { rd: 7, rs1: 7, immediate: -8 });
      storeAll(writer, [T0, T1, 7]);
    });
  assert.deepEqual(longs(result(grow(2))), [3n, 5n, 0n]);
  assert.deepEqual(longs(result(grow(2))), [3n, 5n, 0n]);
  assert.deepEqual(longs(result(grow(MAX_PROGRAM_PAGES - 3))), [3n, BigInt(MAX_PROGRAM_PAGES), 0n]);
  assert.deepEqual(longs(result(grow(MAX_PROGRAM_PAGES - 2))), [-1n, 3n, 0n]);
  assert.deepEqual(longs(result(grow(-1))), [-1n, 3n, 0n]);
});

test("nothing of a message is left in memory for the next", () => {
  const file = program((writer) => {
    for (const address of [8, 0x8000, DATA_ADDRESS + 128, 3 * 65_536 - 8]) {
      writer.constant(T0, address);
      writer.add("ld", { rd: T1, rs1: T0 });
      writer.add("add", { rd: 7, rs1: 7, rs2: T1 });
      writer.add("sd", { rs1: T0, rs2: SP });
    }
    storeAll(writer, [7]);
  });
  for (let message = 0; message < 3; message++) assert.deepEqual(longs(result(file)), [0n]);
});

/** Calls a contract with an input of 8 bytes, and keeps registers meanwhile. */
function caller(address: Bytes): Bytes {
  const data = concatBytes(address, new Uint8Array(12), new Uint8Array(224));
  return program((writer) => {
    writer.add("addi", { rd: 18, immediate: 55 });
    writer.constant(A0, 1_000_000);
    writer.add("addi", { rd: A0 + 1, rs1: DATA });
    writer.add("addi", { rd: A0 + 2, rs1: DATA, immediate: 32 });
    writer.add("addi", { rd: A0 + 3, rs1: DATA, immediate: 64 });
    writer.add("addi", { rd: A0 + 4, immediate: 8 });
    callHost(writer, "call");
    writer.add("addi", { rd: T0, rs1: A0 });
    callHost(writer, "return_data_size");
    writer.add("addi", { rd: T1, rs1: A0 });
    storeAll(writer, [T0, T1, 18, SP, DATA]);
  }, data);
}

test("programs call programs, and find their registers and memory again", () => {
  const callee = program((writer) => {
    for (let register = 1; register < 32; register++) {
      if (register !== DATA) writer.add("addi", { rd: register, immediate: 9 });
    }
    storeAll(writer, [18, 19]);
  });
  const values = longs(result(caller(OTHER), { otherFile: callee }));
  assert.deepEqual(values, [0n, 16n, 55n, BigInt(TEXT_ADDRESS), BigInt(DATA_ADDRESS)]);
  const failing = program((writer) => writer.add("illegal"));
  assert.deepEqual(longs(result(caller(OTHER), { otherFile: failing })).slice(0, 3), [2n, 0n, 55n]);
  // Itself, again and again, until the gas does not do for one more.
  assert.deepEqual(longs(result(caller(CONTRACT), { gas: 100_000n })).slice(1, 3), [40n, 55n]);
});

test("what fails in the node is never taken for the program's fault", () => {
  const runner = createRiscvRunner({ tiers: "tier1" });
  const fails: ProgramEngine = {
    name: "failing",
    run: (machine, frame, called) =>
      runner(machine, frame, called, () => {
        throw new RangeError("no stack is left");
      }),
  };
  const callee = program((writer) => storeAll(writer, [T0]));
  assert.throws(() => runProgram(fails, caller(OTHER), { otherFile: callee }), NodeFault);
  const works: ProgramEngine = {
    name: "working",
    run: (machine, frame, called) => runner(machine, frame, called, () => assert.fail("it calls nothing")),
  };
  assert.equal(observe(works, callee), observe(REFERENCE, callee));
});

test("a program goes on in the interpreter until another thread has compiled it", () => {
  const requests: { key: string; file: Bytes }[] = [];
  let isFinished = false;
  const engine = tiers({
    tiers: "mixed",
    compileFuel: 1,
    compileService: {
      request: (key, file) => {
        requests.push({ key, file });
        return requests.length > 1;
      },
      take: () => (isFinished ? [{ key: requests[1]!.key, compiled: compileRiscv(requests[1]!.file) }] : []),
    },
  });
  const file = program((writer) => storeAll(writer, [SP]));
  const expected = observe(REFERENCE, file);
  for (let message = 0; message < 4; message++) assert.equal(observe(engine, file), expected);
  assert.equal(requests.length, 2, "a request that was put off is made again, one that was taken is not");
  isFinished = true;
  for (let message = 0; message < 2; message++) assert.equal(observe(engine, file), expected);
});

test(`${RANDOM_PROGRAMS} random programs, sane and hostile, leave the same everywhere`, () => {
  const engines = riscvTiers();
  for (let seed = 1; seed <= RANDOM_PROGRAMS; seed++) assert.equal(difference(engines, seed), undefined);
});

test("how deep calls go is bounded by the program's stack alone, under each of V8's compilers", () => {
  const script = join(import.meta.dirname, "testing/deep-recursion.ts");
  const outputs = [["--liftoff", "--no-wasm-tier-up"], ["--no-liftoff"], []].map((flags) =>
    execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }),
  );
  assert.equal(outputs[0]!.match(/true \["success"/g)?.length, 2);
  assert.equal(outputs[0]!.match(/true \["fault"/g)?.length, 2);
  for (const output of outputs) assert.equal(output, outputs[0]);
});

test("a file with more text than is compiled runs all the same", () => {
  const writer = new ProgramWriter();
  for (let index = 0; index < 10_000; index++) writer.to("jal", `f${index % 7}`, { rd: RA });
  for (let index = 0; index < 7; index++) {
    writer.label(`f${index}`);
    writer.add("addi", { rd: T0, rs1: T0, immediate: 1 });
    writer.add("jalr", { rs1: RA });
  }
  const file = elfFile(TEXT_ADDRESS, [{ address: TEXT_ADDRESS, bytes: writer.text(), flags: 5 }]);
  // Behind its last call it runs into a function that returns to itself.
  assert.equal(result(file, { gas: 300_000n }), "vm/out-of-gas");
});
