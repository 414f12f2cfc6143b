import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, createRandom, Hash } from "@ostrom/base";
import {
  decodeDiscovery,
  encodeDiscovery,
  MAX_ANSWER_RECORDS,
  maxDiscoveryBytes,
} from "./discovery-codec.ts";
import { createIdentity } from "./identity.ts";
import { IDENTITY_KINDS } from "./identity-kinds.ts";
import { groupOf, hostToBytes, isRoutable, machineOf } from "./network-group.ts";
import { decodeRecord, isRecordSigned, maxRecordBytes, type NodeRecord, signRecord } from "./node-record.ts";

const genesisHash = Hash(new Uint8Array(32).fill(7));
const identity = createIdentity();
const record: NodeRecord = {
  peerId: identity.peerId,
  sequence: 1_700_000_000_000,
  genesisHash,
  addresses: [
    { host: "8.8.4.4", port: 30_310 },
    { host: "2a00:1450:4001:81b:0:0:0:200e", port: 1 },
  ],
  roles: ["validator", "archive"],
  timestampMs: 1_700_000_000_123,
};
const codeOf = (result: ReturnType<typeof decodeRecord>): string => (result.ok ? "ok" : result.error.code);

test("records: what was signed is read, and its signature is good", () => {
  const { bytes } = signRecord(record, identity);
  const read = decodeRecord(bytes, genesisHash);
  assert.ok(read.ok);
  assert.deepEqual(read.value.record, record);
  assert.ok(isRecordSigned(read.value));
  const full = {
    ...record,
    addresses: Array.from({ length: 4 }, (_, port) => ({ host: record.addresses[1]!.host, port: port + 1 })),
  };
  assert.equal(signRecord(full, identity).bytes.length, maxRecordBytes("ed25519"));
});

test("records: no bit can change without being refused or losing the signature", () => {
  const { bytes } = signRecord(record, identity);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const bent = bytes.slice();
    bent[bit >> 3]! ^= 1 << (bit & 7);
    const read = decodeRecord(bent, genesisHash);
    assert.ok(!read.ok || !isRecordSigned(read.value), `bit ${bit}`);
  }
});

test("records: bytes after the end, too few bytes and noise are refused", () => {
  const { bytes } = signRecord(record, identity);
  assert.equal(codeOf(decodeRecord(concatBytes(bytes, Uint8Array.of(0)), genesisHash)), "record/malformed");
  for (let length = 0; length < bytes.length; length++)
    assert.equal(codeOf(decodeRecord(bytes.subarray(0, length), genesisHash)), "record/malformed");
  const random = createRandom(1);
  for (let count = 0; count < 2_000; count++)
    assert.notEqual(
      codeOf(decodeRecord(random.bytes(random.below(maxRecordBytes("ed25519") + 8)), genesisHash)),
      "ok",
    );
});

test("records: another chain's, an address twice, a port 0 and IPv4 written as IPv6 are refused", () => {
  const other = Hash(new Uint8Array(32).fill(8));
  assert.equal(codeOf(decodeRecord(signRecord(record, identity).bytes, other)), "record/wrong-chain");
  const twice = { ...record, addresses: [record.addresses[0]!, record.addresses[0]!] };
  assert.equal(codeOf(decodeRecord(signRecord(twice, identity).bytes, genesisHash)), "record/not-canonical");
  const noPort = { ...record, addresses: [{ host: "8.8.8.8", port: 0 }] };
  assert.equal(codeOf(decodeRecord(signRecord(noPort, identity).bytes, genesisHash)), "record/not-canonical");
  const plain = signRecord({ ...record, addresses: [{ host: "8.8.8.8", port: 1 }] }, identity).bytes;
  const start = 1 + 8 + 32 + 32 + 1 + 8 + 1;
  const mapped = [16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 8, 8, 8, 8];
  const bent = concatBytes(plain.subarray(0, start), Uint8Array.from(mapped), plain.subarray(start + 5));
  assert.equal(codeOf(decodeRecord(bent, genesisHash)), "record/not-canonical");
});

test("records: nobody can sign for another", () => {
  const forged = signRecord(record, createIdentity());
  const read = decodeRecord(forged.bytes, genesisHash);
  assert.ok(read.ok && !isRecordSigned(read.value));
});

for (const kind of IDENTITY_KINDS) {
  test(`records of ${kind}: read and checked by their kind alone, and as long as the limits have it`, () => {
    const own = createIdentity(kind);
    const addresses = Array.from({ length: 4 }, (_, port) => ({
      host: record.addresses[1]!.host,
      port: port + 1,
    }));
    const signed = signRecord({ ...record, peerId: own.peerId, addresses }, own);
    assert.equal(signed.bytes.length, maxRecordBytes(kind));
    const read = decodeRecord(signed.bytes, genesisHash, kind);
    assert.ok(read.ok && isRecordSigned(read.value));
    assert.deepEqual(read.value.record, signed.record);
    for (const other of IDENTITY_KINDS.filter((each) => each !== kind))
      assert.equal(codeOf(decodeRecord(signed.bytes, genesisHash, other)), "record/malformed");
    for (const at of [1, 9, 20, signed.bytes.length - 1]) {
      const bent = Uint8Array.from(signed.bytes);
      bent[at]! ^= 1;
      const found = decodeRecord(bent, genesisHash, kind);
      assert.ok(!found.ok || !isRecordSigned(found.value), `byte ${at}`);
    }
    const forged = signRecord(signed.record, createIdentity(kind));
    assert.equal(isRecordSigned(forged), false);
    const answer = encodeDiscovery({
      kind: "answer",
      records: Array.from({ length: MAX_ANSWER_RECORDS }, () => signed),
    });
    assert.equal(answer.length, maxDiscoveryBytes(kind));
    assert.ok(decodeDiscovery(answer, genesisHash, kind).ok);
  });
}

test("groups: IPv4 by /16, IPv6 by /32, IPv4 in IPv6 is IPv4", () => {
  assert.equal(groupOf("8.8.4.4"), groupOf("8.8.200.1"));
  assert.notEqual(groupOf("8.8.4.4"), groupOf("8.9.4.4"));
  assert.equal(groupOf("::ffff:8.8.4.4"), groupOf("8.8.1.1"));
  assert.equal(groupOf("2a00:1450:4001::1"), groupOf("2a00:1450:ffff::2"));
  assert.notEqual(groupOf("2a00:1450::1"), groupOf("2a00:1451::1"));
  assert.equal(machineOf("2a00:1450:4001:1::1"), machineOf("2a00:1450:4001:1:ffff::2"));
  assert.deepEqual(hostToBytes("1::"), Uint8Array.of(0, 1, ...new Array<number>(14).fill(0)));
});

test("groups: addresses that cannot be reached from anywhere are told apart", () => {
  for (const host of [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.1.1",
    "172.31.0.1",
    "169.254.1.1",
    "100.64.0.1",
    "224.0.0.1",
    "0.0.0.0",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "2002:808:808::1",
    "::ffff:10.0.0.1",
  ])
    assert.equal(isRoutable(host), false, host);
  for (const host of ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00:1450::1", "2600::1"])
    assert.equal(isRoutable(host), true, host);
});
