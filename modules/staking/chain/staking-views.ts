import {
  type Address,
  addressFromWord,
  type Bytes,
  bigintToBytes,
  concatBytes,
  type Hash,
  hashFromWord,
  wordToBytes,
} from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import { type Committee, readCommittee } from "./committee.ts";
import { CLOCK, EXITED, JAILED, SETTINGS, SLOT, STAKER, TOMBSTONED, TOTALS } from "./layout.ts";
import { readConsensusKey, readPlace } from "./staking-set.ts";
import { readFields, stakerSlot, stakingReader } from "./store.ts";

/** What a chain's staking is at, for services and RPC. */
export type StakingState = {
  /** Under way. */
  readonly epoch: number;
  /** The epoch that was decided last; what is revealed now is for the one after it. */
  readonly round: number;
  /** Of the round. */
  readonly seed: Hash;
  readonly genesisHash: Hash;
  readonly bonded: bigint;
  readonly unbonding: bigint;
  readonly unclaimed: bigint;
  readonly burned: bigint;
  readonly stakerCount: number;
  /** undefined where the set of the epoch is not one that staking decided. */
  readonly current: Committee | undefined;
  /** undefined until it is decided. */
  readonly next: Committee | undefined;
};

/** One who has registered, whatever became of it. */
export type StakerState = {
  /** From 1. */
  readonly id: number;
  readonly operator: Address;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly consensusKey: Bytes;
  readonly transportKey: Bytes;
  readonly vrfKey: Bytes;
  readonly bonded: bigint;
  readonly ownBonded: bigint;
  readonly unbonding: bigint;
  readonly commission: number;
  readonly commissionDue: bigint;
  readonly isJailed: boolean;
  /** Epoch from which it may leave jail, if it is there. */
  readonly jailedUntil: number;
  readonly isTombstoned: boolean;
  /** How often it was slashed. */
  readonly slashes: number;
  readonly hasExited: boolean;
  readonly isCandidate: boolean;
  /** It has shown what it draws for the epoch after the round. */
  readonly hasRevealed: boolean;
  /** What it drew when it revealed last. */
  readonly output: Bytes;
  /** What it draws with in this round; 0: nothing to reveal. */
  readonly stakeInRound: bigint;
};

/** @returns undefined on a chain where staking is not active. */
export function readStakingState(state: Pick<ModuleState, "storage">): StakingState | undefined {
  const read = stakingReader(state);
  const { active, genesisHash } = readFields(read, SLOT.settings_, SETTINGS);
  const clock = readFields(read, SLOT.clock_, CLOCK);
  if (active === 0n || clock.started === 0n) return undefined;
  const { bonded, unbonding, unclaimed, burned } = readFields(read, SLOT.totals_, TOTALS);
  const epoch = Number(clock.epoch);
  const round = Number(clock.round);
  const current = readCommittee(read, epoch);
  return {
    epoch,
    round,
    seed: hashFromWord(read(SLOT.seed_)),
    genesisHash: hashFromWord(genesisHash),
    bonded,
    unbonding,
    unclaimed,
    burned,
    stakerCount: Number(read(SLOT.stakers)),
    current: current?.inForce === true ? current : undefined,
    next: round > epoch ? readCommittee(read, round) : undefined,
  };
}

/** A stretch of all stakers, by number. @param first from 1. */
export function readStakers(
  state: Pick<ModuleState, "storage">,
  first: number,
  count: number,
): readonly StakerState[] {
  const read = stakingReader(state);
  const round = Number(readFields(read, SLOT.clock_, CLOCK).round);
  const last = Math.min(Number(read(SLOT.stakers)), first + count - 1);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index): StakerState => {
    const id = first + index;
    const staker = readFields(read, stakerSlot(id), STAKER);
    const isPlaced = staker.place !== 0n;
    return {
      id,
      operator: addressFromWord(staker.operator),
      ...readPlace(read, id),
      consensusKey: readConsensusKey(read, id),
      vrfKey: concatBytes(bigintToBytes(staker.vrfKeyPrefix, 1), wordToBytes(staker.vrfKeyTail)),
      bonded: staker.bonded,
      ownBonded: staker.ownBonded,
      unbonding: staker.unbonding,
      commission: Number(staker.commission),
      commissionDue: staker.commissionDue,
      isJailed: (staker.status & JAILED) !== 0n,
      jailedUntil: Number(staker.jailedUntil),
      isTombstoned: (staker.status & TOMBSTONED) !== 0n,
      slashes: Number(staker.slashes),
      hasExited: (staker.status & EXITED) !== 0n,
      isCandidate: isPlaced,
      hasRevealed: staker.revealed === BigInt(round + 1),
      output: wordToBytes(staker.output),
      stakeInRound: !isPlaced ? 0n : round % 2 === 0 ? staker.snapshotOdd : staker.snapshotEven,
    };
  });
}
