import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ostrom/base";
import type { StakingSettings } from "./settings.ts";
import { readStakers, readStakingState } from "./staking-views.ts";
import {
  FAKE_PROOF,
  fakeEvidence,
  initialValidator,
  keyOf,
  type Person,
  person,
} from "./testing/played-keys.ts";
import { COIN, StakingChain } from "./testing/staking-chain.ts";

const OPERATORS = [0, 1, 2, 3];
const DELEGATOR = person(50);
const JAIL_EPOCHS = 2;

function stakers(
  settings: Partial<StakingSettings> = {},
  indices: readonly number[] = OPERATORS,
): StakingChain {
  const initial = indices.map((index) => initialValidator(index, 100n * COIN, false));
  return new StakingChain({ initial, settings });
}

function delegate(chain: StakingChain, who: Person, id: number, amount: bigint): string {
  chain.fund(who, amount);
  return chain.send(who, "delegate", [BigInt(id)], amount);
}

function epochs(chain: StakingChain, count: number, signers?: readonly number[], proposer?: number): void {
  for (let i = 0; i < count; i++) {
    chain.revealAll();
    chain.nextEpoch(signers, proposer);
  }
}

function slash(chain: StakingChain, index: number): string {
  return chain.send(person(60), "report", [
    toHex(fakeEvidence(chain.epoch)),
    toHex(keyOf("consensus", index, 48)),
  ]);
}

const reveal = (chain: StakingChain, id: number): string =>
  chain.send(person(99), "reveal", [BigInt(id), toHex(FAKE_PROOF)]);
const names = (chain: StakingChain): readonly string[] => chain.validators.map(({ name }) => name);
const weights = (chain: StakingChain): readonly number[] => chain.validators.map(({ weight }) => weight);
const stakerOf = (chain: StakingChain, id: number) => readStakers(chain.state, id, 1)[0]!;

test("a newcomer is drawn with the stake that was there before the seed: two decisions after it bonded", () => {
  const chain = stakers();
  chain.register(4, 100n * COIN);
  assert.equal(reveal(chain, 5), "NothingAtStake");
  epochs(chain, 1);
  assert.equal(reveal(chain, 5), "NothingAtStake", "its snapshot was taken when the seed became known");
  epochs(chain, 1);
  assert.equal(reveal(chain, 5), "done");
  assert.ok(!names(chain).includes("staker-4"));
  epochs(chain, 1);
  assert.ok(names(chain).includes("staker-4"));
});

test("anybody may send a proof; it counts once a round and must be the key's own", () => {
  const chain = stakers();
  assert.equal(chain.send(person(99), "reveal", [1n, "0x00"]), "WrongProof");
  assert.equal(reveal(chain, 1), "done");
  assert.equal(reveal(chain, 1), "AlreadyRevealed");
  assert.equal(reveal(chain, 9), "UnknownStaker");
  while (chain.block() === undefined);
  assert.equal(reveal(chain, 1), "done", "the next round begins with the decision");
});

test("stake that came after the snapshot does not count yet, stake that left does not count any more", () => {
  const chain = stakers({ expectedSeats: 1000 });
  epochs(chain, 1);
  delegate(chain, DELEGATOR, 1, 900n * COIN);
  epochs(chain, 1);
  assert.ok(weights(chain)[0]! < 350, `${weights(chain)}`);
  epochs(chain, 2);
  assert.ok(weights(chain)[0]! > 600, `${weights(chain)}`);
  chain.send(DELEGATOR, "undelegate", [1n, 900n * COIN]);
  epochs(chain, 1);
  assert.ok(weights(chain)[0]! < 150, `${weights(chain)}`);
});

test("the chance of a seat does not depend on what others do after the seed is known", () => {
  const drawn = (leaves: boolean): number => {
    const chain = stakers({ expectedSeats: 1000 });
    delegate(chain, DELEGATOR, 1, 500n * COIN);
    epochs(chain, 2);
    if (leaves) chain.send(DELEGATOR, "undelegate", [1n, 500n * COIN]);
    epochs(chain, 1);
    return weights(chain)[3]!;
  };
  assert.equal(drawn(true), drawn(false));
});

test("if too little stake reveals, the set goes on, without those who left or were slashed", () => {
  const chain = stakers();
  epochs(chain, 1);
  const before = weights(chain);
  reveal(chain, 1);
  reveal(chain, 2);
  chain.nextEpoch();
  assert.deepEqual(
    names(chain),
    ["staker-0", "staker-1", "staker-2", "staker-3"],
    "half is not more than half",
  );
  assert.deepEqual(weights(chain), before);
  chain.send(person(0), "undelegate", [1n, 50n * COIN]);
  slash(chain, 1);
  chain.send(person(2), "exit");
  chain.nextEpoch();
  assert.deepEqual(names(chain), ["staker-0", "staker-3"]);
  assert.deepEqual(weights(chain), [Math.floor(before[0]! / 2), before[3]]);
});

