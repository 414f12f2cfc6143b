import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, toHex, toHexDigits } from "@ostrom/base";
import { certificateAuthoritiesOf, readNode, readNodeOfPeer, readNodes } from "./nodes.ts";
import { readOrganisation } from "./organisations.ts";
import type { NodeSettings } from "./settings.ts";
import {
  admin,
  certificate,
  LIMITS_ARGUMENT,
  nodeArguments,
  testAlliance,
  testNode,
  testObserver,
  testOrganisation,
} from "./testing/alliance.ts";
import { bytesOf, decided, MembershipLedger, person } from "./testing/membership-ledger.ts";
import { validatorSet } from "./validators.ts";

const alliance = (count: number): MembershipLedger => new MembershipLedger(testAlliance(count));
const majority = [1, 2, 3].map(admin);

const add = (ledger: MembershipLedger, organisation: number, node: NodeSettings): string =>
  ledger.send(admin(organisation), "addNode", ...nodeArguments(organisation, node));

const validatorNames = (ledger: MembershipLedger): readonly string[] =>
  (validatorSet(ledger.state)?.set.validators ?? []).map(({ name }) => name);

test("the validator set has the validators of all members that are not suspended, in the order of their ids", () => {
  const ledger = alliance(4);
  assert.equal(add(ledger, 1, testNode("late")), "done");
  assert.equal(add(ledger, 1, testObserver("watcher")), "done");
  assert.deepEqual(validatorNames(ledger), ["node-1", "node-2", "node-3", "node-4", "late"]);
  assert.equal(ledger.decide(majority, decided("suspend", 2)), "done");
  assert.deepEqual(validatorNames(ledger), ["node-1", "node-3", "node-4", "late"]);
  assert.equal(ledger.decide([1, 3, 4].map(admin), decided("remove", 1)), "done");
  assert.deepEqual(validatorNames(ledger), ["node-3", "node-4"]);
  assert.equal(ledger.decide([3, 4].map(admin), decided("resume", 2)), "done");
  const { set, leaderSeed } = validatorSet(ledger.state) ?? {};
  assert.equal(leaderSeed, undefined);
  const node = testNode("node-2");
  assert.deepEqual(set?.validators[0], {
    name: node.name,
    address: node.account,
    weight: 10,
    consensusKey: node.consensusKey,
    proofOfPossession: node.proofOfPossession,
    transportKey: node.transportKey,
    host: node.host,
    port: node.port,
  });
});

const weights = (ledger: MembershipLedger): readonly (readonly [string, number])[] =>
  (validatorSet(ledger.state)?.set.validators ?? []).map(({ name, weight }) => [name, weight]);

test("an organisation has the weight that the members gave it, whole, however it divides it", () => {
  const ledger = alliance(2);
  assert.deepEqual(weights(ledger), [
    ["node-1", 10],
    ["node-2", 10],
  ]);
  assert.equal(ledger.send(admin(1), "setWeight", 1, 7n), "done");
  assert.deepEqual(weights(ledger)[0], ["node-1", 10], "alone it has all of it");
  assert.equal(add(ledger, 1, testNode("b", { weight: 2 })), "done");
  assert.deepEqual(weights(ledger), [
    ["node-1", 8],
    ["node-2", 10],
    ["b", 2],
  ]);
  const less = { ...LIMITS_ARGUMENT, weight: 1n };
  assert.equal(ledger.decide([1, 2].map(admin), decided("setLimits", 1, less)), "done");
  assert.deepEqual(weights(ledger), [
    ["node-1", 1],
    ["node-2", 10],
    ["b", 1],
  ]);
  assert.equal(ledger.send(admin(1), "removeNode", 3), "done");
  const most = { ...LIMITS_ARGUMENT, weight: 2n ** 40n };
  assert.equal(ledger.decide([1, 2].map(admin), decided("setLimits", 1, most)), "done");
  assert.deepEqual(weights(ledger)[0], ["node-1", 2 ** 40]);
});

test("a contract that was never activated has no set, and no nodes", () => {
  const { state } = new MembershipLedger(undefined);
  assert.equal(validatorSet(state), undefined);
  assert.deepEqual(readNodes(state), []);
  assert.equal(certificateAuthoritiesOf(state, "00".repeat(32)), undefined);
});

