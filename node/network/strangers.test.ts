import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { toHexDigits, utf8 } from "@ostrom/base";
import { Discovery } from "./discovery.ts";
import { decodeDiscovery, encodeDiscovery, MAX_ANSWER_RECORDS } from "./discovery-codec.ts";
import type { BootstrapAddress } from "./discovery-types.ts";
import { createIdentity } from "./identity.ts";
import { IDENTITY_KINDS, type IdentityKind } from "./identity-kinds.ts";
import { createLinks, type Links } from "./links.ts";
import { isRecordSigned, type SignedRecord, signRecord } from "./node-record.ts";
import type { SlotLimits } from "./peer-selection.ts";
import { realClock, until } from "./testing/nodes.ts";
import { TEST_GENESIS_HASH } from "./testing/seeded.ts";
import type { PeerAddress, PeerId } from "./types.ts";

const HOST = "127.0.0.1";
const TICK_MS = 40;
/** Discovery's clock runs this much faster than the machine's. */
const HASTE = 3;
const HOSTILE_GROUPS = 3;
/** Which network a port of this machine stands for. */
const groups = new Map<number, string>();
const running: (() => Promise<void>)[] = [];
after(async () => {
  await Promise.all(running.map((stop) => stop()));
});

type Node = {
  readonly peerId: PeerId;
  readonly address: PeerAddress;
  readonly links: Links;
  readonly discovery: Discovery;
  readonly record: SignedRecord;
};

/** A node on real links. @param names what it answers who asks, if it does not answer honestly. */
async function start(options: {
  readonly group: string;
  readonly kind?: IdentityKind;
  readonly bootstrap?: readonly BootstrapAddress[];
  readonly slots?: Partial<SlotLimits>;
  readonly names?: () => readonly SignedRecord[];
}): Promise<Node> {
  const identity = createIdentity(options.kind);
  const { peerId } = identity;
  const clock = { nowMs: () => 1_800_000_000_000 + Math.floor(performance.now() * HASTE) };
  let made: Discovery | undefined;
  const probe = createLinksOf(identity, () => made, options.names);
  const { port } = await probe.start();
  groups.set(port, options.group);
  const address = { peerId, host: HOST, port };
  const discovery = new Discovery(
    {
      peerId,
      genesisHash: TEST_GENESIS_HASH,
      addresses: [{ host: HOST, port }],
      bootstrap: options.bootstrap ?? [],
      allowsLocal: true,
      groupOf: (at) => groups.get(at.port) ?? `inbound:${toHexDigits(randomBytes(4))}`,
      slots: { maxInboundPerMachine: 100, ...options.slots },
    },
    {
      clock,
      entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      log: () => undefined,
      sign: (record) => signRecord(record, identity),
      isSigned: isRecordSigned,
      send: (to, payload) => probe.tell(to, payload),
      probe: (at, answer) => void probe.probe(at).then(answer),
      changed: () => probe.refresh(),
      roles: () => ["follower"],
      isReserved: () => false,
      isOpen: () => true,
      heard: () => undefined,
    },
  );
  made = discovery;
  const ticking = setInterval(() => discovery.tick(), TICK_MS);
  running.push(async () => {
    clearInterval(ticking);
    await probe.stop();
  });
  const fields = {
    peerId,
    sequence: clock.nowMs(),
    timestampMs: clock.nowMs(),
    genesisHash: TEST_GENESIS_HASH,
  };
  const record = signRecord({ ...fields, addresses: [{ host: HOST, port }], roles: ["follower"] }, identity);
  return { peerId, address, links: probe, discovery, record };
}

