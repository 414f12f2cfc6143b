import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, toHex, wordToBytes } from "@ostrom/base";
import type { StakingSettings } from "./settings.ts";
import { readStakers, readStakingState } from "./staking-views.ts";
import {
  announcement,
  fakeConsent,
  fakeEvidence,
  initialValidator,
  keyOf,
  type Person,
  person,
  registrationOf,
} from "./testing/played-keys.ts";
import { COIN, StakingChain } from "./testing/staking-chain.ts";

const OPERATORS = [0, 1, 2, 3];
const DELEGATOR = person(50);
const REPORTER = person(60);
const THIEF = person(61);

function fourStakers(settings: Partial<StakingSettings> = {}): StakingChain {
  const initial = OPERATORS.map((index) => initialValidator(index, 100n * COIN, false));
  return new StakingChain({ initial, settings });
}

function delegate(chain: StakingChain, who: Person, id: number, amount: bigint): string {
  chain.fund(who, amount);
  return chain.send(who, "delegate", [BigInt(id)], amount);
}

function epochs(chain: StakingChain, count: number): void {
  for (let i = 0; i < count; i++) {
    chain.revealAll();
    chain.nextEpoch();
  }
}

function report(chain: StakingChain, who: Person, index: number, evidence: Bytes): string {
  return chain.send(who, "report", [toHex(evidence), toHex(keyOf("consensus", index, 48))]);
}

const stakerOf = (chain: StakingChain, id: number) => readStakers(chain.state, id, 1)[0]!;
const totals = (chain: StakingChain) => readStakingState(chain.state)!;
const held = (chain: StakingChain, id: number, who: Person): readonly bigint[] =>
  chain.ask("delegationOf", [BigInt(id), toHex(who.address)]) as readonly bigint[];

test("a contradiction costs the operator and its delegators the same part, bonded and unbonding", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 20n * COIN);
  chain.send(DELEGATOR, "undelegate", [1n, 10n * COIN]);
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(0)), "done");
  const { bonded, unbonding, isTombstoned } = stakerOf(chain, 1);
  assert.deepEqual([bonded, unbonding, isTombstoned], [99n * COIN, 9n * COIN, true]);
  assert.deepEqual(held(chain, 1, DELEGATOR), [9n * COIN, 0n]);
  assert.deepEqual(held(chain, 1, person(0)), [90n * COIN, 0n]);
  assert.equal(totals(chain).burned, 12n * COIN);
  assert.equal(chain.held(), 420n * COIN);
  epochs(chain, 4);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.balance(DELEGATOR), 9n * COIN);
});

test("one slash for each validator and epoch; another epoch's contradiction is another", () => {
  const chain = fourStakers();
  epochs(chain, 2);
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(1)), "done");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(1)), "AlreadySlashed");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(1, 7)), "AlreadySlashed");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(2)), "done");
  assert.equal(stakerOf(chain, 1).bonded, 81n * COIN);
  assert.equal(report(chain, REPORTER, 1, fakeEvidence(1)), "done", "others have epochs of their own");
});

test("evidence must be of this chain, of a staker's key, not too old and not of a time to come", () => {
  const chain = fourStakers();
  epochs(chain, 5);
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(1)), "EvidenceOfOtherTimes");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(6)), "EvidenceOfOtherTimes");
  assert.equal(report(chain, REPORTER, 0, wordToBytes(3n)), "WrongEvidence");
  assert.equal(report(chain, REPORTER, 9, fakeEvidence(4)), "UnknownStaker");
  const transportKey = registrationOf(0)["transportKey"];
  assert.equal(chain.send(REPORTER, "report", [toHex(fakeEvidence(4)), transportKey]), "WrongKeyLength");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(2)), "done");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(5)), "done");
});

test("a key that was rotated away still accuses", () => {
  const chain = fourStakers();
  const args = [
    toHex(keyOf("consensus", 80, 48)),
    toHex(keyOf("possession", 80, 96)),
    toHex(fakeConsent(person(0).address)),
  ];
  assert.equal(chain.send(person(0), "rotateConsensusKey", args), "done");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(0)), "done");
  assert.ok(stakerOf(chain, 1).isTombstoned);
});

