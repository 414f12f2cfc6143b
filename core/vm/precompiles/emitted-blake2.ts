import type { Bytes } from "@ostrom/base";
import { BLAKE2_INITIALIZATION_VECTOR, BLAKE2_PERMUTATIONS, type Blake2Engine } from "@ostrom/crypto";
import { type CodeBuilder, I32, I64, ModuleBuilder } from "@ostrom/wasm";
import { compileWasm, createWasmMemory, instantiateWasm, type WasmFunction } from "../runtime/webassembly.ts";

const WORDS = 16;
const WORD_BYTES = 8;
const MESSAGE = 64;
const COUNTER = 192;
/** The working vector. */
const VECTOR = 256;
const STATE_BYTES = 64;
/** A whole number of turns through the permutations. V8 replaces its first, slow code only between calls, so a call must not
 * last for long. */
const ROUNDS_A_CALL = 50_000;
const IMPORTS = "host";

type Started = { readonly memory: Uint8Array; readonly functions: Readonly<Record<string, WasmFunction>> };

/** BLAKE2b's compression function by emitted WebAssembly, which has the 64-bit words that it is made of. */
export function createEmittedBlake2(): Blake2Engine {
  let started: Started | undefined;
  return {
    name: "wasm",
    compress: (rounds, block, isFinal) => {
      started ??= start();
      const { memory, functions } = started;
      memory.set(block);
      functions["begin"]!(isFinal ? 1 : 0);
      for (let left = rounds; left > 0; left -= ROUNDS_A_CALL) {
        functions["mix"]!(Math.min(left, ROUNDS_A_CALL));
      }
      functions["finish"]!();
      return memory.slice(0, STATE_BYTES);
    },
  };
}

function start(): Started {
  const memory = createWasmMemory(1, 1);
  const functions = instantiateWasm(compileWasm(encodeBlake2()), { [IMPORTS]: { memory } });
  return { memory: new Uint8Array(memory.buffer), functions };
}

/** The module that computes; exported for the test that validates it. h, m and t lie from address 0 on.
 * Source: RFC 7693, 3.2. */
export function encodeBlake2(): Bytes {
  const module = new ModuleBuilder();
  module.importMemory(IMPORTS, "memory", { minimum: 1, maximum: 1 });
  module.function(module.type([I32], []), writeBegin, "begin");
  module.function(module.type([I32], []), writeRounds, "mix");
  module.function(module.type([], []), writeFinish, "finish");
  return module.encode();
}

/** (isFinal) -> nothing: sets up the working vector. */
function writeBegin(code: CodeBuilder): void {
  const isFinal = 0;
  for (let i = 0; i < 8; i++) {
    const at = VECTOR + WORD_BYTES * i;
    code
      .i32Const(0)
      .i32Const(0)
      .i64Load(WORD_BYTES * i)
      .i64Store(at);
    code.i32Const(0);
    code.i64ConstHalves(BLAKE2_INITIALIZATION_VECTOR[2 * i]!, BLAKE2_INITIALIZATION_VECTOR[2 * i + 1]!);
    if (i === 4 || i === 5)
      code
        .i32Const(0)
        .i64Load(COUNTER + WORD_BYTES * (i - 4))
        .i64Xor();
    if (i === 6) code.i64Const(0).localGet(isFinal).i64ExtendI32U().i64Sub().i64Xor();
    code.i64Store(at + 8 * WORD_BYTES);
  }
}

/** (rounds) -> nothing: mixes the working vector, from the first permutation on. */
function writeRounds(code: CodeBuilder): void {
  const rounds = 0;
  const v = code.locals(I64, WORDS);
  for (let i = 0; i < WORDS; i++) {
    code
      .i32Const(0)
      .i64Load(VECTOR + WORD_BYTES * i)
      .localSet(v + i);
  }
  const done = code.block();
  const next = code.loop();
  for (const permutation of BLAKE2_PERMUTATIONS) {
    code.localGet(rounds).i32Eqz().brIf(done);
    code.localGet(rounds).i32Const(1).i32Sub().localSet(rounds);
    for (let i = 0; i < 4; i++) {
      writeMix(code, [v + i, v + 4 + i, v + 8 + i, v + 12 + i], permutation, 2 * i);
    }
    for (let i = 0; i < 4; i++) {
      const diagonal = [v + i, v + 4 + ((i + 1) % 4), v + 8 + ((i + 2) % 4), v + 12 + ((i + 3) % 4)] as const;
      writeMix(code, diagonal, permutation, 8 + 2 * i);
    }
  }
  code.br(next).end().end();
  for (let i = 0; i < WORDS; i++) {
    code
      .i32Const(0)
      .localGet(v + i)
      .i64Store(VECTOR + WORD_BYTES * i);
  }
}

/** () -> nothing: h becomes the new one. */
function writeFinish(code: CodeBuilder): void {
  for (let i = 0; i < 8; i++) {
    const at = WORD_BYTES * i;
    code
      .i32Const(0)
      .i32Const(0)
      .i64Load(at)
      .i32Const(0)
      .i64Load(VECTOR + at)
      .i64Xor();
    code
      .i32Const(0)
      .i64Load(VECTOR + at + 8 * WORD_BYTES)
      .i64Xor()
      .i64Store(at);
  }
}

/** G of RFC 7693, 3.1. @param at where the permutation says which two message words are mixed in. */
function writeMix(
  code: CodeBuilder,
  [a, b, c, d]: readonly [number, number, number, number],
  permutation: readonly number[],
  at: number,
): void {
  const addMessage = (word: number): void => {
    code.localGet(a).localGet(b).i64Add();
    code
      .i32Const(0)
      .i64Load(MESSAGE + WORD_BYTES * word)
      .i64Add()
      .localSet(a);
  };
  const rotate = (into: number, by: number, bits: bigint): void => {
    code.localGet(into).localGet(by).i64Xor().i64Const(bits).i64Rotr().localSet(into);
  };
  const addTo = (into: number, from: number): void => {
    code.localGet(into).localGet(from).i64Add().localSet(into);
  };
  addMessage(permutation[at]!);
  rotate(d, a, 32n);
  addTo(c, d);
  rotate(b, c, 24n);
  addMessage(permutation[at + 1]!);
  rotate(d, a, 16n);
  addTo(c, d);
  rotate(b, c, 63n);
}
