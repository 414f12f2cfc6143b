import { type Bytes, bytesToBigint, wordToBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
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
const OUTPUT_BITS = 256n;
const PRIORITY_BITS = 32n;

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
      const output = wordToBytes(candidate.output ?? 0n);
      const seats = seatsOf(output, counted(candidate), total, rules.expectedSeats);
      return { ...candidate, seats, priority: priorityOf(output, seats) };
    })
    .filter(({ seats }) => seats > 0);
  const chosen = chooseMembers(drawn, rules.maxValidators);
  return chosen.length < rules.minValidators ? undefined : chosen;
}

type Drawn = Candidate & { readonly seats: number; readonly priority: bigint };

/** Where more are drawn than there is room for, each is chosen with a chance that grows with its seats, and weighs no less than the first
 * one that was not: so each has the weight of its seats on average, and who has few of them leaves nothing to who has many.
 * Source: priority sampling (Duffield, Lund, Thorup, "Priority sampling for estimation of arbitrary subset sums", J. ACM 54, 2007). */
function chooseMembers(drawn: readonly Drawn[], room: number): readonly Member[] {
  // Numbers decide last, so that no two nodes can sort differently.
  const ranked = [...drawn].sort(
    (a, b) => descending(a.priority, b.priority) || descending(a.output ?? 0n, b.output ?? 0n) || a.id - b.id,
  );
  const least = ranked[room]?.priority ?? 0n;
  const chosen = ranked.slice(0, room).sort((a, b) => a.id - b.id);
  return chosen.map(({ id, seats, bonded }) => {
    const own = BigInt(seats);
    return { id, weight: own > least ? own : least, bonded };
  });
}

/** Seats divided by a number in (0, 1], which the output gives. 32 bits of it keep all weights together below 2^53. */
function priorityOf(output: Bytes, seats: number): bigint {
  const part = (bytesToBigint(keccak256(output)) >> (OUTPUT_BITS - PRIORITY_BITS)) + 1n;
  return (BigInt(seats) << PRIORITY_BITS) / part;
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
