import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";
import { KNOWN_HASH, KNOWN_HASHES, LIMB_BYTES, SCRATCH, WORD_BYTES } from "./memory-layout.ts";
import type { FindFunction } from "./runtime-functions.ts";

/** Source: FIPS 202, keccak-f[1600], with the padding of the original Keccak submission, as Ethereum has it. */
const SIDE = 5;
const LANES = SIDE * SIDE;
const ROUNDS = 24;
const RATE_BYTES = 136;
const RATE_LANES = RATE_BYTES / LIMB_BYTES;
const { keccakState, keccakBlock } = SCRATCH;

/** Odd, with bits spread evenly. */
const MULTIPLIER = 0x9e37_79b9_7f4a_7c15n;

/** (address, length) -> word: KECCAK256 of a part of memory. Contracts hash the same one or two words again and again, to find
 * the slots of mappings and arrays: the hashes of such inputs are kept in a table, by what the input is. They hold for
 * ever, and which of them there are shows in nothing but time. */
export function writeKeccak(code: CodeBuilder, find: FindFunction): void {
  const [address, length] = [0, 1];
  const entry = code.local(I32);
  code.localGet(length).i32Const(WORD_BYTES).i32Ne();
  code
    .localGet(length)
    .i32Const(2 * WORD_BYTES)
    .i32Ne()
    .i32And()
    .if();
  code.localGet(address).localGet(length).call(find("keccakOfAny")).return().end();
  const inputs = loadInput(code, address, length);
  writePlaceHash(code, inputs, entry);
  code.localGet(entry).i32Load(KNOWN_HASH.length).localGet(length).i32Eq();
  for (const [limb, input] of inputs.entries()) {
    code.localGet(entry).i64Load(KNOWN_HASH.input + LIMB_BYTES * limb);
    code.localGet(input).i64Xor();
    if (limb > 0) code.i64Or();
  }
  code.i64Eqz().i32And().i32Eqz().if();
  code.localGet(address).localGet(length).call(find("keccakOfAny"));
  const hash = code.locals(I64, 4);
  for (let limb = 3; limb >= 0; limb--) code.localSet(hash + limb);
  code.localGet(entry).localGet(length).i32Store(KNOWN_HASH.length);
  for (let limb = 0; limb < 4; limb++)
    code
      .localGet(entry)
      .localGet(hash + limb)
      .i64Store(KNOWN_HASH.hash + LIMB_BYTES * limb);
  for (const [limb, input] of inputs.entries())
    code
      .localGet(entry)
      .localGet(input)
      .i64Store(KNOWN_HASH.input + LIMB_BYTES * limb);
  code.end();
  for (let limb = 0; limb < 4; limb++) code.localGet(entry).i64Load(KNOWN_HASH.hash + LIMB_BYTES * limb);
}

/** @returns locals with the input's two words, the second of which may be zeros. */
function loadInput(code: CodeBuilder, address: number, length: number): readonly number[] {
  const limbs = 8;
  const first = code.locals(I64, limbs);
  for (let limb = 0; limb < limbs; limb++) {
    if (limb === limbs / 2) code.localGet(length).i32Const(WORD_BYTES).i32Ne().if();
    code
      .localGet(address)
      .i64Load(LIMB_BYTES * limb, 0)
      .localSet(first + limb);
  }
  code.end();
  return Array.from({ length: limbs }, (_, limb) => first + limb);
}

/** Leaves in `entry` where in the table a hash belongs. */
function writePlaceHash(code: CodeBuilder, inputs: readonly number[], entry: number): void {
  for (const [limb, input] of inputs.entries()) {
    code.localGet(input);
    if (limb === 0) continue;
    code
      .i64Const(7 * limb + 1)
      .i64Rotl()
      .i64Xor();
  }
  code
    .i64Const(MULTIPLIER)
    .i64Mul()
    .i64Const(64 - KNOWN_HASHES.indexBits)
    .i64ShrU()
    .i32WrapI64();
  code.i32Const(KNOWN_HASH.size).i32Mul().i32Const(KNOWN_HASHES.at).i32Add().localSet(entry);
}

/** (address, length) -> word: KECCAK256 of any input. */
export function writeKeccakOfAny(code: CodeBuilder, find: FindFunction): void {
  const [address, length] = [0, 1];
  const place = code.local(I32);
  const absorb = find("keccakAbsorb");
  for (let lane = 0; lane < LANES; lane++) {
    code
      .i32Const(0)
      .i64Const(0)
      .i64Store(keccakState + LIMB_BYTES * lane);
  }
  const rest = code.block();
  const next = code.loop();
  code.localGet(length).i32Const(RATE_BYTES).i32LtU().brIf(rest);
  code.localGet(address).call(absorb);
  code.localGet(address).i32Const(RATE_BYTES).i32Add().localSet(address);
  code.localGet(length).i32Const(RATE_BYTES).i32Sub().localSet(length);
  code.br(next).end().end();
  for (let lane = 0; lane < RATE_LANES; lane++) {
    code
      .i32Const(0)
      .i64Const(0)
      .i64Store(keccakBlock + LIMB_BYTES * lane);
  }
  copyShort(code, address, length, place);
  code.localGet(length).i32Const(1).i32Store8(keccakBlock);
  const last = keccakBlock + RATE_BYTES - 1;
  code.i32Const(0).i32Const(0).i32Load8U(last).i32Const(0x80).i32Or().i32Store8(last);
  code.i32Const(keccakBlock).call(absorb);
  const bytes = code.local(I64);
  for (let limb = 3; limb >= 0; limb--) {
    code
      .i32Const(0)
      .i64Load(keccakState + LIMB_BYTES * limb)
      .localSet(bytes);
    writeReverseBytes(code, bytes);
  }
}

