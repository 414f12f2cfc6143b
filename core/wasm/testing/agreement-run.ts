import { type Bytes, createRandom, toHexDigits } from "@ostrom/base";
import { CONTRACT_SUBSET, ENGINE_SUBSET } from "../subset.ts";
import { type Agreement, compareWithV8, noAgreement } from "./agreement.ts";
import { mutate, randomModule } from "./random-module.ts";
import { randomStream } from "./random-stream.ts";

const MUTANTS_A_MODULE = 20;
const MUTANTS_A_STREAM = 5;
/** Modules that are longer are named by their seed alone. */
const MAX_SHOWN_BYTES = 300;

export type AgreementRun = {
  /** Random valid modules: all must be accepted. */
  readonly modules: Agreement;
  readonly streams: Agreement;
  readonly mutants: Agreement;
  /** Modules, streams and mutants under the limits of contracts. */
  readonly contracts: Agreement;
  /** Where V8 and we disagreed, with what is needed to see it again. */
  readonly disagreements: string[];
};

/** Compares our verdicts with V8's on random modules, random instruction streams and mutants of both.
 * @param seeds one module and four streams are made of each. */
export function runAgreement(firstSeed: number, seeds: number): AgreementRun {
  const run: AgreementRun = {
    modules: noAgreement(),
    streams: noAgreement(),
    mutants: noAgreement(),
    contracts: noAgreement(),
    disagreements: [],
  };
  const compare = (bytes: Bytes, counts: Agreement, what: string): void => {
    const complaint =
      compareWithV8(bytes, ENGINE_SUBSET, counts) ?? compareWithV8(bytes, CONTRACT_SUBSET, run.contracts);
    if (complaint === undefined) return;
    const shown = bytes.length <= MAX_SHOWN_BYTES ? ` ${toHexDigits(bytes)}` : "";
    run.disagreements.push(`${what}: ${complaint}${shown}`);
  };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const random = createRandom(seed);
    const module = randomModule(random);
    compare(module, run.modules, `seed ${seed}, module`);
    for (let index = 0; index < MUTANTS_A_MODULE; index++) {
      compare(mutate(module, random), run.mutants, `seed ${seed}, mutant ${index}`);
    }
    for (let index = 0; index < 4; index++) {
      const stream = randomStream(random);
      compare(stream, run.streams, `seed ${seed}, stream ${index}`);
      for (let mutant = 0; mutant < MUTANTS_A_STREAM; mutant++) {
        compare(mutate(stream, random), run.mutants, `seed ${seed}, stream ${index}, mutant ${mutant}`);
      }
    }
  }
  return run;
}
