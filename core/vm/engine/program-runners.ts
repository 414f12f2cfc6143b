import type { ProgramKind, ProgramRunner } from "../contract-host/types.ts";
import { createRiscvRunner } from "../riscv/index.ts";
import { createWebAssemblyRunner } from "../webassembly/index.ts";

export type ProgramRunners = Readonly<Record<ProgramKind, ProgramRunner>>;

/** What runs programs, with memories of its own.
 * @param tiers of kinds that have tiers; WebAssembly has V8's alone. */
export function createProgramRunners(tiers: "tier0" | "tier1" | "mixed"): ProgramRunners {
  return { webassembly: createWebAssemblyRunner(), riscv: createRiscvRunner({ tiers }) };
}
