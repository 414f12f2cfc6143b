import type { Bytes } from "@ostrom/base";
import type { CheckedBatch } from "./batch-check.ts";
import { SIGNATURES } from "./metrics-catalog.ts";
import { count, countOf } from "./metrics-counters.ts";
import type { CheckedSender } from "./signature-checker.ts";

/** Counts transactions whose signatures are checked, and how long that takes. */
export function countSenders(check: () => readonly CheckedSender[]): readonly CheckedSender[] {
  const checked = timed(check);
  let invalid = 0;
  for (const one of checked) if (!(one instanceof Uint8Array)) invalid++;
  countOf(SIGNATURES.checked, "transaction", checked.length);
  countOf(SIGNATURES.invalid, "transaction", invalid);
  return checked;
}

/** As countSenders, of a whole batch. @param isBelieved its signatures are not checked: others have vouched for them. */
export function countBatch(isBelieved: boolean, check: () => CheckedBatch): CheckedBatch {
  const checked = timed(check);
  countOf(SIGNATURES.checked, isBelieved ? "believed" : "transaction", checked.count);
  if (checked.failure !== undefined) countOf(SIGNATURES.invalid, "transaction");
  return checked;
}

/** As countSenders, of validators' statements. @param verify a byte for each: 1 if it is good. */
export function countStatements(verify: () => Bytes): Bytes {
  const verdicts = timed(verify);
  let invalid = 0;
  for (const verdict of verdicts) if (verdict !== 1) invalid++;
  countOf(SIGNATURES.checked, "statement", verdicts.length);
  countOf(SIGNATURES.invalid, "statement", invalid);
  return verdicts;
}

function timed<T>(work: () => T): T {
  const beganMs = performance.now();
  const done = work();
  count(SIGNATURES.seconds, (performance.now() - beganMs) / 1_000);
  return done;
}
