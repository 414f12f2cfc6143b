import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressFromHex, type Bytes, hex, toHex, toHexDigits } from "@ostrom/base";
import { MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import { readOpenProposals, readProposal } from "./proposals.ts";
import { admin, LIMITS_ARGUMENT, testAlliance, testOrganisation, user } from "./testing/alliance.ts";
import { decided, encode, MembershipLedger, person } from "./testing/membership-ledger.ts";

const OWNER = person("owner");

function alliance(count: number, changes: Parameters<typeof testAlliance>[1] = {}): MembershipLedger {
  return new MembershipLedger(testAlliance(count, changes));
}

const setRules = (threshold: number, blocks = 100n) => decided("setRules", threshold, blocks);
const admit = (id: number) => decided("admit", `Organisation ${id}`, toHex(admin(id)), LIMITS_ARGUMENT, []);

test("more than half of the members decide; less cannot", () => {
  const ledger = alliance(4);
  assert.equal(ledger.send(admin(1), "propose", "rules", [setRules(60)]), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [1n, 3n]);
  assert.equal(ledger.send(admin(2), "vote", 1, true), "done");
  assert.equal(ledger.send(admin(1), "execute", 1), "NotEnoughVotes");
  assert.equal(ledger.send(admin(3), "vote", 1, true), "done");
  assert.equal(ledger.send(admin(3), "execute", 1), "done");
  assert.deepEqual(
    ledger.events().map((event) => event.split("(")[0]),
    ["Executed", "RulesChanged", "CallMade"],
  );
  assert.equal(ledger.ask("thresholdPercent"), 60);
});

test("the threshold is a share of the members, rounded up", () => {
  for (const [members, percent, needed] of [
    [1, 51, 1],
    [2, 51, 2],
    [3, 51, 2],
    [3, 67, 3],
    [4, 75, 3],
    [5, 60, 3],
    [10, 100, 10],
  ] as const) {
    const ledger = alliance(members, { thresholdPercent: percent });
    assert.equal(ledger.send(admin(1), "propose", "", [setRules(percent)]), "done");
    assert.deepEqual(ledger.ask("countVotes", 1), [1n, BigInt(needed)], `${members} members, ${percent} %`);
  }
});

test("only admins of members that are not suspended propose, vote, withdraw and execute", () => {
  const ledger = alliance(4);
  assert.equal(ledger.send(admin(1), "propose", "", [setRules(60)]), "done");
  for (const stranger of [user(1), person("stranger"), MEMBERSHIP_ADDRESS]) {
    assert.equal(ledger.send(stranger, "propose", "", [setRules(60)]), "NotAnAdmin");
    assert.equal(ledger.send(stranger, "vote", 1, true), "NotAnAdmin");
    assert.equal(ledger.send(stranger, "execute", 1), "NotAnAdmin");
    assert.equal(ledger.send(stranger, "withdraw", 1), "NotAnAdmin");
  }
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("suspend", 4)), "done");
  for (const [name, ...args] of [
    ["propose", "", [setRules(60)]],
    ["vote", 1, true],
    ["execute", 1],
  ] as const)
    assert.equal(ledger.send(admin(4), name, ...args), "OrganisationIsSuspended");
});

test("nobody but the contract itself does what the members decide on", () => {
  const ledger = alliance(3, { owner: OWNER });
  const acts: readonly (readonly [string, readonly unknown[]])[] = [
    ["admit", ["Evil", toHex(person("evil")), LIMITS_ARGUMENT, []]],
    ["suspend", [1]],
    ["resume", [1]],
    ["remove", [1]],
    ["setLimits", [1, LIMITS_ARGUMENT]],
    ["setFilter", [1, []]],
    ["setAdmin", [1, toHex(person("evil"))]],
    ["setRules", [51, 10n]],
    ["setOwner", [toHex(person("evil"))]],
    ["setOpenToAll", [true]],
  ];
  for (const caller of [admin(1), user(1), OWNER, person("evil")])
    for (const [name, args] of acts) assert.equal(ledger.send(caller, name, ...args), "NotTheMembers", name);
});

