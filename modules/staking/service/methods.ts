import { toHex } from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import {
  type BlockParameter,
  checksumAddress,
  defineModuleMethod,
  type Json,
  LATEST,
  type ModuleMethod,
  type ModuleReads,
  optional,
  parameterTypes,
  quantity,
  RpcError,
  required,
} from "@ostrom/runtime";
import {
  type Committee,
  decentralizationOf,
  type Holding,
  readDelegation,
  readReportsDue,
  readStakers,
  readStakingSettings,
  readStakingState,
  readUnbondings,
  type StakerState,
  type StakingSettings,
  type StakingState,
  seatsOf,
  sortitionInput,
  stakerOfOperator,
} from "@ostrom/staking-chain";
import { dutyMethod } from "./duty-method.ts";

type State = Pick<ModuleState, "storage">;

/** Stakers in one answer. */
const MAX_STAKERS = 256;
/** Stakers that an account's delegations are looked up with, newest first. */
const MAX_SEARCHED = 4_096;
const NOT_ACTIVE = -32_000;

const blockParameter = optional("block", parameterTypes.block, LATEST);

/** `staking_*`: what state says of stake, and what follows from it. Amounts are in wei. */
export const stakingMethods: readonly ModuleMethod[] = [
  dutyMethod,
  defineModuleMethod({
    name: "staking_getStatus",
    summary: "The rules of staking on this chain, epoch and round, and sums of all stake.",
    parameters: [blockParameter],
    returns:
      "{block, epoch, round, seed, input, totals, stakerCount, settings, current: [member], next: [member] | null}",
    run: (reads, block) =>
      withStaking(reads, block, (state, staking, number) => statusJson(reads, state, staking, number)),
  }),
  defineModuleMethod({
    name: "staking_getValidators",
    summary: `All that have registered, at most ${MAX_STAKERS} from a number on: keys, stake, what became of them, weight in the sets of this epoch and the next.`,
    parameters: [optional("from", parameterTypes.count, 1), blockParameter],
    returns:
      "[{staker, name, operator, state: active | waiting | jailed | slashed | exited, bonded, ownBonded, unbonding, commission, jailedUntilEpoch, slashes, hasRevealed, weight, nextWeight, ...keys and place}]",
    run: (reads, from, block) =>
      withStaking(reads, block, (state, staking) =>
        readStakers(state, Math.max(1, from), MAX_STAKERS).map((staker) => stakerJson(staker, staking)),
      ),
  }),
  defineModuleMethod({
    name: "staking_getDelegations",
    summary:
      "What an account has behind validators, with the rewards that it can claim; what it earned by reports.",
    parameters: [required("account", parameterTypes.address), blockParameter],
    returns: "{staker: its own validator or null, delegations: [{staker, name, amount, due}], reportsDue}",
    run: (reads, account, block) =>
      withStaking(reads, block, (state, { stakerCount }) => {
        const first = Math.max(1, stakerCount - MAX_SEARCHED + 1);
        const delegations = readStakers(state, first, MAX_SEARCHED).flatMap(({ id, name }) => {
          const held = readDelegation(state, id, account);
          if (held === undefined) return [];
          return [{ staker: quantity(id), name, amount: quantity(held.amount), due: quantity(held.due) }];
        });
        const own = stakerOfOperator(state, account);
        const reportsDue = quantity(readReportsDue(state, account));
        return { staker: own === undefined ? null : quantity(own), delegations, reportsDue };
      }),
  }),
  defineModuleMethod({
    name: "staking_getUnbonding",
    summary:
      "What an account has in the queue of stake that leaves. payableFromEpoch null: a set that may count it goes on.",
    parameters: [required("account", parameterTypes.address), blockParameter],
    returns: "[{staker, amount, payableFromEpoch, isPayable}]",
    run: (reads, account, block) =>
      withStaking(reads, block, (state, { epoch }) =>
        readUnbondings(state, account).map(({ staker, amount, payableFromEpoch }) => ({
          staker: quantity(staker),
          amount: quantity(amount),
          payableFromEpoch: payableFromEpoch === undefined ? null : quantity(payableFromEpoch),
          isPayable: payableFromEpoch !== undefined && payableFromEpoch <= epoch,
        })),
      ),
  }),
  defineModuleMethod({
    name: "staking_getDecentralization",
    summary:
      "How far power is spread, by stake and by weight in the set: how few operators can stop the chain (Nakamoto coefficient), how few decide alone, the largest one's share.",
    parameters: [blockParameter],
    returns:
      "{stake, set: null | {operators, nakamotoToStop, nakamotoToControl, largestShare (of 10,000 parts)}}",
    run: (reads, block) => withStaking(reads, block, decentralizationJson),
  }),
  defineModuleMethod({
    name: "staking_getSortition",
    summary:
      "The draw that goes on: for which epoch, from which seed and input, what each validator has at stake in it, and what those drew that have revealed. The proofs are in the transactions that logged Revealed.",
    parameters: [blockParameter],
    returns:
      "{round, forEpoch, seed, input, totalStake, revealedStake, expectedSeats, validators: [{staker, vrfKey, stake, output, seats}]}",
    run: (reads, block) =>
      withStaking(reads, block, (state, staking) => sortitionJson(reads.chainId, state, staking)),
  }),
];

function withStaking(
  reads: ModuleReads,
  block: BlockParameter,
  describe: (state: State, staking: StakingState, blockNumber: number) => Json,
): Json {
  return reads.withState(block, (state, blockNumber) => {
    const staking = readStakingState(state);
    if (staking === undefined)
      throw new RpcError(NOT_ACTIVE, "staking is not active on this chain at this block");
    return describe(state, staking, blockNumber);
  });
}

