import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, toHexDigits } from "@ostrom/base";
import { filterOf, rolesAtNode } from "./access.ts";
import { linkRules } from "./links.ts";
import { ROLES } from "./roles.ts";
import { admin, testAlliance, testNode, testObserver, testOrganisation } from "./testing/alliance.ts";
import { decided, MembershipLedger, person } from "./testing/membership-ledger.ts";

const ALL_ROLES = 15;
const [A, B] = ["a", "b"].map(person);
const peer = (name: string): string => toHexDigits(testNode(name).transportKey);

/** Organisation 3 may see the accounts a and b alone; its node watches a. */
function alliance(): MembershipLedger {
  const organisations = [
    testOrganisation(1),
    testOrganisation(2),
    testOrganisation(3, {
      filter: [A, B].filter((address) => address !== undefined),
      nodes: [testObserver("watcher", A === undefined ? [] : [A])],
      accounts: [{ address: person("limited"), roles: ROLES }],
    }),
  ];
  const ledger = new MembershipLedger(testAlliance(0, { organisations }));
  ledger.send(admin(1), "setAccount", 1, toHex(person("clerk")), ALL_ROLES);
  return ledger;
}

test("an account operates and audits the nodes of the organisation that says so, and no others", () => {
  const { state } = alliance();
  assert.deepEqual(rolesAtNode(state, person("clerk"), peer("node-1")), [
    "sender",
    "deployer",
    "operator",
    "auditor",
  ]);
  assert.deepEqual(rolesAtNode(state, person("clerk"), peer("node-2")), ["sender", "deployer"]);
  assert.deepEqual(rolesAtNode(state, person("clerk"), peer("nobody's")), ["sender", "deployer"]);
  assert.deepEqual(rolesAtNode(state, person("stranger"), peer("node-1")), []);
  assert.deepEqual(rolesAtNode(state, admin(2), peer("node-1")), ["sender"]);
});

test("who may see only a part of the chain is served by its own nodes alone", () => {
  const { state } = alliance();
  assert.deepEqual(rolesAtNode(state, person("limited"), peer("node-1")), []);
  assert.deepEqual(rolesAtNode(state, admin(3), peer("node-1")), []);
  assert.deepEqual(rolesAtNode(state, person("limited"), peer("watcher")), [...ROLES]);
  assert.deepEqual(filterOf(state, person("limited")), [A, B]);
  assert.deepEqual(filterOf(state, admin(3)), [A, B]);
  assert.equal(filterOf(state, person("clerk")), "all");
  assert.equal(filterOf(state, person("stranger")), undefined);
});

test("an account of two organisations sees what either of them may see", () => {
  const ledger = alliance();
  assert.equal(ledger.send(admin(2), "setAccount", 2, toHex(person("limited")), 8), "done");
  assert.equal(filterOf(ledger.state, person("limited")), "all");
  assert.equal(ledger.decide([1, 3].map(admin), decided("suspend", 2)), "done");
  assert.deepEqual(filterOf(ledger.state, person("limited")), [A, B]);
});

test("suspension takes all of it at once", () => {
  const ledger = alliance();
  assert.equal(ledger.decide([2, 3].map(admin), decided("suspend", 1)), "done");
  assert.deepEqual(rolesAtNode(ledger.state, person("clerk"), peer("node-1")), []);
  assert.equal(filterOf(ledger.state, person("clerk")), undefined);
});

test("links: members' nodes are let in, observers read, filtered observers get nothing over links", () => {
  const ledger = alliance();
  const { state } = ledger;
  assert.equal(linkRules.admitsStrangers(state), false);
  assert.deepEqual(
    ["node-1", "watcher", "nobody's"].map((name) => linkRules.isMemberPeer(state, peer(name))),
    [true, true, false],
  );
  assert.deepEqual(
    ["node-1", "watcher", "nobody's"].map((name) => linkRules.linkKindOf(state, peer(name))),
    ["full", "filtered-observer", undefined],
  );
  const whole = testObserver("whole");
  assert.equal(ledger.decide([1, 2].map(admin), decided("setFilter", 3, [])), "done");
  assert.equal(ledger.send(admin(3), "setNodeFilter", 3, []), "done");
  assert.equal(linkRules.linkKindOf(state, peer("watcher")), "observer");
  assert.equal(whole.role, "observer");
  assert.equal(ledger.decide([1, 3].map(admin), decided("suspend", 2)), "done");
  assert.equal(linkRules.isMemberPeer(state, peer("node-2")), false);
  assert.equal(
    linkRules.linkKindOf(state, peer("node-2")),
    "full",
    "until the next set begins it may be needed",
  );
});

test("open to all: strangers are linked, everybody sends and sees, nobody is held to less", () => {
  const ledger = alliance();
  assert.equal(ledger.decide([1, 2].map(admin), decided("setOpenToAll", true)), "done");
  const { state } = ledger;
  assert.equal(linkRules.admitsStrangers(state), true);
  assert.equal(linkRules.linkKindOf(state, peer("watcher")), "full");
  assert.deepEqual(rolesAtNode(state, person("stranger"), peer("node-1")), ["sender", "deployer"]);
  assert.equal(filterOf(state, person("stranger")), "all");
  assert.deepEqual(rolesAtNode(state, person("clerk"), peer("node-1")).length, 4);
});

test("where membership was never activated, it has nothing to say", () => {
  const { state } = new MembershipLedger(undefined);
  assert.equal(linkRules.admitsStrangers(state), undefined);
  assert.equal(linkRules.isMemberPeer(state, peer("node-1")), false);
  assert.equal(linkRules.certificateAuthoritiesOf(state, peer("node-1")), undefined);
  assert.deepEqual(rolesAtNode(state, person("clerk"), peer("node-1")), []);
  assert.equal(filterOf(state, person("clerk")), undefined);
});