test("an organisation has one vote, however often it votes, and may change its mind", () => {
  const ledger = alliance(3);
  ledger.send(admin(1), "propose", "", [setRules(60)]);
  ledger.send(admin(1), "vote", 1, true);
  ledger.send(admin(1), "vote", 1, true);
  assert.deepEqual(ledger.ask("countVotes", 1), [1n, 2n]);
  ledger.send(admin(2), "vote", 1, true);
  ledger.send(admin(1), "vote", 1, false);
  assert.equal(ledger.send(admin(2), "execute", 1), "NotEnoughVotes");
  assert.deepEqual(readProposal(ledger.state, 1)?.supporters, [2]);
});

test("a vote is the organisation's: its next admin can take it back, its former one cannot use it", () => {
  const ledger = alliance(3);
  ledger.send(admin(1), "propose", "", [setRules(60)]);
  assert.equal(ledger.send(admin(1), "offerAdmin", 1, toHex(person("next"))), "done");
  assert.equal(ledger.send(person("next"), "takeAdmin", 1), "done");
  assert.equal(ledger.send(admin(1), "vote", 1, true), "NotAnAdmin");
  assert.equal(ledger.send(person("next"), "vote", 1, false), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [0n, 2n]);
});

test("a suspended organisation neither votes nor counts", () => {
  const ledger = alliance(5);
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("suspend", 5), decided("suspend", 4)), "done");
  assert.equal(ledger.ask("activeOrganisations"), 3);
  assert.equal(ledger.send(admin(1), "propose", "", [setRules(60)]), "done");
  assert.deepEqual(ledger.ask("countVotes", 2), [1n, 2n]);
  assert.equal(ledger.send(admin(2), "vote", 2, true), "done");
  assert.equal(ledger.send(admin(2), "execute", 2), "done");
});

test("no change of the membership makes an open proposal easier to pass", () => {
  const ledger = alliance(5, { thresholdPercent: 60 });
  ledger.send(admin(4), "propose", "a coup", [setRules(51)]);
  ledger.send(admin(5), "vote", 1, true);
  assert.deepEqual(ledger.ask("countVotes", 1), [2n, 3n]);
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("suspend", 1), decided("suspend", 2)), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [2n, 3n], "of three members two would be enough now");
  assert.equal(ledger.send(admin(4), "execute", 1), "NotEnoughVotes");
  assert.equal(ledger.send(admin(3), "vote", 1, true), "done");
  assert.equal(ledger.send(admin(4), "execute", 1), "done");
});

test("the votes of an organisation that is suspended or removed do not count, and count again when it is resumed", () => {
  const ledger = alliance(5);
  ledger.send(admin(5), "propose", "", [setRules(99)]);
  ledger.send(admin(4), "vote", 1, true);
  ledger.send(admin(3), "vote", 1, true);
  assert.deepEqual(ledger.ask("countVotes", 1), [3n, 3n]);
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("suspend", 5)), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [2n, 3n]);
  assert.equal(ledger.send(admin(4), "execute", 1), "NotEnoughVotes");
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("resume", 5)), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [3n, 3n]);
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("remove", 5)), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [2n, 3n]);
});

test("those admitted while a proposal is open vote on it, and it needs the share of them all", () => {
  const ledger = alliance(3);
  ledger.send(admin(1), "propose", "", [setRules(99)]);
  ledger.send(admin(2), "vote", 1, true);
  assert.equal(ledger.decide([1, 2].map(admin), admit(4), admit(5)), "done");
  assert.deepEqual(ledger.ask("countVotes", 1), [2n, 3n]);
  assert.equal(ledger.send(admin(1), "execute", 1), "NotEnoughVotes");
  assert.equal(ledger.send(admin(5), "vote", 1, true), "done");
  assert.equal(ledger.send(admin(5), "execute", 1), "done");
});

