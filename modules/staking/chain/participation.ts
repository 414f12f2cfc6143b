import { readSigners } from "@ostrom/crypto";
import { type ReadWord, readValidatorSet, type SystemContext, type ValidatorSet } from "@ostrom/execution";
import { type Member, readCommittee, setInForce, sizeInForce } from "./committee.ts";
import { CLOCK, SETTINGS, SLOT } from "./layout.ts";
import { startStaking } from "./start.ts";
import {
  countUp,
  holderOfKey,
  PROPOSALS,
  readFields,
  SIGNATURES,
  type StakingStore,
  stakingStore,
  writeFields,
  writePacked,
} from "./store.ts";

const IS_ACTIVE = { active: SETTINGS.active } as const;
/** What the counter of certificates holds at most. */
const MAX_COUNT = 0xffffn;

/** At the beginning of each block: notes who made the block and whose signatures it carries, until the epoch's set is decided.
 *
 * A block writes the clock's word, one word of proposals and one of signatures for each 16 validators. */
export function beginStakingBlock(context: SystemContext): void {
  const { epoch, state } = context;
  const store = stakingStore(state);
  if (epoch === undefined || readFields(store.read, SLOT.settings_, IS_ACTIVE).active === 0n) return;
  const clock = readFields(store.read, SLOT.clock_, CLOCK);
  const hasStarted = clock.started === 1n;
  if (!hasStarted) startStaking(context, store, epoch);
  if (!hasStarted || clock.epoch !== BigInt(epoch)) openEpoch(context, store, epoch);
  count(context, store, epoch);
}

/** The counters begin anew, for the set that begins. */
function openEpoch({ state }: SystemContext, store: StakingStore, epoch: number): void {
  writeFields(store, SLOT.clock_, CLOCK, { epoch: BigInt(epoch), certificates: 0n, certifiedHeight: 0n });
  const committee = readCommittee(store.read, epoch);
  const zeros = Array.from({ length: committee?.members.length ?? 0 }, () => 0);
  writePacked(store, PROPOSALS, zeros);
  writePacked(store, SIGNATURES, zeros);
  if (committee === undefined) return;
  const set = readValidatorSet(state);
  if (set.ok && isSetOf(store.read, set.value, committee.members)) setInForce(store, epoch);
}

/** Whether the chain's set is what was decided here. Keys may have been rotated since; whose they are stays known. */
function isSetOf(read: ReadWord, { validators }: ValidatorSet, members: readonly Member[]): boolean {
  return (
    validators.length === members.length &&
    validators.every(({ consensusKey, weight }, index) => {
      const member = members[index];
      return member?.weight === BigInt(weight) && member.id === holderOfKey(read, consensusKey);
    })
  );
}

function count({ origin }: SystemContext, store: StakingStore, epoch: number): void {
  const clock = readFields(store.read, SLOT.clock_, CLOCK);
  const size = origin?.epoch === epoch ? sizeInForce(store.read, epoch) : undefined;
  // What happens after the decision does not change it.
  if (origin === undefined || size === undefined || clock.round !== clock.epoch) return;
  if (origin.proposer < size) countUp(store, PROPOSALS, [origin.proposer]);
  const { certified } = origin;
  if (certified === undefined || certified.epoch !== epoch) return;
  if (BigInt(certified.height) <= clock.certifiedHeight || clock.certificates === MAX_COUNT) return;
  const signers = readSigners(size, certified.signers);
  if (!signers.ok) return;
  countUp(store, SIGNATURES, signers.value);
  writeFields(store, SLOT.clock_, CLOCK, {
    certificates: clock.certificates + 1n,
    certifiedHeight: BigInt(certified.height),
  });
}
