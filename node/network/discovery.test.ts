import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "@ostrom/base";
import { Discovery } from "./discovery.ts";
import {
  type DiscoveryMessage,
  decodeDiscovery,
  encodeDiscovery,
  MAX_ANSWER_RECORDS,
} from "./discovery-codec.ts";
import { formatSnapshot, readSnapshot } from "./discovery-snapshot.ts";
import type { DiscoverySettings, DiscoverySnapshot } from "./discovery-types.ts";
import { createIdentity, type Identity } from "./identity.ts";
import type { HostPort } from "./network-group.ts";
import { isRecordSigned, type SignedRecord, signRecord } from "./node-record.ts";
import { seededEntropy, TEST_GENESIS_HASH } from "./testing/seeded.ts";
import type { PeerId } from "./types.ts";

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;

function recordOf(identity: Identity, host: string, nowMs: number, sequence: number = nowMs): SignedRecord {
  const fields = { peerId: identity.peerId, sequence, genesisHash: TEST_GENESIS_HASH, timestampMs: nowMs };
  return signRecord({ ...fields, addresses: [{ host, port: 30_310 }], roles: ["follower"] }, identity);
}

/** One node between ports that a test holds. */
function lone(changes: Partial<DiscoverySettings> = {}, kept?: DiscoverySnapshot) {
  const identity = createIdentity();
  const world = { nowMs: START_MS, isOpen: true, reserved: new Set<PeerId>() };
  const sent: { readonly to: PeerId; readonly message: DiscoveryMessage }[] = [];
  const probes: { readonly at: HostPort; readonly answer: (found: PeerId | undefined) => void }[] = [];
  const heads: [PeerId, number][] = [];
  const discovery = new Discovery(
    {
      peerId: identity.peerId,
      genesisHash: TEST_GENESIS_HASH,
      addresses: [],
      bootstrap: [],
      allowsLocal: false,
      ...changes,
    },
    {
      clock: { nowMs: () => world.nowMs },
      entropy: seededEntropy(7),
      log: () => undefined,
      sign: (record) => signRecord(record, identity),
      isSigned: isRecordSigned,
      send: (to, payload) => {
        const read = decodeDiscovery(payload, TEST_GENESIS_HASH);
        assert.ok(read.ok);
        sent.push({ to, message: read.value });
        return true;
      },
      probe: (at, answer) => probes.push({ at, answer }),
      changed: () => undefined,
      roles: () => ["follower"],
      isReserved: (peerId) => world.reserved.has(peerId),
      isOpen: () => world.isOpen,
      heard: (peerId, height) => heads.push([peerId, height]),
    },
    kept,
  );
  const say = (from: PeerId, message: DiscoveryMessage): void =>
    discovery.policy.onFrame(from, encodeDiscovery(message));
  /** A stranger dials this node. */
  const comes = (peerId: PeerId, host: string): string | undefined => {
    const refusal = discovery.policy.admit(peerId, host);
    if (refusal === undefined) discovery.policy.onUp(peerId, { host, isDialed: false });
    return refusal;
  };
  /** This node dials all that it wants, and reaches them. */
  const dials = (): void => {
    discovery.tick();
    for (const { peerId, host } of discovery.policy.wanted())
      if (!discovery.linked().some((one) => one.peerId === peerId))
        discovery.policy.onUp(peerId, { host, isDialed: true });
  };
  return { identity, discovery, world, sent, probes, heads, say, comes, dials };
}

type Lone = ReturnType<typeof lone>;
const isBanned = ({ discovery }: Lone, peerId: PeerId): boolean =>
  discovery.policy.admit(peerId, "9.1.1.1") === "network/banned";
const asked = ({ sent }: Lone, peerId: PeerId): number =>
  sent.filter(({ to, message }) => to === peerId && message.kind === "ask").length;

test("discovery: a bootstrap address is met, dialed and asked; whom it names is dialed too", () => {
  const node = lone({ bootstrap: [{ host: "20.1.0.1", port: 30_310 }] });
  const [first, second] = [createIdentity(), createIdentity()];
  node.discovery.tick();
  assert.deepEqual(node.probes[0]?.at, { host: "20.1.0.1", port: 30_310 });
  node.probes[0]!.answer(first.peerId);
  node.dials();
  assert.equal(asked(node, first.peerId), 1);
  node.say(first.peerId, { kind: "answer", records: [recordOf(second, "20.2.0.1", START_MS)] });
  node.world.nowMs += 6_000;
  node.dials();
  assert.deepEqual(
    node.discovery.linked().map(({ peerId }) => peerId),
    [first.peerId, second.peerId],
  );
});