/** Copies fewer than RATE_BYTES to keccakBlock: V8's own copy is a call that costs more than so few bytes. */
function copyShort(code: CodeBuilder, address: number, length: number, place: number): void {
  const copyWhile = (size: number, copyOne: () => void): void => {
    const done = code.block();
    const next = code.loop();
    code.localGet(length).localGet(place).i32Sub().i32Const(size).i32LtU().brIf(done);
    code.localGet(place).localGet(address).localGet(place).i32Add();
    copyOne();
    code.localGet(place).i32Const(size).i32Add().localSet(place);
    code.br(next).end().end();
  };
  code.i32Const(0).localSet(place);
  copyWhile(LIMB_BYTES, () => code.i64Load(0, 0).i64Store(keccakBlock));
  copyWhile(1, () => code.i32Load8U().i32Store8(keccakBlock));
}

const SWAP_BYTES = 0x00ff_00ff_00ff_00ffn;
const SWAP_PAIRS = 0x0000_ffff_0000_ffffn;

/** Pushes the limb with its bytes in the other order. */
function writeReverseBytes(code: CodeBuilder, local: number): void {
  const swap = (mask: bigint, distance: number): void => {
    code.localGet(local).i64Const(mask).i64And().i64Const(distance).i64Shl();
    code.localGet(local).i64Const(distance).i64ShrU().i64Const(mask).i64And().i64Or().localSet(local);
  };
  swap(SWAP_BYTES, 8);
  swap(SWAP_PAIRS, 16);
  code.localGet(local).i64Const(32).i64Rotl();
}

/** (address) -> nothing: mixes RATE_BYTES from there into the state. */
export function writeKeccakAbsorb(code: CodeBuilder): void {
  const address = 0;
  const lanes = code.locals(I64, LANES);
  for (let lane = 0; lane < LANES; lane++) {
    code.i32Const(0).i64Load(keccakState + LIMB_BYTES * lane);
    if (lane < RATE_LANES)
      code
        .localGet(address)
        .i64Load(LIMB_BYTES * lane, 0)
        .i64Xor();
    code.localSet(lanes + lane);
  }
  const columns = code.locals(I64, SIDE);
  const effects = code.locals(I64, SIDE);
  const moved = code.locals(I64, LANES);
  const round = code.local(I32);
  const next = code.loop();
  writeTheta(code, lanes, columns, effects);
  writeRhoAndPi(code, lanes, effects, moved);
  writeChi(code, lanes, moved);
  code.localGet(lanes);
  code.localGet(round).i32Const(3).i32Shl().i64Load(SCRATCH.keccakConstants).i64Xor().localSet(lanes);
  code.localGet(round).i32Const(1).i32Add().localTee(round).i32Const(ROUNDS).i32LtU().brIf(next).end();
  for (let lane = 0; lane < LANES; lane++) {
    code
      .i32Const(0)
      .localGet(lanes + lane)
      .i64Store(keccakState + LIMB_BYTES * lane);
  }
}

function writeTheta(code: CodeBuilder, lanes: number, columns: number, effects: number): void {
  for (let x = 0; x < SIDE; x++) {
    code.localGet(lanes + x);
    for (let y = 1; y < SIDE; y++) code.localGet(lanes + x + SIDE * y).i64Xor();
    code.localSet(columns + x);
  }
  for (let x = 0; x < SIDE; x++) {
    code.localGet(columns + ((x + 4) % SIDE));
    code
      .localGet(columns + ((x + 1) % SIDE))
      .i64Const(1)
      .i64Rotl()
      .i64Xor()
      .localSet(effects + x);
  }
}

/** Rotates each lane and moves it: lane (x, y) goes to (y, 2x + 3y). */
function writeRhoAndPi(code: CodeBuilder, lanes: number, effects: number, moved: number): void {
  const rotations = laneRotations();
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const lane = x + SIDE * y;
      const target = y + SIDE * ((2 * x + 3 * y) % SIDE);
      code
        .localGet(lanes + lane)
        .localGet(effects + x)
        .i64Xor();
      if (rotations[lane] !== 0) code.i64Const(rotations[lane]!).i64Rotl();
      code.localSet(moved + target);
    }
  }
}

function writeChi(code: CodeBuilder, lanes: number, moved: number): void {
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const row = moved + SIDE * y;
      code.localGet(row + x);
      code
        .localGet(row + ((x + 1) % SIDE))
        .i64Const(-1)
        .i64Xor();
      code
        .localGet(row + ((x + 2) % SIDE))
        .i64And()
        .i64Xor()
        .localSet(lanes + x + SIDE * y);
    }
  }
}

/** FIPS 202, 3.2.2. */
function laneRotations(): readonly number[] {
  const rotations = new Array<number>(LANES).fill(0);
  let [x, y] = [1, 0];
  for (let t = 0; t < LANES - 1; t++) {
    rotations[x + SIDE * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % SIDE];
  }
  return rotations;
}

/** FIPS 202, 3.2.5: a linear feedback shift register gives their bits. */
export function roundConstants(): readonly bigint[] {
  const constants: bigint[] = [];
  let register = 1;
  for (let round = 0; round < ROUNDS; round++) {
    let constant = 0n;
    for (let j = 0; j <= 6; j++) {
      if (register & 1) constant |= 1n << BigInt(2 ** j - 1);
      register <<= 1;
      if (register & 0x100) register ^= 0x171;
    }
    constants.push(constant);
  }
  return constants;
}
