import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { readAccounts, readGrants, readRoles } from "./accounts.ts";
import { readCertificates, readOrganisation, readOrganisations, readRules } from "./organisations.ts";
import {
  admin,
  certificate,
  LIMITS_ARGUMENT,
  nodeArguments,
  TEST_LIMITS,
  testAlliance,
  testNode,
  testObserver,
  testOrganisation,
  user,
} from "./testing/alliance.ts";
import { decided, MembershipLedger, person } from "./testing/membership-ledger.ts";

const alliance = (count: number): MembershipLedger => new MembershipLedger(testAlliance(count));
const majority = [1, 2, 3].map(admin);
const DEPLOYER = 2;

test("activation sets up what the settings say, and readers read it", () => {
  const organisations = [
    testOrganisation(1, { certificates: [certificate("a")], filter: [person("f")] }),
    testOrganisation(2, { nodes: [testNode("n2", { weight: 7 }), testObserver("o2")] }),
  ];
  const { state } = new MembershipLedger(
    testAlliance(0, { organisations, thresholdPercent: 67, proposalBlocks: 50 }),
  );
  assert.deepEqual(readRules(state), {
    version: 1,
    owner: undefined,
    thresholdPercent: 67,
    proposalBlocks: 50,
    openToAll: false,
    lastOrganisation: 2,
    activeOrganisations: 2,
    validatorNodes: 2,
    liveValidators: 2,
    lastProposal: 0,
  });
  assert.deepEqual(readOrganisations(state), [
    {
      id: 1,
      name: "Organisation 1",
      standing: "active",
      admin: admin(1),
      pendingAdmin: undefined,
      limits: TEST_LIMITS,
      validators: 1,
      observers: 0,
      weight: 1,
      filter: [person("f")],
      certificates: [certificate("a")],
      nodeIds: [1],
      accountCount: 1,
    },
    {
      id: 2,
      name: "Organisation 2",
      standing: "active",
      admin: admin(2),
      pendingAdmin: undefined,
      limits: TEST_LIMITS,
      validators: 1,
      observers: 1,
      weight: 7,
      filter: [],
      certificates: [],
      nodeIds: [2, 3],
      accountCount: 1,
    },
  ]);
});

test("an admitted organisation acts for itself at once, and for no other", () => {
  const ledger = alliance(4);
  const call = decided("admit", "Fifth", toHex(admin(5)), LIMITS_ARGUMENT, []);
  assert.equal(ledger.decide(majority, call), "done");
  assert.equal(ledger.send(admin(5), "addNode", ...nodeArguments(5, testNode("fifth"))), "done");
  assert.equal(ledger.send(admin(5), "addNode", ...nodeArguments(4, testNode("sixth"))), "NotItsAdmin");
  assert.equal(ledger.send(admin(4), "addNode", ...nodeArguments(5, testNode("sixth"))), "NotItsAdmin");
  assert.equal(ledger.send(admin(5), "setAccount", 4, toHex(user(9)), 1), "NotItsAdmin");
  assert.equal(ledger.send(admin(5), "addCertificate", 4, toHex(certificate("x"))), "NotItsAdmin");
  assert.equal(ledger.send(admin(5), "offerAdmin", 4, toHex(user(9))), "NotItsAdmin");
  assert.equal(ledger.send(admin(5), "setAccount", 6, toHex(user(9)), 1), "NotItsAdmin");
  for (const stranger of [user(1), person("stranger")])
    assert.equal(ledger.send(stranger, "setAccount", 1, toHex(stranger), 15), "NotAnAdmin");
});

test("one account is the admin of one organisation", () => {
  const ledger = alliance(4);
  const admit = (account: string) => decided("admit", "Fifth", account, LIMITS_ARGUMENT, []);
  assert.equal(ledger.decide(majority, admit(toHex(admin(1)))), "CallFailed:AlreadyAnAdmin");
  assert.equal(ledger.decide(majority, decided("setAdmin", 1, toHex(admin(2)))), "CallFailed:AlreadyAnAdmin");
  assert.equal(ledger.decide(majority, admit(toHex(new Uint8Array(20)))), "CallFailed:ZeroAddress");
});

