import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, Hash, utf8 } from "@ostrom/base";
import {
  createTransactionGossip,
  type GossipedTransaction,
  type GossipLimits,
  type TransactionGossip,
} from "./gossip.ts";
import { RecentSet } from "./recent-set.ts";
import { createManualClock, type ManualClock } from "./testing/manual-clock.ts";
import { decodeBatch, encodeBatch } from "./transaction-batch.ts";
import type { PeerId } from "./types.ts";

const A: PeerId = "aa".repeat(32);
const B: PeerId = "bb".repeat(32);
const LIMITS = { maxTransactions: 1_000, maxTransactionBytes: 1_000 };

// Gossip takes any hash function; this one needs nothing of core.
const hashOf = (raw: Bytes): Hash => Hash(new Uint8Array(createHash("sha256").update(raw).digest()));
const transaction = (text: string | number): GossipedTransaction => {
  const raw = utf8(`transaction ${text}`);
  return { hash: hashOf(raw), raw };
};
const many = (count: number, start = 0): GossipedTransaction[] =>
  Array.from({ length: count }, (_, index) => transaction(start + index));

type Sent = { readonly to: PeerId; readonly batch: readonly Bytes[] };

function setUp(limits: Partial<GossipLimits> = {}): {
  gossip: TransactionGossip;
  clock: ManualClock;
  sent: Sent[];
  refuse: { isOn: boolean };
} {
  const clock = createManualClock();
  const sent: Sent[] = [];
  const refuse = { isOn: false };
  const gossip = createTransactionGossip({
    network: {
      send: (to, channel, payload) => {
        assert.equal(channel, "transactions");
        const batch = decodeBatch(payload, { maxTransactions: 1e6, maxTransactionBytes: 1e6 });
        assert.ok(batch.ok);
        if (!refuse.isOn) sent.push({ to, batch: batch.value });
        return !refuse.isOn;
      },
    },
    clock,
    hashOf,
    limits: { maxTransactionBytes: 1_000, ...limits },
  });
  gossip.peerUp(A);
  gossip.peerUp(B);
  return { gossip, clock, sent, refuse };
}

const raws = (transactions: readonly GossipedTransaction[]): Bytes[] => transactions.map(({ raw }) => raw);
const batchOf = (transactions: readonly GossipedTransaction[]): Bytes => encodeBatch(raws(transactions));

test("gossip: what comes within the delay goes to every peer in one batch", () => {
  const { gossip, clock, sent } = setUp();
  gossip.spread(many(3));
  gossip.spread(many(2, 3));
  clock.advance(4);
  assert.deepEqual(sent, []);
  clock.advance(1);
  assert.deepEqual(sent, [
    { to: A, batch: raws(many(5)) },
    { to: B, batch: raws(many(5)) },
  ]);
  clock.advance(1_000);
  assert.equal(sent.length, 2);
  assert.equal(clock.timers(), 0);
});

test("gossip: a full batch goes at once, by count or by bytes", () => {
  const byCount = setUp({ maxBatchTransactions: 10 });
  byCount.gossip.spread(many(25));
  assert.deepEqual(
    byCount.sent.map(({ batch }) => batch.length),
    [10, 10, 10, 10],
  );
  byCount.clock.advance(5);
  assert.deepEqual(
    byCount.sent.map(({ batch }) => batch.length),
    [10, 10, 10, 10, 5, 5],
  );

  const byBytes = setUp({ maxBatchBytes: 100 });
  byBytes.gossip.spread(many(10));
  byBytes.clock.advance(5);
  assert.ok(byBytes.sent.every(({ batch }) => encodeBatch(batch).length <= 101));
  assert.equal(byBytes.sent.filter(({ to }) => to === A).flatMap(({ batch }) => batch).length, 10);
});

test("gossip: nothing goes to a peer that has it: it sent it, or it was sent to it", () => {
  const { gossip, clock, sent } = setUp();
  assert.ok(gossip.receive(A, batchOf(many(3))).ok);
  gossip.spread(many(5));
  clock.advance(5);
  gossip.spread(many(5));
  clock.advance(5);
  assert.deepEqual(sent, [
    { to: A, batch: raws(many(2, 3)) },
    { to: B, batch: raws(many(5)) },
  ]);
});

test("gossip: a peer that comes up can be sent what it missed, in batches", () => {
  const { gossip, clock, sent } = setUp({ maxBatchTransactions: 4 });
  gossip.spread(many(2));
  clock.advance(5);
  sent.length = 0;
  gossip.spreadTo(A, many(10));
  assert.deepEqual(sent, [
    { to: A, batch: raws(many(4, 2)) },
    { to: A, batch: raws(many(4, 6)) },
  ]);
  gossip.spreadTo("cc".repeat(32), many(10));
  assert.equal(sent.length, 2);
});

