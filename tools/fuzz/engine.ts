// npm run fuzz -- engine --seed S --minutes M [--family NAME]: contracts of every family, of all kinds, in each tier and in the
// reference. A difference ends the run with the family and seed that show it again (`--count 1`).
import { FORKS, installMessageEngine, type MessageEngine } from "@ostrom/vm";
import { runOurs } from "../vectors/compare.ts";
import { generateScenario } from "../vectors/scenario.ts";
import { FAMILIES } from "./engine-families.ts";
import { caseFamily, differences, type Family, fuzzFamilies } from "./fuzz-families.ts";
import { PROGRAM_RUNS } from "./programs.ts";

const ENGINE_RUNS: ReadonlyMap<string, Family> = new Map<string, Family>([
  ...Object.entries(FAMILIES).map(([name, generate]): [string, Family] => [name, caseFamily(generate)]),
  ["transaction", (engines, seed) => differences(engines, (execute) => observeTransaction(execute, seed))],
  ...PROGRAM_RUNS,
]);

export function run(argv: readonly string[]): boolean {
  return fuzzFamilies("engine", ENGINE_RUNS, argv);
}

/** A whole transaction on several contracts that do much and fail seldom. */
function observeTransaction(execute: MessageEngine, seed: number): Record<string, string> {
  installMessageEngine(execute);
  try {
    const observed = runOurs(generateScenario(FORKS[seed % FORKS.length]!, seed));
    return Object.fromEntries(Object.entries(observed).map(([key, value]) => [key, String(value)]));
  } finally {
    installMessageEngine();
  }
}
