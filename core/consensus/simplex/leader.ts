import { bytesToBigint, createRandom, type View } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { type ConsensusDomain, ValidatorIndex, type ValidatorSet } from "../types.ts";
import { totalWeight } from "../validator-set.ts";

/** Which validator leads a view (rule S1): a function of chain or leader seed, epoch and view alone, so that no history can disagree.
 * - All weights equal: views go in rounds of n; each round has its own shuffled order, so each validator leads once in it.
 * - Otherwise each view draws a validator with probability proportional to its weight. */
export function leaderOf(domain: ConsensusDomain, set: ValidatorSet, view: View): ValidatorIndex {
  const { validators } = set;
  if (validators.length === 1) return ValidatorIndex(0);
  const first = validators[0]!.weight;
  if (validators.every((validator) => validator.weight === first)) {
    const position = (view - 1) % validators.length;
    const round = (view - 1 - position) / validators.length;
    return shuffledOrder(seedOf(domain, set, round), validators.length)[position]!;
  }
  // 128 bits modulo a total below 2^53: the bias is below 2^-75.
  const target = Number(seedOf(domain, set, view) % BigInt(totalWeight(set)));
  let sum = 0;
  for (let index = 0; index < validators.length; index++) {
    sum += validators[index]!.weight;
    if (target < sum) return ValidatorIndex(index);
  }
  return ValidatorIndex(validators.length - 1);
}

/** The epoch counts also where there is a seed: one that goes on for another epoch gives other leaders all the same. */
function seedOf(domain: ConsensusDomain, set: ValidatorSet, round: number): bigint {
  const { epoch, leaderSeed = domain.genesisHash } = set;
  const digest = domain.hash(encodeRlp([leaderSeed, rlpUint(epoch), rlpUint(round)]));
  return bytesToBigint(digest.subarray(0, 16));
}

/** Fisher-Yates. */
function shuffledOrder(seed: bigint, count: number): readonly ValidatorIndex[] {
  const random = createRandom(Number(seed & 0xffff_ffffn));
  const order = Array.from({ length: count }, (_, index) => ValidatorIndex(index));
  for (let last = count - 1; last > 0; last--) {
    const chosen = random.below(last + 1);
    const moved = order[last]!;
    order[last] = order[chosen]!;
    order[chosen] = moved;
  }
  return order;
}
