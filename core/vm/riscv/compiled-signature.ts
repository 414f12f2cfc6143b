import { I32, I64, type ModuleBuilder, type ValueType } from "@ostrom/wasm";
import type { FunctionInterface } from "./function-interfaces.ts";
import { A0, RA, SP } from "./instruction.ts";
import { type RegisterSet, registersIn } from "./register-use.ts";

/** How many calls of compiled functions may wait inside each other. Beyond, all return to the runner, which goes on: so V8's
 * stack bounds no program, and how deep it is cannot be observed. */
export const MAX_NATIVE_DEPTH = 120;

/** V8 passes the first few in machine registers. */
const FIRST: readonly number[] = [A0, SP, RA];

function inOrder(set: RegisterSet): number[] {
  const registers = registersIn(set);
  const first = FIRST.filter((register) => registers.includes(register));
  return [...first, ...registers.filter((register) => !first.includes(register))];
}

/** How a closed function becomes one of WebAssembly:
 * (fuel, depth that is left if it calls, registers) -> (pc at which to go on, fuel, registers). */
export type ClosedSignature = {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  readonly hasDepth: boolean;
};

export function closedSignature({ parameters, results, calls }: FunctionInterface): ClosedSignature {
  return { parameters: inOrder(parameters), results: inOrder(results), hasDepth: calls };
}

export function closedType(
  module: ModuleBuilder,
  { parameters, results, hasDepth }: ClosedSignature,
): number {
  const longs = (registers: readonly number[]): ValueType[] => registers.map((): ValueType => I64);
  const depth: ValueType[] = hasDepth ? [I32] : [];
  return module.type([I64, ...depth, ...longs(parameters)], [I32, I64, ...longs(results)]);
}

/** Of open functions, and of what makes closed ones open: (depth that is left) -> pc at which to go on. */
export function openType(module: ModuleBuilder): number {
  return module.type([I32], [I32]);
}
