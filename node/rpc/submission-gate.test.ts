import assert from "node:assert/strict";
import { test } from "node:test";
import { type Failure, fail, type Hash, hashFromWord, ok, type Result } from "@ostrom/base";
import type { RpcError } from "./rpc-error.ts";
import { createSubmissionGate, type SubmissionGate } from "./submission-gate.ts";
import { createSubmissionQueue } from "./submission-queue.ts";

const LIMITS = {
  submittedTransactions: 1_000,
  submittedBytes: 100_000,
  submissionWaitMs: 500,
  concurrentRequests: 100,
};

function gateAt(limits: Partial<typeof LIMITS> = {}): { gate: SubmissionGate; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  return { gate: createSubmissionGate({ ...LIMITS, ...limits }, () => clock.nowMs), clock };
}

function reasonOf(error: RpcError | undefined): unknown {
  return error === undefined ? undefined : (error.data as { reason: string }).reason;
}

test("no more transactions are under way than the limit and one group, and a refusal says when to try again", () => {
  const { gate } = gateAt();
  for (let i = 0; i < 10; i++) assert.equal(gate.enter(100, 1_000), undefined);
  const refused = gate.enter(100, 1_000);
  assert.equal(refused?.code, -32005);
  assert.deepEqual(refused.data, { reason: "rpc/busy", retryAfterMs: 100 });
  gate.leave(100, 1_000, 10, false);
  assert.equal(gate.enter(100, 1_000), undefined);
  assert.deepEqual(gate.load(), { transactions: 1_000, bytes: 10_000, room: 1_000 });
});

test("no more bytes are under way than the limit, but a group that is alone always goes", () => {
  const { gate } = gateAt();
  assert.equal(gate.enter(1, 150_000), undefined);
  assert.equal(reasonOf(gate.enter(1, 1)), "rpc/busy");
  gate.leave(1, 150_000, 10, false);
  assert.equal(gate.enter(1, 99_999), undefined);
  assert.equal(gate.enter(1, 1), undefined);
  assert.equal(reasonOf(gate.enter(1, 1)), "rpc/busy");
});

test("groups that wait never take more than half of the requests that may be worked on", () => {
  const { gate } = gateAt();
  for (let i = 0; i < 50; i++) assert.equal(gate.enter(1, 1), undefined);
  assert.equal(reasonOf(gate.enter(1, 1)), "rpc/busy");
});

test("slow answers shrink the room once for those that entered together, fast ones widen it again", () => {
  const { gate, clock } = gateAt();
  const slow = [1, 2, 3].map(() => gate.enter(100, 1));
  assert.deepEqual(slow, [undefined, undefined, undefined]);
  clock.nowMs = 2_000;
  gate.leave(100, 1, 2_000, false);
  assert.equal(gate.load().room, 500);
  gate.leave(100, 1, 2_000, false);
  gate.leave(100, 1, 2_000, false);
  assert.equal(gate.load().room, 500);
  assert.equal(gate.enter(100, 1), undefined);
  gate.leave(100, 1, 100, false);
  assert.equal(gate.load().room, 600);
});

test("however slow the answers are, some transactions may be under way", () => {
  const { gate, clock } = gateAt();
  for (let i = 0; i < 20; i++) {
    assert.equal(gate.enter(100, 1), undefined);
    clock.nowMs += 60_000;
    gate.leave(100, 1, 60_000, false);
  }
  assert.equal(gate.load().room, 128);
  assert.equal(gate.enter(100, 1), undefined);
  assert.equal(gate.enter(100, 1), undefined);
  const refused = gate.enter(1, 1);
  assert.deepEqual(refused?.data, { reason: "rpc/busy", retryAfterMs: 5_000 });
});

test("before the first answer few may be under way, whatever the limit; fast answers widen the room up to it", () => {
  const { gate } = gateAt({ submittedTransactions: 4_000 });
  assert.equal(gate.load().room, 1_024);
  for (let i = 0; i < 40; i++) {
    assert.equal(gate.enter(100, 1), undefined);
    gate.leave(100, 1, 10, false);
  }
  assert.equal(gate.load().room, 4_000);
});

test("a full pool is not asked again for a while: what it cannot take costs it no signature check", () => {
  const { gate, clock } = gateAt();
  assert.equal(gate.enter(1, 1), undefined);
  gate.leave(1, 1, 1, true);
  assert.equal(reasonOf(gate.enter(1, 1)), "txpool/full");
  clock.nowMs = 250;
  assert.equal(gate.enter(1, 1), undefined);
});

test("a full pool is asked for less each time, so that it seldom checks what it cannot take", () => {
  const { gate, clock } = gateAt();
  for (const room of [500, 250, 128, 128]) {
    assert.equal(gate.enter(10, 1), undefined);
    gate.leave(10, 1, 1, true);
    assert.equal(gate.load().room, room);
    clock.nowMs += 250;
  }
});

test("ten times what a pool takes: it is asked for its share, all hear at once, and nothing stays behind", async () => {
  const clock = { nowMs: 0 };
  const gate = createSubmissionGate(LIMITS, () => clock.nowMs);
  const asked: { count: number; answer: () => void }[] = [];
  const submit = (raws: readonly Uint8Array[]): Promise<readonly Result<Hash, Failure>[]> =>
    new Promise((resolve) => {
      const answers = raws.map(() => ok(hashFromWord(1n)));
      asked.push({ count: raws.length, answer: () => resolve(answers) });
    });
  const queue = createSubmissionQueue({ submit }, gate, () => clock.nowMs);
  const raws = Array.from({ length: 100 }, () => Uint8Array.of(2));
  const sent = Array.from({ length: 100 }, () =>
    queue.submit(raws).then(
      () => "taken",
      (error: RpcError) => error.code,
    ),
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(
    asked.reduce((sum, { count }) => sum + count, 0),
    1_000,
  );
  for (const { answer } of asked) answer();
  const results = await Promise.all(sent);
  assert.equal(results.filter((result) => result === "taken").length, 10);
  assert.equal(results.filter((result) => result === -32005).length, 90);
  assert.deepEqual(gate.load(), { transactions: 0, bytes: 0, room: 1_000 });
});

test("a pool that dies leaves nothing under way", async () => {
  const { gate } = gateAt();
  const submit = () => Promise.reject(new Error("the pool's thread died"));
  const queue = createSubmissionQueue({ submit }, gate, () => 0);
  await assert.rejects(queue.submit([Uint8Array.of(2)]), /died/);
  assert.equal(gate.load().transactions, 0);
});

test("what the pool has no room for closes the gate", async () => {
  const { gate } = gateAt();
  const submit = async (raws: readonly Uint8Array[]) => raws.map(() => fail("txpool/full", "no room"));
  const queue = createSubmissionQueue({ submit }, gate, () => 0);
  await queue.submit([Uint8Array.of(2)]);
  await assert.rejects(queue.submit([Uint8Array.of(2)]), (error: RpcError) => {
    return error.code === -32005 && (error.data as { reason: string }).reason === "txpool/full";
  });
});
