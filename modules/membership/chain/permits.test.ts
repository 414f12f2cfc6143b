import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressFromHex, toHex } from "@ostrom/base";
import { DEPLOYMENT_PROXY_ADDRESS } from "@ostrom/execution";
import { permits } from "./permits.ts";
import { admin, LIMITS_ARGUMENT, testAlliance, testOrganisation, user } from "./testing/alliance.ts";
import { decided, MembershipLedger, person } from "./testing/membership-ledger.ts";

const TARGET = addressFromHex("00000000000000000000000000000000000000aa");

function may(ledger: MembershipLedger, sender: Address): string {
  const ask = (to: Address | undefined): string =>
    permits(ledger.state, { sender, to, value: 0n }) ? "-" : "+";
  return `${ask(TARGET)}${ask(undefined)}${ask(DEPLOYMENT_PROXY_ADDRESS)}`;
}

test("senders send, deployers that are senders create, strangers do neither", () => {
  const accounts = [
    { address: user(1), roles: ["sender"] as const },
    { address: person("maker"), roles: ["sender", "deployer"] as const },
    { address: person("half"), roles: ["deployer", "operator", "auditor"] as const },
  ];
  const ledger = new MembershipLedger(
    testAlliance(0, { organisations: [testOrganisation(1, { accounts })] }),
  );
  assert.equal(may(ledger, user(1)), "+--");
  assert.equal(may(ledger, person("maker")), "+++");
  assert.equal(may(ledger, person("half")), "---");
  assert.equal(may(ledger, person("stranger")), "---");
  assert.equal(may(ledger, admin(1)), "+--", "an admin must be able to vote");
  const refusal = permits(ledger.state, { sender: person("stranger"), to: TARGET, value: 0n });
  assert.match(refusal?.reason ?? "", new RegExp(`lets ${toHex(person("stranger"))} send`));
});

test("who had its roles from a suspended or removed organisation has none; another's still count", () => {
  const ledger = new MembershipLedger(testAlliance(4));
  ledger.send(admin(1), "setAccount", 1, toHex(person("shared")), 1);
  ledger.send(admin(4), "setAccount", 4, toHex(person("shared")), 3);
  assert.equal(may(ledger, person("shared")), "+++");
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("suspend", 4)), "done");
  assert.deepEqual(
    [admin(4), user(4), person("shared")].map((who) => may(ledger, who)),
    ["---", "---", "+--"],
  );
  assert.equal(ledger.decide([1, 2, 3].map(admin), decided("remove", 4)), "done");
  assert.deepEqual(
    [admin(4), user(4), person("shared")].map((who) => may(ledger, who)),
    ["---", "---", "+--"],
  );
});

test("the owner sends, and does not create", () => {
  const ledger = new MembershipLedger(testAlliance(1, { owner: person("owner") }));
  assert.equal(may(ledger, person("owner")), "+--");
  const zero = addressFromHex("00".repeat(20));
  assert.equal(ledger.send(person("owner"), "propose", "", [decided("setOwner", toHex(zero))]), "done");
  assert.equal(may(ledger, person("owner")), "---");
  assert.equal(may(ledger, zero), "---");
});

test("open to all is open to all, until the members close it again", () => {
  const ledger = new MembershipLedger(testAlliance(1));
  assert.equal(ledger.decide([admin(1)], decided("setOpenToAll", true)), "done");
  assert.equal(may(ledger, person("stranger")), "+++");
  assert.equal(ledger.decide([admin(1)], decided("setOpenToAll", false)), "done");
  assert.equal(may(ledger, person("stranger")), "---");
});

test("where the contract was never activated, nobody is refused", () => {
  assert.equal(may(new MembershipLedger(undefined), person("stranger")), "+++");
});

test("roles of organisations beyond the first word of bits count like the others", () => {
  const ledger = new MembershipLedger(testAlliance(1, { owner: person("owner") }));
  const none = { ...LIMITS_ARGUMENT, validators: 0 };
  for (let id = 2; id <= 300; id += 23) {
    const calls = Array.from({ length: 23 }, (_, index) =>
      decided("admit", `O${id + index}`, toHex(admin(id + index)), none, []),
    );
    assert.equal(ledger.send(person("owner"), "propose", "", calls), "done");
  }
  for (const id of [255, 256, 257, 300]) {
    const account = person(`of ${id}`);
    assert.equal(may(ledger, account), "---");
    assert.equal(ledger.send(admin(id), "setAccount", id, toHex(account), 3), "done");
    assert.equal(may(ledger, account), "+++", `organisation ${id}`);
    assert.equal(ledger.ask("hasRole", toHex(account), 2), true);
    assert.equal(ledger.send(person("owner"), "propose", "", [decided("suspend", id)]), "done");
    assert.equal(may(ledger, account), "---");
    assert.equal(ledger.ask("hasRole", toHex(account), 2), false);
  }
});
