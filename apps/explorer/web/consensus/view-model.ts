import type { SimplexView, Step, ViewRecord } from "./view-types.ts";

/** Puts changed records into a list that is ordered by number, and forgets the oldest beyond `limit`. Never changes `known`. */
export function mergeRecords<One extends ViewRecord>(
  known: readonly One[],
  changed: readonly One[],
  limit: number,
): readonly One[] {
  if (changed.length === 0) return known;
  const newest = known.at(-1);
  // A node that was started anew counts from 1 again.
  const isNewCount =
    newest !== undefined &&
    changed.some(({ number, startedAt }) => number <= newest.number && startedAt > newest.startedAt);
  const byNumber = new Map((isNewCount ? [] : known).map((one) => [one.number, one]));
  for (const one of changed) byNumber.set(one.number, one);
  return [...byNumber.values()].sort((a, b) => a.number - b.number).slice(-limit);
}

export type Outcome = "final" | "notarized" | "nullified" | "open";

/** What became of a view, as far as the node knows. */
export function outcomeOf({ steps }: SimplexView): Outcome {
  if (steps.finalized !== null) return "final";
  if (steps.nullified !== null) return "nullified";
  return steps.notarized === null ? "open" : "notarized";
}

/** What a validator did in a view, from most to least; `leader` comes besides. */
export type Share = "final" | "notarize" | "nullify" | "none";

export function shareOf({ votes }: SimplexView, validator: number): Share {
  if (isNumber(votes.finalize[validator])) return "final";
  if (isNumber(votes.nullify[validator])) return "nullify";
  return isNumber(votes.notarize[validator]) ? "notarize" : "none";
}

/** Steps that follow each other, each with the one that it is measured from. */
export const PHASES = [
  { id: "propose", from: "entered", to: "proposed" },
  { id: "notarize", from: "proposed", to: "notarized" },
  { id: "finalize", from: "notarized", to: "finalized" },
  { id: "execute", from: "finalized", to: "executed" },
  { id: "certify", from: "executed", to: "certified" },
] as const;
export type PhaseId = (typeof PHASES)[number]["id"];

export type PhaseTimes = {
  readonly id: PhaseId | "all";
  readonly count: number;
  readonly median: number;
  readonly high: number;
};

const MEDIAN = 0.5;
const HIGH = 0.99;

/** Percentiles (nearest rank) of how long each step took, in milliseconds; `all` is from proposal to finality. */
export function phaseTimes(views: readonly SimplexView[]): readonly PhaseTimes[] {
  return [...PHASES, { id: "all", from: "proposed", to: "finalized" } as const].map(({ id, from, to }) => {
    const times = views.flatMap(({ steps }) => difference(steps, from, to)).sort((a, b) => a - b);
    return { id, count: times.length, median: percentile(times, MEDIAN), high: percentile(times, HIGH) };
  });
}

function difference(steps: SimplexView["steps"], from: Step, to: Step): readonly number[] {
  const start = steps[from];
  const end = steps[to];
  return start === null || end === null ? [] : [Math.max(0, end - start)];
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number";
}

/** Round numbers for an axis from 0 to `end`, at most `most` of them. */
export function ticksOf(end: number, most: number): readonly number[] {
  const rough = end / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const ticks: number[] = [];
  for (let at = 0; at <= end; at += step) ticks.push(Number(at.toPrecision(6)));
  return ticks;
}
