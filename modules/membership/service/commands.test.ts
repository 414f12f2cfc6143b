import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { toHex } from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import { MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import { readNode, readOrganisation, readRoles, readRules, validatorSet } from "@ostrom/membership-chain";
import { describeParticipant, type ModuleParticipant } from "@ostrom/runtime";
import { admin, certificate, testAlliance, testNode } from "../chain/testing/alliance.ts";
import { bytesOf, decided as decidedCall, person } from "../chain/testing/membership-ledger.ts";
import {
  contractCall,
  describeCall,
  describeRefusal,
  membershipAuthority,
  plainText,
  proposeCall,
} from "./contract.ts";
import { FakeNode } from "./testing/fake-node.ts";

const folder = mkdtempSync(join(tmpdir(), "ostrom-membership-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const alliance = (count: number): FakeNode => new FakeNode(testAlliance(count));

test("members admit a fifth: propose, vote, execute; status tells all of it", async () => {
  const node = alliance(4);
  const proposed = await node.run(admin(1), ["propose-admit", "BankOfE", toHex(person("fifth"))]);
  assert.match(proposed[0] ?? "", /^Proposal 1: Admit BankOfE/);
  assert.match(proposed.join("\n"), /1 of 3 votes/);
  await node.run(admin(2), ["vote", "1"]);
  const voted = await node.run(admin(3), ["vote", "1"]);
  assert.match(voted[0] ?? "", /^Organisation 3 is for proposal 1/);
  assert.match(
    (await node.run(undefined, ["proposals"])).join("\n"),
    /3 of 3 votes; for it: Organisation 1, Organisation 2, Organisation 3/,
  );
  await node.run(admin(4), ["execute", "1"]);
  assert.equal(readOrganisation(node.ledger.state, 5)?.name, "BankOfE");
  assert.deepEqual(
    readOrganisation(node.ledger.state, 5)?.limits,
    readOrganisation(node.ledger.state, 1)?.limits,
  );
  const status = (await node.run(undefined, ["status"])).join("\n");
  assert.match(status, /51 % of 5 members decide/);
  assert.match(status, /5 +BankOfE +active/);
  assert.match(status, /node-4 +4 +validator +1 +node-4.example:30303/);
  const [json] = await node.run(undefined, ["status"], { json: true });
  assert.equal((JSON.parse(json ?? "") as { organisations: unknown[] }).organisations.length, 5);
});

test("each kind of proposal does what it says", async () => {
  const node = alliance(1);
  const { state } = node.ledger;
  /** Whoever is a member is for it; the first one carries it out. */
  const decide = async (line: readonly string[], flags = {}): Promise<void> => {
    await node.run(admin(1), line, flags);
    const id = String(readRules(state).lastProposal);
    const other = readOrganisation(state, 2);
    if (other?.standing === "active") await node.run(other.admin, ["vote", id]);
    await node.run(admin(1), ["execute", id]);
  };
  await decide(["propose-admit", "Two", toHex(person("two"))], {
    validators: 0,
    filter: [toHex(person("token"))],
  });
  assert.deepEqual(readOrganisation(state, 2)?.filter, [person("token")]);
  await decide(["propose-rules"], { threshold: 100, blocks: 77 });
  assert.deepEqual([readRules(state).thresholdPercent, readRules(state).proposalBlocks], [100, 77]);
  await decide(["propose-suspend", "Two"]);
  assert.equal(readOrganisation(state, 2)?.standing, "suspended");
  await decide(["propose-resume", "2"]);
  await decide(["propose-limits", "Two"], { weight: 5, validators: 1 });
  assert.deepEqual(readOrganisation(state, 2)?.limits, {
    validators: 1,
    observers: 2,
    accounts: 3,
    weight: 5,
  });
  await decide(["propose-filter", "Two"], { filter: [] });
  assert.deepEqual(readOrganisation(state, 2)?.filter, []);
  await decide(["propose-admin", "Two", toHex(person("new two"))]);
  assert.deepEqual(readOrganisation(state, 2)?.admin, person("new two"));
  await decide(["propose-remove", "Two"]);
  assert.equal(readOrganisation(state, 2)?.standing, "removed");
  await decide(["propose-open", "yes"]);
  assert.equal(readRules(state).openToAll, true);
  const close = toHex(contractCall("setOpenToAll", [false]).data);
  await decide(["propose-call", toHex(MEMBERSHIP_ADDRESS), close]);
  assert.equal(readRules(state).openToAll, false);
  await decide(["propose-owner", toHex(person("owner"))]);
  const [decided] = await node.run(person("owner"), ["propose-rules"], { threshold: 60 });
  assert.match(decided ?? "", /^Decided: /);
  assert.equal(readRules(state).thresholdPercent, 60);
  await node.run(person("owner"), ["propose-owner", "none"]);
  assert.equal(readRules(state).owner, undefined);
});

function machine(name: string, changes: Partial<ModuleParticipant> = {}): string {
  const { role: _role, filter: _filter, ...node } = testNode(name);
  // Below the order of the group.
  const secret = keccak256(bytesOf(name, 32)).fill(0, 0, 1);
  const keys = { consensusKey: bls().publicKey(secret), proofOfPossession: bls().provePossession(secret) };
  const path = join(folder, `${name}.json`);
  const description = {
    ...node,
    ...keys,
    organisation: "any",
    certificateAuthority: undefined,
    keys: {},
    ...changes,
  };
  writeFileSync(path, JSON.stringify(describeParticipant(description)));
  return path;
}

test("an admin adds, changes and removes its own nodes by what its machines tell of themselves", async () => {
  const node = alliance(2);
  const { state } = node.ledger;
  await node.run(admin(1), ["node", "add", machine("new")], { weight: 4 });
  assert.deepEqual([readNode(state, 3)?.name, readNode(state, 3)?.weight], ["new", 4]);
  await node.run(admin(1), ["node", "add", machine("watcher")], {
    observer: true,
    filter: [toHex(person("token"))],
  });
  assert.deepEqual([readNode(state, 4)?.role, readNode(state, 4)?.filter], ["observer", [person("token")]]);
  await node.run(admin(1), ["node", "weight", "3", "5"]);
  await node.run(admin(1), ["node", "endpoint", "3", "elsewhere.example", "40000"]);
  await node.run(admin(1), ["node", "fees", "3", toHex(person("fees"))]);
  await node.run(admin(1), ["node", "filter", "4"], { filter: [] });
  await node.run(admin(1), ["node", "keys", "3", machine("replaced")]);
  const changed = readNode(state, 3);
  assert.deepEqual(
    [changed?.weight, changed?.host, changed?.port, changed?.account],
    [5, "elsewhere.example", 40_000, person("fees")],
  );
  assert.deepEqual(changed?.transportKey, testNode("replaced").transportKey);
  assert.equal(readNode(state, 4)?.filter, undefined);
  assert.ok(validatorSet(state)?.set.validators.some(({ name }) => name === "new"));
  await node.run(admin(1), ["node", "remove", "3"]);
  assert.equal(readNode(state, 3), undefined);
  const wrong = machine("unproved", { proofOfPossession: bytesOf("none", 96) });
  await assert.rejects(node.run(admin(1), ["node", "add", wrong]), /proof of possession/);
  await assert.rejects(node.run(admin(1), ["node", "add", join(folder, "absent.json")]), /absent/);
  await assert.rejects(node.run(admin(1), ["node", "explode"]), /expected add, remove/);
});

test("an admin lets accounts in and out, and hands its place on", async () => {
  const node = alliance(2);
  const { state } = node.ledger;
  await node.run(admin(1), ["account", "set", toHex(person("clerk")), "sender,auditor"]);
  assert.deepEqual(readRoles(state, person("clerk")), ["sender", "auditor"]);
  const roles = (await node.run(undefined, ["roles", toHex(person("clerk"))])).join("\n");
  assert.match(roles, /may send, may not deploy; roles: sender, auditor/);
  assert.match(roles, /from organisation 1: sender, auditor/);
  await node.run(admin(1), ["account", "set", toHex(person("clerk")), "none"]);
  assert.deepEqual(readRoles(state, person("clerk")), []);
  await assert.rejects(
    node.run(admin(1), ["account", "set", toHex(person("clerk")), "king"]),
    /expected sender, deployer/,
  );
  await assert.rejects(
    node.run(person("x"), ["account", "set", toHex(person("clerk")), "sender"]),
    /administers no organisation/,
  );
  await node.run(admin(1), ["admin", "offer", toHex(person("next"))]);
  await node.run(person("next"), ["admin", "take", "1"]);
  assert.deepEqual(readOrganisation(state, 1)?.admin, person("next"));
});

test("certificate authorities are added, listed and removed; what is none is refused before it is sent", async () => {
  const node = alliance(1);
  node.ledger.send(admin(1), "addCertificate", 1, toHex(certificate("old")));
  const hash = toHex(keccak256(certificate("old")));
  const listed = (await node.run(admin(1), ["ca", "list"])).join("\n");
  assert.match(listed, new RegExp(`${hash}  no certificate that can be read`));
  const path = join(folder, "none.pem");
  writeFileSync(path, "no certificate");
  await assert.rejects(node.run(admin(1), ["ca", "add", path]), /no certificate/);
  await assert.rejects(node.run(admin(1), ["ca", "remove", "0x77"]), /HASH/);
  await node.run(admin(1), ["ca", "remove", hash.slice(0, 12)]);
  assert.deepEqual(readOrganisation(node.ledger.state, 1)?.certificates, []);
});

test("acts tells who did what in which block", async () => {
  const node = alliance(3);
  await node.run(admin(1), ["propose-suspend", "3"]);
  await node.run(admin(2), ["vote", "1"]);
  await node.run(admin(2), ["execute", "1"]);
  await node.run(admin(1), ["account", "set", toHex(person("clerk")), "sender"]);
  const lines = await node.run(undefined, ["acts"]);
  assert.deepEqual(
    lines.map((line) => line.split("  ").slice(0, 2).join(" ")),
    [
      "2 Proposed",
      "2 Voted",
      "3 Voted",
      "4 Executed",
      "4 OrganisationSuspended",
      "4 CallMade",
      "5 AccountChanged",
    ],
  );
  assert.match(lines[0] ?? "", /title Suspend Organisation 3 \(organisation 3\)/);
  const [json] = await node.run(undefined, ["acts"], { json: true });
  assert.equal((JSON.parse(json ?? "") as { act: string }).act, "Proposed");
});

test("organisations are named by number or name; what is no name, address or number is said so", async () => {
  const node = alliance(2);
  await assert.rejects(node.run(admin(1), ["propose-suspend", "Nobody"]), /no member is called "Nobody"/);
  await assert.rejects(node.run(admin(1), ["propose-suspend"]), /say which organisation/);
  await assert.rejects(node.run(admin(1), ["propose-admit", "X", "0x12"]), /expected an address/);
  await assert.rejects(node.run(admin(1), ["vote", "first"]), /expected a whole number/);
  await assert.rejects(node.run(admin(1), ["propose-open", "maybe"]), /expected yes, no/);
  await assert.rejects(node.run(person("x"), ["vote", "1"]), /administers no organisation/);
});

test("refusals of the contract are told in words, those of calls inside proposals too", () => {
  const { ledger } = alliance(1);
  const refusal = (functionName: string, ...args: readonly unknown[]): string | undefined => {
    const { data } = contractCall(functionName, args);
    return describeRefusal(toHex(ledger.call(admin(1), MEMBERSHIP_ADDRESS, data).output));
  };
  assert.equal(refusal("vote", 7, true), "there is no proposal 7");
  assert.equal(refusal("removeNode", 1), "the chain would be left without a validator");
  assert.equal(refusal("setWeight", 1, 0n), "ZeroWeight");
  ledger.send(admin(1), "propose", "", [decidedCall("resume", 1)]);
  assert.match(
    refusal("execute", 1) ?? "",
    /^call 1 of the proposal fails: the organisation is suspended already/,
  );
  assert.equal(describeRefusal("0x"), undefined);
  assert.equal(describeRefusal("0x12345678"), undefined);
});

test("proposals of other parts of the program can be read by those who vote", () => {
  const call = {
    to: MEMBERSHIP_ADDRESS,
    data: contractCall("admit", [
      "A",
      toHex(person("a")),
      { validators: 1, observers: 2, accounts: 3, weight: 4n },
      [],
    ]).data,
  };
  assert.equal(
    describeCall(call.to, 0n, call.data),
    `admit(A, ${describeAddress("a")}, {validators: 1, observers: 2, accounts: 3, weight: 4}, [])`,
  );
  assert.deepEqual(membershipAuthority.openToAll(), [contractCall("setOpenToAll", [true])]);
  const proposed = proposeCall([call], "title");
  assert.deepEqual(proposed.to, MEMBERSHIP_ADDRESS);
  assert.match(describeCall(proposed.to, 0n, proposed.data), /^propose\(title, \[\{target: 0x/);
  assert.equal(plainText("a\u001b[31mb\u202ec\n"), "a?[31mb?c?");
});

function describeAddress(name: string): string {
  return describeCall(MEMBERSHIP_ADDRESS, 0n, contractCall("setAdmin", [1, toHex(person(name))]).data).slice(
    "setAdmin(1, ".length,
    -1,
  );
}
