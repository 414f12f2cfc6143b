import { arraySlot, type ReadWord } from "@ostrom/execution";
import { COMMITTEE, MEMBER, SLOT, SLOTS_OF_A_COMMITTEE } from "./layout.ts";
import { readFields, type StakingStore, writeFields } from "./store.ts";

/** A validator of a set that staking decided. */
export type Member = {
  /** Number of the staker, from 1. */
  readonly id: number;
  readonly weight: bigint;
  /** What was bonded with it when its weight was drawn. */
  readonly bonded: bigint;
};

export type Committee = {
  readonly epoch: number;
  /** The chain's set of this epoch is this one. */
  readonly inForce: boolean;
  /** In the order of their indices. */
  readonly members: readonly Member[];
};

/** What staking decided for an epoch that is under way or comes next. @returns undefined where nothing was decided. */
export function readCommittee(read: ReadWord, epoch: number): Committee | undefined {
  const base = committeeSlot(epoch);
  const head = readFields(read, base, COMMITTEE);
  if (head.epoch !== BigInt(epoch) || head.members === 0n) return undefined;
  const start = arraySlot(base + COMMITTEE.members.slot);
  const members = Array.from({ length: Number(head.members) }, (_, index): Member => {
    const { staker, weight, bonded } = readFields(read, start + BigInt(index), MEMBER);
    return { id: Number(staker), weight, bonded };
  });
  return { epoch, inForce: head.inForce === 1n, members };
}

/** In place of that of the epoch before the last. */
export function writeCommittee(store: StakingStore, { epoch, inForce, members }: Committee): void {
  const base = committeeSlot(epoch);
  const before = Number(readFields(store.read, base, COMMITTEE).members);
  const start = arraySlot(base + COMMITTEE.members.slot);
  writeFields(store, base, COMMITTEE, {
    epoch: BigInt(epoch),
    inForce: inForce ? 1n : 0n,
    members: BigInt(members.length),
  });
  members.forEach(({ id, weight, bonded }, index) => {
    writeFields(store, start + BigInt(index), MEMBER, { staker: BigInt(id), weight, bonded });
  });
  for (let index = members.length; index < before; index++) store.write(start + BigInt(index), 0n);
}

/** How many members the set has that is in force. @returns undefined if it is not one that staking decided. */
export function sizeInForce(read: ReadWord, epoch: number): number | undefined {
  const head = readFields(read, committeeSlot(epoch), COMMITTEE);
  return head.epoch === BigInt(epoch) && head.inForce === 1n ? Number(head.members) : undefined;
}

export function setInForce(store: StakingStore, epoch: number): void {
  writeFields(store, committeeSlot(epoch), COMMITTEE, { inForce: 1n });
}

function committeeSlot(epoch: number): bigint {
  return SLOT.committees + SLOTS_OF_A_COMMITTEE * BigInt(epoch % 2);
}
