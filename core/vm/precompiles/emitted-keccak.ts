import { assert, type Bytes, must } from "@ostrom/base";
import { I32, ModuleBuilder } from "@ostrom/wasm";
import { SCRATCH } from "../runtime/memory-layout.ts";
import { roundConstants, writeKeccakAbsorb } from "../runtime/runtime-keccak.ts";
import { compileWasm, createWasmMemory, instantiateWasm, type WasmFunction } from "../runtime/webassembly.ts";

const RATE_BYTES = 136;
const STATE_BYTES = 200;
const HASH_BYTES = 32;
/** Behind everything that the emitted function uses. */
const INPUT = 8192;
/** What fits into the memory's one page with room to spare. */
const MAX_LENGTH = 32_768;
const IMPORTS = "host";
/** The padding of the original Keccak submission, as Ethereum has it. */
const FIRST_PADDING = 0x01;
const LAST_PADDING = 0x80;

/** Keccak-256 by the engine's own emitted function: for short inputs it is faster than a call to a native library.
 * @returns a function of at most MAX_LENGTH bytes. */
export function createEmittedKeccak(): (data: Bytes) => Bytes {
  let started: { readonly memory: Uint8Array<ArrayBuffer>; readonly absorb: WasmFunction } | undefined;
  return (data) => {
    assert(data.length <= MAX_LENGTH, "the input must fit into the memory");
    started ??= start();
    const { memory, absorb } = started;
    const end = INPUT + RATE_BYTES * (Math.floor(data.length / RATE_BYTES) + 1);
    memory.fill(0, SCRATCH.keccakState, SCRATCH.keccakState + STATE_BYTES);
    memory.fill(0, end - RATE_BYTES, end);
    memory.set(data, INPUT);
    memory[INPUT + data.length]! |= FIRST_PADDING;
    memory[end - 1]! |= LAST_PADDING;
    for (let at = INPUT; at < end; at += RATE_BYTES) absorb(at);
    return memory.slice(SCRATCH.keccakState, SCRATCH.keccakState + HASH_BYTES);
  };
}

function start(): { readonly memory: Uint8Array<ArrayBuffer>; readonly absorb: WasmFunction } {
  const memory = createWasmMemory(1, 1);
  new BigUint64Array(memory.buffer).set(roundConstants(), SCRATCH.keccakConstants / 8);
  const { absorb } = instantiateWasm(compileWasm(encodeKeccak()), { [IMPORTS]: { memory } });
  return { memory: new Uint8Array(memory.buffer), absorb: must(absorb, "the module exports it") };
}

/** The module that computes; exported for the test that validates it. */
export function encodeKeccak(): Bytes {
  const module = new ModuleBuilder();
  module.importMemory(IMPORTS, "memory", { minimum: 1, maximum: 1 });
  module.function(module.type([I32], []), writeKeccakAbsorb, "absorb");
  return module.encode();
}
