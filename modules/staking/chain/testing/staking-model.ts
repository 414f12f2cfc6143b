import { strict as assert } from "node:assert";
import { toHex } from "@ostrom/base";
import { readDelegation, readUnbondings } from "../account-views.ts";
import { readCommittee } from "../committee.ts";
import { readStakers, readStakingState, type StakerState } from "../staking-views.ts";
import { stakingReader } from "../store.ts";
import { checkSets, checkSums, countsWhatIsThere, onlineMembers, sum } from "./model-checks.ts";
import {
  announcement,
  FAKE_PROOF,
  fakeEvidence,
  initialValidator,
  keyOf,
  type Person,
  person,
} from "./played-keys.ts";
import { COIN, StakingChain } from "./staking-chain.ts";

const OPERATORS = 5;
/** Every second operator contradicts itself at times; nobody else ever does. */
const isDishonest = (index: number): boolean => index % 2 === 0;
const DELEGATORS = [50, 51, 52].map(person);
const REPORTER = person(60);
const EPOCH_LENGTH = 16;
/** For each slash of each account, and each division of a reward, a wei may stay behind. */
const DUST = 10_000n;
/** What the contract says of an epoch that is not known yet. */
const NEVER = 2n ** 256n - 1n;

/** One random act: what it does is decided by the numbers and by the state that it meets. */
export type RandomAct = readonly [kind: number, who: number, amount: number];

type Entry = { readonly id: number; amount: bigint; readonly leftAt: number };
type Book = {
  /** Operator's index by staker. */
  readonly operator: number;
  readonly held: Map<number, bigint>;
  slashes: number;
};

/** What differs from run to run. */
export type ModelRules = { readonly minValidators: number; readonly slashPercent: number };

/** The chain, beside a plain account of what everybody should have. */
export class StakingModel {
  readonly chain: StakingChain;
  readonly #rules: ModelRules;
  readonly #books: Book[] = [];
  readonly #queues = new Map<number, Entry[]>();
  /** What somebody has brought in and taken out, rewards aside. */
  readonly #stake = new Map<number, { in: bigint; out: bigint }>();
  readonly #offline = new Set<number>();
  readonly #slashed = new Set<string>();
  #time = 0;
  /** When sets were decided that do not count what had left by then; by epoch. */
  readonly #decidedAt = new Map<number, number>([[0, 0]]);
  #everPaid = 0n;
  #funded = 300n * COIN;
  #nextIndex = 3;

  constructor(rules: ModelRules) {
    this.#rules = rules;
    this.chain = new StakingChain({
      initial: [0, 1, 2].map((index) => initialValidator(index, 100n * COIN, false)),
      epochLength: EPOCH_LENGTH,
      settings: { ...rules, maxValidators: 5, expectedSeats: 50, jailEpochs: 1 },
    });
    for (const index of [0, 1, 2]) this.#enroll(index, 100n * COIN);
  }

  act([kind, who, amount]: RandomAct): void {
    this.#time++;
    const acts = [
      () => this.#register(amount),
      () => this.#delegate(who, amount),
      () => this.#delegate(who, amount),
      () => this.#undelegate(who, amount),
      () => this.#undelegate(who, amount),
      () => this.#exit(who),
      () => this.#withdraw(who),
      () => this.#claim(who, amount),
      () => this.#slash(who, amount),
      () => this.#slash(who, amount),
      () => this.#unjail(who),
      () => this.#toggle(who),
      () => this.#endEpoch(amount),
      () => this.#endEpoch(amount),
      () => this.#decide(amount),
      () => this.#block(),
    ];
    acts[kind % acts.length]!();
    this.check();
  }

  /** All that must hold at any time. */
  check(): void {
    const { chain } = this;
    const state = readStakingState(chain.state)!;
    const stakers = readStakers(chain.state, 1, state.stakerCount);
    checkSums(chain.held(), state, stakers);
    let due = BigInt(chain.ask("reportsDue", [toHex(REPORTER.address)]) as bigint);
    for (const staker of stakers) due += this.#checkStaker(staker);
    assert.ok(due <= state.unclaimed, "rewards that are owed are there");
    this.#checkCoins();
    checkSets(this.chain, stakers);
  }

