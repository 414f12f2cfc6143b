/** Run by static-stack.test.ts in a process of its own, whose flags choose V8's compiler: functions of several shapes recurse to
 * the limit of the static stack, in a worker with the stack that execution has. Prints one line of JSON. */
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import type { Bytes } from "@ostrom/base";
import { I32, I64 } from "@ostrom/wasm";
import { createWebAssemblyRunner } from "../index.ts";
import { type ContractDraft, contractModule, ONE_PAGE } from "./contract-module.ts";
import { contractCode, runContract } from "./run-contract.ts";

const STACK_MIB = 256;
/** So often that V8's optimizing compiler has taken over where it may. */
const REPETITIONS = 20;

/** Parameters, locals, and operands that wait on the stack, of a function that calls itself. */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [1, 10, 0],
  [1, 0, 100],
  [60, 0, 0],
  [1, 900, 0],
  [1, 0, 900],
  [10, 500, 500],
];

export type DeepRecursion = {
  readonly shape: readonly number[];
  readonly reference: string;
  readonly v8: string;
};

function recursive([parameters, locals, operands]: readonly [number, number, number]): Bytes {
  return contractModule(
    [],
    (code) => {
      for (let index = 0; index < parameters; index++) code.i64Const(index);
      code.call(0).drop().i32Const(0);
    },
    ONE_PAGE,
    ({ builder }: ContractDraft<never>) => {
      const type = builder.type(
        Array.from({ length: parameters }, () => I64),
        [I64],
      );
      const self = builder.declareFunction(type);
      builder.define(self, (code) => {
        const first = code.locals(I64, locals);
        const seed = (): unknown => (parameters > 0 ? code.localGet(0) : code.i32Const(0).i64Load());
        for (let index = 0; index < locals; index++) {
          seed();
          code
            .i64Const(index + 3)
            .i64Mul()
            .localSet(first + index);
        }
        for (let index = 0; index < operands; index++) {
          seed();
          code.i64Const(index + 7).i64Xor();
        }
        for (let index = 0; index < parameters; index++) code.localGet(index).i64Const(1).i64Add();
        code.call(self);
        for (let index = 0; index < operands; index++) code.i64Add();
        for (let index = 0; index < locals; index++) code.localGet(first + index).i64Add();
      });
      builder.global(I32, true, 0);
    },
  );
}

function runShapes(): DeepRecursion[] {
  return SHAPES.map((shape) => {
    const code = contractCode(recursive(shape));
    const runner = createWebAssemblyRunner();
    const text = (by: "reference" | "v8"): string => {
      const { outcome } = runContract(code, { by, runner });
      return `${outcome.fault} ${outcome.gasLeft}`;
    };
    const endings = new Set(Array.from({ length: REPETITIONS }, () => text("v8")));
    return { shape, reference: text("reference"), v8: [...endings].join(" or ") };
  });
}

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { resourceLimits: { stackSizeMb: STACK_MIB } });
  worker.once("message", (found) => console.log(JSON.stringify(found)));
} else {
  parentPort!.postMessage(runShapes());
}
