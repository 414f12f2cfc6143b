import type { Bytes } from "@ostrom/base";
import { MAX_CODE_SIZE } from "../gas-schedule.ts";
import { OP } from "../opcodes.ts";
import { FRAME, frameAddress, HEAP } from "../runtime/memory-layout.ts";
import type { WasmFunction, WasmMemory } from "../runtime/webassembly.ts";
import type { CodeArea } from "./code-area.ts";

/** Jumps for ever. Nothing that has a function of its own: V8 would put what is often called into the loop's code, where it
 * is in the way. */
const PROGRAM: Bytes = Uint8Array.of(OP.JUMPDEST, OP.PUSH0, OP.JUMP);
/** Until it is gone, some tens of thousands of instructions run: V8 has its optimizing compiler begin long before, in
 * another thread, and takes the result for the calls that follow. */
const GAS = 200_000n;

/** Some of all that an analysis meets, as long as code can be; so often, V8 has its optimizing compiler begin with the
 * analysis too. */
const LONG_CODE: Bytes = new Uint8Array(MAX_CODE_SIZE).map(
  (_, at) =>
    [OP.JUMPDEST, OP.PUSH0 + 1, OP.JUMPDEST, OP.PUSH0 + 2, OP.INVALID, OP.PUSH32][at % 17] ?? OP.DUP1,
);
const LOADS = 30;

/** Runs a program that does nothing, so that V8 knows that the interpreter is worth compiling well. To be called while no
 * message runs: it uses the outermost frame, and leaves nothing that a message could see. */
export function warmUp(memory: WasmMemory, run: WasmFunction, codeArea: CodeArea): void {
  const frame = frameAddress(0);
  codeArea.attach(frame, PROGRAM, "osaka", HEAP);
  const view = new DataView(memory.buffer);
  view.setBigInt64(frame + FRAME.gas, GAS, true);
  view.setUint32(frame + FRAME.stackTop, frame + FRAME.stack, true);
  run(frame, 0);
  codeArea.warmUp(LONG_CODE, "osaka", LOADS);
}
