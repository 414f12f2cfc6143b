import { I32, I64, type ModuleBuilder, type ValueType } from "@ostrom/wasm";
import { FRAME_SLOTS } from "../contract-host/program-gas.ts";
import type { FunctionInterface } from "./function-interfaces.ts";
import { A0, RA, SP } from "./instruction.ts";
import { type RegisterSet, registersIn } from "./register-use.ts";

/** V8 passes the first few in machine registers. */
const FIRST: readonly number[] = [A0, SP, RA];

function inOrder(set: RegisterSet): number[] {
  const registers = registersIn(set);
  const first = FIRST.filter((register) => registers.includes(register));
  return [...first, ...registers.filter((register) => !first.includes(register))];
}

/** How a closed function becomes one of WebAssembly:
 * (fuel, slots that are left if it calls, registers) -> (pc at which to go on, fuel, registers). */
export type ClosedSignature = {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  readonly hasSlots: boolean;
};

export function closedSignature({ parameters, results, calls }: FunctionInterface): ClosedSignature {
  return { parameters: inOrder(parameters), results: inOrder(results), hasSlots: calls };
}

export function closedType(
  module: ModuleBuilder,
  { parameters, results, hasSlots }: ClosedSignature,
): number {
  const longs = (registers: readonly number[]): ValueType[] => registers.map((): ValueType => I64);
  const slots: ValueType[] = hasSlots ? [I32] : [];
  return module.type([I64, ...slots, ...longs(parameters)], [I32, I64, ...longs(results)]);
}

/** What a call of a function holds of V8's stack while it waits, as STATIC_STACK_SLOTS counts. When none are left, calls return
 * to the runner, which goes on: so V8's stack bounds no program, and how deep it is cannot be observed. */
export function slotsOf({ tracked, parameters, results }: FunctionInterface): number {
  return [tracked, parameters, results].reduce((sum, set) => sum + registersIn(set).length, 2 * FRAME_SLOTS);
}

/** Of open functions, and of what makes closed ones open: (slots that are left) -> pc at which to go on. */
export function openType(module: ModuleBuilder): number {
  return module.type([I32], [I32]);
}
