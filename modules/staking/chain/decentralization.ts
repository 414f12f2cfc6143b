/** What somebody may do with a set: by weight. */
export type Holding = {
  /** Whoever runs the validator, as far as the chain can tell: those with one text count as one. */
  readonly operator: string;
  readonly weight: bigint;
};

/** How far power is spread. */
export type Decentralization = {
  readonly operators: number;
  /** How many operators together can stop the chain: with them gone, no quorum of floor(2W/3) + 1 is left. */
  readonly nakamotoToStop: number;
  /** How many together are a quorum, and so can do anything. */
  readonly nakamotoToControl: number;
  /** Of 10,000 parts of all weight, the largest operator's, rounded down. */
  readonly largestShare: number;
};

const SHARE_PARTS = 10_000n;

/** Says how far a set's weight, or a chain's stake, is spread. One who runs several validators under several names counts as several: it
 * is an upper bound. Source: B. S. Srinivasan, "Quantifying Decentralization" (2017), for the coefficient. */
export function decentralizationOf(holdings: readonly Holding[]): Decentralization {
  const byOperator = new Map<string, bigint>();
  for (const { operator, weight } of holdings) {
    byOperator.set(operator, (byOperator.get(operator) ?? 0n) + weight);
  }
  const weights = [...byOperator.values()].filter((weight) => weight > 0n);
  weights.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const quorum = (2n * total) / 3n + 1n;
  return {
    operators: weights.length,
    nakamotoToStop: nakamoto(weights, total - quorum + 1n),
    nakamotoToControl: nakamoto(weights, quorum),
    largestShare: total === 0n ? 0 : Number(((weights[0] ?? 0n) * SHARE_PARTS) / total),
  };
}

/** How many of the largest have a weight together. @param descending weights. @returns 0 if there are none. */
function nakamoto(descending: readonly bigint[], needed: bigint): number {
  let sum = 0n;
  let count = 0;
  for (const weight of descending) {
    sum += weight;
    count++;
    if (sum >= needed) return count;
  }
  return count;
}
