import { hasCryptoVectors } from "./vector-files.ts";
import { describeOutcome } from "./vector-record.ts";
import { FILES_NOT_APPLICABLE, runCryptoVectors } from "./vectors.ts";

/** Prints what each file showed for each engine; the exit code is 1 if a case failed. */
export function run(): void {
  if (!hasCryptoVectors()) {
    console.error("the vectors are not beside the repository, at ../shared/vectors/crypto");
    process.exitCode = 1;
    return;
  }
  const outcomes = runCryptoVectors();
  for (const outcome of outcomes) console.log(describeOutcome(outcome));
  for (const [file, reason] of Object.entries(FILES_NOT_APPLICABLE)) console.log(`--   ${file}: ${reason}`);
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed.length, 0);
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
