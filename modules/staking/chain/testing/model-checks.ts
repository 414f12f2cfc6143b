import { strict as assert } from "node:assert";
import { readCommittee } from "../committee.ts";
import { readStakers, type StakerState, type StakingState } from "../staking-views.ts";
import { stakingReader } from "../store.ts";
import type { StakingChain } from "./staking-chain.ts";

/** Each wei that the contract holds is somebody's, or burned, and the sums are those of the stakers. */
export function checkSums(held: bigint, state: StakingState, stakers: readonly StakerState[]): void {
  const { bonded, unbonding, unclaimed, burned } = state;
  assert.equal(held, bonded + unbonding + unclaimed + burned, "each wei is accounted for");
  assert.equal(sum(stakers.map((staker) => staker.bonded)), bonded);
  assert.equal(sum(stakers.map((staker) => staker.unbonding)), unbonding);
}

/** There is always a set, and the stake that it counts is there and locked. */
export function checkSets({ state, epoch, validators }: StakingChain, stakers: readonly StakerState[]): void {
  const read = stakingReader(state);
  assert.ok(validators.length > 0, "there is always a set");
  for (const each of [epoch, epoch + 1]) {
    for (const { id, weight, bonded } of readCommittee(read, each)?.members ?? []) {
      const staker = stakers[id - 1]!;
      assert.ok(weight > 0n);
      // What was slashed is gone, but was there.
      if (!staker.isTombstoned)
        assert.ok(bonded <= staker.bonded + staker.unbonding, "stake that votes is locked");
    }
  }
}

/** Whether a set counts no more than is bonded with each of its members now. */
export function countsWhatIsThere({ state }: StakingChain, epoch: number): boolean {
  const members = readCommittee(stakingReader(state), epoch)?.members ?? [];
  return members.every(({ id, bonded }) => bonded <= readStakers(state, id, 1)[0]!.bonded);
}

/** Indices in the set of those that are there. At least two thirds of the weight are, or there would be no certificate. */
export function onlineMembers({ validators }: StakingChain, offline: ReadonlySet<number>): readonly number[] {
  const all = validators.map((_, index) => index);
  const online = all.filter((index) => !offline.has(Number(validators[index]!.name.split("-")[1])));
  const total = validators.reduce((weight, validator) => weight + validator.weight, 0);
  const there = online.reduce((weight, index) => weight + validators[index]!.weight, 0);
  return 3 * there > 2 * total ? online : all;
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
