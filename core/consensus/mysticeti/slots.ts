import { View } from "@ostrom/base";
import { leaderOf } from "../simplex/leader.ts";
import type { ValidatorIndex } from "../types.ts";
import type { MysticetiConfig, Round } from "./types.ts";

/** Whose block of a round is a candidate for a commit, in the order in which they are decided (rule M6): a function of chain or leader
 * seed, epoch and round alone. */
export function leadersOf(
  { domain, validators, leadersPerRound }: MysticetiConfig,
  round: Round,
): readonly ValidatorIndex[] {
  const first = (round - 1) * leadersPerRound + 1;
  const drawn = Array.from({ length: leadersPerRound }, (_, offset) =>
    leaderOf(domain, validators, View(first + offset)),
  );
  return [...new Set(drawn)];
}
