import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ostrom/base";
import { checksumAddress } from "@ostrom/runtime";
import {
  admin,
  certificate,
  testAlliance,
  testNode,
  testObserver,
  testOrganisation,
  user,
} from "../chain/testing/alliance.ts";
import { decided, person } from "../chain/testing/membership-ledger.ts";
import { membershipMethods } from "./rpc-methods.ts";
import { FakeNode } from "./testing/fake-node.ts";

type Told = Readonly<Record<string, unknown>>;

function alliance(): FakeNode {
  return new FakeNode(
    testAlliance(0, {
      organisations: [
        testOrganisation(1, { certificates: [certificate("ca")] }),
        testOrganisation(2, { nodes: [testNode("n2"), testObserver("o2", [person("token")])] }),
        testOrganisation(3),
      ],
    }),
  );
}

test("all methods are of the module's namespace and say what they answer", () => {
  for (const { name, summary, returns } of membershipMethods) {
    assert.match(name, /^membership_[a-z]+$/);
    assert.ok(summary.length > 0 && returns.length > 0);
  }
});

test("membership_organisations and membership_nodes tell all of them, a page at a time", async () => {
  const node = alliance();
  const organisations = (await node.ask("membership_organisations")) as readonly Told[];
  assert.deepEqual(
    organisations.map(({ id, name, standing, admin: who }) => [id, name, standing, who]),
    [1, 2, 3].map((id) => [`0x${id}`, `Organisation ${id}`, "active", checksumAddress(admin(id))]),
  );
  assert.equal((organisations[0]!["certificates"] as readonly Told[])[0]?.["der"], toHex(certificate("ca")));
  const nodes = (await node.ask("membership_nodes")) as readonly Told[];
  assert.deepEqual(
    nodes.map(({ id, name, role, filter }) => [id, name, role, filter]),
    [
      ["0x1", "node-1", "validator", null],
      ["0x2", "n2", "validator", null],
      ["0x3", "o2", "observer", [checksumAddress(person("token"))]],
      ["0x4", "node-3", "validator", null],
    ],
  );
  const later = (await node.ask("membership_organisations", ["latest", "0x3"])) as readonly Told[];
  assert.deepEqual(
    later.map(({ id }) => id),
    ["0x3"],
  );
  assert.deepEqual(await node.ask("membership_nodes", ["latest", "0x4"]), []);
});

test("membership_account tells roles, who gives them, and what they come to", async () => {
  const node = alliance();
  node.ledger.send(admin(2), "setAccount", 2, toHex(user(1)), 6);
  const told = (await node.ask("membership_account", [toHex(user(1))])) as Told;
  assert.deepEqual(told, {
    address: checksumAddress(user(1)),
    roles: ["sender", "deployer", "operator"],
    adminOf: null,
    maySend: true,
    mayDeploy: true,
    grants: [
      { organisation: "0x1", roles: ["sender"], isActive: true },
      { organisation: "0x2", roles: ["deployer", "operator"], isActive: true },
    ],
  });
  const administrator = (await node.ask("membership_account", [toHex(admin(3))])) as Told;
  assert.deepEqual(
    [administrator["adminOf"], administrator["maySend"], administrator["mayDeploy"]],
    ["0x3", true, false],
  );
  const accounts = await node.ask("membership_accounts", ["0x2"]);
  assert.deepEqual(accounts, [
    { address: checksumAddress(user(2)), roles: ["sender"] },
    { address: checksumAddress(user(1)), roles: ["deployer", "operator"] },
  ]);
  assert.deepEqual(await node.ask("membership_accounts", ["0x9"]), []);
});

test("membership_proposals tells what is open, each call in words", async () => {
  const node = alliance();
  const pause = { target: toHex(person("token")), value: 5n, data: "0x8456cb59" } as const;
  node.ledger.send(admin(1), "propose", "Suspend\u001b[2J", [decided("suspend", 3), pause]);
  const [told] = (await node.ask("membership_proposals")) as readonly Told[];
  assert.deepEqual(
    [told?.["id"], told?.["votes"], told?.["needed"], told?.["supporters"]],
    ["0x1", "0x1", "0x2", ["0x1"]],
  );
  assert.deepEqual(
    (told!["calls"] as readonly Told[]).map(({ meaning }) => meaning),
    ["suspend(3)", `4 bytes 0x8456cb59 to ${toHex(person("token"))} with 5 wei`],
  );
  node.ledger.send(admin(2), "vote", 1, true);
  node.ledger.send(admin(1), "withdraw", 1);
  assert.deepEqual(await node.ask("membership_proposals"), []);
  assert.equal(((await node.ask("membership_proposal", ["0x1"])) as Told)["state"], "withdrawn");
  assert.equal(await node.ask("membership_proposal", ["0x7"]), null);
});

test("where membership was never activated, the methods say so", async () => {
  const node = new FakeNode(undefined);
  for (const { name, parameters } of membershipMethods) {
    if (name === "membership_acts") continue;
    const given = parameters
      .filter(({ isRequired }) => isRequired)
      .map(({ type }) => (/address/i.test(type) ? toHex(user(1)) : "0x1"));
    await assert.rejects(node.ask(name, given), /membership is not active/, name);
  }
});
