import { type Address, equalBytes, type Hash, must, toHexDigits } from "@ostrom/base";
import type { ValidatorSet } from "@ostrom/consensus";
import {
  type EpochSchedule,
  epochOfHeight,
  frozenHeight,
  type Genesis,
  type ModuleState,
  readValidatorSet,
  type SignedTransaction,
  type ValidatorSet as StoredSet,
  type Validator,
} from "@ostrom/execution";
import type { ExecutionReport } from "@ostrom/runtime";
import { readStakingSettings, readStakingState, type StakingState } from "@ostrom/staking-chain";
import { storeReader } from "@ostrom/state";
import { readHeader, readReceipts, type Store } from "@ostrom/storage";
import type { InvariantName } from "../invariants.ts";
import { verifyPossession } from "../signatures.ts";
import type { Confessions } from "./confessions.ts";
import { stakeEvents } from "./events.ts";
import { grantedStake, type ParticipationGenesis, stakeHolders } from "./genesis.ts";
import {
  allStakers,
  holderOf,
  identityOfTransport,
  isOfActiveMember,
  permittedSenders,
  type Seated,
  seatedOf,
  stands,
} from "./members.ts";
import { simulatedModule } from "./modules.ts";
import { StakeLock } from "./stake-lock.ts";
import { excessiveClaim, Supply, stakeDifference } from "./supply.ts";

export type WatchOptions = {
  readonly genesis: Genesis;
  readonly participation: ParticipationGenesis;
  readonly confessions: Confessions;
  readonly setOf: (epoch: number) => ValidatorSet | undefined;
  readonly isHonest: (identity: number) => boolean;
  readonly violate: (invariant: InvariantName, machine: number, message: string) => void;
  readonly strike: (what: string) => void;
  /** Who validates in an epoch is decided. */
  readonly decided: (members: readonly Seated[], height: number) => void;
};

/** Heights that are waited for. */
const PATIENCE = 3;