test("an organisation has so many validators and observers, and so much weight, however it divides it", () => {
  const ledger = alliance(2);
  assert.equal(add(ledger, 1, testNode("b", { weight: 10 })), "TooMuchWeight");
  assert.equal(add(ledger, 1, testNode("b", { weight: 9 })), "done");
  assert.equal(add(ledger, 1, testNode("c")), "TooMany");
  assert.equal(ledger.send(admin(1), "setWeight", 1, 2n), "TooMuchWeight");
  assert.equal(ledger.send(admin(1), "setWeight", 3, 5n), "done");
  assert.equal(ledger.send(admin(1), "setWeight", 1, 5n), "done");
  assert.equal(ledger.send(admin(1), "setWeight", 1, 0n), "ZeroWeight");
  assert.equal(readOrganisation(ledger.state, 1)?.weight, 10);
  assert.equal(add(ledger, 1, testObserver("o1")), "done");
  assert.equal(add(ledger, 1, testObserver("o2")), "done");
  assert.equal(add(ledger, 1, testObserver("o3")), "TooMany");
  assert.equal(ledger.send(admin(1), "removeNode", 3), "done");
  assert.equal(readOrganisation(ledger.state, 1)?.weight, 5);
  assert.equal(add(ledger, 1, testNode("d", { weight: 5 })), "done");
});

test("lowered limits take nothing away, but let nothing grow", () => {
  const ledger = alliance(3);
  ledger.send(admin(1), "setWeight", 1, 8n);
  const limits = { ...LIMITS_ARGUMENT, validators: 0, weight: 4n };
  assert.equal(ledger.decide([2, 3].map(admin), decided("setLimits", 1, limits)), "done");
  assert.equal(ledger.send(admin(1), "setWeight", 1, 9n), "TooMuchWeight");
  assert.equal(
    ledger.send(admin(1), "setWeight", 1, 6n),
    "done",
    "less is allowed though it is still too much",
  );
  assert.equal(ledger.send(admin(1), "setWeight", 1, 7n), "TooMuchWeight");
  assert.equal(add(ledger, 1, testNode("b")), "TooMany");
});

test("no two nodes have one key", () => {
  const ledger = alliance(2);
  const one = testNode("node-1");
  assert.equal(add(ledger, 2, testNode("x", { consensusKey: one.consensusKey })), "KeyTaken");
  assert.equal(add(ledger, 2, testNode("x", { transportKey: one.transportKey })), "KeyTaken");
  assert.equal(add(ledger, 2, { ...testObserver("x"), transportKey: one.transportKey }), "KeyTaken");
  assert.equal(
    add(ledger, 1, testNode("x", { consensusKey: one.consensusKey })),
    "KeyTaken",
    "its own neither",
  );
  const proof = toHex(one.proofOfPossession);
  assert.equal(ledger.send(admin(2), "setConsensusKey", 2, toHex(one.consensusKey), proof), "KeyTaken");
  assert.equal(ledger.send(admin(2), "setTransportKey", 2, toHex(one.transportKey)), "KeyTaken");
  assert.equal(add(ledger, 2, testNode("x")), "done");
});

test("a key that an organisation gave up is its own: nobody else can pass for the machine that had it", () => {
  const ledger = alliance(3);
  const one = testNode("node-1");
  const fresh = testNode("fresh");
  const set = (key: Uint8Array): string =>
    ledger.send(admin(1), "setConsensusKey", 1, toHex(key), toHex(one.proofOfPossession));
  assert.equal(set(fresh.consensusKey), "done");
  assert.equal(ledger.send(admin(1), "setTransportKey", 1, toHex(fresh.transportKey)), "done");
  assert.equal(add(ledger, 2, testNode("x", { consensusKey: one.consensusKey })), "KeyTaken");
  assert.equal(add(ledger, 2, testNode("x", { transportKey: one.transportKey })), "KeyTaken");
  assert.equal(set(one.consensusKey), "done", "it can go back");
  assert.equal(set(one.consensusKey), "done", "and keep its key with another proof");
  assert.equal(ledger.decide([2, 3].map(admin), decided("remove", 1)), "done");
  assert.equal(add(ledger, 2, testNode("x", { transportKey: one.transportKey })), "done");
});