test("an admin hands over to one who takes it; the members replace one who cannot", () => {
  const ledger = alliance(4);
  const next = person("next");
  assert.equal(ledger.send(next, "takeAdmin", 1), "NotItsAdmin");
  assert.equal(ledger.send(admin(1), "offerAdmin", 1, toHex(next)), "done");
  assert.deepEqual(readOrganisation(ledger.state, 1)?.pendingAdmin, next);
  assert.equal(ledger.send(person("other"), "takeAdmin", 1), "NotItsAdmin");
  assert.equal(ledger.send(next, "takeAdmin", 2), "NotItsAdmin");
  assert.equal(ledger.send(next, "takeAdmin", 1), "done");
  assert.equal(ledger.send(next, "takeAdmin", 1), "NotItsAdmin", "an offer is taken once");
  assert.equal(ledger.send(admin(1), "setAccount", 1, toHex(user(8)), 1), "NotAnAdmin");
  assert.equal(ledger.send(next, "setAccount", 1, toHex(user(8)), 1), "done");
  assert.equal(ledger.send(next, "offerAdmin", 1, toHex(person("thief"))), "done");
  assert.equal(ledger.decide([2, 3, 4].map(admin), decided("setAdmin", 1, toHex(admin(1)))), "done");
  assert.equal(
    ledger.send(person("thief"), "takeAdmin", 1),
    "NotItsAdmin",
    "the offer of the former admin is void",
  );
  assert.equal(ledger.send(next, "setAccount", 1, toHex(user(8)), 0), "NotAnAdmin");
});

test("a suspended organisation's admin can do nothing, and what its accounts had from it does not count", () => {
  const ledger = alliance(4);
  ledger.send(admin(4), "offerAdmin", 4, toHex(person("next")));
  assert.deepEqual(readRoles(ledger.state, user(4)), ["sender"]);
  assert.equal(ledger.decide(majority, decided("suspend", 4)), "done");
  assert.deepEqual(readRoles(ledger.state, user(4)), []);
  assert.deepEqual(readGrants(ledger.state, user(4)), [
    { organisation: 4, roles: ["sender"], isActive: false },
  ]);
  const acts: readonly (readonly [string, ...unknown[]])[] = [
    ["setAccount", 4, toHex(user(9)), 1],
    ["addNode", ...nodeArguments(4, testNode("more"))],
    ["removeNode", 4],
    ["setEndpoint", 4, "h", 1],
    ["addCertificate", 4, toHex(certificate("x"))],
    ["offerAdmin", 4, toHex(user(9))],
  ];
  for (const [name, ...args] of acts)
    assert.equal(ledger.send(admin(4), name, ...args), "OrganisationIsSuspended", name);
  assert.equal(ledger.send(person("next"), "takeAdmin", 4), "OrganisationIsSuspended");
  assert.equal(ledger.decide(majority, decided("resume", 4)), "done");
  assert.deepEqual(readRoles(ledger.state, user(4)), ["sender"]);
  assert.equal(ledger.send(admin(4), "setEndpoint", 4, "h", 1), "done");
});

test("standing changes only as it can", () => {
  const ledger = alliance(4);
  const from = (call: ReturnType<typeof decided>): string => ledger.decide(majority, call);
  assert.equal(from(decided("resume", 4)), "CallFailed:WrongStanding");
  assert.equal(from(decided("suspend", 4)), "done");
  assert.equal(from(decided("suspend", 4)), "CallFailed:WrongStanding");
  assert.equal(from(decided("remove", 4)), "done");
  for (const name of ["suspend", "resume", "remove"])
    for (const id of [4, 0, 9]) assert.equal(from(decided(name, id)), "CallFailed:UnknownOrganisation");
  assert.equal(from(decided("setLimits", 4, LIMITS_ARGUMENT)), "CallFailed:UnknownOrganisation");
  assert.equal(from(decided("setAdmin", 4, toHex(admin(4)))), "CallFailed:UnknownOrganisation");
  assert.equal(from(decided("setAccount", 4, toHex(user(4)), 1)), "CallFailed:UnknownOrganisation");
});

