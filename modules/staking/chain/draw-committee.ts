import { wordToBytes } from "@ostrom/base";
import type { Member } from "./committee.ts";
import { seatsOf } from "./sortition.ts";

/** Who may be drawn at an epoch's end. */
export type Candidate = {
  readonly id: number;
  /** Not jailed, not slashed, not gone, with enough of its own. */
  readonly isEligible: boolean;
  /** Bonded with it now. */
  readonly bonded: bigint;
  /** Bonded with it before the seed could be known. */
  readonly snapshot: bigint;
  /** What it revealed in the round. */
  readonly output: bigint | undefined;
};

export type DrawRules = {
  readonly expectedSeats: number;
  readonly minValidators: number;
  readonly maxValidators: number;
  readonly minRevealedPercent: number;
};

const PERCENT = 100n;

/** Draws a committee by what was revealed. Weights are seats. Stake counts as it was before the seed could be known, but none that has left
 * since; the chance of each wei does not depend on what others do afterwards.
 * @returns in the order of their numbers; undefined if too little stake revealed, or too few have a seat. */
export function drawCommittee(
  candidates: readonly Candidate[],
  rules: DrawRules,
): readonly Member[] | undefined {
  const eligible = candidates.filter(({ isEligible }) => isEligible);
  const revealed = eligible.filter(({ output }) => output !== undefined);
  const isEnough =
    sum(revealed, counted) * PERCENT > sum(eligible, counted) * BigInt(rules.minRevealedPercent);
  if (!isEnough) return undefined;
  const total = sum(candidates, ({ snapshot }) => snapshot);
  const drawn = revealed
    .map((candidate) => {
      const seats = seatsOf(
        wordToBytes(candidate.output ?? 0n),
        counted(candidate),
        total,
        rules.expectedSeats,
      );
      return { ...candidate, seats };
    })
    .filter(({ seats }) => seats > 0);
  // Numbers decide last, so that no two nodes can sort differently.
  drawn.sort((a, b) => b.seats - a.seats || descending(a.output ?? 0n, b.output ?? 0n) || a.id - b.id);
  const chosen = drawn.slice(0, rules.maxValidators);
  if (chosen.length < rules.minValidators) return undefined;
  chosen.sort((a, b) => a.id - b.id);
  return chosen.map(({ id, seats, bonded }) => ({ id, weight: BigInt(seats), bonded }));
}

/** What becomes of a member when its set goes on. */
export type Remaining = { readonly isEligible: boolean; readonly bonded: bigint };

/** The current set without those that may not vote any more, each with no more weight than the stake that it still has.
 *
 * Who had more than two thirds of the weight could decide anything already, so that nobody has to trust them more when the others go:
 * then even fewer than `minValidators` go on without the others.
 * @returns undefined if those who are left are too few for both. */
export function carryOn(
  members: readonly Member[],
  remaining: (id: number) => Remaining,
  minValidators: number,
): readonly Member[] | undefined {
  const kept = members.flatMap((member): Member[] => {
    const { isEligible, bonded } = remaining(member.id);
    if (!isEligible || bonded === 0n) return [];
    if (bonded >= member.bonded) return [member];
    const weight = (member.weight * bonded) / member.bonded;
    return weight === 0n ? [] : [{ ...member, weight, bonded }];
  });
  const staying = new Set(kept.map(({ id }) => id));
  const before = members.reduce((sum, { weight }) => sum + weight, 0n);
  const theirs = members.reduce((sum, { id, weight }) => (staying.has(id) ? sum + weight : sum), 0n);
  return kept.length >= minValidators || 3n * theirs > 2n * before ? kept : undefined;
}

function counted({ snapshot, bonded }: Candidate): bigint {
  return snapshot < bonded ? snapshot : bonded;
}

function sum(candidates: readonly Candidate[], amount: (candidate: Candidate) => bigint): bigint {
  return candidates.reduce((total, candidate) => total + amount(candidate), 0n);
}

function descending(a: bigint, b: bigint): number {
  return a < b ? 1 : a > b ? -1 : 0;
}
