import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallFrame, failingCall, flattenCalls, layOutCalls, MAX_CALLS } from "./call-frames.ts";
import { gasByOpcode } from "./gas-profile.ts";
import { stateDifference } from "./state-difference.ts";

const call = (gasUsed: number, change: Partial<CallFrame> = {}): CallFrame => ({
  type: "CALL",
  from: "0xa",
  to: "0xb",
  gas: "0xffff",
  gasUsed: `0x${gasUsed.toString(16)}`,
  input: "0x",
  ...change,
});

test("calls come in the order in which they were made, each with its place in the tree", () => {
  const root = call(100, { calls: [call(40, { calls: [call(10)] }), call(20)] });
  assert.deepEqual(
    flattenCalls(root).map(({ path, depth, gasUsed }) => [path, depth, gasUsed]),
    [
      ["0", 0, 100],
      ["0.0", 1, 40],
      ["0.0.0", 2, 10],
      ["0.1", 1, 20],
    ],
  );
});

test("in the picture a call lies below who made it, beside its siblings, as wide as its gas", () => {
  const bars = layOutCalls(call(100, { calls: [call(40, { calls: [call(10)] }), call(20)] }));
  assert.deepEqual(
    bars.map(({ depth, left, width }) => [depth, left, width]),
    [
      [0, 0, 1],
      [1, 0, 0.4],
      [2, 0, 0.1],
      [1, 0.4, 0.2],
    ],
  );
});

test("a transaction of very many calls is cut off", () => {
  const root = call(10, { calls: Array.from({ length: MAX_CALLS + 5 }, () => call(1)) });
  assert.equal(flattenCalls(root).length, MAX_CALLS);
  assert.equal(layOutCalls(root).length, MAX_CALLS);
});

test("the reason of a failure is where it was first said, not where it was passed on", () => {
  const inner = call(1, { error: "execution reverted", output: "0x1234", to: "0xdeep" });
  const swallowed = call(1, { error: "execution reverted", output: "0xffff" });
  const root = call(9, {
    error: "execution reverted",
    output: "0x1234",
    calls: [swallowed, call(5, { error: "execution reverted", output: "0x1234", calls: [inner] })],
  });
  assert.equal(failingCall(root)?.to, "0xdeep");
  assert.equal(failingCall(call(1)), undefined);
});

test("an instruction's gas is its own: what a call passes on stands under the called code", () => {
  const steps = [
    { pc: 0, op: "PUSH1", gas: 1_000, gasCost: 3, depth: 1 },
    { pc: 2, op: "CALL", gas: 997, gasCost: 900, depth: 1 },
    { pc: 0, op: "PUSH1", gas: 800, gasCost: 3, depth: 2 },
    { pc: 2, op: "STOP", gas: 797, gasCost: 0, depth: 2 },
    { pc: 3, op: "STOP", gas: 894, gasCost: 0, depth: 1 },
  ];
  assert.deepEqual(gasByOpcode(steps), [
    { op: "CALL", count: 1, gas: 100 },
    { op: "PUSH1", count: 2, gas: 6 },
    { op: "STOP", count: 2, gas: 0 },
  ]);
});

test("a state difference tells what is new, what is gone, and slots that were or became zero", () => {
  const zero = `0x${"0".repeat(64)}`;
  const one = `0x${"0".repeat(63)}1`;
  const changes = stateDifference({
    pre: {
      "0xa": { balance: "0x5", nonce: 1 },
      "0xb": { balance: "0x0", code: "0x6000", storage: { [one]: one } },
      "0xd": { balance: "0x7" },
    },
    post: {
      "0xa": { balance: "0x3", nonce: 2 },
      "0xb": { storage: { [zero]: one } },
      "0xc": { balance: "0x2" },
    },
  });
  assert.deepEqual(
    changes.map(({ address, kind }) => [address, kind]),
    [
      ["0xa", "changed"],
      ["0xb", "changed"],
      ["0xc", "created"],
      ["0xd", "deleted"],
    ],
  );
  assert.deepEqual(changes[0]?.balance, { before: 5n, after: 3n });
  assert.equal(changes[1]?.code, undefined);
  assert.deepEqual(changes[1]?.storage, [
    { slot: zero, before: zero, after: one },
    { slot: one, before: one, after: zero },
  ]);
  assert.deepEqual(changes[3]?.balance, { before: 7n, after: undefined });
});
