export { type RiscvImage, type RiscvSegment, readElf, validateRiscv } from "./elf.ts";
export { runRiscvInReference } from "./reference-runner.ts";
export { createRiscvRunner } from "./riscv-runner.ts";
export type { TierOptions } from "./tier-choice.ts";
