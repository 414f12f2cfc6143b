import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, type Random } from "@ostrom/base";
import { MAX_SEGMENTS, readElf, validateRiscv } from "./elf.ts";
import { DATA_ADDRESS, elfFile, programFile, type SegmentSource, TEXT_ADDRESS } from "./testing/elf-file.ts";
import { assembleWords, encode } from "./testing/encode.ts";
import { hostileProgram, randomProgram } from "./testing/random-program.ts";
import { observe, REFERENCE, tiers } from "./testing/run-program.ts";

const TEXT: SegmentSource = { address: TEXT_ADDRESS, bytes: assembleWords([encode("ecall")]), flags: 5 };
const DATA: SegmentSource = {
  address: DATA_ADDRESS,
  bytes: Uint8Array.of(1, 2, 3),
  memorySize: 10,
  flags: 6,
};
const MUTANTS = 10_000;
/** Enough for what is left of a mutant to do what it does. */
const MUTANT_GAS = 20_000n;

/** A valid file with some bytes replaced. */
function changed(at: number, ...bytes: number[]): Bytes {
  const file = programFile(TEXT.bytes);
  file.set(bytes, at);
  return file;
}

function reasonOf(file: Bytes): string {
  const verdict = validateRiscv(file);
  return verdict.ok ? "accepted" : verdict.reason;
}

test("a file of text and data becomes an image", () => {
  const read = readElf(elfFile(TEXT_ADDRESS, [TEXT, DATA]));
  assert.ok(read.ok);
  const { entry, text, stackTop, pages, initializedBytes } = read.value;
  assert.deepEqual(
    { entry, text: text.address, stackTop, pages, initializedBytes },
    { entry: TEXT_ADDRESS, text: TEXT_ADDRESS, stackTop: TEXT_ADDRESS, pages: 3, initializedBytes: 7 },
  );
});

test("files that are no static executable for RV64IMC are refused", () => {
  assert.match(reasonOf(new Uint8Array(63)), /ends within its header/);
  assert.match(reasonOf(changed(0, 0x7e)), /no ELF file/);
  assert.match(reasonOf(changed(4, 1)), /ELF64/);
  assert.match(reasonOf(changed(5, 2)), /little-endian/);
  assert.match(reasonOf(changed(6, 2)), /version/);
  assert.match(reasonOf(changed(16, 3)), /ET_EXEC/);
  assert.match(reasonOf(changed(18, 62)), /RISC-V/);
  for (const flags of [0x3, 0x5, 0x9, 0x11]) assert.match(reasonOf(changed(48, flags)), /soft floats/);
  assert.match(reasonOf(changed(54, 32)), /56 bytes/);
  assert.match(reasonOf(changed(56, 65)), /64 program headers/);
  assert.match(reasonOf(changed(32, 0xff, 0xff)), /inside the file/);
  assert.match(reasonOf(changed(64, 3)), /statically/);
  assert.match(reasonOf(changed(64, 2)), /statically/);
  assert.match(reasonOf(changed(24, 1)), /entry/);
  assert.match(reasonOf(changed(24, 4)), /entry/);
});

test("segments must lie in order, inside the file and the memory", () => {
  const reason = (...segments: SegmentSource[]): string => reasonOf(elfFile(TEXT_ADDRESS, segments));
  assert.match(reason(DATA, TEXT), /before the one before it ends/);
  assert.match(reason(TEXT, { ...DATA, address: TEXT_ADDRESS + 3 }), /before the one before it ends/);
  assert.match(reason(TEXT, { ...DATA, memorySize: 2 }), /more bytes in the file/);
  assert.match(reason(TEXT, { ...DATA, memorySize: 2 ** 24 }), /beyond \d+ pages/);
  assert.match(reason(TEXT, { ...DATA, address: 2 ** 40 }), /beyond \d+ pages/);
  assert.match(reason({ ...DATA, address: 4095 }, TEXT), /below 0x1000/);
  assert.match(reason({ ...TEXT, flags: 7 }), /executable and writable/);
  assert.match(reason({ ...TEXT, flags: 4 }), /one segment must be executable/);
  assert.match(reason(TEXT, { ...DATA, flags: 5 }), /one segment must be executable/);
  assert.match(reason({ ...TEXT, address: TEXT_ADDRESS - 1 }), /even address/);
  const many = Array.from({ length: MAX_SEGMENTS }, (_, index) => ({
    ...DATA,
    address: DATA_ADDRESS + 16 * index,
  }));
  assert.match(reason(TEXT, ...many), /more than 16 segments/);
  assert.equal(reason(TEXT, ...many.slice(1)), "accepted");
});

function mutate(random: Random, original: Bytes): Bytes {
  const cut = random.chance(1, 10) ? random.below(original.length) : original.length;
  const file = original.slice(0, cut);
  if (file.length === 0) return file;
  // Headers are small and text is large: half of the changes go to each.
  const range = random.chance(1, 2) ? Math.min(file.length, 64 + 2 * 56) : file.length;
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(range);
    const edge = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!;
    file[at] = random.chance(1, 2) ? edge : file[at]! ^ (1 << random.below(8));
  }
  return file;
}

test(`${MUTANTS} mutated files are refused or run in a tier as in the reference, and nothing throws`, (t) => {
  const random = createRandom(11);
  const engines = [tiers({ tiers: "tier0" }), tiers({ tiers: "tier1" })];
  const originals = Array.from({ length: 20 }, (_, seed) =>
    seed % 2 === 0 ? randomProgram(seed) : hostileProgram(seed),
  );
  let compared = 0;
  let finished = 0;
  for (let index = 0; index < MUTANTS; index++) {
    const file = mutate(random, originals[random.below(originals.length)]!);
    if (!validateRiscv(file).ok) continue;
    compared++;
    const run = { gas: MUTANT_GAS };
    const expected = observe(REFERENCE, file, run);
    if (!expected.startsWith('["fault"')) finished++;
    const engine = engines[compared % engines.length]!;
    assert.equal(observe(engine, file, run), expected, `${index} in ${engine.name}`);
  }
  t.diagnostic(`${compared} valid and compared, ${finished} of them came to their end`);
  assert.ok(compared > MUTANTS / 3 && finished > MUTANTS / 20);
});
