import { type Bytes, bytesToBigint, hashFromWord, hex } from "@ostrom/base";
import { type ReadWord, STAKING_ADDRESS, type SystemContext } from "@ostrom/execution";
import { type Committee, readCommittee, writeCommittee } from "./committee.ts";
import { type Candidate, carryOn, drawCommittee } from "./draw-committee.ts";
import { CLOCK, EXITED, JAILED, SETTINGS, SLOT, STAKER, TOMBSTONED, TOTALS } from "./layout.ts";
import { epochReward, isAbsent, memberRewards, type Participation, splitReward } from "./rewards.ts";
import { nextSeed } from "./sortition.ts";
import {
  CANDIDATES,
  numberedSlot,
  PROPOSALS,
  readFields,
  readPacked,
  SIGNATURES,
  type StakingStore,
  stakerSlot,
  stakingStore,
  type Values,
  writeFields,
  writePacked,
} from "./store.ts";

/** `blockRandomness()` */
export const BLOCK_RANDOMNESS_SELECTOR: Bytes = hex("09d40ae8");
const VIEW_GAS = 100_000n;

const STANDING = {
  status: STAKER.status,
  bonded: STAKER.bonded,
  ownBonded: STAKER.ownBonded,
} as const;
const DRAWING = {
  ...STANDING,
  revealed: STAKER.revealed,
  snapshotEven: STAKER.snapshotEven,
  snapshotOdd: STAKER.snapshotOdd,
} as const;
const OUTPUT = { output: STAKER.output } as const;
const EARNING = {
  status: STAKER.status,
  commission: STAKER.commission,
  bonded: STAKER.bonded,
  commissionDue: STAKER.commissionDue,
  rewardPerWei: STAKER.rewardPerWei,
} as const;

/** At the height that decides an epoch's successor, in this order: rewards of the epoch, absent members jailed, the next set drawn from
 * what was revealed, the seed that follows from it, and the snapshot of stakes that the set after the next one is drawn from. */
export function sealStakingEpoch(context: SystemContext, nextEpoch: number): void {
  const store = stakingStore(context.state);
  const settings = readFields(store.read, SLOT.settings_, SETTINGS);
  const clock = readFields(store.read, SLOT.clock_, CLOCK);
  if (settings.active === 0n || clock.started === 0n) return;
  const current = readCommittee(store.read, Number(clock.epoch));
  if (current?.inForce === true) settle(context, store, current, settings, clock);
  const round = Number(clock.round);
  const candidates = readCandidates(store.read, round, settings.minStake);
  decide(store, settings, clock, current, candidates, nextEpoch);
  store.write(SLOT.seed_, seedAfter(context, store.read));
  store.write(SLOT.drawn, 0n);
  takeSnapshot(store, candidates, nextEpoch);
  writeFields(store, SLOT.clock_, CLOCK, { round: BigInt(nextEpoch), sealedAt: BigInt(context.timestamp) });
}

/** Rewards for what the set did until now, and jail for those who did nothing. */
function settle(
  { state, timestamp }: SystemContext,
  store: StakingStore,
  { members }: Committee,
  settings: Values<typeof SETTINGS>,
  clock: Values<typeof CLOCK>,
): void {
  const participation: Participation = {
    certificates: Number(clock.certificates),
    proposals: readPacked(store.read, PROPOSALS),
    signatures: readPacked(store.read, SIGNATURES),
  };
  const seconds = timestamp - Number(clock.sealedAt);
  const reward = epochReward(settings.epochReward, seconds, Number(settings.fullRewardSeconds));
  const rewards = memberRewards(members, participation, reward);
  let made = 0n;
  members.forEach(({ id }, index) => {
    const base = stakerSlot(id);
    const staker = readFields(store.read, base, EARNING);
    if (isAbsent(participation, index) && staker.status === 0n) {
      writeFields(store, base, STAKER, { status: JAILED, jailedUntil: clock.epoch + settings.jailEpochs });
      return;
    }
    const earned = rewards[index] ?? 0n;
    if (staker.status !== 0n || staker.bonded === 0n || earned === 0n) return;
    const { commission, perWei } = splitReward(earned, staker.commission, staker.bonded);
    writeFields(store, base, STAKER, {
      commissionDue: staker.commissionDue + commission,
      rewardPerWei: staker.rewardPerWei + perWei,
    });
    made += earned;
  });
  if (made === 0n) return;
  const { unclaimed } = readFields(store.read, SLOT.totals_, TOTALS);
  writeFields(store, SLOT.totals_, TOTALS, { unclaimed: unclaimed + made });
  state.setBalance(STAKING_ADDRESS, state.balance(STAKING_ADDRESS) + made);
}

