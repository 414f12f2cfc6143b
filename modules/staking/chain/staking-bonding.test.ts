import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ostrom/base";
import { readStakers, readStakingState } from "./staking-views.ts";
import {
  fakeConsent,
  initialValidator,
  keyOf,
  type Person,
  person,
  registrationOf,
} from "./testing/played-keys.ts";
import { ABI, COIN, StakingChain } from "./testing/staking-chain.ts";

const OPERATORS = [0, 1, 2, 3];
const DELEGATOR = person(50);
const UNBONDING_EPOCHS = 4;

/** Four with 100 coins each, from their own accounts. */
function fourStakers(): StakingChain {
  return new StakingChain({ initial: OPERATORS.map((index) => initialValidator(index, 100n * COIN, false)) });
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

const held = (chain: StakingChain, id: number, who: Person): readonly bigint[] =>
  chain.ask("delegationOf", [BigInt(id), toHex(who.address)]) as readonly bigint[];
const stakerOf = (chain: StakingChain, id: number) => readStakers(chain.state, id, 1)[0]!;

test("initial stake comes from the operators' accounts, or is made where genesis grants it", () => {
  const chain = new StakingChain({
    initial: [initialValidator(0, 30n * COIN, false), initialValidator(1, 40n * COIN, true)],
  });
  assert.deepEqual([chain.balance(person(0)), chain.balance(person(1))], [0n, 0n]);
  assert.equal(chain.held(), 70n * COIN);
  assert.equal(readStakingState(chain.state)?.bonded, 70n * COIN);
});

test("an initial validator whose account lacks its stake keeps the module from starting", () => {
  const missing = initialValidator(0, 30n * COIN, false);
  const chain = (): StakingChain =>
    new StakingChain({
      initial: [missing, { ...initialValidator(1, 40n * COIN, false), operator: missing.operator }],
    });
  assert.throws(chain, /AlreadyAnOperator|TooMuch/);
  assert.throws(() => new StakingChain({ initial: [initialValidator(0, 9n * COIN, true)] }), /TooLittle/);
});

test("a newcomer needs the minimum of its own, right keys, name, host, port and commission", () => {
  const chain = fourStakers();
  const stake = 10n * COIN;
  const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
    ["WrongKeyLength", { consensusKey: "0x11" }],
    ["WrongKeyLength", { proofOfPossession: "0x11" }],
    ["WrongKeyLength", { transportKey: "0x11" }],
    ["WrongKeyLength", { vrfKey: toHex(new Uint8Array(32)) }],
    ["WrongKeyLength", { consent: "0x" }],
    ["PossessionNotProved", { proofOfPossession: toHex(new Uint8Array(96).fill(0xff)) }],
    ["PossessionNotProved", { consent: toHex(fakeConsent(person(9).address)) }],
    ["WrongName", { name: "" }],
    ["WrongName", { name: "a b" }],
    ["WrongName", { name: "x".repeat(33) }],
    ["WrongHost", { host: "" }],
    ["WrongHost", { host: "x".repeat(65) }],
    ["WrongHost", { host: "a/b" }],
    ["WrongPort", { port: 0 }],
    ["TooMuchCommission", { commission: 5001 }],
  ];
  for (const [error, changes] of wrong) assert.equal(chain.register(8, stake, changes), error);
  assert.equal(chain.register(8, stake - 1n), "TooLittle");
  assert.equal(chain.register(8, stake, { name: "n".repeat(32), host: "h".repeat(64) }), "done");
  assert.equal(chain.register(8, stake), "AlreadyAnOperator");
  const staker = stakerOf(chain, 5);
  assert.deepEqual(
    [staker.bonded, staker.ownBonded, staker.isCandidate, staker.commission],
    [stake, stake, true, 500],
  );
});