test("discovery: an answer that was not asked for bans its sender and teaches nothing", () => {
  const node = lone();
  const stranger = createIdentity();
  assert.equal(node.comes(stranger.peerId, "9.1.1.1"), undefined);
  assert.equal(asked(node, stranger.peerId), 0, "who comes by himself is not asked");
  node.say(stranger.peerId, { kind: "answer", records: [recordOf(createIdentity(), "9.2.0.1", START_MS)] });
  assert.equal(node.discovery.book.size, 0);
  assert.equal(node.discovery.policy.holds(stranger.peerId), false);
  assert.ok(isBanned(node, stranger.peerId));
});

test("discovery: forged records, records of others and of other chains ban who sends them", () => {
  const forger = createIdentity();
  const victim = createIdentity();
  const good = recordOf(victim, "9.3.0.1", START_MS);
  const forged = {
    ...good,
    bytes: good.bytes.map((byte, index) => (index === good.bytes.length - 1 ? byte ^ 1 : byte)),
  };
  const alien = good.bytes.slice();
  alien[41 + 3]! ^= 1;
  for (const payload of [
    encodeDiscovery({ kind: "record", record: good }),
    encodeDiscovery({ kind: "record", record: forged }),
    encodeDiscovery({ kind: "record", record: { ...good, bytes: alien } }),
    Uint8Array.of(9),
    Uint8Array.of(2, 0),
    Uint8Array.of(3, MAX_ANSWER_RECORDS + 1),
  ] satisfies Bytes[]) {
    const node = lone();
    node.comes(forger.peerId, "9.1.1.1");
    node.discovery.policy.onFrame(forger.peerId, payload);
    assert.ok(isBanned(node, forger.peerId));
    assert.equal(node.discovery.book.size, 0);
  }
});

test("discovery: an old record that is played again changes nothing", () => {
  const node = lone();
  const peer = createIdentity();
  node.comes(peer.peerId, "9.1.1.1");
  const older = recordOf(peer, "9.1.1.1", START_MS - 1);
  node.say(peer.peerId, { kind: "record", record: older });
  node.say(peer.peerId, { kind: "record", record: recordOf(peer, "9.7.1.1", START_MS) });
  node.say(peer.peerId, { kind: "record", record: older });
  assert.equal(node.discovery.book.get(peer.peerId)?.address.host, "9.7.1.1");
});

test("discovery: who asks or tells too often is a nuisance, and banned if he goes on", () => {
  const node = lone();
  const peer = createIdentity();
  node.comes(peer.peerId, "9.1.1.1");
  node.say(peer.peerId, { kind: "ask" });
  const answers = (): number => node.sent.filter(({ message }) => message.kind === "answer").length;
  assert.equal(answers(), 1);
  for (let count = 0; count < 4; count++) node.say(peer.peerId, { kind: "ask" });
  assert.equal(answers(), 1);
  assert.equal(node.discovery.policy.holds(peer.peerId), true);
  node.say(peer.peerId, { kind: "ask" });
  assert.ok(isBanned(node, peer.peerId));
  const teller = createIdentity();
  node.comes(teller.peerId, "9.5.1.1");
  for (let count = 0; count < 9; count++)
    node.say(teller.peerId, { kind: "record", record: recordOf(teller, "9.5.1.1", START_MS + count) });
  assert.ok(isBanned(node, teller.peerId));
});

test("discovery: an answer is read once, names at most so many, and a flood of them leaves the book bounded", () => {
  const node = lone({ bootstrap: [{ host: "20.1.0.1", port: 30_310 }] });
  const first = createIdentity();
  node.discovery.tick();
  node.probes[0]!.answer(first.peerId);
  node.dials();
  const flood = (): SignedRecord[] =>
    Array.from({ length: MAX_ANSWER_RECORDS }, (_, index) =>
      recordOf(createIdentity(), `60.1.0.${index + 1}`, START_MS),
    );
  node.say(first.peerId, { kind: "answer", records: flood() });
  const known = node.discovery.book.size;
  assert.ok(known > 1 && known <= 1 + MAX_ANSWER_RECORDS);
  node.say(first.peerId, { kind: "answer", records: flood() });
  assert.equal(node.discovery.book.size, known, "the second was not asked for");
});

test("discovery: outbound peers are of different groups, whatever the book holds", () => {
  const node = lone({ bootstrap: [{ host: "20.1.0.1", port: 30_310 }] });
  const first = createIdentity();
  node.discovery.tick();
  node.probes[0]!.answer(first.peerId);
  node.dials();
  const records = Array.from({ length: 30 }, (_, index) =>
    recordOf(createIdentity(), `60.${index % 3}.0.${index + 1}`, START_MS),
  );
  node.say(first.peerId, { kind: "answer", records });
  for (let second = 0; second < 60; second++) {
    node.world.nowMs += 1_000;
    node.dials();
  }
  const groups = node.discovery.linked().map(({ group }) => group);
  assert.equal(new Set(groups).size, groups.length);
  assert.equal(groups.length, 4);
});

