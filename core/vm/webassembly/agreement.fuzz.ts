import { compareOnContracts, describeAgreement } from "./testing/agreement-run.ts";

/** Compares the reference with V8 on as many random contracts as you like: `OSTROM_FUZZ_SEED`, `OSTROM_FUZZ_CONTRACTS`. */
const firstSeed = Number(process.env["OSTROM_FUZZ_SEED"] ?? 1);
const contracts = Number(process.env["OSTROM_FUZZ_CONTRACTS"] ?? 1000);

const run = compareOnContracts({ firstSeed, contracts, mutantsEach: 10 });
console.log(describeAgreement(run));
for (const disagreement of run.disagreements) console.log(disagreement);
process.exitCode = run.disagreements.length === 0 ? 0 : 1;