test("a key is its first holder's for good, whatever kind it is, also after rotation and exit", () => {
  const chain = fourStakers();
  const own = registrationOf(8);
  for (const kind of ["consensusKey", "transportKey", "vrfKey"]) {
    assert.equal(chain.register(8, 10n * COIN, { [kind]: registrationOf(1)[kind] }), "KeyTaken");
  }
  assert.equal(chain.register(8, 10n * COIN), "done");
  const next = toHex(keyOf("consensus", 80, 48));
  const consent = toHex(fakeConsent(person(8).address));
  const rotate = (key: unknown): string =>
    chain.send(person(8), "rotateConsensusKey", [key, own["proofOfPossession"], consent]);
  assert.equal(rotate(registrationOf(1)["consensusKey"]), "KeyTaken");
  assert.equal(rotate(next), "done");
  assert.equal(rotate(own["consensusKey"]), "KeyTaken");
  assert.equal(chain.ask("stakerOfKey", [own["consensusKey"]]), 5n);
  assert.equal(chain.ask("stakerOfKey", [next]), 5n);
  assert.equal(chain.send(person(8), "exit"), "done");
  assert.equal(chain.register(8, 10n * COIN), "KeyTaken");
  assert.equal(chain.register(8, 10n * COIN, { ...registrationOf(81), consent }), "done");
});

test("a rotated key counts from the next set on; the VRF key cannot change at all", () => {
  const chain = fourStakers();
  epochs(chain, 1);
  const next = keyOf("consensus", 80, 48);
  const proof = toHex(keyOf("possession", 80, 96));
  assert.equal(
    chain.send(person(1), "rotateConsensusKey", [toHex(next), proof, toHex(fakeConsent(person(1).address))]),
    "done",
  );
  assert.ok(chain.validators.every(({ consensusKey }) => toHex(consensusKey) !== toHex(next)));
  epochs(chain, 1);
  const rotated = chain.validators.find(({ name }) => name === "staker-1")!;
  assert.equal(toHex(rotated.consensusKey), toHex(next));
  assert.equal(toHex(rotated.proofOfPossession), proof);
  assert.ok(!ABI.some((item) => "name" in item && /vrf/i.test(item.name)));
  // Counted and rewarded with either key.
  assert.notEqual(readStakingState(chain.state)?.current, undefined);
});

test("transport key and endpoint change at once, and reach the next set", () => {
  const chain = fourStakers();
  const key = toHex(keyOf("transport", 80, 32));
  assert.equal(chain.send(person(1), "setTransportKey", [registrationOf(2)["transportKey"]]), "KeyTaken");
  assert.equal(chain.send(person(1), "setTransportKey", ["0x12"]), "WrongKeyLength");
  assert.equal(chain.send(person(1), "setTransportKey", [key]), "done");
  assert.equal(chain.send(person(1), "setEndpoint", ["", 1]), "WrongHost");
  assert.equal(chain.send(person(1), "setEndpoint", ["10.0.0.1", 444]), "done");
  assert.equal(chain.send(person(9), "setEndpoint", ["10.0.0.1", 444]), "NotAnOperator");
  epochs(chain, 1);
  const { transportKey, host, port } = chain.validators[1]!;
  assert.deepEqual([toHex(transportKey), host, port], [key, "10.0.0.1", 444]);
});

test("commission falls at will and rises by a point an epoch, up to half", () => {
  const chain = fourStakers();
  const set = (commission: number): string => chain.send(person(0), "setCommission", [commission]);
  assert.equal(set(501), "TooMuchCommission", "what a newcomer announces holds for its first epoch");
  assert.equal(set(400), "done");
  assert.equal(set(401), "TooMuchCommission", "no way back within the epoch");
  epochs(chain, 1);
  assert.equal(set(501), "TooMuchCommission");
  assert.equal(set(500), "done");
  assert.equal(set(501), "TooMuchCommission");
  epochs(chain, 1);
  assert.equal(set(600), "done");
  for (let commission = 700; commission <= 5000; commission += 100) {
    epochs(chain, 1);
    assert.equal(set(commission), "done");
  }
  epochs(chain, 1);
  assert.equal(set(5001), "TooMuchCommission");
});

