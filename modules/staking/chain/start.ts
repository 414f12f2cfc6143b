import { addressFromWord, assert, bytesToBigint, hashFromWord } from "@ostrom/base";
import {
  readValidatorSet,
  readValidatorSetsPort,
  STAKING_ADDRESS,
  type SystemContext,
} from "@ostrom/execution";
import { type Member, writeCommittee } from "./committee.ts";
import { CLOCK, SETTINGS, SLOT, STAKER } from "./layout.ts";
import { firstSeed } from "./sortition.ts";
import { holderOfKey, readFields, type StakingStore, stakerSlot, writeFields } from "./store.ts";

const OWN_NAME = "staking";
const NAMED_BY = { genesisHash: SETTINGS.genesisHash } as const;
const INITIAL = { operator: STAKER.operator, bonded: STAKER.bonded } as const;

/** In the block in which the module becomes active, after the contract's `activate`: brings in the stake of the initial validators, takes
 * the first snapshot, and finds out whether they are the set that is in force. */
export function startStaking(context: SystemContext, store: StakingStore, epoch: number): void {
  fund(context, store);
  const number = BigInt(epoch);
  const { genesisHash } = readFields(store.read, SLOT.settings_, NAMED_BY);
  writeFields(store, SLOT.clock_, CLOCK, {
    epoch: number,
    round: number,
    fresh: number,
    sealedAt: BigInt(context.timestamp),
    started: 1n,
  });
  store.write(SLOT.seed_, bytesToBigint(firstSeed(hashFromWord(genesisHash))));
  adopt(context, store, epoch);
}

/** From the operators' accounts, or made. `activate` has checked that the accounts have it, and nothing ran since. */
function fund({ state }: SystemContext, store: StakingStore): void {
  const granted = store.read(SLOT.granted);
  const count = Number(store.read(SLOT.stakers));
  let sum = 0n;
  for (let id = 1; id <= count; id++) {
    const { operator, bonded } = readFields(store.read, stakerSlot(id), INITIAL);
    writeFields(store, stakerSlot(id), STAKER, { snapshotEven: bonded, snapshotOdd: bonded });
    sum += bonded;
    if (((granted >> BigInt(id - 1)) & 1n) === 1n) continue;
    const payer = addressFromWord(operator);
    assert(state.balance(payer) >= bonded, "activation must have checked what initial validators have");
    state.setBalance(payer, state.balance(payer) - bonded);
  }
  if (sum > 0n) state.setBalance(STAKING_ADDRESS, state.balance(STAKING_ADDRESS) + sum);
}

/** If the chain begins with staking, its first set are stakers: they are counted and rewarded like those that are drawn later. */
function adopt({ state }: SystemContext, store: StakingStore, epoch: number): void {
  const set = readValidatorSet(state);
  if (!set.ok || readValidatorSetsPort(state).holder !== OWN_NAME) return;
  const members = set.value.validators.map(({ consensusKey, weight }): Member => {
    const id = holderOfKey(store.read, consensusKey);
    const bonded = id === 0 ? 0n : readFields(store.read, stakerSlot(id), INITIAL).bonded;
    return { id, weight: BigInt(weight), bonded };
  });
  if (members.some(({ id }) => id === 0)) return;
  writeCommittee(store, { epoch, inForce: false, members });
}
