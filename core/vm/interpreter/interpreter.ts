import type { Runtime } from "../runtime/runtime.ts";
import { MEMORY_NAME, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import {
  compileWasm,
  instantiateWasm,
  type WasmExports,
  type WasmFunction,
  type WasmModule,
} from "../runtime/webassembly.ts";
import { CodeArea } from "./code-area.ts";
import { EXPORT, encodeInterpreter, HOST_FUNCTION } from "./interpreter-module.ts";
import { warmUp } from "./warm-up.ts";

/** Tier 0 on one engine's memory. */
export type Interpreter = {
  /** (frame, entry) -> status (see exit-status.ts): runs a frame whose code CodeArea.attach has given it. The entry is the
   * program counter at which to go on: 0 at first, FRAME.resumeEntry after a call. */
  readonly run: WasmFunction;
  readonly codeArea: CodeArea;
};

let compiled: WasmModule | undefined;

/** @param host as compiled code has it: (opcode) -> 1 if the frame has ended, else 0. It is not called now.
 * @param codeAreaSize for tests: how many bytes of CODE_AREA are used. */
export function createInterpreter(runtime: Runtime, host: WasmFunction, codeAreaSize?: number): Interpreter {
  const isFirst = compiled === undefined;
  compiled ??= compileWasm(encodeInterpreter());
  const exports: WasmExports = instantiateWasm(compiled, {
    [RUNTIME_MODULE]: { ...runtime.functions, [MEMORY_NAME]: runtime.memory, [HOST_FUNCTION]: host },
  });
  const run = exports[EXPORT.run]!;
  const analysis = { analyse: exports[EXPORT.analyse]!, joinSequences: exports[EXPORT.joinSequences]! };
  const codeArea = new CodeArea(runtime.memory, analysis, codeAreaSize);
  // What V8 makes of it serves all instances.
  if (isFirst) warmUp(runtime.memory, run, codeArea);
  return { run, codeArea };
}