test("delegations have a minimum, and what is left of one has it too", () => {
  const chain = fourStakers();
  assert.equal(delegate(chain, DELEGATOR, 1, COIN - 1n), "TooLittle");
  assert.equal(delegate(chain, DELEGATOR, 9, COIN), "UnknownStaker");
  assert.equal(delegate(chain, DELEGATOR, 0, COIN), "UnknownStaker");
  assert.equal(delegate(chain, DELEGATOR, 1, 3n * COIN), "done");
  const take = (amount: bigint): string => chain.send(DELEGATOR, "undelegate", [1n, amount]);
  assert.equal(take(0n), "TooMuch");
  assert.equal(take(3n * COIN + 1n), "TooMuch");
  assert.equal(take(2n * COIN + 1n), "TooLittle");
  assert.equal(take(2n * COIN), "done");
  assert.equal(take(COIN), "done");
  assert.deepEqual(held(chain, 1, DELEGATOR), [0n, 0n]);
});

test("an operator keeps its minimum, or exits with everything", () => {
  const chain = fourStakers();
  const take = (amount: bigint): string => chain.send(person(0), "undelegate", [1n, amount]);
  assert.equal(take(90n * COIN + 1n), "UseExit");
  assert.equal(take(90n * COIN), "done");
  assert.equal(chain.send(person(0), "addStake", [], COIN), "failed");
  chain.fund(person(0), COIN);
  assert.equal(chain.send(person(0), "addStake", [], COIN), "done");
  assert.equal(chain.send(person(0), "exit"), "done");
  assert.equal(chain.send(person(0), "exit"), "NotAnOperator");
  assert.equal(delegate(chain, DELEGATOR, 1, COIN), "HasExited");
  assert.equal(stakerOf(chain, 1).bonded, 0n);
  assert.equal(stakerOf(chain, 1).unbonding, 101n * COIN);
});

test("unbonded stake is paid when the epochs are over that follow the last set that counts it, and not before", () => {
  const chain = fourStakers();
  epochs(chain, 1);
  delegate(chain, DELEGATOR, 1, 5n * COIN);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "NothingToTake");
  const begun = chain.epoch;
  assert.equal(chain.send(DELEGATOR, "undelegate", [1n, 5n * COIN]), "done");
  const [, [amount], [payableFrom]] = chain.ask("unbondingsOf", [toHex(DELEGATOR.address)]) as [
    unknown,
    bigint[],
    bigint[],
  ];
  assert.equal(amount, 5n * COIN);
  assert.equal(payableFrom, 2n ** 256n - 1n, "no set was decided without it yet");
  for (let waited = 0; waited < UNBONDING_EPOCHS; waited++) {
    assert.equal(chain.send(DELEGATOR, "withdraw"), "NothingToTake");
    epochs(chain, 1);
  }
  assert.equal(chain.epoch, begun + UNBONDING_EPOCHS);
  const before = chain.balance(DELEGATOR);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.balance(DELEGATOR) - before, 5n * COIN);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "NothingToTake");
});

test("stake that leaves after the next set was decided waits an epoch longer: that set counts it", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 5n * COIN);
  while (chain.block() === undefined);
  assert.equal(chain.send(DELEGATOR, "undelegate", [1n, 5n * COIN]), "done");
  const begun = chain.epoch;
  for (let waited = 0; waited < UNBONDING_EPOCHS + 1; waited++) {
    assert.equal(chain.send(DELEGATOR, "withdraw"), "NothingToTake");
    epochs(chain, 1);
  }
  assert.equal(chain.epoch, begun + UNBONDING_EPOCHS + 1);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
});

