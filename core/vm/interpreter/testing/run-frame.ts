import type { Bytes } from "@ostrom/base";
import { FRAME, frameAddress, HEAP } from "../../runtime/memory-layout.ts";
import { createRuntime, type Runtime } from "../../runtime/runtime.ts";
import type { Fork } from "../../types.ts";
import { createInterpreter, type Interpreter } from "../interpreter.ts";

/** An interpreter without an engine: single frames that need no host. */
export type LoneInterpreter = Interpreter & { readonly runtime: Runtime };

export function createLoneInterpreter(codeAreaSize?: number): LoneInterpreter {
  const runtime = createRuntime();
  const interpreter = createInterpreter(
    runtime,
    () => {
      throw new Error("the programs of these tests need no host");
    },
    codeAreaSize,
  );
  return { ...interpreter, runtime };
}

export type FrameResult = { readonly status: number; readonly gasLeft: bigint };

/** Runs code as the outermost frame. */
export function runFrame(
  { runtime, run, codeArea }: LoneInterpreter,
  code: Bytes,
  gas: bigint,
  fork: Fork = "osaka",
): FrameResult {
  const frame = frameAddress(0);
  codeArea.beginMessage();
  const heapStart = codeArea.attach(frame, code, fork, HEAP);
  const view = new DataView(runtime.memory.buffer);
  const number = (field: number, value: number): void => view.setUint32(frame + field, value, true);
  view.setBigInt64(frame + FRAME.gas, gas, true);
  number(FRAME.stackTop, frame + FRAME.stack);
  number(FRAME.memoryBase, heapStart);
  number(FRAME.memorySize, 0);
  number(FRAME.memoryClean, 0);
  number(FRAME.inputBase, heapStart);
  number(FRAME.inputSize, 0);
  number(FRAME.returnDataSize, 0);
  const status = run(frame, 0) as number;
  return { status, gasLeft: new DataView(runtime.memory.buffer).getBigInt64(frame + FRAME.gas, true) };
}
