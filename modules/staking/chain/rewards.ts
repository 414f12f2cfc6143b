import type { Member } from "./committee.ts";
import { COMMISSION_PARTS, REWARD_SCALE_BITS } from "./layout.ts";

/** What an epoch's members did, as far as blocks show it. */
export type Participation = {
  /** Results that were certified and counted. */
  readonly certificates: number;
  /** By index in the set. */
  readonly proposals: readonly number[];
  readonly signatures: readonly number[];
};

/** Below it nobody is jailed: chance would decide. */
export const MIN_OBSERVED_CERTIFICATES = 10;
/** Who signs less than one of so many, and proposes nothing, is taken for absent. */
const ABSENT_BELOW_ONE_OF = 20;
/** A certificate is complete as soon as two thirds have signed, so that even the best are missing in many. */
const ENOUGH_SIGNED_OF = 2n;

/** What an epoch is worth: all of its reward, or less in proportion if it was shorter than it should be. Who makes blocks faster mints
 * no more by it. */
export function epochReward(reward: bigint, seconds: number, fullSeconds: number): bigint {
  if (fullSeconds === 0 || seconds >= fullSeconds) return reward;
  return seconds <= 0 ? 0n : (reward * BigInt(seconds)) / BigInt(fullSeconds);
}

/** What each member earns, by index: in proportion to its weight, all of it if it signed half of the certificates, less in proportion if it
 * signed fewer, but half if it proposed a block. What is not earned is not made. Rounded down. */
export function memberRewards(
  members: readonly Member[],
  { certificates, proposals, signatures }: Participation,
  reward: bigint,
): readonly bigint[] {
  const total = members.reduce((sum, { weight }) => sum + weight, 0n);
  const observed = BigInt(certificates);
  if (observed === 0n) return members.map(() => 0n);
  return members.map(({ weight }, index) => {
    const signed = BigInt(signatures[index] ?? 0) * ENOUGH_SIGNED_OF;
    const earned = signed > observed ? observed : signed;
    const share = reward * weight;
    const bySigning = (share * earned) / (total * observed);
    const byProposing = (proposals[index] ?? 0) > 0 ? share / (total * ENOUGH_SIGNED_OF) : 0n;
    return bySigning > byProposing ? bySigning : byProposing;
  });
}

/** Whether a member was absent: it made no block, and its signature is in less than a twentieth of the certificates.
 * A quorum signs each one, so that those who can be absent have less than 36 of 100 parts of the weight together. */
export function isAbsent({ certificates, proposals, signatures }: Participation, index: number): boolean {
  return (
    certificates >= MIN_OBSERVED_CERTIFICATES &&
    (proposals[index] ?? 0) === 0 &&
    (signatures[index] ?? 0) * ABSENT_BELOW_ONE_OF < certificates
  );
}

/** How a reward is split. Both parts are rounded down; what lies between stays with the contract.
 * @returns `perWei` times 2^64, for each bonded wei. */
export function splitReward(
  reward: bigint,
  commission: bigint,
  bonded: bigint,
): { readonly commission: bigint; readonly perWei: bigint } {
  const ofOperator = (reward * commission) / COMMISSION_PARTS;
  return { commission: ofOperator, perWei: ((reward - ofOperator) << REWARD_SCALE_BITS) / bonded };
}
