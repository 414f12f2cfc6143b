import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, toHex, unwrap } from "@ostrom/base";
import fc from "fast-check";
import { encodeAbiParameters, parseAbiParameters } from "viem";
import { decodeSettings, encodeSettings, type MembershipSettings } from "./settings.ts";
import {
  certificate,
  nodeArguments,
  testAlliance,
  testNode,
  testObserver,
  testOrganisation,
} from "./testing/alliance.ts";
import { person } from "./testing/membership-ledger.ts";

const PARAMETERS = parseAbiParameters([
  "Settings settings",
  "struct Limits { uint16 validators; uint16 observers; uint32 accounts; uint64 weight; }",
  "struct Validator { address account; uint64 weight; uint16 port; bytes consensusKey; bytes proofOfPossession; bytes transportKey; string name; string host; }",
  "struct NodeSettings { uint8 role; Validator keys; address[] filter; }",
  "struct AccountSettings { address account; uint8 roles; }",
  "struct OrganisationSettings { string name; address admin; Limits limits; address[] filter; bytes[] certificates; NodeSettings[] nodes; AccountSettings[] accounts; }",
  "struct Settings { address owner; uint8 thresholdPercent; uint64 proposalBlocks; bool openToAll; OrganisationSettings[] organisations; }",
]);

const RICH: MembershipSettings = testAlliance(2, {
  owner: person("owner"),
  openToAll: true,
  organisations: [
    testOrganisation(1, {
      filter: [person("a"), person("b")],
      certificates: [certificate("one"), certificate("two", 32)],
      nodes: [testNode("v"), testObserver("o", [person("a")])],
      accounts: [
        { address: person("u"), roles: ["sender", "auditor"] },
        { address: person("w"), roles: ["deployer", "operator"] },
      ],
    }),
    testOrganisation(2, { nodes: [], accounts: [] }),
  ],
});

test("settings are encoded as viem encodes them", () => {
  const value = {
    owner: toHex(person("owner")),
    thresholdPercent: RICH.thresholdPercent,
    proposalBlocks: BigInt(RICH.proposalBlocks),
    openToAll: true,
    organisations: RICH.organisations.map((organisation) => ({
      name: organisation.name,
      admin: toHex(organisation.admin),
      limits: { ...organisation.limits, weight: BigInt(organisation.limits.weight) },
      filter: organisation.filter.map(toHex),
      certificates: organisation.certificates.map(toHex),
      nodes: organisation.nodes.map((node) => {
        const [, role, keys, filter] = nodeArguments(0, node);
        return { role, keys, filter };
      }),
      accounts: organisation.accounts.map(({ address }, index) => ({
        account: toHex(address),
        roles: [9, 6][index],
      })),
    })),
  };
  assert.equal(toHex(encodeSettings(RICH)), encodeAbiParameters(PARAMETERS, [value] as never));
});

test("settings read back are those that were written", () => {
  for (const settings of [RICH, testAlliance(3), testAlliance(0)])
    assert.deepEqual(unwrap(decodeSettings(encodeSettings(settings))), settings);
});

test("nothing is read that is not exactly what would be written", () => {
  const bytes = encodeSettings(RICH);
  const refused = (changed: Uint8Array): void => {
    const read = decodeSettings(changed);
    assert.equal(read.ok ? "read" : read.error.code, "membership/settings");
  };
  refused(concatBytes(bytes, new Uint8Array(32)));
  refused(bytes.subarray(0, bytes.length - 32));
  refused(new Uint8Array(0));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, difference) => {
      const changed = bytes.slice();
      changed[position] = (changed[position] ?? 0) ^ difference;
      const read = decodeSettings(changed);
      // Some bytes are free: another key or name is another value, which has this encoding and no other.
      if (read.ok) assert.deepEqual(encodeSettings(read.value), changed);
      else assert.equal(read.error.code, "membership/settings");
    }),
    { numRuns: 500 },
  );
});
