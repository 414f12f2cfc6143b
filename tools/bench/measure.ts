/** Warm medians of several contenders in one run: they take turns, so that what the machine does meanwhile meets all alike. */

const MIN_RUNS = 3;
const MAX_RUNS = 2000;
/** A run that lasts longer than this is not repeated more than MIN_RUNS times. */
const ROUND_MS = 100;

/** @param runs each returns the microseconds that it took.
 * @param budgetMs for each contender.
 * @returns medians of the later half of the runs. */
export async function measureInTurn<Name>(
  runs: ReadonlyMap<Name, () => number | Promise<number>>,
  budgetMs: number,
): Promise<Map<Name, number>> {
  const times = new Map<Name, number[]>([...runs.keys()].map((name) => [name, []]));
  const left = new Map<Name, number>([...runs.keys()].map((name) => [name, budgetMs * 1000]));
  for (let active = [...runs.keys()]; active.length > 0; ) {
    for (const name of active) await takeTurn(runs.get(name)!, times.get(name)!, left, name);
    active = active.filter(
      (name) =>
        times.get(name)!.length < MIN_RUNS || (left.get(name)! > 0 && times.get(name)!.length < MAX_RUNS),
    );
  }
  return new Map([...times].map(([name, all]) => [name, laterMedian(all)]));
}

async function takeTurn<Name>(
  run: () => number | Promise<number>,
  times: number[],
  left: Map<Name, number>,
  name: Name,
): Promise<void> {
  const end = performance.now() + ROUND_MS;
  do {
    const us = await run();
    times.push(us);
    left.set(name, left.get(name)! - us);
  } while (performance.now() < end && left.get(name)! > 0 && times.length < MAX_RUNS);
}

function laterMedian(times: readonly number[]): number {
  const warm = times.slice(times.length >> 1).toSorted((a, b) => a - b);
  return warm[warm.length >> 1]!;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
