import { must } from "@ostrom/base";
import { charge, endWithFault, type Frame, type Machine } from "../frame.ts";
import type { HostFunction, HostFunctions } from "./border.ts";
import { CALL_FUNCTIONS } from "./call-functions.ts";
import { COMPUTATION_FUNCTIONS } from "./computation-functions.ts";
import { ENVIRONMENT_FUNCTIONS } from "./environment-functions.ts";
import { HOST_CALLS } from "./host-calls.ts";
import { MESSAGE_FUNCTIONS } from "./message-functions.ts";
import { PROGRAM_GAS } from "./program-gas.ts";
import { STATE_FUNCTIONS } from "./state-functions.ts";
import type { HostOperands, ProgramMemory } from "./types.ts";

export { finishHostCall, outcomeOfChild } from "./call-functions.ts";
export { endProgram } from "./end-program.ts";

const FUNCTIONS: HostFunctions = {
  ...MESSAGE_FUNCTIONS,
  ...STATE_FUNCTIONS,
  ...CALL_FUNCTIONS,
  ...ENVIRONMENT_FUNCTIONS,
  ...COMPUTATION_FUNCTIONS,
};

const BY_NUMBER: readonly (HostFunction | undefined)[] = tableOf(FUNCTIONS);

function tableOf(functions: HostFunctions): (HostFunction | undefined)[] {
  const table: (HostFunction | undefined)[] = [];
  for (const { name, number } of HOST_CALLS) {
    // Who runs a program grows its memory itself.
    if (name !== "memory_grow") table[number] = must(functions[name], `${name} must be answered`);
  }
  return table;
}

/** See RunHostCall in types.ts. A number that is not a host call's is a trap; `memory_grow` is for who runs the program.
 * What a call costs and does: docs/program-gas.md. */
export function runHostCall(
  machine: Machine,
  frame: Frame,
  memory: ProgramMemory,
  number: number,
  operands: HostOperands,
): number | bigint {
  const hostFunction = BY_NUMBER[number];
  if (hostFunction === undefined) {
    endWithFault(frame, "vm/trap");
    return 0;
  }
  if (!charge(frame, PROGRAM_GAS.hostCall + hostFunction.gas)) return 0;
  return hostFunction.run({ machine, frame, memory, operands });
}
