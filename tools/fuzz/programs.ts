// npm run fuzz -- programs --seed S --minutes M [--family NAME]: contracts in WebAssembly and RISC-V, whole and mutated, in each tier
// and in the reference. A difference ends the run with the family and seed that show it again (`--count 1`).
import { deploymentDifference } from "../../core/vm/engine/testing/hostile-deployments.ts";
import { caseFamily, type Family, fuzzFamilies } from "./fuzz-families.ts";
import { PROGRAM_FAMILIES } from "./program-families.ts";

export const PROGRAM_RUNS: ReadonlyMap<string, Family> = new Map<string, Family>([
  ...Object.entries(PROGRAM_FAMILIES).map(([name, generate]): [string, Family] => [
    name,
    caseFamily(generate),
  ]),
  ["mutated-files", mutatedFiles],
]);

export function run(argv: readonly string[]): boolean {
  return fuzzFamilies("programs", PROGRAM_RUNS, argv);
}

/** So that this family takes no more time than the others. */
const MUTANTS_A_SEED = 5;

/** Deploys mutants of a file. */
function mutatedFiles(engines: Parameters<Family>[0], seed: number): string[] {
  const difference = deploymentDifference(engines, seed, { files: 0, deployed: 0 }, MUTANTS_A_SEED);
  return difference === undefined ? [] : [difference];
}
