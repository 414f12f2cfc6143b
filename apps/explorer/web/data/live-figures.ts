import type { LiveBlock } from "./live-chain.ts";

/** Over so many seconds the rate of transactions is measured. */
export const RATE_SECONDS = 10;
/** Seconds that the plot of throughput shows. */
const PLOT_SECONDS = 120;

/** Transactions a second over the last `RATE_SECONDS` before `nowSeconds`, by the headers' times. */
export function transactionRate(blocks: readonly LiveBlock[], nowSeconds: number): number {
  let sum = 0;
  for (const { timestamp, transactions } of blocks) {
    if (timestamp > nowSeconds - RATE_SECONDS) sum += transactions;
  }
  return sum / RATE_SECONDS;
}

export type Throughput = { readonly seconds: readonly number[]; readonly transactions: readonly number[] };

/** Transactions of each of the last seconds, seconds without a block among them. */
export function throughput(blocks: readonly LiveBlock[], nowSeconds: number): Throughput {
  const first = nowSeconds - PLOT_SECONDS + 1;
  const transactions = new Array<number>(PLOT_SECONDS).fill(0);
  for (const block of blocks) {
    const index = block.timestamp - first;
    if (index >= 0 && index < PLOT_SECONDS)
      transactions[index] = (transactions[index] ?? 0) + block.transactions;
  }
  return { seconds: transactions.map((_, index) => first + index), transactions };
}

/** Milliseconds between a block and the one before it, as this page heard of them. Old news have none. */
export function intervals(blocks: readonly LiveBlock[]): readonly (number | null)[] {
  return blocks.map(({ heardMs }, index) => {
    const before = blocks[index - 1]?.heardMs;
    return heardMs === undefined || before === undefined ? null : heardMs - before;
  });
}

/** Milliseconds from the news of a block to the news of its certificate. */
export function certificateDelays(blocks: readonly LiveBlock[]): readonly (number | null)[] {
  return blocks.map(({ heardMs, certifiedMs }) =>
    heardMs === undefined || certifiedMs === undefined ? null : certifiedMs - heardMs,
  );
}

/** The middle one of the values that are there; `undefined` of none. */
export function median(values: readonly (number | null)[]): number | undefined {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

export type Lead = { readonly leader: string; readonly blocks: number };

/** Who led how many of these blocks, most first. */
export function leads(blocks: readonly LiveBlock[]): readonly Lead[] {
  const counts = new Map<string, number>();
  for (const { miner } of blocks) {
    const leader = miner.toLowerCase();
    counts.set(leader, (counts.get(leader) ?? 0) + 1);
  }
  return [...counts]
    .map(([leader, count]) => ({ leader, blocks: count }))
    .sort((a, b) => b.blocks - a.blocks);
}
