import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "@ostrom/base";
import {
  admitInbound,
  DEFAULT_SLOT_LIMITS,
  isNewGroup,
  type LinkedStranger,
  leastUsefulOutbound,
} from "./peer-selection.ts";
import { OFFENCE_POINTS, PeerStanding } from "./peer-standing.ts";
import { testPeerId } from "./testing/seeded.ts";

const KEY = new Uint8Array(32).fill(3);
const LIMITS = { ...DEFAULT_SLOT_LIMITS, maxInbound: 32, maxInboundPerGroup: 4 };
const MINUTE_MS = 60_000;

function stranger(number: number, changes: Partial<LinkedStranger> = {}): LinkedStranger {
  return {
    peerId: testPeerId(number),
    isOutbound: false,
    group: `4:${number}.0`,
    machine: `${number}.0.0.1`,
    sinceMs: number * 1_000,
    lastUsefulMs: 0,
    ...changes,
  };
}

test("slots: no group and no machine gets more than its share", () => {
  const one = { group: "4:1.1", machine: "1.1.1.1" };
  const sameMachine = [1, 2].map((number) => stranger(number, one));
  assert.deepEqual(admitInbound(one, sameMachine, LIMITS, KEY), {
    kind: "refused",
    reason: "network/too-many-from-machine",
  });
  const sameGroup = [1, 2, 3, 4].map((number) => stranger(number, { group: "4:1.1" }));
  assert.deepEqual(admitInbound(one, sameGroup, LIMITS, KEY), {
    kind: "refused",
    reason: "network/too-many-from-group",
  });
  assert.equal(admitInbound(one, sameGroup.slice(1), LIMITS, KEY).kind, "admitted");
});

test("slots: outbound peers take no inbound places", () => {
  const outbound = Array.from({ length: 40 }, (_, number) => stranger(number, { isOutbound: true }));
  assert.deepEqual(admitInbound({ group: "4:9.9", machine: "9.9.9.9" }, outbound, LIMITS, KEY), {
    kind: "admitted",
    evicted: undefined,
  });
});

test("slots: whoever floods all places pushes out his own; long-lived, useful and rare peers stay", () => {
  const random = createRandom(5);
  const honest = Array.from({ length: 8 }, (_, number) =>
    stranger(number, { lastUsefulMs: number < 4 ? 5_000 + number : 0 }),
  );
  let linked: readonly LinkedStranger[] = honest;
  for (let number = 100; number < 5_000; number++) {
    // Twelve groups, as many machines as are needed.
    const group = `4:200.${random.below(12)}`;
    const newcomer = stranger(number, { group, machine: `200.${number}`, sinceMs: 100_000 + number });
    const admission = admitInbound(newcomer, linked, LIMITS, KEY);
    if (admission.kind === "refused") continue;
    linked = [...linked.filter(({ peerId }) => peerId !== admission.evicted), newcomer];
    assert.ok(linked.length <= LIMITS.maxInbound);
  }
  const left = honest.filter(({ peerId }) => linked.some((one) => one.peerId === peerId));
  assert.equal(left.length, honest.length);
});

test("slots: an outbound link is worth having where no other sees", () => {
  assert.equal(isNewGroup("4:1.1", [{ group: "4:1.1" }], DEFAULT_SLOT_LIMITS), false);
  assert.equal(isNewGroup("4:1.2", [{ group: "4:1.1" }], DEFAULT_SLOT_LIMITS), true);
});

test("slots: the outbound peer that gave nothing for longest is found, the young are left alone", () => {
  const peers = [
    stranger(1, { isOutbound: true, sinceMs: 0, lastUsefulMs: 50 }),
    stranger(2, { isOutbound: true, sinceMs: 0, lastUsefulMs: 0 }),
    stranger(3, { isOutbound: true, sinceMs: 990, lastUsefulMs: 0 }),
  ];
  assert.equal(leastUsefulOutbound(peers, 1_000, 500)?.peerId, testPeerId(2));
  assert.equal(leastUsefulOutbound(peers.slice(2), 1_000, 500), undefined);
});

test("standing: one breach bans a key, nuisances add up and wear off", () => {
  const standing = new PeerStanding();
  const offender = { peerId: testPeerId(1), machine: "1.1.1.1", group: "4:1.1" };
  assert.equal(standing.blame(offender, OFFENCE_POINTS.breach, 0), true);
  assert.equal(standing.isBanned({ ...offender, machine: undefined, group: undefined }, 1), true);
  assert.equal(
    standing.isBanned({ ...offender, peerId: testPeerId(2) }, 1),
    false,
    "one key is not all of a machine",
  );
  assert.equal(standing.isBanned(offender, 11 * MINUTE_MS), false);
  const other = { peerId: testPeerId(3), machine: undefined, group: undefined };
  for (let count = 0; count < 20; count++)
    assert.equal(standing.blame(other, OFFENCE_POINTS.nuisance, count * 120 * MINUTE_MS), false);
});

test("standing: each ban of a key is longer than the one before, up to a day", () => {
  const standing = new PeerStanding();
  const offender = { peerId: testPeerId(1), machine: undefined, group: undefined };
  let nowMs = 0;
  const lengths: number[] = [];
  for (let count = 0; count < 10; count++) {
    standing.blame(offender, OFFENCE_POINTS.breach, nowMs);
    let length = 1;
    while (standing.isBanned(offender, nowMs + length * MINUTE_MS)) length += 1;
    lengths.push(length);
    nowMs += (length + 1) * MINUTE_MS;
  }
  assert.deepEqual(lengths.slice(0, 4), [10, 20, 40, 80]);
  assert.equal(lengths.at(-1), 24 * 60);
});

test("standing: new keys do not help: their machine is banned, then their group", () => {
  const standing = new PeerStanding();
  let bannedAt: number | undefined;
  for (let number = 0; number < 100 && bannedAt === undefined; number++) {
    const machine = `1.1.0.${number >> 1}`;
    if (standing.isBanned({ peerId: testPeerId(number), machine, group: "4:1.1" }, 1_000)) bannedAt = number;
    else
      standing.blame({ peerId: testPeerId(number), machine, group: "4:1.1" }, OFFENCE_POINTS.breach, 1_000);
  }
  assert.equal(bannedAt, 8, "eight breaches of one group");
  const fresh = { peerId: testPeerId(999), machine: "1.1.200.1", group: "4:1.1" };
  assert.equal(standing.isBanned(fresh, 1_000), true);
  assert.equal(standing.isBanned({ ...fresh, group: "4:1.2" }, 1_000), false);
});

test("standing: what is kept over a restart still counts, and memory is bounded", () => {
  const standing = new PeerStanding();
  const offender = { peerId: testPeerId(1), machine: "1.1.1.1", group: "4:1.1" };
  standing.blame(offender, OFFENCE_POINTS.breach, 0);
  const again = new PeerStanding();
  again.restore(standing.snapshot(1));
  assert.equal(again.isBanned(offender, 1), true);
  for (let number = 2; number < 20_000; number++)
    again.blame({ peerId: testPeerId(number), machine: undefined, group: undefined }, 1, 2);
  assert.ok(again.snapshot(2).length <= 4_096);
  assert.equal(again.isBanned(offender, 3), true, "bans in force are the last to be forgotten");
});