function createLinksOf(
  identity: ReturnType<typeof createIdentity>,
  discovery: () => Discovery | undefined,
  names: (() => readonly SignedRecord[]) | undefined,
): Links {
  const links = createLinks({
    identity,
    networkId: "strangers",
    listen: { host: HOST, port: 0 },
    peers: () => [],
    isAllowed: () => false,
    strangers: {
      wanted: () => discovery()?.policy.wanted() ?? [],
      holds: (peerId) => names !== undefined || discovery()?.policy.holds(peerId) === true,
      admit: (peerId, host) => (names === undefined ? discovery()?.policy.admit(peerId, host) : undefined),
      onUp: (peerId, link) => discovery()?.policy.onUp(peerId, link),
      onDown: (peerId, reason) => discovery()?.policy.onDown(peerId, reason),
      onUnreached: (peerId, reason) => discovery()?.policy.onUnreached(peerId, reason),
      onFrame: (peerId, payload) => {
        const read = decodeDiscovery(payload, TEST_GENESIS_HASH);
        if (names === undefined || !read.ok || read.value.kind !== "ask")
          discovery()?.policy.onFrame(peerId, payload);
        else links.tell(peerId, encodeDiscovery({ kind: "answer", records: names() }));
      },
      onBreach: (peerId, reason) => discovery()?.policy.onBreach(peerId, reason),
    },
    handlers: { onFrame: () => undefined, onUp: () => undefined, onDown: () => undefined },
    limits: { maxConnectionsPerMinute: 100_000, maxPendingPerAddress: 1_000, maxPending: 1_000 },
    log: () => undefined,
    clock: realClock,
    entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  });
  return links;
}

test("strangers: on real links, among 24 hostile nodes of three networks, a victim finds the four honest ones by one address", async () => {
  const hostile: Node[] = [];
  const names = (): readonly SignedRecord[] =>
    hostile.map(({ record }) => record).slice(0, MAX_ANSWER_RECORDS);
  for (let index = 0; index < 24; index++)
    hostile.push(await start({ group: `hostile ${index % HOSTILE_GROUPS}`, names }));
  const first = await start({ group: "honest 0" });
  const bootstrap = [
    { host: HOST, port: first.address.port },
    ...hostile.slice(0, 6).map(({ address }) => ({ host: HOST, port: address.port })),
  ];
  const honest = [first];
  for (let index = 1; index < 4; index++) honest.push(await start({ group: `honest ${index}`, bootstrap }));
  await until("the honest know each other", () =>
    honest.every(
      ({ links }) => honest.filter(({ peerId }) => links.connected().includes(peerId)).length >= 1,
    ),
  );
  const victim = await start({ group: "victim", bootstrap: [bootstrap[0]!] });
  const isHonest = (peerId: PeerId): boolean => honest.some((node) => node.peerId === peerId);
  await until("the victim is linked with honest nodes of its own choice", () => {
    const outbound = victim.discovery.linked().filter(({ isOutbound }) => isOutbound);
    return outbound.filter(({ peerId }) => isHonest(peerId)).length >= 2;
  });
  const outbound = victim.discovery.linked().filter(({ isOutbound }) => isOutbound);
  assert.ok(outbound.filter(({ peerId }) => !isHonest(peerId)).length <= HOSTILE_GROUPS);
  for (const { peerId } of outbound) assert.ok(victim.links.connected().includes(peerId));
});

for (const kind of IDENTITY_KINDS) {
  test(`strangers of ${kind}: they tell each other who they are; one that breaks the protocol is not let in again`, async () => {
    const node = await start({ kind, group: "alone" });
    const peer = await start({
      kind,
      group: "other",
      bootstrap: [{ host: HOST, port: node.address.port, peerId: node.peerId }],
    });
    await until(
      "they are linked",
      () => node.links.connected().includes(peer.peerId) && peer.links.connected().includes(node.peerId),
    );
    await until("each has checked what the other says of itself", () =>
      [
        [node, peer],
        [peer, node],
      ].every(([one, other]) => one!.discovery.book.get(other!.peerId)?.record !== undefined),
    );
    peer.links.tell(node.peerId, utf8("no message"));
    await until("it is refused", () => (node.links.stats().refused["network/banned"] ?? 0) > 0);
    assert.equal(node.discovery.policy.holds(peer.peerId), false);
    assert.deepEqual(node.links.connected(), []);
  });
}

test("strangers: where all places are taken, who comes is refused before anything is read from him", async () => {
  const node = await start({ group: "small", slots: { maxInbound: 1, maxInboundPerGroup: 1 } });
  const bootstrap = [{ host: HOST, port: node.address.port, peerId: node.peerId }];
  const first = await start({ group: "a", bootstrap });
  await until("one is linked", () => node.links.connected().includes(first.peerId));
  const second = await start({ group: "b", bootstrap });
  await until("the other is refused", () => (node.links.stats().refused["network/no-place"] ?? 0) > 0);
  assert.deepEqual(node.links.connected(), [first.peerId]);
  assert.deepEqual(second.links.connected().includes(node.peerId), false);
});