  /** Everybody leaves and takes all. What remains is what was burned, and dust. */
  settle(): void {
    const { chain } = this;
    for (const [index, book] of this.#books.entries()) {
      const id = index + 1;
      for (const who of book.held.keys()) {
        const [amount] = chain.ask("delegationOf", [
          BigInt(id),
          toHex(person(who).address),
        ]) as readonly bigint[];
        if (amount === 0n || who === book.operator) continue;
        this.#take(id, who, amount!);
      }
    }
    for (const book of this.#books) {
      if (chain.ask("stakerOfOperator", [toHex(person(book.operator).address)]) !== 0n) this.#leave(book);
    }
    // Somebody must validate, or the last set would go on, with its stake locked.
    const { minValidators } = this.#rules;
    const fresh = BigInt(minValidators) * 50n * COIN;
    for (let i = 0; i < minValidators; i++) assert.equal(chain.register(900 + i, 50n * COIN), "done");
    for (let epoch = 0; epoch < 12; epoch++) {
      for (let i = 1; i <= minValidators; i++) {
        chain.send(REPORTER, "reveal", [BigInt(this.#books.length + i), toHex(FAKE_PROOF)]);
      }
      chain.nextEpoch();
    }
    for (const index of [...this.#queues.keys()]) this.#pay(index);
    for (const [index, book] of this.#books.entries()) {
      for (const who of book.held.keys()) chain.send(person(who), "claim", [BigInt(index + 1)]);
    }
    chain.send(REPORTER, "claimReports");
    const state = readStakingState(chain.state)!;
    assert.equal(state.bonded - fresh < DUST, true, "all bonded stake is out");
    assert.ok(state.unbonding < DUST, "all unbonding stake is paid");
    assert.ok(chain.held() - state.burned - state.unclaimed - fresh < 2n * DUST);
    for (const [who, { in: brought, out }] of this.#stake) {
      const touched = this.#books.some(({ held, slashes }) => slashes > 0 && held.has(who));
      if (!touched) assert.equal(out, brought, "who was with honest validators has all of its stake");
      else assert.ok(out <= brought);
    }
  }

  #checkStaker({ id, bonded, unbonding, isTombstoned, commissionDue }: StakerState): bigint {
    const book = this.#books[id - 1];
    if (book === undefined) return 0n;
    assert.equal(isTombstoned, book.slashes > 0, "nobody is slashed but who contradicted itself");
    let held = 0n;
    let due = commissionDue;
    for (const [who, expected] of book.held) {
      const [amount, owed] = this.chain.ask("delegationOf", [
        BigInt(id),
        toHex(person(who).address),
      ]) as readonly bigint[];
      assert.equal(amount, expected, "delegations are what came, less what left and what was slashed");
      const read = readDelegation(this.chain.state, id, person(who).address);
      const commission: bigint = who === book.operator ? commissionDue : 0n;
      assert.deepEqual(
        [read?.amount ?? 0n, read?.due ?? 0n],
        [amount, owed! + commission],
        "nodes read what the contract says",
      );
      held += amount!;
      due += owed!;
    }
    assert.ok(held <= bonded && bonded - held < DUST, "what is bonded covers all delegations");
    let waiting = 0n;
    for (const queue of this.#queues.values()) {
      for (const entry of queue) if (entry.id === id) waiting += entry.amount;
    }
    assert.ok(waiting <= unbonding && unbonding - waiting < DUST, "what is unbonding covers all that wait");
    return due;
  }

  /** Coins come from accounts and from rewards, and from nowhere else. */
  #checkCoins(): void {
    let sumOfAll = this.chain.held() + this.chain.balance(REPORTER);
    for (let index = 0; index < this.#nextIndex; index++) sumOfAll += this.chain.balance(person(index));
    for (const who of DELEGATORS) sumOfAll += this.chain.balance(who);
    const epochs = BigInt(this.chain.epoch + 1);
    assert.ok(sumOfAll >= this.#funded && sumOfAll - this.#funded <= epochs * 7n * COIN);
  }

  #enroll(index: number, stake: bigint): void {
    this.#books.push({ operator: index, held: new Map([[index, stake]]), slashes: 0 });
    this.#bring(index, stake);
  }

  #bring(who: number, amount: bigint): void {
    const flow = this.#stake.get(who) ?? { in: 0n, out: 0n };
    flow.in += amount;
    this.#stake.set(who, flow);
  }

  #register(amount: number): void {
    if (this.#nextIndex >= OPERATORS + 3) return;
    const index = this.#nextIndex;
    const stake = BigInt(10 + (amount % 200)) * COIN + BigInt(amount);
    assert.equal(this.chain.register(index, stake), "done");
    this.#nextIndex++;
    this.#funded += stake;
    this.#enroll(index, stake);
  }

  #delegate(who: number, amount: number): void {
    const [id, book] = this.#pick(amount);
    const delegator = this.#someone(who, book);
    const value = COIN + BigInt(amount) ** 3n;
    this.chain.fund(delegator, value);
    this.#funded += value;
    const staker = readStakers(this.chain.state, id, 1)[0]!;
    const isOwn = delegator.index === book.operator;
    const may = book.slashes === 0 && !staker.hasExited && !(staker.isJailed && !isOwn);
    const outcome = isOwn
      ? this.chain.send(delegator, "addStake", [], value)
      : this.chain.send(delegator, "delegate", [BigInt(id)], value);
    assert.equal(outcome === "done", may, outcome);
    if (outcome !== "done") return;
    book.held.set(delegator.index, (book.held.get(delegator.index) ?? 0n) + value);
    this.#bring(delegator.index, value);
  }

  #undelegate(who: number, amount: number): void {
    const [id, book] = this.#pick(amount);
    const delegator = this.#someone(who, book);
    const held = book.held.get(delegator.index) ?? 0n;
    const wanted = amount % 3 === 0 ? held : (held * BigInt(amount % 97)) / 100n;
    this.#take(id, delegator.index, wanted);
  }

  #take(id: number, who: number, amount: bigint): void {
    if (this.chain.send(person(who), "undelegate", [BigInt(id), amount]) === "done")
      this.#left(id, who, amount);
  }