test("an admin changes its own nodes, all of them, and no others", () => {
  const ledger = alliance(2);
  add(ledger, 1, testObserver("watcher"));
  const key = toHex(bytesOf("k", 48));
  const acts: readonly (readonly [string, ...unknown[]])[] = [
    ["setConsensusKey", 1, key, toHex(bytesOf("p", 96))],
    ["setTransportKey", 1, toHex(bytesOf("t", 32))],
    ["setEndpoint", 1, "new.example:1", 9],
    ["setFeeAccount", 1, toHex(person("fees"))],
    ["setWeight", 1, 3n],
    ["setNodeFilter", 3, [toHex(person("a"))]],
    ["removeNode", 1],
  ];
  for (const [name, ...args] of acts) {
    assert.equal(ledger.send(admin(2), name, ...args), "NotItsAdmin", name);
    assert.equal(ledger.send(person("stranger"), name, ...args), "NotAnAdmin", name);
    if (name !== "removeNode") assert.equal(ledger.send(admin(1), name, ...args), "done", name);
  }
  const node = readNode(ledger.state, 1);
  assert.deepEqual(
    [node?.host, node?.port, node?.weight, node?.account],
    ["new.example:1", 9, 3, person("fees")],
  );
  assert.deepEqual([node?.consensusKey, node?.proofOfPossession], [bytesOf("k", 48), bytesOf("p", 96)]);
  assert.deepEqual(readNode(ledger.state, 3)?.filter, [person("a")]);
  assert.equal(ledger.send(admin(1), "removeNode", 1), "done");
  for (const [name, ...args] of acts)
    if (args[0] === 1) assert.equal(ledger.send(admin(1), name, ...args), "UnknownNode", name);
  assert.deepEqual(readOrganisation(ledger.state, 1)?.nodeIds, [3]);
});

test("what every node would refuse to read, the contract refuses", () => {
  const ledger = alliance(1);
  const wrong: readonly (readonly [Partial<NodeSettings>, string])[] = [
    [{ consensusKey: bytesOf("k", 47) }, "WrongKeyLength"],
    [{ proofOfPossession: bytesOf("k", 97) }, "WrongKeyLength"],
    [{ transportKey: new Uint8Array(0) }, "WrongKeyLength"],
    [{ name: "" }, "WrongName"],
    [{ name: "n".repeat(65) }, "WrongName"],
    [{ name: "a b" }, "WrongName"],
    [{ host: "a b" }, "WrongHost"],
    [{ host: "" }, "WrongHost"],
    [{ host: "h".repeat(254) }, "WrongHost"],
    [{ port: 0 }, "WrongPort"],
    [{ weight: 0 }, "ZeroWeight"],
    [{ filter: [person("a")] }, "WrongRole"],
  ];
  for (const [changes, error] of wrong)
    assert.equal(add(ledger, 1, testNode("x", changes)), error, JSON.stringify(Object.keys(changes)));
  assert.equal(add(ledger, 1, { ...testObserver("x"), weight: 1 }), "WrongRole");
  assert.equal(add(ledger, 1, { ...testObserver("x"), consensusKey: bytesOf("k", 48) }), "WrongRole");
  assert.equal(add(ledger, 1, testObserver("x", Array(33).fill(person("a")))), "TooMany");
  const [organisation, , keys, filter] = nodeArguments(1, testNode("x"));
  for (const role of [0, 3])
    assert.equal(ledger.send(admin(1), "addNode", organisation, role, keys, filter), "WrongRole");
  add(ledger, 1, testObserver("o"));
  assert.equal(ledger.send(admin(1), "setWeight", 2, 1n), "WrongRole");
  assert.equal(ledger.send(admin(1), "setConsensusKey", 2, toHex(bytesOf("k", 48)), "0x"), "WrongRole");
  assert.equal(ledger.send(admin(1), "setNodeFilter", 1, []), "WrongRole");
  const longest = testNode("y", { name: "n".repeat(64), host: `${"h".repeat(252)}:`, port: 65_535 });
  assert.equal(add(ledger, 1, longest), "done");
  assert.equal(readNode(ledger.state, 3)?.host, longest.host);
});