test("a removed organisation is gone for good; one that comes back is a new one, without the old one's grants", () => {
  const ledger = alliance(4);
  assert.equal(ledger.decide(majority, decided("remove", 4)), "done");
  const { state } = ledger;
  const removed = readOrganisation(state, 4);
  assert.deepEqual([removed?.standing, removed?.admin, removed?.nodeIds], ["removed", undefined, []]);
  assert.deepEqual([removed?.validators, removed?.weight], [0, 0]);
  assert.equal(ledger.send(admin(4), "setAccount", 4, toHex(user(4)), 1), "NotAnAdmin");
  const call = decided("admit", "Organisation 4", toHex(admin(4)), LIMITS_ARGUMENT, []);
  assert.equal(ledger.decide(majority, call), "done");
  assert.deepEqual(readRoles(state, user(4)), []);
  assert.equal(readOrganisation(state, 5)?.standing, "active");
  const again = nodeArguments(5, testNode("node-4"));
  assert.equal(ledger.send(admin(4), "addNode", ...again), "done", "its keys are free again");
});

test("the last validator that is not suspended cannot go, in whatever way", () => {
  const ledger = alliance(2);
  const both = [1, 2].map(admin);
  assert.equal(ledger.decide(both, decided("suspend", 1), decided("suspend", 2)), "CallFailed:LastValidator");
  assert.equal(ledger.decide(both, decided("suspend", 1), decided("remove", 2)), "CallFailed:LastValidator");
  assert.equal(
    ledger.decide(both, decided("suspend", 1), decided("removeNode", 2)),
    "CallFailed:LastValidator",
  );
  assert.equal(ledger.send(admin(1), "removeNode", 1), "done");
  assert.equal(ledger.send(admin(2), "removeNode", 2), "LastValidator");
  assert.equal(ledger.decide(both, decided("suspend", 2)), "CallFailed:LastValidator");
  assert.equal(ledger.ask("liveValidators"), 1);
  assert.equal(
    ledger.decide(both, decided("suspend", 1)),
    "done",
    "an organisation without validators can be",
  );
});

test("accounts have the roles that any member gives them; no member can take away what another gave", () => {
  const ledger = alliance(3);
  const auditor = person("auditor");
  const set = (id: number, roles: number): string =>
    ledger.send(admin(id), "setAccount", id, toHex(auditor), roles);
  assert.equal(set(1, 8), "done");
  assert.equal(set(2, 9), "done");
  assert.deepEqual(readRoles(ledger.state, auditor), ["sender", "auditor"]);
  assert.equal(set(3, 0), "done");
  assert.equal(set(2, 0), "done");
  assert.deepEqual(readRoles(ledger.state, auditor), ["auditor"]);
  assert.equal(ledger.ask("hasRole", toHex(auditor), 8), true);
  assert.equal(ledger.ask("hasRole", toHex(auditor), 7), false);
  assert.equal(ledger.ask("hasRole", toHex(auditor), 15), true);
  assert.equal(set(1, 0), "done");
  assert.deepEqual(readRoles(ledger.state, auditor), []);
});

test("an organisation has so many accounts; the list stays whole as they come and go", () => {
  const ledger = alliance(1);
  const set = (name: string, roles: number): string =>
    ledger.send(admin(1), "setAccount", 1, toHex(person(name)), roles);
  assert.equal(set("a", 1), "done");
  assert.equal(set("b", DEPLOYER), "done");
  assert.equal(set("c", 1), "TooMany");
  assert.equal(set("b", 3), "done", "a change of roles takes no room");
  assert.equal(ledger.send(admin(1), "setAccount", 1, toHex(user(1)), 0), "done");
  assert.deepEqual(readAccounts(ledger.state, 1, 0, 10), [
    { address: person("b"), roles: ["sender", "deployer"] },
    { address: person("a"), roles: ["sender"] },
  ]);
  assert.deepEqual(readAccounts(ledger.state, 1, 1, 1), [{ address: person("a"), roles: ["sender"] }]);
  assert.equal(set("c", 1), "done");
  assert.equal(set("b", 0), "done");
  assert.deepEqual(
    readAccounts(ledger.state, 1, 0, 10).map(({ address }) => address),
    [person("c"), person("a")],
  );
  assert.equal(set("d", 16), "WrongRole");
  assert.equal(ledger.send(admin(1), "setAccount", 1, toHex(new Uint8Array(20)), 1), "ZeroAddress");
});

