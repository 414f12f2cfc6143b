import assert from "node:assert/strict";
import { test } from "node:test";
import { OutgoingQueue } from "./outgoing-queue.ts";
import type { Channel, LinkChannel } from "./types.ts";

const COST = 64;
const bytes = (length: number, mark = 0): Uint8Array => new Uint8Array(length).fill(mark);

function drain(queue: OutgoingQueue): string[] {
  const taken: string[] = [];
  for (let frame = queue.take(); frame !== undefined; frame = queue.take()) {
    taken.push(`${frame.channel}${frame.payload[0] ?? ""}`);
  }
  return taken;
}

test("queue: first in, first out within a channel", () => {
  const queue = new OutgoingQueue(1_000_000);
  for (let mark = 0; mark < 100; mark++) queue.push("sync", bytes(10, mark));
  assert.deepEqual(
    drain(queue),
    Array.from({ length: 100 }, (_, mark) => `sync${mark}`),
  );
  assert.ok(queue.isEmpty);
});

test("queue: a vote that comes late goes before sync and transactions that wait", () => {
  const queue = new OutgoingQueue(100_000_000);
  for (let count = 0; count < 20; count++) {
    queue.push("sync", bytes(1_000_000, 1));
    queue.push("transactions", bytes(100_000, 2));
  }
  queue.take();
  queue.push("consensus", bytes(200, 3));
  assert.equal(queue.take()?.channel, "consensus");
  queue.take();
  queue.push("consensus", bytes(200, 3));
  assert.equal(queue.take()?.channel, "consensus");
});

test("queue: nobody starves: under a flood of consensus, the others get their shares", () => {
  const queue = new OutgoingQueue(1_000_000_000);
  for (let count = 0; count < 2_000; count++) {
    for (const channel of ["consensus", "sync", "transactions"] as Channel[])
      queue.push(channel, bytes(1_000));
  }
  const counts: Record<LinkChannel, number> = {
    consensus: 0,
    batches: 0,
    sync: 0,
    transactions: 0,
    discovery: 0,
  };
  for (let taken = 0; taken < 690; taken++) counts[queue.take()!.channel] += 1;
  assert.ok(Math.abs(counts.consensus - 640) <= 3, JSON.stringify(counts));
  assert.ok(Math.abs(counts.sync - 40) <= 2, JSON.stringify(counts));
  assert.ok(Math.abs(counts.transactions - 10) <= 2, JSON.stringify(counts));
});

test("queue: when full, transactions give way to sync, and both to consensus, oldest first; drops are counted", () => {
  const queue = new OutgoingQueue(4 * (100 + COST));
  queue.push("transactions", bytes(100, 1));
  queue.push("transactions", bytes(100, 2));
  queue.push("sync", bytes(100, 1));
  queue.push("sync", bytes(100, 2));
  assert.equal(queue.push("transactions", bytes(100, 3)), false);
  assert.equal(queue.push("sync", bytes(100, 3)), true);
  assert.equal(queue.push("consensus", bytes(100, 1)), true);
  assert.equal(queue.push("sync", bytes(100, 4)), false);
  assert.deepEqual(queue.dropped, { consensus: 0, batches: 0, sync: 1, transactions: 3, discovery: 0 });
  assert.deepEqual(drain(queue).sort(), ["consensus1", "sync1", "sync2", "sync3"]);
});

test("queue: full of consensus, a new vote pushes out the oldest, and that is counted", () => {
  const queue = new OutgoingQueue(3 * (100 + COST));
  for (let mark = 1; mark <= 5; mark++) assert.equal(queue.push("consensus", bytes(100, mark)), true);
  assert.equal(queue.push("sync", bytes(1)), false);
  assert.deepEqual(queue.dropped, { consensus: 2, batches: 0, sync: 1, transactions: 0, discovery: 0 });
  assert.deepEqual(drain(queue), ["consensus3", "consensus4", "consensus5"]);
});

test("queue: a frame that cannot fit drops nothing else", () => {
  const queue = new OutgoingQueue(1_000);
  queue.push("transactions", bytes(100, 1));
  assert.equal(queue.push("consensus", bytes(1_000)), false);
  assert.deepEqual(queue.dropped, { consensus: 1, batches: 0, sync: 0, transactions: 0, discovery: 0 });
  assert.deepEqual(drain(queue), ["transactions1"]);
});

test("queue: empty frames fill it too", () => {
  const queue = new OutgoingQueue(10 * COST);
  for (let count = 0; count < 10; count++) assert.equal(queue.push("transactions", bytes(0)), true);
  assert.equal(queue.push("transactions", bytes(0)), false);
  queue.clear();
  assert.equal(queue.bytes, 0);
});
