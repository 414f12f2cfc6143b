import { PROGRAM_KINDS } from "./contract-host/program-kinds.ts";
import { forkRules } from "./fork-rules.ts";
import type { Machine } from "./frame.ts";
import { instructionsOf } from "./instruction-set.ts";
import { forkPrecompiles } from "./precompile-set.ts";
import type { ExecutionContext } from "./types.ts";

/** What one message, with all that its code sends, runs on. */
export function createMachine(context: ExecutionContext): Machine {
  return {
    context,
    rules: forkRules(context.fork),
    precompiles: context.precompiles ?? forkPrecompiles(context.fork),
    instructions: instructionsOf(context.fork),
    programKinds: PROGRAM_KINDS,
    loadedPrograms: new Set(),
  };
}
