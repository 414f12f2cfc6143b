import { type Bytes, createRandom, type Random, toHex } from "@ostrom/base";
import type { Outcome } from "../../types.ts";
import { validateWebAssembly } from "../index.ts";
import { mutate } from "./mutate.ts";
import { randomContract } from "./random-contract.ts";
import { contractCode, runContract } from "./run-contract.ts";

export type AgreementOptions = {
  readonly firstSeed: number;
  readonly contracts: number;
  readonly mutantsEach: number;
};

export type AgreementRun = {
  accepted: number;
  refused: number;
  /** How often contracts ended in each way. */
  readonly endings: Map<string, number>;
  readonly disagreements: string[];
};

const LEAST_GAS = 2_000;
const GAS_SPREAD = 12_000;
const INPUT_BYTES = 40;

/** Runs random contracts, and mutants of them that are contracts too, in the reference and on V8 with metering, and compares
 * status, gas and output. Every contract has its own seed. */
export function compareOnContracts({ firstSeed, contracts, mutantsEach }: AgreementOptions): AgreementRun {
  const run: AgreementRun = { accepted: 0, refused: 0, endings: new Map(), disagreements: [] };
  for (let seed = firstSeed; seed < firstSeed + contracts; seed++) {
    const random = createRandom(seed);
    const module = randomContract(random);
    if (!validateWebAssembly(module).ok) run.disagreements.push(`seed ${seed}: a valid contract is refused`);
    compare(run, module, random, `seed ${seed}`);
    for (let index = 0; index < mutantsEach; index++) {
      compare(run, mutate(module, random), random, `seed ${seed}, mutant ${index}`);
    }
  }
  return run;
}

function compare(run: AgreementRun, module: Bytes, random: Random, what: string): void {
  if (!validateWebAssembly(module).ok) {
    run.refused++;
    return;
  }
  run.accepted++;
  const gas = BigInt(LEAST_GAS + random.below(GAS_SPREAD));
  const data = random.bytes(INPUT_BYTES);
  const code = contractCode(module);
  const reference = runContract(code, { by: "reference", gas, data });
  const metered = runContract(code, { by: "v8", gas, data });
  const ending = reference.outcome.fault ?? reference.outcome.status;
  run.endings.set(ending, (run.endings.get(ending) ?? 0) + 1);
  const [expected, found] = [describe(reference.outcome), describe(metered.outcome)];
  if (expected !== found) run.disagreements.push(`${what}: ${expected} in the reference, ${found} on V8`);
}

function describe({ status, gasLeft, output }: Outcome): string {
  return `${status} with ${gasLeft} gas left and output ${toHex(output)}`;
}

/** One line for a test's diagnostics. */
export function describeAgreement({ accepted, refused, endings }: AgreementRun): string {
  const counts = [...endings].sort().map(([ending, count]) => `${ending} ${count}`);
  return `${accepted} ran, ${refused} were refused; ${counts.join(", ")}`;
}
