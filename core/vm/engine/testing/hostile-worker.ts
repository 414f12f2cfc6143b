/** Run by hostile-code.test.ts in a worker with the stack that a node's workers have: cases in the reference and in each
 * tier. Posts what differed, and how it went. */
import { parentPort, workerData } from "node:worker_threads";
import { differenceOf, type HostileCase, hostileEngines, observeCase, REFERENCE } from "./hostile-case.ts";
import { crowdedCase, deepCases, quickCases } from "./hostile-messages.ts";

export type HostileReport = {
  readonly name: string;
  readonly status: string;
  readonly differences: readonly string[];
  readonly nodeFaults: number;
  /** Frames of the last engine's last run. */
  readonly frames: number;
  readonly referenceMs: number;
  readonly slowestMs: number;
};

const CASES: Readonly<Record<string, () => readonly HostileCase[]>> = {
  quick: quickCases,
  deep: deepCases,
  crowded: () => [crowdedCase()],
};

const QUICK_ROUNDS = 2;
const rounds = workerData === "quick" ? QUICK_ROUNDS : 1;
const engines = hostileEngines();

function report(hostile: HostileCase): HostileReport {
  const start = performance.now();
  const expected = observeCase(REFERENCE, hostile);
  const referenceMs = performance.now() - start;
  const differences: string[] = [];
  let slowestMs = 0;
  let nodeFaults = 0;
  let frames = 0;
  for (const [name, { execute, counts }] of engines) {
    const before = counts.nodeFaults;
    for (let round = 0; round < rounds; round++) {
      const framesBefore = sum(counts.frames);
      const startedAt = performance.now();
      const difference = differenceOf(expected, observeCase(execute, hostile));
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      frames = sum(counts.frames) - framesBefore;
      if (difference !== undefined) differences.push(`${name}, run ${round + 1}: ${difference}`);
    }
    nodeFaults += counts.nodeFaults - before;
  }
  return {
    name: hostile.name,
    status: expected.status,
    differences,
    nodeFaults,
    frames,
    referenceMs,
    slowestMs,
  };
}

function sum({
  tier0,
  tier1,
  program,
  reference,
}: Readonly<Record<"tier0" | "tier1" | "program" | "reference", number>>): number {
  return tier0 + tier1 + program + reference;
}

parentPort?.postMessage(CASES[workerData as string]!().map(report));
