import { Epoch, type Random, Weight, ZERO_ADDRESS } from "@ostrom/base";
import type { ValidatorSet } from "../types.ts";
import { SIMULATED_SCHEME } from "./signatures.ts";

/** One machine's place in a set: its index there is its place in the list. */
export type Member = { readonly machine: number; readonly weight: number; readonly key: number };

/** Which heights an epoch has, and how its set follows from the one before and from what was ordered. */
export type EpochPlan = {
  readonly length: number;
  /** So many heights before an epoch's last one the next set is fixed. */
  readonly lead: number;
  readonly first: readonly Member[];
  /** @param random drawn from the block that fixes the next set: who disagrees about it disagrees about the set. */
  readonly next: (random: Random, members: readonly Member[]) => readonly Member[];
  /** The scheme of an epoch's votes. */
  readonly schemeOf: (epoch: number) => number;
};

/** An epoch's set, and who is in it. */
export type PlannedSet = { readonly members: readonly Member[]; readonly set: ValidatorSet };

/** Fewer could not lose one and have a quorum. */
const MIN_MEMBERS = 4;
const MAX_WEIGHT = 3;
const KEYS_OF_A_MACHINE = 4;

/** One epoch that never ends in any test. */
export function endlessPlan(weights: readonly number[]): EpochPlan {
  const first = weights.map((weight, machine) => ({ machine, weight, key: 0 }));
  const schemeOf = (): number => SIMULATED_SCHEME;
  return { length: 1_000_000, lead: 1_000, first, next: (_, members) => members, schemeOf };
}

/** Short epochs in which machines leave, join, change their weight and rotate their keys.
 * @param fragile machines that are Byzantine or lose their log: together they stay below a third of every set.
 * @param schemes epochs go through them, the first one first. */
export function changingPlan(
  machines: number,
  first: readonly Member[],
  length: number,
  lead: number,
  fragile: ReadonlySet<number>,
  schemes: readonly number[] = [SIMULATED_SCHEME],
): EpochPlan {
  const next = (random: Random, members: readonly Member[]): readonly Member[] => {
    let changed = members;
    for (let count = random.below(4); count > 0; count--) changed = changeOne(random, machines, changed);
    return strengthened(machines, changed, fragile);
  };
  const schemeOf = (epoch: number): number => schemes[epoch % schemes.length]!;
  return { length, lead, first: strengthened(machines, first, fragile), next, schemeOf };
}

export function plannedSet(plan: EpochPlan, epoch: number, members: readonly Member[]): PlannedSet {
  const validators = members.map(({ machine, weight, key }) => ({
    address: ZERO_ADDRESS,
    consensusKey: Uint8Array.of(1, machine >> 8, machine & 255, key),
    transportKey: Uint8Array.of(2, machine >> 8, machine & 255),
    weight: Weight(weight),
  }));
  return { members, set: { epoch: Epoch(epoch), schemeId: plan.schemeOf(epoch), validators } };
}

function changeOne(random: Random, machines: number, members: readonly Member[]): readonly Member[] {
  const at = random.below(members.length);
  const weight = 1 + random.below(MAX_WEIGHT);
  switch (random.below(4)) {
    case 0:
      return members.length > MIN_MEMBERS ? members.filter((_, index) => index !== at) : members;
    case 1: {
      const machine = random.below(machines);
      const isIn = members.some((member) => member.machine === machine);
      return isIn
        ? members
        : members.toSpliced(at, 0, { machine, weight, key: random.below(KEYS_OF_A_MACHINE) });
    }
    case 2:
      return members.with(at, { ...members[at]!, weight });
    default:
      return members.with(at, { ...members[at]!, key: (members[at]!.key + 1) % KEYS_OF_A_MACHINE });
  }
}

/** The same set, made so that the fragile ones are too few to matter: equal weights first, then more of the others. */
function strengthened(
  machines: number,
  members: readonly Member[],
  fragile: ReadonlySet<number>,
): readonly Member[] {
  let strong = members;
  for (let machine = 0; !isStrong(strong, fragile); machine++) {
    strong = strong.map((member) => ({ ...member, weight: 1 }));
    const isIn = strong.some((member) => member.machine === machine);
    if (machine >= machines) strong = strong.filter((member) => !fragile.has(member.machine));
    else if (!isIn && !fragile.has(machine)) strong = [...strong, { machine, weight: 1, key: 0 }];
  }
  return strong;
}

function isStrong(members: readonly Member[], fragile: ReadonlySet<number>): boolean {
  let total = 0;
  let weak = 0;
  for (const { machine, weight } of members) {
    total += weight;
    if (fragile.has(machine)) weak += weight;
  }
  return 3 * weak < total;
}