test("gossip: what a link had no room for counts as dropped, and may be sent again", () => {
  const { gossip, clock, sent, refuse } = setUp();
  refuse.isOn = true;
  gossip.spread(many(3));
  clock.advance(5);
  assert.equal(gossip.stats().droppedBatches, 2);
  refuse.isOn = false;
  gossip.spread(many(3));
  clock.advance(5);
  assert.equal(sent.length, 2);
});

test("gossip: what a peer repeats is handed on once, and counted", () => {
  const { gossip } = setUp();
  const first = gossip.receive(A, batchOf([...many(3), ...many(2)]));
  assert.deepEqual(first, { ok: true, value: many(3) });
  const second = gossip.receive(A, batchOf(many(4)));
  assert.deepEqual(second, { ok: true, value: many(1, 3) });
  const other = gossip.receive(B, batchOf(many(4)));
  assert.deepEqual(other, { ok: true, value: many(4) });
  assert.equal(gossip.stats().repeatedTransactions, 5);
});

test("gossip: a peer beyond its share is passed over until time has gone by; others are not touched", () => {
  const { gossip, clock } = setUp({ inboundTransactionsPerSecond: 100 });
  assert.ok(gossip.receive(A, batchOf(many(200))).ok);
  const codeOf = (peer: PeerId, from: number): string => {
    const result = gossip.receive(peer, batchOf(many(10, from)));
    return result.ok ? "ok" : result.error.code;
  };
  assert.equal(codeOf(A, 200), "gossip/over-quota");
  assert.equal(codeOf(B, 200), "ok");
  clock.advance(250);
  assert.equal(codeOf(A, 300), "ok");
  clock.advance(10_000);
  assert.equal(clock.timers(), 0, "full quotas need no timer");

  const bytes = setUp({ inboundBytesPerSecond: 50 });
  assert.ok(bytes.gossip.receive(A, batchOf(many(3))).ok);
  assert.equal(bytes.gossip.receive(A, batchOf(many(3, 3))).ok, false);
});

test("gossip: a peer that is not linked is not listened to", () => {
  const { gossip } = setUp();
  gossip.peerDown(A);
  const result = gossip.receive(A, batchOf(many(1)));
  assert.deepEqual(result.ok ? "ok" : result.error.code, "gossip/unknown-peer");
});

test("gossip: after a stop nothing is sent", () => {
  const { gossip, clock, sent } = setUp();
  gossip.spread(many(1));
  gossip.stop();
  clock.advance(100);
  assert.deepEqual(sent, []);
});

const codeOf = (bytes: Bytes): string => {
  const read = decodeBatch(bytes, LIMITS);
  return read.ok ? "ok" : read.error.code;
};

test("batches: hostile ones are refused", () => {
  const good = batchOf(many(3));
  assert.equal(codeOf(good), "ok");
  assert.equal(codeOf(new Uint8Array(0)), "gossip/unknown-format");
  assert.equal(codeOf(concatBytes(Uint8Array.of(2), good.subarray(1))), "gossip/unknown-format");
  assert.equal(codeOf(good.subarray(0, 1)), "gossip/malformed");
  const entryBytes = (good.length - 1) / 3;
  for (let length = 2; length < good.length; length++) {
    const expected = (length - 1) % entryBytes === 0 ? "ok" : "gossip/malformed";
    assert.equal(codeOf(good.subarray(0, length)), expected);
  }
  assert.equal(codeOf(Uint8Array.of(1, 0, 0, 0, 0)), "gossip/malformed");
  assert.equal(codeOf(Uint8Array.of(1, 255, 255, 255, 255)), "gossip/transaction-too-long");
  assert.equal(codeOf(encodeBatch([new Uint8Array(1_001)])), "gossip/transaction-too-long");
  assert.equal(
    codeOf(encodeBatch(Array.from({ length: 1_001 }, () => Uint8Array.of(1)))),
    "gossip/too-many-transactions",
  );
});

test("batches: random bytes never throw", () => {
  const random = createRandom(1);
  for (let round = 0; round < 5_000; round++) {
    const bytes = random.bytes(random.below(40));
    if (random.chance(3, 4) && bytes.length > 4) bytes.set([1, 0, 0, 0], 0);
    decodeBatch(bytes, LIMITS);
  }
});

test("recent set: it remembers at least half its capacity, and never more than all of it", () => {
  const set = new RecentSet(10);
  for (let index = 0; index < 1_000; index++) {
    assert.equal(set.add(String(index)), true);
    assert.ok(set.size <= 10);
    for (let back = 0; back < Math.min(5, index); back++) assert.equal(set.add(String(index - back)), false);
  }
});