test("only who announced a report in an earlier block is paid: a copy on its way earns nothing", () => {
  const chain = fourStakers();
  const evidence = fakeEvidence(0);
  assert.equal(chain.send(REPORTER, "announce", [announcement(evidence, REPORTER)]), "done");
  chain.block();
  // The thief sees the report, announces in the same block and comes first.
  chain.send(THIEF, "announce", [announcement(evidence, THIEF)]);
  assert.equal(report(chain, THIEF, 0, evidence), "done");
  assert.equal(chain.send(THIEF, "claimReports"), "NothingToTake");
  assert.equal(totals(chain).burned, 10n * COIN);

  const other = fakeEvidence(0, 9);
  chain.send(REPORTER, "announce", [announcement(other, REPORTER)]);
  chain.block();
  assert.equal(report(chain, REPORTER, 1, other), "done");
  assert.equal(chain.send(REPORTER, "claimReports"), "done");
  assert.equal(chain.balance(REPORTER), 5n * COIN);
  assert.equal(chain.send(REPORTER, "claimReports"), "NothingToTake");
});

test("nobody gains by slashing itself, however much others have delegated to it", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 10_000n * COIN);
  const evidence = fakeEvidence(0);
  chain.send(person(0), "announce", [announcement(evidence, person(0))]);
  chain.block();
  assert.equal(report(chain, person(0), 0, evidence), "done");
  chain.send(person(0), "claimReports");
  const lost = 100n * COIN - held(chain, 1, person(0))[0]!;
  assert.equal(chain.balance(person(0)) * 2n, lost);
});

test("a slashed validator is out for good: no new stake, no reveal, no unjail, no keys, no rewards, no place", () => {
  const chain = fourStakers();
  epochs(chain, 1);
  report(chain, REPORTER, 0, fakeEvidence(0));
  const unclaimed = stakerOf(chain, 1).commissionDue;
  assert.equal(delegate(chain, DELEGATOR, 1, COIN), "IsTombstoned");
  chain.fund(person(0), COIN);
  assert.equal(chain.send(person(0), "addStake", [], COIN), "IsTombstoned");
  assert.equal(chain.send(person(0), "reveal", [1n, "0x"]), "IsTombstoned");
  assert.equal(chain.send(person(0), "unjail"), "IsTombstoned");
  assert.equal(chain.send(person(0), "setCommission", [1]), "IsTombstoned");
  assert.equal(chain.send(person(0), "rejoin", [0n]), "IsTombstoned");
  epochs(chain, 1);
  assert.equal(stakerOf(chain, 1).isCandidate, false);
  assert.equal(stakerOf(chain, 1).commissionDue, unclaimed);
  assert.ok(chain.validators.every(({ name }) => name !== "staker-0"));
  const keys = { ...registrationOf(70), consent: registrationOf(0)["consent"] };
  assert.equal(chain.register(0, 10n * COIN, keys), "AlreadyAnOperator");
  assert.equal(chain.send(person(0), "exit"), "done");
  assert.equal(
    chain.register(0, 10n * COIN, { ...keys, consensusKey: registrationOf(0)["consensusKey"] }),
    "KeyTaken",
  );
  assert.equal(
    chain.register(0, 10n * COIN, keys),
    "done",
    "the account may begin again, with new keys and new stake",
  );
});

test("stake that moved before a slash is reported is slashed while it waits, and free once it was paid", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 20n * COIN);
  delegate(chain, THIEF, 1, 20n * COIN);
  epochs(chain, 1);
  chain.send(DELEGATOR, "undelegate", [1n, 20n * COIN]);
  epochs(chain, 2);
  chain.send(THIEF, "undelegate", [1n, 20n * COIN]);
  epochs(chain, 2);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(3)), "done");
  epochs(chain, 2);
  assert.equal(chain.send(THIEF, "withdraw"), "done");
  assert.deepEqual([chain.balance(DELEGATOR), chain.balance(THIEF)], [20n * COIN, 18n * COIN]);
});