test("a certificate authority is replaced with an overlap: two at most, none twice", () => {
  const ledger = alliance(1);
  const add = (name: string, length?: number): string =>
    ledger.send(admin(1), "addCertificate", 1, toHex(certificate(name, length)));
  const remove = (name: string): string =>
    ledger.send(admin(1), "removeCertificate", 1, toHex(keccak256(certificate(name))));
  assert.equal(add("old"), "done");
  assert.equal(add("old"), "WrongCertificate");
  assert.equal(add("new"), "done");
  assert.equal(add("third"), "TooMany");
  assert.deepEqual(readCertificates(ledger.state, 1), [certificate("old"), certificate("new")]);
  assert.equal(remove("third"), "WrongCertificate");
  assert.equal(remove("old"), "done");
  assert.deepEqual(readCertificates(ledger.state, 1), [certificate("new")]);
  assert.equal(remove("new"), "done");
  assert.deepEqual(readCertificates(ledger.state, 1), []);
  assert.equal(add("long", 2_049), "WrongCertificate");
  assert.equal(add("none", 0), "WrongCertificate");
  assert.equal(add("longest", 2_048), "done");
  assert.deepEqual(readCertificates(ledger.state, 1), [certificate("longest", 2_048)]);
});

test("limits and names stay within what the contract can bear", () => {
  const ledger = alliance(1);
  const limits = (changes: object): string =>
    ledger.decide([admin(1)], decided("setLimits", 1, { ...LIMITS_ARGUMENT, ...changes }));
  assert.equal(limits({ validators: 17 }), "CallFailed:TooMany");
  assert.equal(limits({ observers: 33 }), "CallFailed:TooMany");
  assert.equal(limits({ accounts: 100_001 }), "CallFailed:TooMany");
  assert.equal(limits({ weight: 2n ** 40n + 1n }), "CallFailed:TooMany");
  assert.equal(limits({ validators: 16, observers: 32, accounts: 100_000, weight: 2n ** 40n }), "done");
  const admitted = (name: string, filter: readonly string[] = []): string =>
    ledger.decide([admin(1)], decided("admit", name, toHex(person(name)), LIMITS_ARGUMENT, filter));
  for (const name of ["", "n".repeat(65), "ä", "a/b", "line\nbreak"])
    assert.equal(admitted(name), "CallFailed:WrongName", JSON.stringify(name));
  const filter = Array.from({ length: 33 }, (_, index) => toHex(person(`f${index}`)));
  assert.equal(admitted("Bank", filter), "CallFailed:TooMany");
  assert.equal(admitted("Bank of A-1_b.c", filter.slice(1)), "done");
});

test("the largest organisation can be removed within one transaction", () => {
  const nodes = [
    ...Array.from({ length: 16 }, (_, index) =>
      testNode(`v${index}`, { name: `v${index}${"n".repeat(60)}`, host: "h".repeat(253) }),
    ),
    ...Array.from({ length: 32 }, (_, index) => ({
      ...testObserver(
        `o${index}`,
        Array.from({ length: 32 }, (_, entry) => person(`f${entry}`)),
      ),
      host: "h".repeat(253),
    })),
  ];
  const limits = { validators: 16, observers: 32, accounts: 1, weight: 100 };
  const organisations = [testOrganisation(1), testOrganisation(2, { nodes, limits }), testOrganisation(3)];
  const ledger = new MembershipLedger(testAlliance(0, { organisations }));
  assert.equal(ledger.decide([1, 3].map(admin), decided("remove", 2)), "done");
  assert.ok(ledger.gasUsed < 2n ** 24n - 200_000n, `${ledger.gasUsed} gas`);
  assert.equal(ledger.ask("validatorNodes"), 2);
});