  #left(id: number, who: number, amount: bigint): void {
    const book = this.#books[id - 1]!;
    book.held.set(who, book.held.get(who)! - amount);
    const queue = this.#queues.get(who) ?? [];
    if (amount > 0n) queue.push({ id, amount, leftAt: this.#time });
    this.#queues.set(who, queue);
  }

  #exit(who: number): void {
    if (who % 4 === 0) this.#leave(this.#pick(who)[1]);
  }

  #leave(book: Book): void {
    const id = this.#books.indexOf(book) + 1;
    const held = book.held.get(book.operator) ?? 0n;
    if (this.chain.send(person(book.operator), "exit") === "done") this.#left(id, book.operator, held);
  }

  #withdraw(who: number): void {
    const queues = [...this.#queues.keys()];
    if (queues.length > 0) this.#pay(queues[who % queues.length]!);
  }

  /** What is paid must be what the model says, and of stake that no set counts any more. */
  #pay(who: number): void {
    const queue = this.#queues.get(who)!;
    const [, amounts, payable] = this.chain.ask("unbondingsOf", [toHex(person(who).address)]) as [
      unknown,
      bigint[],
      bigint[],
    ];
    assert.deepEqual(
      [...amounts].sort(),
      queue.map(({ amount }) => amount).sort(),
      "what waits is what left, less slashes",
    );
    const read = readUnbondings(this.chain.state, person(who).address);
    assert.deepEqual(
      read.map((entry) => entry.amount),
      amounts,
    );
    assert.deepEqual(
      read.map(({ payableFromEpoch }) => BigInt(payableFromEpoch ?? NEVER)),
      payable,
    );
    const ripe = sum(amounts.filter((_, index) => payable[index]! <= BigInt(this.chain.epoch)));
    const before = this.chain.balance(person(who));
    this.chain.send(person(who), "withdraw");
    assert.equal(this.chain.balance(person(who)) - before, ripe);
    const [left] = this.chain.ask("unbondingsOf", [toHex(person(who).address)]) as [
      readonly { amount: bigint }[],
    ];
    this.#forget(who, queue, left.length);
    this.#everPaid += ripe;
    this.#stake.get(who)!.out += ripe;
  }

  /** Takes paid entries off: the oldest, since all wait alike. */
  #forget(who: number, queue: readonly Entry[], left: number): void {
    const sorted = [...queue].sort((a, b) => a.leftAt - b.leftAt);
    for (const { id, leftAt } of sorted.slice(0, sorted.length - left)) {
      for (const epoch of [this.chain.epoch - 1, this.chain.epoch, this.chain.epoch + 1]) {
        const decidedAt = this.#decidedAt.get(epoch);
        const members = readCommittee(stakingReader(this.chain.state), epoch)?.members ?? [];
        if (decidedAt === undefined || !members.some((member) => member.id === id)) continue;
        assert.ok(decidedAt > leftAt, "no set counts stake that was paid out");
      }
    }
    this.#queues.set(who, sorted.slice(sorted.length - left));
  }

  #claim(who: number, amount: number): void {
    const [id, book] = this.#pick(amount);
    this.chain.send(this.#someone(who, book), "claim", [BigInt(id)]);
    if (who % 5 === 0) this.chain.send(REPORTER, "claimReports");
  }

  #slash(who: number, amount: number): void {
    const [id, book] = this.#pick(who);
    if (!isDishonest(book.operator)) return;
    const epoch = Math.max(0, this.chain.epoch - (amount % 5));
    const evidence = fakeEvidence(epoch, amount);
    if (amount % 2 === 0) {
      this.chain.send(REPORTER, "announce", [announcement(evidence, REPORTER)]);
      this.#block();
    }
    const outcome = this.chain.send(REPORTER, "report", [
      toHex(evidence),
      toHex(keyOf("consensus", book.operator, 48)),
    ]);
    const key = `${id}/${epoch}`;
    const may = this.chain.epoch - epoch <= 3 && !this.#slashed.has(key) && book.slashes < 8;
    assert.equal(outcome === "done", may, outcome);
    if (!may) return;
    this.#slashed.add(key);
    book.slashes++;
    for (const [owner, held] of book.held) book.held.set(owner, this.#kept(held));
    for (const queue of this.#queues.values()) {
      for (const entry of queue) if (entry.id === id) entry.amount = this.#kept(entry.amount);
    }
  }

  #unjail(who: number): void {
    this.chain.send(person(this.#pick(who)[1].operator), "unjail");
  }

  #toggle(who: number): void {
    const index = who % this.#nextIndex;
    if (!this.#offline.delete(index)) this.#offline.add(index);
  }

  /** One block; notes when a set is decided. @returns whether one was. */
  #block(): boolean {
    const { epoch } = this.chain;
    const online = onlineMembers(this.chain, this.#offline);
    const isDecided = this.chain.block(online, online[0] ?? 0) !== undefined;
    if (isDecided) {
      const isFresh = countsWhatIsThere(this.chain, epoch + 1);
      this.#decidedAt.set(epoch + 1, isFresh ? this.#time : (this.#decidedAt.get(epoch) ?? 0));
    }
    return isDecided;
  }

  /** To the block after the next decision, where stake is counted that may leave before it votes. */
  #decide(amount: number): void {
    this.#reveal(amount);
    while (!this.#block());
  }

  #endEpoch(amount: number): void {
    this.#reveal(amount);
    const { epoch } = this.chain;
    while (this.chain.epoch === epoch) this.#block();
  }

  /** Some do not. */
  #reveal(amount: number): void {
    const silent = this.#books.flatMap((_, index) => ((amount >> index) % 7 === 0 ? [index + 1] : []));
    this.chain.revealAll(amount % 3 === 0 ? silent : []);
  }

  #kept(amount: bigint): bigint {
    return (amount * (100n - BigInt(this.#rules.slashPercent))) / 100n;
  }

  #pick(number: number): readonly [number, Book] {
    const index = number % this.#books.length;
    return [index + 1, this.#books[index]!];
  }

  #someone(who: number, book: Book): Person {
    const index = who % (DELEGATORS.length + 1);
    return DELEGATORS[index] ?? person(book.operator);
  }
}
