// npm run bench -- crypto [--budget-ms N] [--only TEXT]
//
// Every scheme, hash, cipher and agreement by each of its engines, in turn. One JSON line a result: operations a second, microseconds of one
// (the best of many short runs, between which other work on the machine falls), and the ratio of its time to that of libsecp256k1's recovery in the same run.
import { parseArgs } from "node:util";
import { type CryptoOperation, cryptoOperations, RECOVERY } from "./crypto-operations.ts";

const DEFAULT_BUDGET_MS = "300";
/** One measured run repeats an operation for about this long, so that the clock's resolution does not count. */
const RUN_US = 1000;
const ROUNDS = 3;

export function run(argv: readonly string[]): void {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      "budget-ms": { type: "string", default: DEFAULT_BUDGET_MS },
      only: { type: "string", default: "" },
    },
  });
  const chosen = cryptoOperations().filter(
    (operation) => operation === RECOVERY || nameOf(operation).includes(values.only),
  );
  const times = measureOperations(chosen, Number(values["budget-ms"]));
  const recovery = times.get(RECOVERY);
  for (const [operation, us] of times) {
    const { scheme, engine, action } = operation;
    const figures = { operationsPerSecond: Math.round(1e6 / us), us: rounded(us) };
    const ratio = recovery === undefined ? undefined : rounded(us / recovery);
    console.log(
      JSON.stringify({ bench: "crypto", scheme, engine, action, ...figures, ratioToRecover: ratio }),
    );
  }
}

/** Measures all in turn, ROUNDS times, and takes the best round of each: what else the machine does only ever makes a round slower.
 * @param budgetMs for each operation.
 * @returns microseconds of one operation. */
export function measureOperations(
  operations: readonly CryptoOperation[],
  budgetMs: number,
): Map<CryptoOperation, number> {
  const times = new Map<CryptoOperation, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const operation of operations) {
      const us = timeOf(operation, (1000 * budgetMs) / ROUNDS);
      times.set(operation, Math.min(times.get(operation) ?? us, us));
    }
  }
  return times;
}

function timeOf(operation: CryptoOperation, budgetUs: number): number {
  let [spent, repetitions] = [0, operation.repetitions ?? 1];
  let best = Number.POSITIVE_INFINITY;
  while (spent < budgetUs) {
    const begun = performance.now();
    for (let index = 0; index < repetitions; index++) operation.run();
    const us = 1000 * (performance.now() - begun);
    spent += us;
    best = Math.min(best, us / repetitions);
    if (us < RUN_US) repetitions *= 2;
  }
  return best;
}

function nameOf({ scheme, engine, action }: CryptoOperation): string {
  return `${scheme} ${action} ${engine}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
