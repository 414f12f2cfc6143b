import { runRiscvInReference, validateRiscv } from "../riscv/index.ts";
import { runWebAssemblyInReference, validateWebAssembly } from "../webassembly/index.ts";
import type { ProgramKinds } from "./types.ts";

/** The kinds that the engine runs. */
export const PROGRAM_KINDS: ProgramKinds = {
  webassembly: { validate: validateWebAssembly, runInReference: runWebAssemblyInReference },
  riscv: { validate: validateRiscv, runInReference: runRiscvInReference },
};
