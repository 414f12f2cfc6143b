import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, toHex, unwrap } from "@ostrom/base";
import { decodeSettings, encodeSettings, ROLES } from "@ostrom/membership-chain";
import type { ModuleParticipant } from "@ostrom/runtime";
import { testNode } from "../chain/testing/alliance.ts";
import { MembershipLedger, person } from "../chain/testing/membership-ledger.ts";
import { membershipSettings } from "./settings.ts";

function participant(
  name: string,
  organisation: string,
  changes: Partial<ModuleParticipant> = {},
): ModuleParticipant {
  const { role: _role, filter: _filter, ...node } = testNode(name);
  return { ...node, organisation, certificateAuthority: undefined, keys: {}, ...changes };
}

const settingsOf = (
  validators: readonly ModuleParticipant[],
  options: Readonly<Record<string, string>> = {},
) => membershipSettings({ chainId: 1n, validators, options });

const codeOf = (...given: Parameters<typeof settingsOf>): string => {
  const made = settingsOf(...given);
  return made.ok ? "made" : made.error.code;
};

const FOUR = ["a", "b", "c", "d"].map((name) => participant(`node-${name}`, name));

test("an organisation for each that the validators name, administered by its first one's account", () => {
  const validators = [
    ...FOUR,
    participant("second-of-a", "a", { weight: 3, certificateAuthority: Uint8Array.of(1) }),
  ];
  const { settings } = unwrap(settingsOf(validators));
  const read = unwrap(decodeSettings(settings));
  assert.deepEqual([read.owner, read.thresholdPercent, read.openToAll], [undefined, 51, false]);
  assert.deepEqual(
    read.organisations.map(({ name, nodes }) => [name, nodes.map((node) => node.name)]),
    [
      ["a", ["node-a", "second-of-a"]],
      ["b", ["node-b"]],
      ["c", ["node-c"]],
      ["d", ["node-d"]],
    ],
  );
  const [a] = read.organisations;
  assert.deepEqual(a?.admin, person("node-a/fees"));
  assert.deepEqual(a?.limits, { validators: 4, observers: 8, accounts: 1_000, weight: 4 });
  assert.deepEqual(a?.certificates, [Uint8Array.of(1)]);
  assert.deepEqual(a?.accounts, [
    { address: person("node-a/fees"), roles: [...ROLES] },
    { address: person("second-of-a/fees"), roles: [...ROLES] },
  ]);
  assert.doesNotThrow(() => new MembershipLedger(read), "the contract takes them");
  assert.deepEqual(encodeSettings(read), settings);
});

test("people choose the rules, the limits and who else may send", () => {
  const users = ["u", "v"].map((name) => toHex(person(name))).join(",");
  const options = {
    threshold: "67",
    proposalBlocks: "500",
    owner: toHex(person("owner")),
    open: "true",
    validators: "2",
    observers: "0",
    accounts: "7",
    weight: "50",
    users,
  };
  const read = unwrap(decodeSettings(unwrap(settingsOf(FOUR, options)).settings));
  assert.deepEqual(
    [read.thresholdPercent, read.proposalBlocks, read.owner, read.openToAll],
    [67, 500, person("owner"), true],
  );
  assert.deepEqual(read.organisations[1]?.limits, { validators: 2, observers: 0, accounts: 7, weight: 50 });
  assert.deepEqual(read.organisations[0]?.accounts.slice(1), [
    { address: person("u"), roles: ["sender", "deployer"] },
    { address: person("v"), roles: ["sender", "deployer"] },
  ]);
  assert.deepEqual(read.organisations[1]?.accounts.length, 1);
  assert.doesNotThrow(() => new MembershipLedger(read));
});

test("what is there at the beginning is within the limits, whatever they say", () => {
  const two = [...FOUR, participant("second-of-a", "a")];
  const read = unwrap(decodeSettings(unwrap(settingsOf(two, { validators: "0", accounts: "0" })).settings));
  assert.deepEqual(read.organisations[0]?.limits.validators, 2);
  assert.doesNotThrow(() => new MembershipLedger(read));
});

test("what the contract would refuse is refused before there is a genesis", () => {
  const sameAccount: Address = person("one");
  const shared = FOUR.map((validator) => ({ ...validator, account: sameAccount }));
  assert.equal(codeOf([]), "membership/participants");
  assert.equal(codeOf(shared), "membership/participants");
  assert.equal(
    codeOf(FOUR.map((one) => ({ ...one, certificateAuthority: new Uint8Array(2_049) }))),
    "membership/participants",
  );
  assert.equal(codeOf(FOUR, { weight: "0" }), "membership/option");
  assert.equal(
    codeOf([participant("heavy", "a", { weight: 5 })], { weight: "4" }),
    "membership/participants",
  );
  const authorities = [1, 2].map((byte) =>
    participant(`n${byte}`, "a", { certificateAuthority: Uint8Array.of(byte) }),
  );
  assert.equal(codeOf(authorities), "membership/participants");
  const many = Array.from({ length: 17 }, (_, index) => participant(`n${index}`, "a"));
  assert.equal(codeOf(many), "membership/participants");
  const alone = (count: number) =>
    Array.from({ length: count }, (_, index) => participant(`n${index}`, `o${index}`));
  assert.equal(codeOf(alone(40)), "made");
  assert.equal(codeOf(alone(60)), "membership/participants", "more than a registry keeps of settings");
  for (const [name, value] of Object.entries({
    threshold: "50",
    proposalBlocks: "9",
    owner: "0x12",
    open: "yes",
    validators: "17",
    observers: "-1",
    accounts: "1.5",
    users: "0x12,0x13",
    nothing: "1",
    toString: "1",
  }))
    assert.equal(codeOf(FOUR, { [name]: value }), "membership/option", name);
});