/** What must hold of participation, checked on the state after each block, as the first honest machine has executed it. All that it
 * knows it reads natively: by production's views, or by ways of its own where production's rule is what is checked. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #schedule: EpochSchedule;
  readonly #supply: Supply;
  readonly #lock = new StakeLock();
  /** All who may have stake, or rewards. */
  readonly #holders: readonly Address[];
  readonly #sent = new Map<string, { readonly sender: string; readonly what: string }>();
  readonly #decided = new Map<number, StoredSet>();
  /** undefined: everybody. As of the state after the newest block. */
  #permitted: ReadonlySet<string> | undefined;
  #hasPermissions = false;
  #next = 1;
  #machine = -1;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#schedule = options.genesis;
    this.#supply = new Supply(options.genesis);
    this.#holders = stakeHolders(options.participation.identities);
  }

  /** @param what it does, for counts; undefined for transfers of clients. */
  submitted(transaction: SignedTransaction, what: string): void {
    const sender = toHexDigits(transaction.sender);
    this.#sent.set(toHexDigits(transaction.hash), { sender, what });
  }

  /** Called for honest machines whose disks keep what they have. Heights are looked at in order: a machine whose power failed just
   * after it had stored a block is not heard of it, and then another's is waited for. */
  stored(machine: number, report: ExecutionReport, store: Store): void {
    if (report.height < this.#next || (report.height > this.#next && report.height <= this.#next + PATIENCE))
      return;
    this.#machine = machine;
    this.#check(report, store);
    this.#next = report.height + 1;
  }

  #check(report: ExecutionReport, store: Store): void {
    const state = storeReader(store);
    const { height } = report;
    const header = must(readHeader(store, height), "an executed block has a header").header;
    const receipts = must(readReceipts(store, height), "an executed block has receipts");
    const isWhole = height === this.#next;
    if (!isWhole) this.#options.strike("blocks not watched");
    for (const [index, hash] of report.included.entries())
      this.#included(report, hash, receipts[index]?.succeeded === true);
    const staking = readStakingState(state);
    const isFrozen = height === frozenHeight(this.#schedule, report.epoch);
    const made = this.#supply.made(state, header, report.changed, isWhole);
    if (made !== undefined) this.#checkSupply(height, made, isFrozen, state);
    const events = stakeEvents(receipts);
    if (staking !== undefined) this.#checkStake(report, state, staking, events);
    this.#checkEpoch(report);
    if (isFrozen) this.#checkSet(report, state, staking);
    this.#permitted = permittedSenders(state);
    this.#hasPermissions = true;
  }

  #violate(invariant: InvariantName, message: string): void {
    this.#options.violate(invariant, this.#machine, message);
  }

  #included({ height }: ExecutionReport, hash: Hash, succeeded: boolean): void {
    const sent = this.#sent.get(toHexDigits(hash));
    if (sent === undefined) return;
    if (sent.what !== "") this.#options.strike(succeeded ? sent.what : `${sent.what} (reverted)`);
    if (height !== this.#next || !this.#hasPermissions || this.#permitted === undefined) return;
    if (!this.#permitted.has(sent.sender))
      this.#violate(
        "permission",
        `block ${height} has a transaction of ${sent.sender}, which may not send any`,
      );
  }

  /** Coins come from rewards alone, and go by nothing but fees: what is slashed stays with the contract. */
  #checkSupply(height: number, made: bigint, isFrozen: boolean, state: ModuleState): void {
    const { participation } = this.#options;
    const granted = height === 1 ? grantedStake(participation) : 0n;
    const most = isFrozen ? (readStakingSettings(state)?.epochReward ?? 0n) : 0n;
    if (made < granted || made > granted + most)
      this.#violate(
        "supply",
        `block ${height} makes ${made} wei; expected ${granted}, and rewards of ${most} at most`,
      );
    if (isFrozen && made > 0n) this.#options.strike("rewards made");
  }

  #checkStake(
    report: ExecutionReport,
    state: ModuleState,
    staking: StakingState,
    events: ReturnType<typeof stakeEvents>,
  ): void {
    const { height, epoch } = report;
    const difference = stakeDifference(state, staking);
    if (difference !== undefined) this.#violate("stake-conserved", `block ${height}: ${difference}`);
    const isFrozen = height === frozenHeight(this.#schedule, epoch);
    const stakers = events.length > 0 || isFrozen ? allStakers(state) : [];
    if (stakers.length > 0) {
      const excess = excessiveClaim(state, staking, stakers, this.#holders);
      if (excess !== undefined) this.#violate("stake-conserved", `block ${height}: ${excess}`);
      const sums = stakers.reduce(
        (sum, one) => ({ bonded: sum.bonded + one.bonded, unbonding: sum.unbonding + one.unbonding }),
        { bonded: 0n, unbonding: 0n },
      );
      if (sums.bonded !== staking.bonded || sums.unbonding !== staking.unbonding)
        this.#violate(
          "stake-conserved",
          `block ${height}: stakers have ${sums.bonded} + ${sums.unbonding} of ${staking.bonded} + ${staking.unbonding}`,
        );
    }
    const { unbondingEpochs } = must(readStakingSettings(state), "staking is active");
    const wrong = this.#lock.happened(events, { height, epoch, unbondingEpochs }, state);
    for (const message of wrong) this.#violate("stake-locked", message);
    for (const event of events) {
      if (event.kind !== "slashed") continue;
      const staker = must(
        stakers.find(({ id }) => id === event.staker),
        "who is slashed is a staker",
      );
      const identity = identityOfTransport(staker.transportKey) ?? -1;
      this.#options.strike("slashed");
      if (this.#options.isHonest(identity) || !this.#options.confessions.hasConfessed(identity, event.epoch))
        this.#violate(
          "slashing",
          `block ${height}: ${identity} is slashed for epoch ${event.epoch}, and has not contradicted itself`,
        );
    }
  }

  /** What consensus takes for an epoch's set is what state had decided. */
  #checkEpoch({ epoch }: ExecutionReport): void {
    const decided = this.#decided.get(epoch);
    const used = this.#options.setOf(epoch);
    if (decided === undefined || used === undefined) return;
    this.#decided.delete(epoch);
    if (!isSame(decided.validators, used.validators))
      this.#violate("validator-set", `epoch ${epoch} has another set than state had decided`);
  }

  #checkSet(report: ExecutionReport, state: ModuleState, staking: StakingState | undefined): void {
    const { height, epoch } = report;
    const next = epoch + 1;
    const set = readValidatorSet(state);
    if (!set.ok || set.value.validators.length === 0) {
      this.#violate("validator-set", `block ${height}: state has no validators`);
      return;
    }
    const { validators } = set.value;
    const holder = holderOf(state);
    const current = this.#options.setOf(epoch);
    const goesOn = current !== undefined && isSame(validators, current.validators);
    const isAnswered = this.#checkAnswer(height, state, holder, set.value, current);
    if (isAnswered && holder === "membership")
      for (const one of validators)
        if (!isOfActiveMember(state, one))
          this.#violate(
            "membership",
            `block ${height}: ${one.name} is in the set of epoch ${next}, and of no active member`,
          );
    if (holder === "staking" && staking !== undefined)
      this.#checkCommittee(height, next, state, staking, validators);
    else this.#lock.setDecided(next, new Set(), undefined);
    this.#options.strike(`epochs of ${holder}`);
    if (goesOn) this.#options.strike("set goes on");
    this.#decided.set(next, set.value);
    this.#options.decided(seatedOf(validators), height);
  }

  /** The set in state is what the holder of the port answers, or where it has no answer that can be one, the one that goes on.
   * @returns whether it has one. */
  #checkAnswer(
    height: number,
    state: ModuleState,
    holder: string | undefined,
    set: StoredSet,
    current: ValidatorSet | undefined,
  ): boolean {
    const module = holder === undefined ? undefined : simulatedModule(holder);
    const next = epochOfHeight(this.#schedule, height) + 1;
    const answer = module?.validatorSet?.(state, next, set)?.set.validators ?? [];
    const proved = provedOf(answer, current);
    const isUsable = 3 * weightOf(proved) > 2 * weightOf(answer);
    const expected = isUsable ? proved : current?.validators;
    if (expected !== undefined && !isSame(set.validators, expected))
      this.#violate(
        "validator-set",
        `block ${height}: the set in state is not what ${isUsable ? `${holder} answers` : "goes on"}`,
      );
    return isUsable;
  }

  #checkCommittee(
    height: number,
    next: number,
    state: ModuleState,
    staking: StakingState,
    validators: readonly Validator[],
  ): void {
    const stakers = allStakers(state);
    const ofSet = validators.map((one) =>
      stakers.find(({ transportKey }) => equalBytes(transportKey, one.transportKey)),
    );
    const ids = new Set(ofSet.flatMap((one) => (one === undefined ? [] : [one.id])));
    // Where too few would be left the whole set goes on, with the keys that its members have now.
    if (!goesOnWhole(staking, next))
      ofSet.forEach((staker, index) => {
        if (staker === undefined || !stands(staker) || staker.bonded === 0n)
          this.#violate(
            "stake-voting",
            `block ${height}: ${validators[index]?.name} is in the set of epoch ${next} without stake, jailed or gone`,
          );
      });
    const members = staking.next?.epoch === next ? staking.next.members : [];
    const isCounted =
      members.length === validators.length &&
      members.every(({ id, weight, bonded }, index) => {
        const staker = ofSet[index];
        return (
          staker?.id === id && weight === BigInt(validators[index]?.weight ?? 0) && bonded <= staker.bonded
        );
      });
    this.#lock.setDecided(next, ids, isCounted ? height : undefined);
  }
}

