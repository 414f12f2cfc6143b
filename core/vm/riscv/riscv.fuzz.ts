// node core/vm/riscv/riscv.fuzz.ts [--seed S] [--seconds N]: random programs, sane and hostile, in the reference and in the tiers,
// until the time is over or they differ.
import { parseArgs } from "node:util";
import { difference, riscvTiers } from "./testing/compare-engines.ts";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, seconds: { type: "string", default: "60" } },
});
const first = Number(values.seed);
const end = performance.now() + 1000 * Number(values.seconds);
const engines = riscvTiers();
let seed = first;
let found: string | undefined;
for (; performance.now() < end && found === undefined; seed++) found = difference(engines, seed);
process.stdout.write(
  `${found === undefined ? "" : `${found}\n`}${seed - first} seeds, ${found === undefined ? 0 : 1} differences\n`,
);
process.exitCode = found === undefined ? 0 : 1;
