import { must } from "@ostrom/base";
import { createWasmMemory, instantiateWasm, isTrap, type WasmMemory } from "../runtime/webassembly.ts";
import { COMPILED_EXPORT, type CompiledProgram } from "./compile-program.ts";
import { HOST_IMPORT, MEMORY_IMPORT, PROGRAM_MODULE, WORK, WORK_MODULE } from "./work-area.ts";

/** Has V8 compile all functions of a program that may be entered: it does so when they are called first, and what it has made
 * is shared by all threads that have the module. To be used away from threads that somebody waits for. */
export function createRiscvWarmer(): (compiled: CompiledProgram) => void {
  let memories: { readonly program: WasmMemory; readonly work: WasmMemory } | undefined;
  return ({ module, entries }) => {
    memories ??= { program: createWasmMemory(1, 1), work: createWasmMemory(1, 1) };
    const { program, work } = memories;
    const exports = instantiateWasm(module, {
      [WORK_MODULE]: {
        [MEMORY_IMPORT]: work,
        // Without fuel nobody comes to ask.
        [HOST_IMPORT]: () => 1,
      },
      [PROGRAM_MODULE]: { [MEMORY_IMPORT]: program },
    });
    const enter = must(exports[COMPILED_EXPORT], "it is exported");
    const state = new Uint8Array(work.buffer, 0, WORK.code);
    for (const entry of entries.values()) {
      state.fill(0);
      try {
        enter(entry);
      } catch (error) {
        // What is paid late may reach beyond the memory before it is found that there is no fuel.
        if (!isTrap(error)) throw error;
      }
    }
  };
}
