// node core/vm/engine/compiled-engine.fuzz.ts [--seed S] [--seconds N]: random programs in the compiled engine and in the
// reference, until the time is over or they differ.
import { parseArgs } from "node:util";
import { FORKS, installMessageEngine } from "@ostrom/vm";
import { runOurs } from "../../../tools/vectors/compare.ts";
import { generateScenario } from "../../../tools/vectors/scenario.ts";
import { createCompiledEngine } from "./compiled-engine.ts";
import { difference, randomRun } from "./testing/compare-engines.ts";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, seconds: { type: "string", default: "60" } },
});
const end = performance.now() + 1000 * Number(values.seconds);
const engine = createCompiledEngine();
let differences = 0;
let seed = Number(values.seed);

/** A whole transaction on several contracts that do much and fail seldom. */
function scenarioDifference(scenarioSeed: number): string | undefined {
  const fork = FORKS[scenarioSeed % FORKS.length]!;
  const scenario = generateScenario(fork, scenarioSeed);
  installMessageEngine();
  const expected = runOurs(scenario);
  installMessageEngine(engine.execute);
  const actual = runOurs(scenario);
  installMessageEngine();
  const keys = (Object.keys(expected) as (keyof typeof expected)[]).filter(
    (key) => expected[key] !== actual[key],
  );
  if (keys.length === 0) return undefined;
  return keys.map((key) => `${key}: reference ${expected[key]}, compiled ${actual[key]}`).join("; ");
}

for (; performance.now() < end && differences === 0; seed++) {
  for (const found of [difference(engine.execute, randomRun(seed)), scenarioDifference(seed)]) {
    if (found === undefined) continue;
    differences++;
    process.stdout.write(`seed ${seed}: ${found}\n`);
  }
}
process.stdout.write(
  `${seed - Number(values.seed)} seeds, ${differences} differences, ${JSON.stringify(engine.counts)}\n`,
);
process.exitCode = differences === 0 ? 0 : 1;
