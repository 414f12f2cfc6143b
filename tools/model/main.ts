// npm run model [-- --quick | --full] [--only lost-log] [--trace]: checks the formal models of simplex in core/consensus/simplex/model with
// SPIN. The rules must hold in all states within the bounds, and each planted fault must have a counterexample. SPIN is a tool of this machine,
// no part of the program.
import { parseArgs } from "node:util";
import { CHECKS, type Check } from "./checks.ts";
import { missingTools, type Outcome, runCheck } from "./spin.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    only: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const missing = missingTools();
if (missing.length > 0) {
  console.error(
    `The models cannot be checked here. Please install:\n${missing.map((tool) => `  ${tool}`).join("\n")}`,
  );
  process.exit(1);
}
if (values.quick && values.full) {
  console.error("--quick or --full, not both");
  process.exit(1);
}

const chosen = CHECKS.filter(
  (check) => (!values.quick || !check.onlyFull) && (values.only === undefined || check.model === values.only),
);
if (chosen.length === 0) {
  const names = [...new Set(CHECKS.map((check) => check.model))].join(", ");
  console.error(`--only ${values.only}: there is no such model. There are ${names}`);
  process.exit(1);
}

const row = (cells: readonly string[]): string =>
  [
    cells[0]!.padEnd(12),
    cells[1]!.padEnd(86),
    cells[2]!.padStart(10),
    cells[3]!.padStart(6),
    cells[4]!.padStart(8),
    ` ${cells[5]}`,
  ].join(" ");

function verdictOf(check: Check, { verdict }: Outcome): { readonly isGood: boolean; readonly text: string } {
  if (verdict === "incomplete") return { isGood: false, text: "FAILED: not all states were visited" };
  if (check.planted === undefined) {
    return verdict === "holds"
      ? { isGood: true, text: "holds (exhaustive)" }
      : { isGood: false, text: "FAILED: violated" };
  }
  return verdict === "violated"
    ? { isGood: true, text: "caught" }
    : { isGood: false, text: "FAILED: the planted fault was not found" };
}

console.log(row(["model", "bounds, or planted fault", "states", "depth", "seconds", "result"]));
let passed = 0;
let failed = 0;
for (const check of chosen) {
  const outcome = runCheck(check, values.trace && check.planted !== undefined);
  const { isGood, text } = verdictOf(check, outcome);
  if (isGood) passed++;
  else failed++;
  const what = check.planted === undefined ? check.bounds : `planted: ${check.planted} (${check.bounds})`;
  const { states, depth, seconds, lines } = outcome;
  console.log(row([check.model, what, String(states), String(depth), seconds.toFixed(1), text]));
  if (!isGood || values.trace) for (const line of lines) console.log(`    ${line}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
