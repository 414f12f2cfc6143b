import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  bigintToMinimalBytes,
  concatBytes,
  createRandom,
  EMPTY_BYTES,
  type Random,
} from "@ostrom/base";
import { createContractEngine } from "../engine/contract-engine.ts";
import { type CodeRun, difference, observe } from "../engine/testing/compare-engines.ts";
import { executeMessage } from "../execute-message.ts";
import { FORKS } from "../fork-rules.ts";
import { MAX_STACK_SIZE } from "../gas-schedule.ts";
import type { Instruction } from "../instruction.ts";
import { describeOpcode, instructionsOf } from "../instruction-set.ts";
import { OP } from "../opcodes.ts";
import { assemble } from "../testing/assemble.ts";
import { dataSize, SEQUENCES, stackNeeds } from "./sequences.ts";

const engine = createContractEngine({ tiers: "tier0" });
const RUN: CodeRun = {
  fork: "osaka",
  code: EMPTY_BYTES,
  otherCode: EMPTY_BYTES,
  data: Uint8Array.from({ length: 40 }, (_, i) => 0xf0 - i),
  gas: 10_000_000n,
};

function agrees(run: Partial<CodeRun>, what = ""): void {
  assert.equal(difference(engine.execute, { ...RUN, ...run }), undefined, what);
}

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  31n,
  32n,
  33n,
  63n,
  64n,
  255n,
  256n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 32n,
  2n ** 64n - 1n,
  2n ** 64n,
  2n ** 128n - 1n,
  2n ** 192n + 5n,
  2n ** 255n - 1n,
  2n ** 255n,
  2n ** 256n - 2n ** 63n,
  2n ** 256n - 2n ** 64n,
  2n ** 256n - 255n,
  2n ** 256n - 2n,
  2n ** 256n - 1n,
];

function anyEdge(random: Random): bigint {
  // Where an instruction touches memory, most other operands only run out of gas.
  if (random.chance(1, 3)) return BigInt(random.below(100));
  return EDGES[random.below(EDGES.length)]!;
}

/** The smallest PUSH of a word. */
function push(word: bigint): Bytes {
  return assemble(word);
}

/** Opcodes, and random data where they are PUSH. */
function encode(instructions: readonly Instruction[], random: Random): Bytes {
  return concatBytes(
    ...instructions.map(({ opcode }) => Uint8Array.of(opcode, ...random.bytes(dataSize(opcode)))),
  );
}

/** Returns all that is on the stack. */
function returnStack(height: number): Bytes {
  const stores = Array.from({ length: height }, (_, place) =>
    concatBytes(push(BigInt(1000 + 32 * place)), Uint8Array.of(OP.MSTORE)),
  );
  return concatBytes(...stores, assemble("MSIZE", 0n, "RETURN"));
}

/** Code that runs instructions on operands. */
function programOf(instructions: readonly Instruction[], random: Random): Bytes {
  const { words } = stackNeeds(instructions);
  const growth = instructions.reduce((sum, { pops, pushes }) => sum + pushes - pops, 0);
  const operands = Array.from({ length: words + 1 }, () => push(anyEdge(random)));
  return concatBytes(...operands, encode(instructions, random), returnStack(words + 1 + growth));
}

const LEAVES: ReadonlySet<number> = new Set([OP.JUMP, OP.JUMPI]);
const OPERANDS_TRIED = 40;
/** In the other forks. */
const OPERANDS_TRIED_AGAIN = 3;

for (const fork of FORKS) {
  test(`${fork}: each instruction does to edge values what it does in the reference`, () => {
    const random = createRandom(1);
    for (const [opcode, instruction] of instructionsOf(fork).entries()) {
      if (instruction === undefined) {
        agrees({ fork, code: Uint8Array.of(opcode) }, `0x${opcode.toString(16)}`);
        continue;
      }
      if (LEAVES.has(opcode)) continue;
      const times = instruction.pops === 0 ? 2 : fork === "osaka" ? OPERANDS_TRIED : OPERANDS_TRIED_AGAIN;
      for (let i = 0; i < times; i++)
        agrees({ fork, code: programOf([instruction], random) }, instruction.name);
    }
  });
}

function nameOf(instructions: readonly Instruction[]): string {
  return instructions.map(({ name }) => name).join(" ");
}

test("each sequence that runs as one does to edge values what its instructions do", () => {
  const random = createRandom(2);
  for (const { instructions } of SEQUENCES) {
    if (instructions.some(({ opcode }) => LEAVES.has(opcode))) continue;
    for (let i = 0; i < OPERANDS_TRIED; i++)
      agrees({ code: programOf(instructions, random) }, nameOf(instructions));
  }
});

/** A sequence that ends with a jump, and where it goes: behind it lies an INVALID, then one JUMPDEST after the other, the first
 * of which is in the data of a PUSH. */
function jumpProgram(instructions: readonly Instruction[], random: Random): Bytes {
  const { words } = stackNeeds(instructions);
  const operands = concatBytes(
    ...Array.from({ length: words }, () => push(random.chance(1, 2) ? anyEdge(random) : 7n)),
  );
  const size = instructions.reduce((sum, { opcode }) => sum + 1 + dataSize(opcode), 0);
  const target = operands.length + size + 1 + random.below(6);
  const code = instructions.flatMap(({ opcode }, place) => {
    const isTarget = LEAVES.has(instructions[place + 1]?.opcode ?? OP.STOP);
    const data = isTarget
      ? [target >> 8, target & 0xff].slice(2 - dataSize(opcode))
      : [...random.bytes(dataSize(opcode))];
    return [opcode, ...data];
  });
  const { JUMPDEST } = OP;
  const landing = Uint8Array.of(OP.INVALID, OP.PUSH0 + 1, JUMPDEST, JUMPDEST, JUMPDEST);
  return concatBytes(
    operands,
    Uint8Array.from(code),
    landing,
    assemble("GAS", 0n, "MSTORE", 32n, 0n, "RETURN"),
  );
}

