import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToBigint, createRandom, type Random } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { ARITHMETIC } from "../arithmetic.ts";
import { BITWISE } from "../bitwise.ts";
import type { Frame, Machine } from "../frame.ts";
import { setGasLeft } from "../frame.ts";
import { FRAMES, HEAP } from "./memory-layout.ts";
import { createRuntime } from "./runtime.ts";
import type { RuntimeName } from "./runtime-functions.ts";

const { memory, functions } = createRuntime();
const MASK = 2n ** 64n - 1n;
const WORDS = 3000;

function limbsOf(word: bigint): bigint[] {
  return [0n, 64n, 128n, 192n].map((shift) => (word >> shift) & MASK);
}

function call(name: RuntimeName, ...operands: (number | bigint)[]): bigint {
  const results = functions[name]!(...operands);
  const limbs = (Array.isArray(results) ? results : [results]) as bigint[];
  return limbs.reduce((word, limb, place) => word | (BigInt.asUintN(64, limb) << BigInt(64 * place)), 0n);
}

/** Words of all lengths, with the edges at which carries and digits go wrong more often than chance has them. */
function anyWord(random: Random): bigint {
  const bits = BigInt(random.below(257));
  const base = bytesToBigint(random.bytes(32)) & (2n ** bits - 1n);
  const shape = random.below(6);
  if (shape === 0) return (2n ** bits - BigInt(random.below(3))) & (2n ** 256n - 1n);
  if (shape === 1) return BigInt.asUintN(256, ~base);
  if (shape === 2) return base & ~(2n ** BigInt(random.below(200)) - 1n);
  return base;
}

/** What the reference interpreter makes of the same operands. */
function reference(opcode: number, ...operands: bigint[]): bigint {
  const instruction = [...ARITHMETIC, ...BITWISE].find((candidate) => candidate.opcode === opcode)!;
  const frame = { stack: operands.toReversed(), exit: undefined } as unknown as Frame;
  setGasLeft(frame, 1_000_000n);
  instruction.run({} as Machine, frame);
  return frame.stack[0]!;
}

const OPERATIONS: readonly (readonly [RuntimeName, number, number, "word" | "limb"])[] = [
  ["multiply", 0x02, 2, "word"],
  ["divide", 0x04, 2, "word"],
  ["divideSigned", 0x05, 2, "word"],
  ["modulo", 0x06, 2, "word"],
  ["moduloSigned", 0x07, 2, "word"],
  ["addModulo", 0x08, 3, "word"],
  ["multiplyModulo", 0x09, 3, "word"],
  ["power", 0x0a, 2, "word"],
  ["signExtend", 0x0b, 2, "limb"],
  ["byteAt", 0x1a, 2, "limb"],
  ["shiftLeft", 0x1b, 2, "limb"],
  ["shiftRight", 0x1c, 2, "limb"],
  ["shiftSigned", 0x1d, 2, "limb"],
];

for (const [name, opcode, arity, first] of OPERATIONS) {
  test(`${name} is what the reference computes, for ${WORDS} random operands`, () => {
    const random = createRandom(opcode);
    for (let i = 0; i < (name === "power" ? WORDS / 10 : WORDS); i++) {
      const operands = Array.from({ length: arity }, () => anyWord(random));
      if (first === "limb") operands[0] = BigInt(random.below(300));
      const [a, ...others] = operands as [bigint, ...bigint[]];
      const limbs = first === "limb" ? [a, ...others.flatMap(limbsOf)] : operands.flatMap(limbsOf);
      assert.equal(call(name, ...limbs), reference(opcode, ...operands), `${name} of ${operands}`);
    }
  });
}

test("multiplyModulo and addModulo agree with the reference for moduli of every length near 256 bits", () => {
  const random = createRandom(3);
  for (let i = 0; i < WORDS; i++) {
    const bits = BigInt(238 + random.below(19));
    const shape = random.below(4);
    const modulus =
      shape === 0 ? 2n ** bits : shape === 1 ? 2n ** bits - 1n : anyWord(random) | (2n ** (bits - 1n));
    const [a, b] = [anyWord(random), anyWord(random)];
    const m = BigInt.asUintN(256, modulus);
    const reduced = m === 0n || random.chance(1, 3) ? [a, b] : [a % m, b % m];
    for (const [name, opcode] of [
      ["multiplyModulo", 0x09],
      ["addModulo", 0x08],
    ] as const)
      assert.equal(
        call(name, ...[...reduced, m].flatMap(limbsOf)),
        reference(opcode, ...reduced, m),
        `${name} of ${reduced} and ${m}`,
      );
  }
});

test("negate is 2^256 less the word", () => {
  const random = createRandom(1);
  for (const word of [0n, 1n, 2n ** 64n, 2n ** 192n, ...Array.from({ length: 100 }, () => anyWord(random))])
    assert.equal(call("negate", ...limbsOf(word)), BigInt.asUintN(256, -word));
});

test("keccak of every length up to three blocks is what the reference computes", () => {
  const random = createRandom(2);
  for (let length = 0; length <= 3 * 136; length++) {
    const input = random.bytes(length);
    const address = HEAP + random.below(8);
    new Uint8Array(memory.buffer).set(input, address);
    assert.equal(call("keccak", address, length), bytesToBigint(keccak256(input)), `${length} bytes`);
  }
});

test("keccak of one and two words is what the reference computes, however often and in whatever order", () => {
  const random = createRandom(4);
  const inputs = Array.from({ length: 500 }, (_, i) => {
    const words = random.bytes(64);
    // Many that differ in one word, or in a word's end, only; and one word is not two of which the second is 0.
    if (i % 3 === 0) words.fill(0, 32);
    if (i % 5 === 0) words.fill(0, 0, 31);
    return i % 2 === 0 ? words : words.subarray(0, 32);
  });
  for (let i = 0; i < 5000; i++) {
    const input = inputs[random.below(inputs.length)]!;
    const address = HEAP + random.below(8);
    new Uint8Array(memory.buffer).fill(0xee, HEAP, HEAP + 128).set(input, address);
    assert.equal(call("keccak", address, input.length), bytesToBigint(keccak256(input)));
  }
});

test("expand charges what the reference charges, clears what it adds, and takes nothing where gas is short", () => {
  const view = new DataView(memory.buffer);
  new Uint8Array(memory.buffer).fill(0xff, HEAP, HEAP + 100_000);
  view.setUint32(FRAMES + 12, HEAP, true);
  assert.equal(functions.expand!(FRAMES, 1000n, 33n), 1000n - 6n);
  assert.equal(view.getUint32(FRAMES + 16, true), 64);
  assert.equal(functions.expand!(FRAMES, 1000n, 32n * 1024n), 1000n + 6n - (3n * 1024n + 2048n));
  assert.equal(view.getUint32(FRAMES + 16, true), 64);
  assert.equal(functions.expand!(FRAMES, 10_000n, 32n * 1024n), 10_006n - (3n * 1024n + 2048n));
  assert.equal(view.getUint32(FRAMES + 16, true), 32 * 1024);
  assert.ok(new Uint8Array(memory.buffer, HEAP, 32 * 1024).every((byte) => byte === 0));
  assert.ok((functions.expand!(FRAMES, 2n ** 60n, 2n ** 31n + 1n) as bigint) < 0n);
});