test("if more than half reveals, the others are not in the committee", () => {
  const chain = stakers();
  epochs(chain, 1);
  for (const id of [1, 2, 3]) reveal(chain, id);
  chain.nextEpoch();
  assert.deepEqual(names(chain), ["staker-0", "staker-1", "staker-2"]);
  epochs(chain, 1);
  assert.equal(names(chain).length, 4);
});

test("who is jailed counts neither as stake that should reveal nor as stake that did", () => {
  const chain = stakers({ jailEpochs: 20 });
  epochs(chain, 1);
  epochs(chain, 1, [0, 1, 2], 0);
  assert.ok(stakerOf(chain, 4).isJailed);
  for (const id of [1, 2]) reveal(chain, id);
  assert.equal(reveal(chain, 4), "IsJailed");
  chain.nextEpoch();
  assert.deepEqual(names(chain), ["staker-0", "staker-1"], "200 of 300");
});

test("only a set as large as the settings allow is drawn, and it weighs as much as all who were drawn", () => {
  const chain = stakers({ maxValidators: 3, expectedSeats: 2000 });
  delegate(chain, DELEGATOR, 1, 900n * COIN);
  epochs(chain, 3);
  assert.equal(chain.validators.length, 3);
  const weights = chain.validators.map(({ weight }) => Number(weight));
  assert.equal(names(chain)[0], "staker-0");
  const part = weights[0]! / weights.reduce((all, weight) => all + weight);
  assert.ok(part > 0.6 && part < 0.9, `10 of 13 parts of the stake have ${part} of the weight`);
});

test("a member that does nothing for an epoch is jailed, earns nothing for it, and leaves jail when its time is over", () => {
  const chain = stakers();
  epochs(chain, 1);
  const due = stakerOf(chain, 4).commissionDue;
  const jailedIn = chain.epoch;
  epochs(chain, 1, [0, 1, 2], 0);
  assert.deepEqual(names(chain), ["staker-0", "staker-1", "staker-2"]);
  const jailed = stakerOf(chain, 4);
  assert.deepEqual(
    [jailed.isJailed, jailed.jailedUntil, jailed.commissionDue],
    [true, jailedIn + JAIL_EPOCHS, due],
  );
  assert.equal(delegate(chain, DELEGATOR, 4, COIN), "IsJailed");
  chain.fund(person(3), COIN);
  assert.equal(chain.send(person(3), "addStake", [], COIN), "done", "its own operator may");
  assert.equal(chain.send(person(3), "unjail"), "StillJailed");
  assert.equal(chain.send(person(0), "unjail"), "NotJailed");
  epochs(chain, 1);
  assert.equal(chain.send(person(3), "unjail"), "done");
  assert.equal(delegate(chain, DELEGATOR, 4, COIN), "done");
  epochs(chain, 1);
  assert.ok(names(chain).includes("staker-3"), "its snapshots were taken in jail too");
});

test("stake leaves a jailed validator as it leaves any other", () => {
  const chain = stakers();
  delegate(chain, DELEGATOR, 4, 5n * COIN);
  epochs(chain, 1);
  epochs(chain, 1, [0, 1, 2], 0);
  assert.ok(stakerOf(chain, 4).isJailed);
  assert.equal(chain.send(DELEGATOR, "undelegate", [4n, 5n * COIN]), "done");
  assert.equal(chain.send(person(3), "exit"), "done");
  epochs(chain, 5);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.send(person(3), "withdraw"), "done");
  assert.deepEqual([chain.balance(DELEGATOR), chain.balance(person(3))], [5n * COIN, 100n * COIN]);
});

test("one proposal, or a signature in every twentieth certificate, keeps a member out of jail", () => {
  const proposing = stakers();
  proposing.nextEpoch([0, 1, 2]);
  assert.equal(stakerOf(proposing, 4).isJailed, false);
  const signing = stakers();
  while (signing.height < 14) signing.block(signing.height === 5 ? [0, 1, 2, 3] : [0, 1, 2], 0);
  signing.nextEpoch([0, 1, 2], 0);
  assert.equal(stakerOf(signing, 4).isJailed, false);
});

test("nobody is jailed by an epoch with few certificates", () => {
  const initial = OPERATORS.map((index) => initialValidator(index, 100n * COIN, false));
  const chain = new StakingChain({ initial, epochLength: 12 });
  chain.revealAll();
  chain.nextEpoch([0, 1, 2], 0);
  assert.equal(stakerOf(chain, 4).isJailed, false, "eight certificates are too few");
});

test("when everybody who could validate is out, the set goes on as it is, and its stake stays locked", () => {
  const chain = stakers();
  delegate(chain, DELEGATOR, 1, 5n * COIN);
  epochs(chain, 1);
  const before = names(chain);
  for (const index of OPERATORS) assert.equal(slash(chain, index), "done");
  const left = (9n * COIN) / 2n;
  assert.equal(chain.send(DELEGATOR, "undelegate", [1n, left]), "done");
  for (const index of OPERATORS) chain.send(person(index), "exit");
  for (let i = 0; i < 8; i++) {
    const { validators } = chain.nextEpoch();
    assert.deepEqual(names(chain), before);
    assert.equal(validators?.length, 4, "staking answers with a set, never with an empty one");
  }
  assert.equal(chain.send(DELEGATOR, "withdraw"), "NothingToTake");
  // Newcomers take over: then the old stake has its time to wait.
  for (const index of [10, 11]) assert.equal(chain.register(index, 100n * COIN), "done");
  epochs(chain, 3);
  assert.deepEqual(names(chain), ["staker-10", "staker-11"]);
  epochs(chain, 3);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.balance(DELEGATOR), left);
});