function statusJson(reads: ModuleReads, state: State, staking: StakingState, block: number): Json {
  const { epoch, round, seed, bonded, unbonding, unclaimed, burned, stakerCount } = staking;
  const settings = readStakingSettings(state);
  return {
    block: quantity(block),
    epoch: quantity(epoch),
    round: quantity(round),
    seed: toHex(seed),
    input: toHex(sortitionInput(reads.chainId, round + 1, seed)),
    totals: {
      bonded: quantity(bonded),
      unbonding: quantity(unbonding),
      unclaimed: quantity(unclaimed),
      burned: quantity(burned),
    },
    stakerCount: quantity(stakerCount),
    settings: settings === undefined ? null : settingsJson(settings),
    current: committeeJson(staking.current),
    next: committeeJson(staking.next),
  };
}

function settingsJson({ genesisHash, ...amounts }: StakingSettings): Json {
  const numbers = Object.entries(amounts).map(([name, value]) => [name, quantity(value as number | bigint)]);
  return {
    ...Object.fromEntries(numbers),
    genesisHash: genesisHash === undefined ? null : toHex(genesisHash),
  };
}

function committeeJson(committee: Committee | undefined): Json {
  if (committee === undefined) return null;
  return committee.members.map(({ id, weight, bonded }) => ({
    staker: quantity(id),
    weight: quantity(weight),
    bonded: quantity(bonded),
  }));
}

function stakerJson(staker: StakerState, { current, next }: StakingState): Json {
  const weightIn = (committee: Committee | undefined): Json => {
    if (committee === undefined) return null;
    return quantity(committee.members.find(({ id }) => id === staker.id)?.weight ?? 0n);
  };
  return {
    staker: quantity(staker.id),
    name: staker.name,
    operator: checksumAddress(staker.operator),
    state: stateOf(staker),
    bonded: quantity(staker.bonded),
    ownBonded: quantity(staker.ownBonded),
    unbonding: quantity(staker.unbonding),
    commission: quantity(staker.commission),
    jailedUntilEpoch: staker.isJailed ? quantity(staker.jailedUntil) : null,
    slashes: quantity(staker.slashes),
    hasRevealed: staker.hasRevealed,
    weight: weightIn(current),
    nextWeight: weightIn(next),
    consensusKey: toHex(staker.consensusKey),
    transportKey: toHex(staker.transportKey),
    vrfKey: toHex(staker.vrfKey),
    host: staker.host,
    port: quantity(staker.port),
  };
}

function stateOf(staker: StakerState): string {
  if (staker.isTombstoned) return "slashed";
  if (staker.hasExited) return "exited";
  if (staker.isJailed) return "jailed";
  return staker.isCandidate ? "active" : "waiting";
}

function decentralizationJson(state: State, { current, stakerCount }: StakingState): Json {
  const stakers = allStakers(state, stakerCount);
  const standing = stakers.filter((staker) => stateOf(staker) === "active");
  const operators = new Map(stakers.map(({ id, operator }) => [id, checksumAddress(operator)]));
  const stake = standing.map(({ operator, bonded }) => ({
    operator: checksumAddress(operator),
    weight: bonded,
  }));
  const set = current?.members.map(({ id, weight }) => ({ operator: operators.get(id) ?? `${id}`, weight }));
  return { stake: spreadJson(stake), set: set === undefined ? null : spreadJson(set) };
}

function spreadJson(holdings: readonly Holding[]): Json {
  const { operators, nakamotoToStop, nakamotoToControl, largestShare } = decentralizationOf(holdings);
  return {
    operators: quantity(operators),
    nakamotoToStop: quantity(nakamotoToStop),
    nakamotoToControl: quantity(nakamotoToControl),
    largestShare: quantity(largestShare),
  };
}

function sortitionJson(chainId: bigint, state: State, { round, seed, stakerCount }: StakingState): Json {
  const { expectedSeats } = readStakingSettings(state) ?? { expectedSeats: 1 };
  const drawing = allStakers(state, stakerCount).filter(({ stakeInRound }) => stakeInRound > 0n);
  const total = drawing.reduce((sum, { stakeInRound }) => sum + stakeInRound, 0n);
  const revealed = drawing.filter(({ hasRevealed }) => hasRevealed);
  return {
    round: quantity(round),
    forEpoch: quantity(round + 1),
    seed: toHex(seed),
    input: toHex(sortitionInput(chainId, round + 1, seed)),
    totalStake: quantity(total),
    revealedStake: quantity(revealed.reduce((sum, { stakeInRound }) => sum + stakeInRound, 0n)),
    expectedSeats: quantity(expectedSeats),
    validators: drawing.map((staker) => drawnJson(staker, total, expectedSeats)),
  };
}

function drawnJson(staker: StakerState, total: bigint, expectedSeats: number): Json {
  const { id, vrfKey, stakeInRound, bonded, hasRevealed, output } = staker;
  const counted = stakeInRound < bonded ? stakeInRound : bonded;
  return {
    staker: quantity(id),
    vrfKey: toHex(vrfKey),
    stake: quantity(stakeInRound),
    output: hasRevealed ? toHex(output) : null,
    seats: hasRevealed ? quantity(seatsOf(output, counted, total, expectedSeats)) : null,
  };
}

/** The newest ones, where there are very many. */
function allStakers(state: State, stakerCount: number): readonly StakerState[] {
  return readStakers(state, Math.max(1, stakerCount - MAX_SEARCHED + 1), MAX_SEARCHED);
}