test("an account has 32 unbondings at once at most, and takes the ripe ones together, in any order", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 100n * COIN);
  delegate(chain, DELEGATOR, 2, 100n * COIN);
  const take = (id: number): string => chain.send(DELEGATOR, "undelegate", [BigInt(id), COIN]);
  for (let i = 0; i < 16; i++) assert.equal(take(1 + (i % 2)), "done");
  epochs(chain, 1);
  for (let i = 0; i < 16; i++) assert.equal(take(1 + (i % 2)), "done");
  assert.equal(take(1), "NoRoom");
  epochs(chain, UNBONDING_EPOCHS - 1);
  const before = chain.balance(DELEGATOR);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.balance(DELEGATOR) - before, 16n * COIN);
  epochs(chain, 1);
  assert.equal(chain.send(DELEGATOR, "withdraw"), "done");
  assert.equal(chain.balance(DELEGATOR) - before, 32n * COIN);
});

test("rewards go to members by weight, the operator's commission first, the rest by stake, and are taken once", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 100n * COIN);
  chain.nextEpoch();
  // Four equal members share 7 coins; the commission is 5 of 100.
  const share = (7n * COIN) / 4n;
  const commission = share / 20n;
  assert.equal(stakerOf(chain, 1).commissionDue, commission);
  const due = held(chain, 1, DELEGATOR)[1]!;
  assert.ok(due <= (share - commission) / 2n && due >= (share - commission) / 2n - 200n);
  assert.equal(chain.send(DELEGATOR, "claim", [1n]), "done");
  assert.equal(chain.balance(DELEGATOR), due);
  assert.equal(chain.send(DELEGATOR, "claim", [1n]), "NothingToTake");
  assert.equal(chain.send(person(0), "claim", [1n]), "done");
  assert.ok(chain.balance(person(0)) >= commission + due && chain.balance(person(0)) <= share - due);
  assert.equal(chain.send(person(0), "claim", [1n]), "NothingToTake");
  assert.equal(chain.send(person(9), "claim", [1n]), "NothingToTake");
});

test("stake earns nothing while it unbonds, and what it earned before stays its owner's", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 100n * COIN);
  epochs(chain, 1);
  chain.send(DELEGATOR, "undelegate", [1n, 100n * COIN]);
  const [amount, due] = held(chain, 1, DELEGATOR);
  assert.equal(amount, 0n);
  assert.ok(due! > 0n);
  epochs(chain, 2);
  assert.deepEqual(held(chain, 1, DELEGATOR), [0n, due]);
});

test("an epoch that is shorter than it should be earns less: who makes blocks faster mints no more", () => {
  const initial = OPERATORS.map((index) => initialValidator(index, 100n * COIN, false));
  const minted = (fullRewardSeconds: number): bigint => {
    const chain = new StakingChain({ initial, settings: { fullRewardSeconds } });
    chain.nextEpoch();
    return readStakingState(chain.state)!.unclaimed;
  };
  const all = minted(0);
  assert.equal(minted(14), all);
  // Decided 14 seconds after the first block.
  assert.ok(minted(28) <= all / 2n && minted(28) >= all / 2n - 4n);
  assert.ok(minted(1400) <= all / 100n);
});

test("nobody's funds can be touched by another: every act is about the sender's own", () => {
  const chain = fourStakers();
  delegate(chain, DELEGATOR, 1, 5n * COIN);
  const stranger = person(60);
  assert.equal(chain.send(stranger, "undelegate", [1n, COIN]), "TooMuch");
  for (const name of ["withdraw", "claimReports"]) assert.equal(chain.send(stranger, name), "NothingToTake");
  assert.equal(chain.send(stranger, "claim", [1n]), "NothingToTake");
  for (const [name, args] of [["exit"], ["unjail"], ["rejoin", [0n]], ["setCommission", [1]]] as const) {
    assert.equal(chain.send(stranger, name, args ?? []), "NotAnOperator");
  }
  assert.deepEqual(held(chain, 1, DELEGATOR), [5n * COIN, 0n]);
});

test("coins that are sent without a purpose are refused", () => {
  const chain = fourStakers();
  chain.fund(DELEGATOR, COIN);
  assert.equal(chain.send(DELEGATOR, "withdraw", [], COIN), "failed");
});