test("a raised threshold holds for proposals that are open", () => {
  const ledger = alliance(4);
  ledger.send(admin(1), "propose", "", [setRules(51)]);
  ledger.send(admin(2), "vote", 1, true);
  ledger.send(admin(3), "vote", 1, true);
  assert.equal(ledger.decide([1, 2, 3].map(admin), setRules(100)), "done");
  assert.equal(ledger.send(admin(1), "execute", 1), "NotEnoughVotes");
  ledger.send(admin(4), "vote", 1, true);
  assert.equal(ledger.send(admin(1), "execute", 1), "done");
});

test("a proposal expires: in its last block it can be executed, in the next one not", () => {
  const ledger = alliance(1, { proposalBlocks: 10 });
  ledger.send(admin(1), "propose", "", [setRules(60, 10n)]);
  ledger.send(admin(1), "propose", "", [setRules(70, 10n)]);
  ledger.height += 10;
  assert.equal(readOpenProposals(ledger.state, ledger.height - 1).length, 2);
  assert.equal(ledger.send(admin(1), "execute", 1), "done");
  ledger.height++;
  assert.equal(ledger.send(admin(1), "execute", 2), "ProposalIsClosed");
  assert.equal(ledger.send(admin(1), "vote", 2, true), "ProposalIsClosed");
  assert.deepEqual(readOpenProposals(ledger.state, ledger.height - 1), []);
});

test("a proposal is executed once, and not after its proposer has withdrawn it", () => {
  const ledger = alliance(1);
  ledger.send(admin(1), "propose", "", [setRules(60)]);
  assert.equal(ledger.send(admin(1), "execute", 1), "done");
  assert.equal(ledger.send(admin(1), "execute", 1), "ProposalIsClosed");
  ledger.send(admin(1), "propose", "", [setRules(60)]);
  assert.equal(ledger.send(admin(1), "withdraw", 2), "done");
  assert.equal(ledger.send(admin(1), "execute", 2), "ProposalIsClosed");
  assert.equal(ledger.send(admin(1), "execute", 3), "UnknownProposal");
  assert.equal(ledger.send(admin(1), "execute", 0), "UnknownProposal");
});

test("only the organisation that proposed withdraws", () => {
  const ledger = alliance(2);
  ledger.send(admin(1), "propose", "", [setRules(60)]);
  assert.equal(ledger.send(admin(2), "withdraw", 1), "NotItsProposer");
});

/** Runtime code that stops if its storage slot 0 is set, and reverts otherwise; any call of one byte sets it. */
const SWITCH_CODE = hex("36600114601157" + "5f54600f575f5ffd" + "5b00" + "5b60015f5500");

test("a call that fails undoes the whole execution, which may be tried again until the proposal expires", () => {
  const ledger = alliance(1);
  const target = person("switch");
  ledger.place(target, SWITCH_CODE);
  const call = { target: toHex(target), value: 0n, data: "0xaabb" } as const;
  assert.equal(ledger.send(admin(1), "propose", "", [setRules(77), call]), "done");
  assert.equal(ledger.send(admin(1), "execute", 1), "CallFailed:0x");
  assert.equal(ledger.ask("thresholdPercent"), 51, "the call before the one that fails is undone too");
  assert.equal(readProposal(ledger.state, 1)?.state, "open");
  ledger.call(person("somebody"), target, hex("01"));
  assert.equal(ledger.send(admin(1), "execute", 1), "done");
  assert.equal(ledger.ask("thresholdPercent"), 77);
});

test("a call of an account without code fails: it would do nothing and look done", () => {
  const ledger = alliance(1);
  const call = { target: toHex(person("nobody")), value: 0n, data: "0x01" } as const;
  assert.equal(ledger.decide([admin(1)], call), "NoContract");
});

