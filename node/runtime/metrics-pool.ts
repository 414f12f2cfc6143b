import type { Failure, Result } from "@ostrom/base";
import { POOL } from "./metrics-catalog.ts";
import { countOf } from "./metrics-counters.ts";

/** Counts what the pool's door refuses. @returns what it was given. */
export function countRefusals<Results extends readonly Result<unknown, Failure>[]>(
  results: Results,
): Results {
  for (const result of results) if (!result.ok) countOf(POOL.refused, result.error.code);
  return results;
}
