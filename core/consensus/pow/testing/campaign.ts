import { runRandomScenario, type Strikes } from "./random-scenario.ts";

// node core/consensus/pow/testing/campaign.ts FIRST COUNT: many seeds, one line at the end; the first that fails is thrown.

const [first = 1, count = 100] = process.argv.slice(2).map(Number);
const MIN_HEIGHT = 50;
const totals = new Map<keyof Strikes, number>();
let counted = 0;
let deepest = 0;
let nodes = 0;
let heights = 0;
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  try {
    const run = runRandomScenario(seed);
    deepest = Math.max(deepest, run.deepestReorganisation);
    nodes += run.nodes;
    heights += run.height;
    if (run.height >= MIN_HEIGHT) counted++;
    for (const [name, strikes] of Object.entries(run.strikes) as [keyof Strikes, number][]) {
      totals.set(name, (totals.get(name) ?? 0) + strikes);
    }
  } catch (error) {
    failures++;
    console.log(`seed ${seed}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  }
}
console.log(
  `seeds ${first}..${first + count - 1}: ${failures} failed, ${counted} with ${MIN_HEIGHT} heights or more, ` +
    `${nodes} nodes, ${heights} heights agreed on, deepest reorganisation ${deepest}; ` +
    [...totals].map(([name, strikes]) => `${name} ${strikes}`).join(", "),
);