/** Runtime code that calls the membership contract with whatever it is called with, and reverts with what that reverts with. */
function forwarder(): Bytes {
  const target = toHexDigits(MEMBERSHIP_ADDRESS);
  return hex(`365f5f37${"5f5f365f5f"}73${target}5af1${"3d5f5f3e"}602a573d5ffd${"5b3d5ff3"}`);
}

test("the contract that passes calls on works as the tests need it", () => {
  const ledger = alliance(1);
  const relay = person("relay");
  ledger.place(relay, forwarder());
  const outcome = ledger.call(person("x"), relay, hex(encode("thresholdPercent", []).slice(2)));
  assert.deepEqual([outcome.status, outcome.output.at(-1)], ["success", 51]);
});

test("a contract that is called by a decision cannot act as an admin while it is carried out", () => {
  const relay = person("relay");
  const settings = testAlliance(3);
  const organisations = [testOrganisation(1, { admin: relay }), ...settings.organisations.slice(1)];
  const ledger = new MembershipLedger({ ...settings, organisations });
  ledger.place(relay, forwarder());
  const viaRelay = (name: string, ...args: readonly unknown[]) => ({
    target: toHex(relay),
    value: 0n,
    data: encode(name, args),
  });
  // On its own it acts for its organisation.
  const act = encode("propose", ["by a contract", [setRules(60)]]);
  assert.equal(ledger.call(person("x"), relay, hex(act.slice(2))).status, "success");
  const from = [2, 3].map(admin);
  assert.equal(ledger.decide(from, viaRelay("vote", 1, true)), "CallFailed:NotWhileExecuting");
  assert.equal(ledger.decide(from, viaRelay("execute", 2)), "CallFailed:NotWhileExecuting");
  assert.equal(ledger.decide(from, viaRelay("propose", "", [setRules(60)])), "CallFailed:NotWhileExecuting");
  const account = toHex(person("smuggled"));
  assert.equal(ledger.decide(from, viaRelay("setAccount", 1, account, 15)), "CallFailed:NotWhileExecuting");
  assert.equal(ledger.decide(from, viaRelay("takeAdmin", 2)), "CallFailed:NotWhileExecuting");
  assert.equal(ledger.decide(from, viaRelay("setRules", 51, 10n)), "CallFailed:NotTheMembers");
});

test("a decision cannot vote, propose or execute in the contract's own name", () => {
  const ledger = alliance(2);
  const from = [1, 2].map(admin);
  assert.equal(ledger.decide(from, decided("vote", 1, true)), "CallFailed:NotWhileExecuting");
  assert.equal(ledger.decide(from, decided("execute", 1)), "CallFailed:NotWhileExecuting");
  assert.equal(ledger.decide(from, decided("propose", "", [setRules(60)])), "CallFailed:NotWhileExecuting");
  const self = toHex(MEMBERSHIP_ADDRESS);
  assert.equal(ledger.decide(from, decided("setAdmin", 1, self)), "CallFailed:AlreadyAnAdmin");
  assert.equal(ledger.decide(from, decided("setOwner", self)), "CallFailed:WrongRules");
});

test("an execution can be executed again after one that failed in the same transaction: the guard ends with it", () => {
  const ledger = alliance(1);
  assert.equal(ledger.decide([admin(1)], setRules(40)), "CallFailed:WrongRules");
  assert.equal(ledger.decide([admin(1)], setRules(60)), "done");
  assert.equal(ledger.send(admin(1), "vote", 99, true), "UnknownProposal");
});