/** Whether staking has decided nothing, or that its current set goes on as it is. */
function goesOnWhole({ current, next }: StakingState, epoch: number): boolean {
  if (next === undefined || next.epoch !== epoch) return true;
  if (current === undefined) return false;
  return (
    current.members.length === next.members.length &&
    current.members.every(({ id, weight }, index) => {
      const other = next.members[index];
      return other?.id === id && other.weight === weight;
    })
  );
}

function provedOf(validators: readonly Validator[], current: ValidatorSet | undefined): readonly Validator[] {
  const before = new Set(current?.validators.map(({ consensusKey }) => toHexDigits(consensusKey)));
  return validators.filter(
    ({ consensusKey, proofOfPossession }) =>
      before.has(toHexDigits(consensusKey)) || verifyPossession(consensusKey, proofOfPossession),
  );
}

function weightOf(validators: readonly Validator[]): number {
  return validators.reduce((sum, { weight }) => sum + weight, 0);
}

type Voting = Pick<Validator, "weight" | "consensusKey" | "transportKey">;

/** Whether they vote alike. */
function isSame(a: readonly Voting[], b: readonly Voting[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, index) => {
      const other = b[index];
      return (
        other !== undefined &&
        one.weight === other.weight &&
        equalBytes(one.consensusKey, other.consensusKey) &&
        equalBytes(one.transportKey, other.transportKey)
      );
    })
  );
}
