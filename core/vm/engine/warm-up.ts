import { ZERO_ADDRESS } from "@ostrom/base";
import { HOST_FUNCTION, RUN_FUNCTION } from "../compiler/compile-contract.ts";
import { FRAME, frameAddress, HEAP } from "../runtime/memory-layout.ts";
import { createRuntime, type Runtime } from "../runtime/runtime.ts";
import { MEMORY_NAME, RUNTIME_MODULE } from "../runtime/runtime-functions.ts";
import { instantiateWasm, type WasmModule } from "../runtime/webassembly.ts";
import type { KnownAddress } from "./address-book.ts";
import { Arena, layFrame } from "./arena.ts";

const NOBODY: KnownAddress = {
  address: ZERO_ADDRESS,
  parts: [0, 0, 0, 0, 0],
  storageId: 0,
  isPrecompile: false,
};

/** V8 optimizes a function once it has run through a budget of bytes of code; how many calls that takes falls with the
 * function's size. This many are enough for the smallest: 3 ms. Measured: README.md. */
const WARM_CALLS = 100_000;

/** Brings V8 to optimize modules before anybody runs them: calls the function of a contract with no gas again and again, on a
 * memory of its own. V8 then compiles it once more, in the background and for all threads that have the module.
 * To be used away from threads that somebody waits for. */
export function createWarmer(): (module: WasmModule) => void {
  let runtime: Runtime | undefined;
  return (module) => {
    runtime ??= createRuntime();
    warm(runtime, module);
  };
}

function warm(runtime: Runtime, module: WasmModule): void {
  const run = instantiateWasm(module, {
    [RUNTIME_MODULE]: {
      ...runtime.functions,
      [MEMORY_NAME]: runtime.memory,
      // Nothing is there to ask: the frame has ended.
      [HOST_FUNCTION]: () => 1,
    },
  })[RUN_FUNCTION]!;
  const frame = frameAddress(0);
  const arena = new Arena(runtime.memory);
  layFrame(arena, frame, HEAP, {
    gas: 0,
    input: { address: HEAP, size: 0 },
    address: NOBODY,
    caller: NOBODY,
    value: 0n,
  });
  const stackTop = arena.number(frame + FRAME.stackTop);
  for (let call = 0; call < WARM_CALLS; call++) {
    arena.setNumber(frame + FRAME.stackTop, stackTop);
    run(frame, 0);
  }
}