test("discovery: a ban holds under new keys of the same machines, and over a restart", () => {
  const node = lone();
  let refusal: string | undefined;
  let count = 0;
  for (; count < 50 && refusal === undefined; count++) {
    const { peerId } = createIdentity();
    refusal = node.comes(peerId, `9.1.1.${count >> 2}`);
    if (refusal === undefined) node.discovery.policy.onBreach(peerId, "consensus/bad-segment");
  }
  assert.equal(refusal, "network/banned");
  assert.ok(count <= 9, `${count} keys`);
  const kept = readSnapshot(formatSnapshot(node.discovery.snapshot()), TEST_GENESIS_HASH);
  assert.ok(kept.ok);
  const again = lone({}, kept.value);
  assert.equal(again.comes(createIdentity().peerId, "9.1.1.0"), "network/banned");
  assert.equal(again.comes(createIdentity().peerId, "9.77.1.0"), undefined);
});

test("discovery: peers with places of their own are never counted, banned or evicted", () => {
  const node = lone();
  const validator = createIdentity();
  node.world.reserved.add(validator.peerId);
  node.discovery.policy.onUp(validator.peerId, { host: "9.1.1.1", isDialed: false });
  node.discovery.policy.onBreach(validator.peerId, "consensus/bad-signature");
  for (let count = 0; count < 300; count++)
    node.comes(
      createIdentity().peerId,
      `${20 + (count % 60)}.${count}.1.1`.replace(/\.(\d{3,})\./, (_, part) => `.${Number(part) % 256}.`),
    );
  assert.equal(node.discovery.linked().length, 64);
  assert.equal(
    node.discovery.linked().some(({ peerId }) => peerId === validator.peerId),
    false,
  );
  node.world.reserved.delete(validator.peerId);
  assert.equal(isBanned(node, validator.peerId), false);
});

test("discovery: when the chain admits strangers no more, none keeps a place", () => {
  const node = lone();
  const peer = createIdentity();
  node.comes(peer.peerId, "9.1.1.1");
  node.world.isOpen = false;
  node.discovery.tick();
  assert.equal(node.discovery.policy.holds(peer.peerId), false);
  assert.equal(node.comes(createIdentity().peerId, "9.2.1.1"), "network/not-allowed");
});

test("discovery: a restart begins with those that were linked longest, and knows who was met", () => {
  const node = lone({ bootstrap: [{ host: "20.1.0.1", port: 30_310 }] });
  const peers = Array.from({ length: 5 }, () => createIdentity());
  node.discovery.tick();
  node.probes[0]!.answer(peers[0]!.peerId);
  node.dials();
  const records = peers.slice(1).map((peer, index) => recordOf(peer, `30.${index}.0.1`, START_MS));
  node.say(peers[0]!.peerId, { kind: "answer", records });
  for (let second = 0; second < 30; second++) {
    node.world.nowMs += 1_000;
    node.dials();
  }
  node.discovery.credit(peers[3]!.peerId);
  const text = formatSnapshot(node.discovery.snapshot());
  const kept = readSnapshot(text, TEST_GENESIS_HASH);
  assert.ok(kept.ok);
  assert.equal(kept.value.anchors[0]?.peerId, peers[3]!.peerId, "the useful one first");
  const again = lone({}, kept.value);
  again.world.nowMs = node.world.nowMs + MINUTE_MS;
  again.discovery.tick();
  const wanted = again.discovery.policy.wanted().map(({ peerId }) => peerId);
  for (const { peerId } of kept.value.anchors) assert.ok(wanted.includes(peerId));
  assert.equal(again.discovery.book.statistics().tried, 5);
  assert.equal(readSnapshot("{}", TEST_GENESIS_HASH).ok, false);
  assert.equal(readSnapshot(text.slice(0, 100), TEST_GENESIS_HASH).ok, false);
  const damaged = readSnapshot(text.replaceAll('"record":"01', '"record":"02'), TEST_GENESIS_HASH);
  assert.ok(damaged.ok && damaged.value.peers.every(({ record }) => record === undefined));
});

test("discovery: one that cannot be reached gives its place to another", () => {
  const node = lone({ bootstrap: [{ host: "20.1.0.1", port: 30_310, peerId: createIdentity().peerId }] });
  node.discovery.tick();
  const [wanted] = node.discovery.policy.wanted();
  assert.ok(wanted !== undefined);
  node.discovery.policy.onUnreached(wanted.peerId, "network/not-reached");
  assert.deepEqual(node.discovery.policy.wanted(), []);
});