/** All that have a place, with what they revealed in the round. */
function readCandidates(read: ReadWord, round: number, minStake: bigint): readonly Candidate[] {
  return readPacked(read, CANDIDATES).map((id) => {
    const base = stakerSlot(id);
    const { status, bonded, ownBonded, revealed, snapshotEven, snapshotOdd } = readFields(
      read,
      base,
      DRAWING,
    );
    const hasRevealed = revealed === BigInt(round + 1);
    return {
      id,
      isEligible: status === 0n && ownBonded >= minStake,
      bonded,
      // Of the epoch before the round.
      snapshot: round % 2 === 0 ? snapshotOdd : snapshotEven,
      output: hasRevealed ? readFields(read, base, OUTPUT).output : undefined,
    };
  });
}

/** A new draw; else the current set, if it is ours, without those who may not vote any more; else the current set as it is, because a
 * chain without validators would stand still for good. Only the last one may count stake that has left since, which therefore stays
 * locked until another set is decided. */
function decide(
  store: StakingStore,
  settings: Values<typeof SETTINGS>,
  clock: Values<typeof CLOCK>,
  current: Committee | undefined,
  candidates: readonly Candidate[],
  nextEpoch: number,
): void {
  const rules = {
    expectedSeats: Number(settings.expectedSeats),
    minValidators: Number(settings.minValidators),
    maxValidators: Number(settings.maxValidators),
    minRevealedPercent: Number(settings.minRevealedPercent),
  };
  const isNext = clock.round + 1n === BigInt(nextEpoch);
  const drawn = isNext ? drawCommittee(candidates, rules) : undefined;
  const isOurs = current?.inForce === true;
  const carried =
    drawn === undefined && isOurs
      ? carryOn(current.members, (id) => standing(store.read, id, settings.minStake), rules.minValidators)
      : undefined;
  const members = drawn ?? carried ?? (isOurs ? current.members : []);
  writeCommittee(store, { epoch: nextEpoch, inForce: false, members });
  const isStale = drawn === undefined && carried === undefined && isOurs;
  if (isStale) return;
  store.write(numberedSlot(Number(clock.fresh), SLOT.freshAfter), BigInt(nextEpoch));
  writeFields(store, SLOT.clock_, CLOCK, { fresh: BigInt(nextEpoch) });
}

function standing(
  read: ReadWord,
  id: number,
  minStake: bigint,
): { readonly isEligible: boolean; readonly bonded: bigint } {
  const { status, bonded, ownBonded } = readFields(read, stakerSlot(id), STANDING);
  return { isEligible: status === 0n && ownBonded >= minStake, bonded };
}

/** Where nobody has revealed anything, as before the first stakers have a snapshot, the block's own randomness stands in: its leader can
 * choose among a few, but nobody can have made keys to fit it. */
function seedAfter(context: SystemContext, read: ReadWord): bigint {
  const seed = hashFromWord(read(SLOT.seed_));
  const drawn = read(SLOT.drawn);
  if (drawn !== 0n) return bytesToBigint(nextSeed(seed, [drawn]));
  const { output } = context.call(STAKING_ADDRESS, BLOCK_RANDOMNESS_SELECTOR, VIEW_GAS);
  return bytesToBigint(nextSeed(seed, [bytesToBigint(output)]));
}

/** Stakes as of now, in place of those that were just drawn from. Who can never vote again gives its place up. */
function takeSnapshot(store: StakingStore, candidates: readonly Candidate[], nextEpoch: number): void {
  const kept: number[] = [];
  for (const { id, bonded } of candidates) {
    const base = stakerSlot(id);
    const { status } = readFields(store.read, base, STANDING);
    if ((status & (TOMBSTONED | EXITED)) !== 0n) {
      writeFields(store, base, STAKER, { place: 0n, snapshotEven: 0n, snapshotOdd: 0n });
      continue;
    }
    const place = BigInt(kept.push(id));
    const taken = nextEpoch % 2 === 0 ? { snapshotEven: bonded } : { snapshotOdd: bonded };
    writeFields(store, base, STAKER, { ...taken, place });
  }
  if (kept.length < candidates.length) writePacked(store, CANDIDATES, kept);
}
