// npm run fuzz -- engine --seed S --minutes M [--family NAME]: programs of every family in each tier and in the reference. A
// difference ends the run with the family and seed that show it again (`--count 1`).
import { parseArgs } from "node:util";
import {
  createContractEngine,
  executeInReference,
  FORKS,
  installMessageEngine,
  type MessageEngine,
} from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { runOurs } from "../vectors/compare.ts";
import { generateScenario } from "../vectors/scenario.ts";
import { compareObserved, observe } from "./engine-case.ts";
import { FAMILIES } from "./engine-families.ts";

const REPORT_EVERY_MS = 30_000;

export function run(argv: readonly string[]): boolean {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "1" },
      count: { type: "string" },
      family: { type: "string" },
    },
  });
  installNativeCrypto();
  const engines = createEngines(Number(values.seed));
  const families = [...Object.keys(FAMILIES), "transaction"].filter(
    (name) => values.family === undefined || name === values.family,
  );
  if (families.length === 0)
    throw new Error(`--family: expected one of ${[...Object.keys(FAMILIES), "transaction"].join(", ")}`);
  const first = Number(values.seed);
  const last = values.count === undefined ? Number.POSITIVE_INFINITY : first + Number(values.count);
  const end = performance.now() + Number(values.minutes) * 60_000;
  let reported = performance.now();
  let differences = 0;
  let seed = first;
  for (
    ;
    seed < last && (values.count !== undefined || performance.now() < end) && differences === 0;
    seed++
  ) {
    for (const family of families) differences += compareCase(family, seed, engines);
    if (performance.now() - reported < REPORT_EVERY_MS) continue;
    reported = performance.now();
    console.log(`seed ${seed}: no difference so far`);
  }
  const cases = (seed - first) * families.length;
  console.log(
    JSON.stringify({
      fuzz: "engine",
      firstSeed: first,
      seeds: seed - first,
      cases,
      tiers: [...engines.keys()],
      differences,
    }),
  );
  return differences === 0;
}

function createEngines(seed: number): ReadonlyMap<string, MessageEngine> {
  return new Map<string, MessageEngine>([
    ["tier0", createContractEngine({ tiers: "tier0" }).execute],
    ["tier1", createContractEngine({ tiers: "tier1" }).execute],
    ["mixed", createContractEngine({ tiers: "mixed", mixedBySeed: seed }).execute],
  ]);
}

function compareCase(family: string, seed: number, engines: ReadonlyMap<string, MessageEngine>): number {
  const generate = FAMILIES[family];
  const see =
    generate === undefined
      ? (execute: MessageEngine) => observeTransaction(execute, seed)
      : (execute: MessageEngine) => observe(execute, generate(seed));
  const expected = see(executeInReference);
  let differences = 0;
  for (const [tier, execute] of engines) {
    const difference = compareObserved(expected, see(execute));
    if (difference === undefined) continue;
    differences++;
    console.log(`family ${family}, seed ${seed}: ${tier} differs from the reference\n    ${difference}`);
  }
  return differences;
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