test("an observer sees what it wants of what its organisation may see; a validator all", () => {
  const [a, b, c] = ["a", "b", "c"].map(person);
  const filtered = (allowed: readonly string[], wanted: readonly string[]) => {
    const organisations = [
      testOrganisation(1, {
        filter: allowed.map(person),
        nodes: [testNode("v"), testObserver("o", wanted.map(person))],
      }),
    ];
    const { state } = new MembershipLedger(testAlliance(0, { organisations }));
    assert.equal(readNode(state, 1)?.filter, undefined);
    return readNode(state, 2)?.filter;
  };
  assert.equal(filtered([], []), undefined);
  assert.deepEqual(filtered([], ["a"]), [a]);
  assert.deepEqual(filtered(["a", "b"], []), [a, b]);
  assert.deepEqual(filtered(["a", "b"], ["b", "c"]), [b]);
  assert.deepEqual(filtered(["a"], ["c"]), [], "nothing is not all");
  assert.ok(c);
});

test("the members narrow what an organisation's observers see; its admin cannot widen it", () => {
  const ledger = alliance(3);
  add(ledger, 1, testObserver("o"));
  assert.equal(readNode(ledger.state, 4)?.filter, undefined);
  assert.equal(ledger.decide([2, 3].map(admin), decided("setFilter", 1, [toHex(person("a"))])), "done");
  assert.equal(ledger.send(admin(1), "setNodeFilter", 4, [toHex(person("b"))]), "done");
  assert.deepEqual(readNode(ledger.state, 4)?.filter, []);
  assert.equal(ledger.send(admin(1), "setFilter", 1, []), "NotTheMembers");
});

test("a peer is found by its transport key, with its organisation's certificate authorities", () => {
  const organisations = [
    testOrganisation(1, { certificates: [certificate("old"), certificate("new")] }),
    testOrganisation(2),
    testOrganisation(3),
  ];
  const ledger = new MembershipLedger(testAlliance(0, { organisations }));
  const peer = (name: string): string => toHexDigits(testNode(name).transportKey);
  assert.deepEqual(certificateAuthoritiesOf(ledger.state, peer("node-1")), [
    certificate("old"),
    certificate("new"),
  ]);
  assert.deepEqual(certificateAuthoritiesOf(ledger.state, peer("node-2")), []);
  assert.equal(certificateAuthoritiesOf(ledger.state, peer("nobody")), undefined);
  for (const wrong of ["", "xx", "00", toHexDigits(testNode("node-1").consensusKey)])
    assert.equal(readNodeOfPeer(ledger.state, wrong), undefined);
  assert.equal(readNodeOfPeer(ledger.state, peer("node-1"))?.organisation, 1);
  assert.equal(ledger.send(admin(1), "setTransportKey", 1, toHex(bytesOf("t", 32))), "done");
  assert.equal(readNodeOfPeer(ledger.state, peer("node-1")), undefined);
  assert.equal(readNodeOfPeer(ledger.state, toHexDigits(bytesOf("t", 32)))?.id, 1);
  assert.equal(ledger.decide([1, 3].map(admin), decided("suspend", 2)), "done");
  assert.equal(readNodeOfPeer(ledger.state, peer("node-2"))?.isActive, false);
});

test("nodes are listed by their ids, whatever came and went", () => {
  const ledger = alliance(2);
  add(ledger, 1, testObserver("o1"));
  add(ledger, 2, testObserver("o2"));
  add(ledger, 1, testNode("v1"));
  ledger.send(admin(1), "removeNode", 3);
  assert.deepEqual(
    readNodes(ledger.state).map(({ id, name, organisation }) => [id, name, organisation]),
    [
      [1, "node-1", 1],
      [2, "node-2", 2],
      [4, "o2", 2],
      [5, "v1", 1],
    ],
  );
  ledger.send(admin(1), "removeNode", 1);
  assert.deepEqual(readOrganisation(ledger.state, 1)?.nodeIds, [5]);
  assert.ok(
    readNodes(ledger.state).every((node) => !equalBytes(node.transportKey, testNode("o1").transportKey)),
  );
});