test("one of four that was slashed is out at the next decision, even if four are the least for a draw", () => {
  const chain = stakers({ minValidators: 4 });
  epochs(chain, 1);
  slash(chain, 1);
  epochs(chain, 1);
  assert.deepEqual(names(chain), ["staker-0", "staker-2", "staker-3"]);
  const before = weights(chain);
  epochs(chain, 1);
  assert.deepEqual(weights(chain), before, "three are too few for a new draw");
  chain.register(10, 100n * COIN);
  epochs(chain, 3);
  assert.deepEqual(names(chain), ["staker-0", "staker-2", "staker-3", "staker-10"]);
});

test("jail alone cannot stop the chain either: who comes out of it is drawn again", () => {
  const chain = stakers({ minValidators: 2, jailEpochs: 1 }, [0, 1]);
  epochs(chain, 2, [0], 0);
  assert.ok(stakerOf(chain, 2).isJailed);
  assert.deepEqual(
    names(chain),
    ["staker-0", "staker-1"],
    "one of two is neither enough nor more than two thirds",
  );
  assert.equal(chain.send(person(1), "unjail"), "done");
  epochs(chain, 1);
  assert.equal(names(chain).length, 2);
});

test("a validator with less of its own than the minimum is not drawn until it adds some", () => {
  const chain = stakers({}, [0, 1, 2]);
  chain.register(5, 10n * COIN);
  epochs(chain, 3);
  assert.ok(names(chain).includes("staker-5"));
  // The minimum rises by a scheduled change of settings.
  assert.equal(chain.activate({ minStake: 20n * COIN }), "done");
  epochs(chain, 1);
  assert.ok(!names(chain).includes("staker-5"));
  chain.fund(person(5), 10n * COIN);
  assert.equal(chain.send(person(5), "addStake", [], 10n * COIN), "done");
  epochs(chain, 2);
  assert.ok(names(chain).includes("staker-5"));
});

test("before it holds the port, staking draws, but neither rewards nor jails, and the set of others goes on", () => {
  const chain = new StakingChain();
  assert.equal(chain.nextEpoch().validators, undefined, "nobody has bonded");
  for (const index of OPERATORS) chain.register(index, 100n * COIN);
  epochs(chain, 2);
  chain.revealAll();
  assert.equal(chain.nextEpoch().validators?.length, 4);
  assert.deepEqual(chain.validators, []);
  assert.equal(readStakingState(chain.state)?.unclaimed, 0n);
  assert.equal(readStakingState(chain.state)?.current, undefined);
  chain.holdsPort = true;
  epochs(chain, 1);
  assert.equal(names(chain).length, 4);
  epochs(chain, 1);
  assert.ok(readStakingState(chain.state)!.unclaimed > 0n);
});

test("when the port goes to another module, rewards and jail end, and stake leaves as ever", () => {
  const chain = stakers();
  epochs(chain, 2);
  chain.holdsPort = false;
  // The set of others: here the last one that staking decided, which the next draw differs from.
  epochs(chain, 1);
  const { unclaimed } = readStakingState(chain.state)!;
  epochs(chain, 1, [0, 1, 2], 0);
  assert.equal(readStakingState(chain.state)!.current, undefined);
  epochs(chain, 1, [0, 1, 2], 0);
  assert.equal(readStakingState(chain.state)!.unclaimed, unclaimed);
  assert.ok(readStakers(chain.state, 1, 4).every(({ isJailed }) => !isJailed));
  assert.equal(chain.send(person(0), "exit"), "done");
  epochs(chain, 4);
  assert.equal(chain.send(person(0), "withdraw"), "done");
});

test("keys made to fit a known seed are of no use: where nothing was revealed, the block's randomness joins in", () => {
  const seedAfter = (settings: Partial<StakingSettings>): string => {
    const chain = new StakingChain({ settings, epochLength: settings.expectedSeats === 199 ? 24 : 20 });
    chain.nextEpoch();
    return toHex(readStakingState(chain.state)!.seed);
  };
  assert.notEqual(seedAfter({}), seedAfter({ expectedSeats: 199 }), "decided in another block");
});

test("the same blocks give the same state", () => {
  const run = (): string => {
    const chain = stakers();
    delegate(chain, DELEGATOR, 2, 33n * COIN);
    epochs(chain, 2);
    slash(chain, 1);
    epochs(chain, 2, [0, 1]);
    const { seed, unclaimed } = readStakingState(chain.state)!;
    return `${toHex(seed)} ${unclaimed} ${weights(chain)}`;
  };
  assert.equal(run(), run());
});