test("whoever left right after a contradiction is still there for as long as evidence of it counts", () => {
  const chain = fourStakers();
  epochs(chain, 1);
  while (chain.block() === undefined);
  // It is in the set that is decided but not begun; it leaves, and contradicts itself in that set's last block.
  assert.equal(chain.send(person(0), "exit"), "done");
  const lastEpoch = chain.epoch + 1;
  assert.ok(chain.nextValidators.some(({ name }) => name === "staker-0"));
  epochs(chain, 1);
  assert.equal(chain.epoch, lastEpoch);
  epochs(chain, chain.settings.evidenceEpochs);
  assert.equal(chain.send(person(0), "withdraw"), "NothingToTake");
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(lastEpoch)), "done");
  assert.equal(stakerOf(chain, 1).unbonding, 90n * COIN);
});

test("a validator slashed in the set that is decided but not begun serves it out, stays locked, and can be slashed again", () => {
  const chain = fourStakers();
  epochs(chain, 1);
  chain.revealAll();
  while (chain.block() === undefined);
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(chain.epoch)), "done");
  chain.send(person(0), "exit");
  const [, , [payableFrom]] = chain.ask("unbondingsOf", [toHex(person(0).address)]) as [
    unknown,
    bigint[],
    bigint[],
  ];
  assert.equal(payableFrom, 2n ** 256n - 1n);
  chain.revealAll();
  chain.nextEpoch();
  assert.ok(chain.validators.some(({ name }) => name === "staker-0"));
  const inIt = chain.epoch;
  chain.nextEpoch();
  assert.ok(chain.validators.every(({ name }) => name !== "staker-0"));
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(inIt)), "done");
  assert.equal(stakerOf(chain, 1).unbonding, 81n * COIN);
});

test("slashes round against the slashed, and what no account can claim stays with the contract", () => {
  const chain = fourStakers({ slashPercent: 33, minDelegation: 1n });
  const people = [7n, 11n, 13n].map((amount, index) => ({ who: person(70 + index), amount }));
  for (const { who, amount } of people) delegate(chain, who, 1, amount);
  epochs(chain, 3);
  for (const epoch of [0, 1, 2, 3]) assert.equal(report(chain, REPORTER, 0, fakeEvidence(epoch)), "done");
  let claims = held(chain, 1, person(0))[0]!;
  for (const { who } of people) claims += held(chain, 1, who)[0]!;
  const { bonded } = stakerOf(chain, 1);
  assert.ok(claims <= bonded && bonded - claims < 20n, `${claims} of ${bonded}`);
  for (const { who } of people) {
    const [amount] = held(chain, 1, who);
    if (amount! > 0n) assert.equal(chain.send(who, "undelegate", [1n, amount]), "done");
  }
  assert.equal(chain.send(person(0), "exit"), "done");
  const { bonded: all, unbonding, unclaimed, burned } = totals(chain);
  assert.equal(all + unbonding + unclaimed + burned, chain.held());
});

test("a slash of everything leaves nothing to pay, and the chain goes on", () => {
  const chain = fourStakers({ slashPercent: 100 });
  delegate(chain, DELEGATOR, 1, 20n * COIN);
  chain.send(DELEGATOR, "undelegate", [1n, 10n * COIN]);
  assert.equal(report(chain, REPORTER, 0, fakeEvidence(0)), "done");
  assert.deepEqual(held(chain, 1, DELEGATOR), [0n, 0n]);
  assert.equal(chain.send(DELEGATOR, "undelegate", [1n, 1n]), "TooMuch");
  assert.equal(chain.send(person(0), "exit"), "done");
  epochs(chain, 6);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.balance(DELEGATOR), 0n);
  assert.deepEqual(chain.ask("unbondingsOf", [toHex(DELEGATOR.address)]), [[], [], []]);
});