test("an owner decides alone and at once, and the members do not, until it gives that up", () => {
  const ledger = alliance(3, { owner: OWNER });
  const propose = (from: Address, ...calls: readonly unknown[]): string =>
    ledger.send(from, "propose", "t", calls);
  assert.equal(propose(admin(1), setRules(60)), "OwnerDecides");
  assert.equal(propose(person("x"), setRules(60)), "OwnerDecides");
  assert.equal(propose(OWNER, setRules(60), decided("suspend", 3)), "done");
  assert.deepEqual([ledger.ask("thresholdPercent"), ledger.ask("isActive", 3)], [60, false]);
  assert.equal(propose(OWNER, setRules(60), decided("suspend", 3)), "CallFailed:WrongStanding");
  assert.equal(propose(OWNER, decided("setOwner", toHex(addressFromHex("00".repeat(20))))), "done");
  assert.equal(propose(OWNER, setRules(60)), "NotAnAdmin");
  assert.equal(ledger.decide([1, 2].map(admin), setRules(70)), "done");
});

test("members can appoint an owner; what they had voted on waits until it is gone", () => {
  const ledger = alliance(3);
  ledger.send(admin(1), "propose", "", [setRules(70)]);
  ledger.send(admin(2), "vote", 1, true);
  assert.equal(ledger.decide([1, 2].map(admin), decided("setOwner", toHex(OWNER))), "done");
  assert.equal(ledger.send(admin(1), "execute", 1), "OwnerDecides");
});

test("an organisation has so many open proposals; those that are closed make room", () => {
  const ledger = alliance(2, { proposalBlocks: 10 });
  const propose = (id: number): string => ledger.send(admin(id), "propose", "", [setRules(60, 10n)]);
  for (let i = 0; i < 8; i++) assert.equal(propose(1), "done");
  assert.equal(propose(1), "TooMany");
  assert.equal(propose(2), "done", "another organisation has its own room");
  assert.equal(ledger.send(admin(1), "withdraw", 3), "done");
  assert.equal(propose(1), "done");
  assert.equal(propose(1), "TooMany");
  assert.equal(readOpenProposals(ledger.state, ledger.height).length, 9);
  ledger.height += 11;
  for (let i = 0; i < 8; i++) assert.equal(propose(1), "done");
  assert.equal(readOpenProposals(ledger.state, ledger.height).length, 8);
});

test("proposals have calls, few and not too long, and a short title", () => {
  const ledger = alliance(1);
  const call = setRules(60);
  const long = (bytes: number) => ({ ...call, data: `0x${"11".repeat(bytes)}` });
  assert.equal(ledger.send(admin(1), "propose", "", []), "NoCalls");
  assert.equal(ledger.send(admin(1), "propose", "", Array(33).fill(call)), "TooMany");
  assert.equal(ledger.send(admin(1), "propose", "", Array(32).fill(call)), "done");
  assert.equal(ledger.send(admin(1), "propose", "", [long(16_384), long(1)]), "TooMany");
  assert.equal(ledger.send(admin(1), "propose", "", [long(16_384)]), "done");
  assert.ok(ledger.gasUsed < 2n ** 24n, `the longest proposal fits into one transaction: ${ledger.gasUsed}`);
  assert.equal(ledger.send(admin(1), "propose", "t".repeat(201), [call]), "WrongName");
  assert.equal(ledger.send(admin(1), "propose", "t".repeat(200), [call]), "done");
});

test("rules stay within what can decide", () => {
  const ledger = alliance(1);
  for (const [threshold, blocks] of [
    [50, 100n],
    [101, 100n],
    [51, 9n],
    [51, 1_000_000_001n],
  ] as const)
    assert.equal(ledger.decide([admin(1)], setRules(threshold, blocks)), "CallFailed:WrongRules");
  assert.equal(ledger.decide([admin(1)], setRules(100, 10n)), "done");
});

test("activation is the system's, once, and needs a validator", () => {
  const ledger = alliance(1);
  assert.equal(ledger.activate(new Uint8Array(0)), "AlreadyActivated");
  assert.equal(ledger.activate(new Uint8Array(0), admin(1)), "NotTheSystem");
  const none = testAlliance(1, { organisations: [testOrganisation(1, { nodes: [] })] });
  assert.throws(() => new MembershipLedger(none), /LastValidator/);
  assert.throws(() => new MembershipLedger(testAlliance(0)), /LastValidator/);
});
