export { type CompiledProgram, compileRiscv } from "./compile-program.ts";
export { type RiscvImage, type RiscvSegment, readElf, validateRiscv } from "./elf.ts";
export { runRiscvInReference } from "./reference-runner.ts";
export { createRiscvRunner } from "./riscv-runner.ts";
export type { FinishedRiscv, RiscvCompileService, TierOptions } from "./tier-choice.ts";
export { createRiscvWarmer } from "./warm-up.ts";
