import { type Address, addressToWord, type Bytes, concatBytes, type Hash, hashFromWord } from "@ostrom/base";
import { arraySlot, type ModuleState, mappingSlot } from "@ostrom/execution";
import {
  CLOCK,
  DELEGATION,
  MAX_SLASHES,
  MAX_UNBONDINGS,
  REWARD_SCALE_BITS,
  SETTINGS,
  SLOT,
  STAKER,
  UNBONDING,
} from "./layout.ts";
import type { StakingSettings } from "./settings.ts";
import { holderOfKey, numberedSlot, readFields, stakerSlot, stakingReader } from "./store.ts";

// What the contract's mappings have of one account or one key, for services and RPC: as StakingFunds.sol computes it.

type State = Pick<ModuleState, "storage">;

/** What somebody has put behind a validator. */
export type DelegationState = {
  readonly staker: number;
  /** What slashes have left of it. */
  readonly amount: bigint;
  /** Rewards that can be claimed, the operator's commission included. */
  readonly due: bigint;
};

/** Stake on its way out. */
export type UnbondingState = {
  readonly staker: number;
  /** What slashes have left of it. */
  readonly amount: bigint;
  /** undefined: a set that may count it goes on. */
  readonly payableFromEpoch: number | undefined;
};

const OF_A_STAKER = {
  operator: STAKER.operator,
  slashes: STAKER.slashes,
  commissionDue: STAKER.commissionDue,
  rewardPerWei: STAKER.rewardPerWei,
} as const;

const PERCENT = 100n;
const ADDRESS_PADDING = new Uint8Array(12);

/** The rules in force. @returns undefined on a chain where staking is not active. */
export function readStakingSettings(state: State): StakingSettings | undefined {
  const settings = readFields(stakingReader(state), SLOT.settings_, SETTINGS);
  if (settings.active === 0n) return undefined;
  return {
    expectedSeats: Number(settings.expectedSeats),
    minValidators: Number(settings.minValidators),
    maxValidators: Number(settings.maxValidators),
    minRevealedPercent: Number(settings.minRevealedPercent),
    slashPercent: Number(settings.slashPercent),
    unbondingEpochs: Number(settings.unbondingEpochs),
    jailEpochs: Number(settings.jailEpochs),
    evidenceEpochs: Number(settings.evidenceEpochs),
    fullRewardSeconds: Number(settings.fullRewardSeconds),
    minStake: settings.minStake,
    minDelegation: settings.minDelegation,
    epochReward: settings.epochReward,
    genesisHash: hashFromWord(settings.genesisHash),
  };
}

/** Whose a consensus, transport or VRF key is. @returns undefined if it was never handed in. */
export function stakerOfKey(state: State, key: Bytes): number | undefined {
  const staker = holderOfKey(stakingReader(state), key);
  return staker === 0 ? undefined : staker;
}

/** The validator that an account operates. */
export function stakerOfOperator(state: State, operator: Address): number | undefined {
  const staker = Number(stakingReader(state)(addressSlot(operator, SLOT.stakerOf)));
  return staker === 0 ? undefined : staker;
}

/** @returns undefined if the account has nothing there, nor rewards. */
export function readDelegation(state: State, staker: number, account: Address): DelegationState | undefined {
  const read = stakingReader(state);
  const chosen = readFields(read, stakerSlot(staker), OF_A_STAKER);
  const own = readFields(read, addressSlot(account, numberedSlot(staker, SLOT.delegations)), DELEGATION);
  const isOperator = chosen.operator === addressToWord(account);
  // Rewards first: what was slashed had earned them.
  const earned = (own.amount * (chosen.rewardPerWei - own.rewardPerWei)) >> REWARD_SCALE_BITS;
  const amount = afterSlashes(state, own.amount, chosen.slashes - own.slashes);
  const due = own.due + earned + (isOperator ? chosen.commissionDue : 0n);
  return amount === 0n && due === 0n ? undefined : { staker, amount, due };
}

/** What an account has in the queue, in no order. */
export function readUnbondings(state: State, account: Address): readonly UnbondingState[] {
  const read = stakingReader(state);
  const slot = addressSlot(account, SLOT.unbondings);
  const start = arraySlot(slot);
  const { unbondingEpochs } = readFields(read, SLOT.settings_, { unbondingEpochs: SETTINGS.unbondingEpochs });
  return Array.from({ length: Math.min(MAX_UNBONDINGS, Number(read(slot))) }, (_, index): UnbondingState => {
    const entry = readFields(read, start + BigInt(index), UNBONDING);
    const staker = Number(entry.staker);
    const { slashes } = readFields(read, stakerSlot(staker), OF_A_STAKER);
    const next = read(numberedSlot(Number(entry.countedIn), SLOT.freshAfter));
    return {
      staker,
      amount: afterSlashes(state, entry.amount, slashes - entry.slashes),
      payableFromEpoch: next === 0n ? undefined : Number(next - 1n + unbondingEpochs),
    };
  });
}

/** What an account has earned by reports and not taken yet. */
export function readReportsDue(state: State, reporter: Address): bigint {
  return stakingReader(state)(addressSlot(reporter, SLOT.reporterDue));
}

/** Block in which a report was announced; 0: not yet. @param commitment as `announce` takes it. */
export function readAnnounced(state: State, commitment: Hash): number {
  return Number(stakingReader(state)(mappingSlot(commitment, SLOT.announced)));
}

/** Whether a report of a contradiction would be taken: not too old nor to come, and its validator not slashed for that epoch. */
export function isReportable(state: State, staker: number, epoch: number): boolean {
  const read = stakingReader(state);
  const { epoch: now } = readFields(read, SLOT.clock_, { epoch: CLOCK.epoch });
  const { evidenceEpochs } = readFields(read, SLOT.settings_, { evidenceEpochs: SETTINGS.evidenceEpochs });
  const { slashes } = readFields(read, stakerSlot(staker), OF_A_STAKER);
  const isTimely = BigInt(epoch) <= now && BigInt(epoch) + evidenceEpochs >= now;
  const slashed = read(numberedSlot(epoch, numberedSlot(staker, SLOT.slashedIn)));
  return isTimely && slashed === 0n && slashes < BigInt(MAX_SLASHES);
}

function afterSlashes(state: State, amount: bigint, slashes: bigint): bigint {
  const { slashPercent } = readFields(stakingReader(state), SLOT.settings_, {
    slashPercent: SETTINGS.slashPercent,
  });
  let left = amount;
  for (let i = 0n; i < slashes; i++) left = (left * (PERCENT - slashPercent)) / PERCENT;
  return left;
}

function addressSlot(account: Address, slot: bigint): bigint {
  return mappingSlot(concatBytes(ADDRESS_PADDING, account), slot);
}
