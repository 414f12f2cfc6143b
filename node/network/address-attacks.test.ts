import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressBook } from "./address-book.ts";
import { createIdentity } from "./identity.ts";
import { hostToBytes } from "./network-group.ts";
import { decodeRecord, signRecord } from "./node-record.ts";
import { seededEntropy, TEST_GENESIS_HASH } from "./testing/seeded.ts";

const NOW_MS = 1_800_000_000_000;
const bookOf = () =>
  new AddressBook({ key: new Uint8Array(32), entropy: seededEntropy(3), allowsLocal: false });

/** Source: IANA special-purpose address registries, and addresses in others' clothes. */
const INSIDE: readonly string[] = [
  ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8", "169.254.169.254"],
  ...["172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"],
  ...["198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.250", "255.255.255.255"],
  ...["::", "::1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "fc00::1", "fdff::1", "fe80::1"],
  ...["fec0::1", "ff02::1", "2001::7f00:1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"],
  ...["2002:7f00:1::1", "3fff::1", "3fff:fff::1", "5f00::1"],
];
const OUTSIDE: readonly string[] = [
  "8.8.8.8",
  "172.32.0.1",
  "192.0.1.1",
  "2001:200::1",
  "2a00::1",
  "3ffe::1",
];

test("no stranger makes a node dial inside its own machine or network, whatever the address is dressed as", () => {
  const book = bookOf();
  for (const [index, host] of [...INSIDE, ...OUTSIDE].entries()) {
    const identity = createIdentity();
    const fields = {
      peerId: identity.peerId,
      sequence: 1,
      genesisHash: TEST_GENESIS_HASH,
      timestampMs: NOW_MS,
    };
    const record = signRecord({ ...fields, addresses: [{ host, port: 6_379 }], roles: [] }, identity);
    assert.equal(book.hear(record, `4:${index}`, NOW_MS), OUTSIDE.includes(host), host);
  }
});

test("an address of IPv4 dressed as one of IPv6, or no port, is no record", () => {
  const identity = createIdentity();
  const fields = {
    peerId: identity.peerId,
    sequence: 1,
    genesisHash: TEST_GENESIS_HASH,
    timestampMs: NOW_MS,
  };
  const { bytes } = signRecord({ ...fields, addresses: [{ host: "2a00::1", port: 9 }], roles: [] }, identity);
  const at = bytes.length - 64 - 2 - 16;
  const mapped = bytes.slice();
  mapped.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1], at);
  const portless = bytes.slice();
  portless.set([0, 0], at + 16);
  for (const changed of [mapped, portless]) {
    const read = decodeRecord(changed, TEST_GENESIS_HASH);
    assert.equal(read.ok ? "ok" : read.error.code, "record/not-canonical");
  }
  assert.equal(hostToBytes("::ffff:127.0.0.1")?.length, 4);
  assert.equal(hostToBytes("fe80::1%eth0"), undefined);
});

test("thousands of keys at one address, and of addresses of one network, take no more places than one owner gets", () => {
  const book = bookOf();
  const identities = Array.from({ length: 300 }, () => createIdentity());
  for (const [index, identity] of identities.entries()) {
    const fields = {
      peerId: identity.peerId,
      sequence: 1,
      genesisHash: TEST_GENESIS_HASH,
      timestampMs: NOW_MS,
    };
    const addresses = [{ host: "8.8.8.8", port: 30_310 }];
    book.hear(signRecord({ ...fields, addresses, roles: [] }, identity), "4:9.9", NOW_MS + index);
  }
  assert.equal(book.size, 1);
});
