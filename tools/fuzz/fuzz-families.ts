import { parseArgs } from "node:util";
import { createContractEngine, type EngineOptions, executeInReference, type MessageEngine } from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { compareObserved, type EngineCase, observe } from "./engine-case.ts";

const REPORT_EVERY_MS = 30_000;

/** Runs what a seed says in the reference and in engines. @returns how they differ. */
export type Family = (engines: ReadonlyMap<string, MessageEngine>, seed: number) => readonly string[];

/** Compares what a seed's case leaves. */
export function caseFamily(generate: (seed: number) => EngineCase): Family {
  return (engines, seed) => {
    const generated = generate(seed);
    return differences(engines, (execute) => observe(execute, generated));
  };
}

/** @param see what is left of a case by whoever runs it. */
export function differences(
  engines: ReadonlyMap<string, MessageEngine>,
  see: (execute: MessageEngine) => Record<string, string>,
): string[] {
  const expected = see(executeInReference);
  return [...engines].flatMap(([tier, execute]) => {
    const difference = compareObserved(expected, see(execute));
    return difference === undefined ? [] : [`${tier} differs from the reference\n    ${difference}`];
  });
}

/** Runs families, one seed after another, until the time is over or something differs.
 * @returns whether nothing did. */
export function fuzzFamilies(
  fuzzer: string,
  all: ReadonlyMap<string, Family>,
  argv: readonly string[],
): boolean {
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
  const first = Number(values.seed);
  const faults: string[] = [];
  const engines = createEngines(first, faults);
  const families = [...all].filter(([name]) => values.family === undefined || name === values.family);
  if (families.length === 0) throw new Error(`--family: expected one of ${[...all.keys()].join(", ")}`);
  const last = values.count === undefined ? Number.POSITIVE_INFINITY : first + Number(values.count);
  const end = performance.now() + Number(values.minutes) * 60_000;
  let reported = performance.now();
  let found = 0;
  let seed = first;
  for (; seed < last && (values.count !== undefined || performance.now() < end) && found === 0; seed++) {
    for (const [name, family] of families) {
      for (const difference of [...family(engines, seed), ...faults.splice(0)]) {
        found++;
        console.log(`family ${name}, seed ${seed}: ${difference}`);
      }
    }
    if (performance.now() - reported < REPORT_EVERY_MS) continue;
    reported = performance.now();
    console.log(`seed ${seed}: no difference so far`);
  }
  const cases = (seed - first) * families.length;
  const tiers = [...engines.keys()];
  console.log(
    JSON.stringify({ fuzz: fuzzer, firstSeed: first, seeds: seed - first, cases, tiers, differences: found }),
  );
  return found === 0;
}

/** A fault of the node changes no result, because the message is run again: but here the node has none of its own, so that whoever
 * has one is to blame.
 * @param faults is told of each. */
function createEngines(seed: number, faults: string[]): ReadonlyMap<string, MessageEngine> {
  const options: Readonly<Record<string, EngineOptions>> = {
    tier0: { tiers: "tier0" },
    tier1: { tiers: "tier1" },
    mixed: { tiers: "mixed", mixedBySeed: seed },
  };
  return new Map(
    Object.entries(options).map(([tier, option]) => {
      const onNodeFault = (error: unknown): void => {
        faults.push(
          `${tier} has a fault of the node\n    ${error instanceof Error ? error.stack : String(error)}`,
        );
      };
      return [tier, createContractEngine({ ...option, onNodeFault }).execute];
    }),
  );
}
