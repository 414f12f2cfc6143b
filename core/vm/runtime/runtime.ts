import { INITIAL_PAGES, MAXIMUM_PAGES, SCRATCH } from "./memory-layout.ts";
import { encodeRuntime, MEMORY_NAME, RUNTIME_MODULE } from "./runtime-functions.ts";
import { roundConstants } from "./runtime-keccak.ts";
import {
  compileWasm,
  createWasmMemory,
  instantiateWasm,
  type WasmExports,
  type WasmMemory,
  type WasmModule,
} from "./webassembly.ts";

/** A linear memory and the runtime's functions on it. */
export type Runtime = { readonly memory: WasmMemory; readonly functions: WasmExports };

let compiled: WasmModule | undefined;

/** @param maximumPages how far its memory may grow; what needs more is run by the reference. */
export function createRuntime(maximumPages: number = MAXIMUM_PAGES): Runtime {
  compiled ??= compileWasm(encodeRuntime());
  const memory = createWasmMemory(INITIAL_PAGES, maximumPages);
  new BigUint64Array(memory.buffer).set(roundConstants(), SCRATCH.keccakConstants / 8);
  return { memory, functions: instantiateWasm(compiled, { [RUNTIME_MODULE]: { [MEMORY_NAME]: memory } }) };
}
