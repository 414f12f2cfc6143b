import { FUEL_PER_GAS } from "../contract-host/program-gas.ts";
import type { ProgramKind, ProgramRunner } from "../contract-host/types.ts";
import { createRiscvRunner, type RiscvCompileService } from "../riscv/index.ts";
import { createWebAssemblyRunner } from "../webassembly/index.ts";

export type ProgramRunners = Readonly<Record<ProgramKind, ProgramRunner>>;

export type ProgramRunnerOptions = {
  /** Of kinds that have tiers; WebAssembly has V8's alone. */
  readonly tiers: "tier0" | "tier1" | "mixed";
  readonly compileService?: RiscvCompileService | undefined;
  /** Gas that a program has to spend before `mixed` has it compiled; the kind's own unless told. */
  readonly compileGas?: number | undefined;
};

/** What runs programs, with memories of its own. */
export function createProgramRunners({
  tiers,
  compileService,
  compileGas,
}: ProgramRunnerOptions): ProgramRunners {
  const riscv = createRiscvRunner({
    tiers,
    ...(compileService === undefined ? {} : { compileService }),
    ...(compileGas === undefined ? {} : { compileFuel: compileGas * FUEL_PER_GAS }),
  });
  return { webassembly: createWebAssemblyRunner(), riscv };
}