test("each sequence that jumps goes where its instructions go, or faults where they do", () => {
  const random = createRandom(3);
  const jumps = SEQUENCES.filter(({ instructions }) => LEAVES.has(instructions.at(-1)!.opcode));
  const withPush = jumps.filter(({ instructions }) => dataSize(instructions.at(-2)!.opcode) > 0);
  assert.ok(withPush.length > 10);
  for (const { instructions } of withPush) {
    for (let i = 0; i < OPERANDS_TRIED; i++)
      agrees({ code: jumpProgram(instructions, random) }, nameOf(instructions));
  }
});

test("a jump may land at the last byte of the code, and not behind it, nor beyond 2^32", () => {
  for (const target of [6n, 7n, 8n, 2n ** 32n + 6n, 2n ** 64n + 6n, 2n ** 255n]) {
    const operand = new Uint8Array(32);
    operand.set(bigintToMinimalBytes(target), 32 - bigintToMinimalBytes(target).length);
    agrees({ code: concatBytes(Uint8Array.of(OP.PUSH32), operand, Uint8Array.of(OP.JUMP, OP.JUMPDEST)) });
    agrees({ code: concatBytes(push(target), Uint8Array.of(OP.JUMP), new Uint8Array(3).fill(OP.JUMPDEST)) });
  }
});

test("each instruction and sequence faults where the stack is one word too low or too high, and only there", () => {
  const random = createRandom(4);
  const all = [
    ...instructionsOf("osaka").flatMap((instruction) => (instruction === undefined ? [] : [[instruction]])),
    ...SEQUENCES.map(({ instructions }) => instructions),
  ].filter((instructions) => !LEAVES.has(instructions.at(-1)!.opcode));
  for (const instructions of all) {
    const { words, room } = stackNeeds(instructions);
    const heights = [words - 1, words, MAX_STACK_SIZE - room, MAX_STACK_SIZE - room + 1];
    for (const height of heights) {
      if (height < words - 1 || height < 0 || height > MAX_STACK_SIZE) continue;
      const code = concatBytes(new Uint8Array(height).fill(OP.PUSH0), encode(instructions, random));
      agrees({ code }, `${nameOf(instructions)} on ${height} words`);
    }
  }
});

test("gas that is just enough is enough, and one less is not", () => {
  const random = createRandom(5);
  const all = [
    ...instructionsOf("osaka").flatMap((instruction) => (instruction === undefined ? [] : [[instruction]])),
    ...SEQUENCES.map(({ instructions }) => instructions),
  ].filter((instructions) => !LEAVES.has(instructions.at(-1)!.opcode));
  for (const instructions of all) {
    const { words } = stackNeeds(instructions);
    const operands = Array.from({ length: words }, () => push(BigInt(random.below(50))));
    const code = concatBytes(...operands, encode(instructions, random));
    const [status, , gasLeft] = JSON.parse(observe(executeMessage, { ...RUN, code })) as [
      string,
      string,
      string,
    ];
    if (status !== "success") continue;
    const needed = RUN.gas - BigInt(gasLeft);
    for (const gas of [needed, needed - 1n]) {
      if (gas >= 0n) agrees({ code, gas }, `${nameOf(instructions)} with ${gas} gas`);
    }
  }
});

test("data of a PUSH at the end of the code is zeros where there is none", () => {
  for (let opcode = OP.PUSH0 + 1; opcode <= OP.PUSH32; opcode++) {
    for (let missing = 0; missing <= dataSize(opcode); missing++) {
      const data = new Uint8Array(dataSize(opcode) - missing).fill(0xa7);
      agrees({ code: concatBytes(assemble("CALLDATASIZE"), Uint8Array.of(opcode), data) });
    }
  }
});

test("CODECOPY and CODESIZE see the code as it was", () => {
  const tail = Uint8Array.from({ length: 600 }, (_, i) => (i * 7) & 0xff);
  for (const [to, from, size] of [
    [0n, 0n, 700n],
    [5n, 100n, 64n],
    [0n, 2n ** 64n, 40n],
    [0n, 590n, 0n],
  ] as const) {
    const copy = assemble(size, from, to, "CODECOPY", "CODESIZE", "MSIZE", "MSTORE", "MSIZE", 0n, "RETURN");
    agrees({ code: concatBytes(copy, tail) });
  }
});

test("the same code is valid in one fork and not in another", () => {
  const code = assemble(5n, "CLZ", 0n, "MSTORE", 32n, 0n, "RETURN");
  for (const fork of ["osaka", "cancun", "osaka", "prague"] as const) agrees({ code, fork });
});

test("there is an opcode for each sequence, which is invalid in code", () => {
  for (const { opcode, instructions } of SEQUENCES) {
    for (const fork of FORKS) assert.equal(instructionsOf(fork)[opcode], undefined);
    assert.ok(instructions.length > 1 && instructions.every(({ since }) => since === undefined));
    agrees({ code: Uint8Array.of(opcode) }, describeOpcode(opcode));
  }
});

test("all of this ran in the interpreter", () => {
  const { nodeFaults, referenceMessages, frames } = engine.counts;
  assert.deepEqual([nodeFaults, referenceMessages, frames.tier1, frames.reference], [0, 0, 0, 0]);
  assert.ok(frames.tier0 > 0);
});
