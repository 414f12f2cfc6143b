import assert from "node:assert/strict";
import { test } from "node:test";
import { hashFromHex, unwrap } from "@ostrom/base";
import { INITIAL_INSTANT_STATE, nextTimestamp, step } from "./step.ts";
import type { BlockPlan, InstantEffect, InstantInput, InstantState } from "./types.ts";

const START: InstantState = INITIAL_INSTANT_STATE;
const NOW = 1_000;

function after(state: InstantState, ...inputs: readonly InstantInput[]): InstantState {
  return inputs.reduce((last, input) => unwrap(step(last, input)).state, state);
}

function effectsOf(state: InstantState, input: InstantInput): readonly InstantEffect[] {
  return unwrap(step(state, input)).effects;
}

function seal(
  state: InstantState,
  parentTimestamp: number,
  { now = NOW, timestamp }: { readonly now?: number; readonly timestamp?: number } = {},
): { readonly plan: BlockPlan; readonly state: InstantState } {
  const stepped = unwrap(step(state, { kind: "seal", now, parentTimestamp, timestamp }));
  const [effect] = stepped.effects;
  assert.ok(effect?.kind === "sealed");
  return { plan: effect.plan, state: stepped.state };
}

test("each transaction makes a block while the chain mines by itself, and none after", () => {
  assert.deepEqual(effectsOf(START, { kind: "transaction" }), [{ kind: "make-block" }]);
  const off = after(START, { kind: "set-automining", isOn: false });
  assert.deepEqual(effectsOf(off, { kind: "transaction" }), []);
});

test("an interval rings again after each block, somewhere between its bounds", () => {
  const interval = { minMs: 100, maxMs: 199 };
  const input = { kind: "set-interval", interval, chance: 0 } as const;
  assert.deepEqual(effectsOf(START, input), [{ kind: "set-timer", afterMs: 100 }]);
  const on = after(START, input);
  assert.deepEqual(effectsOf(on, { kind: "timer", chance: 0.999 }), [
    { kind: "make-block" },
    { kind: "set-timer", afterMs: 199 },
  ]);
  const off = { kind: "set-interval", interval: undefined, chance: 0 } as const;
  assert.deepEqual(effectsOf(on, off), [{ kind: "set-timer", afterMs: undefined }]);
});

test("a block's time is the clock's and the offset, and always later than its parent's", () => {
  assert.equal(seal(START, 900).plan.timestamp, NOW);
  assert.equal(seal(START, NOW).plan.timestamp, NOW + 1);
  const ahead = after(START, { kind: "increase-time", seconds: 50 });
  assert.equal(seal(ahead, NOW).plan.timestamp, NOW + 50);
  const equal = { ...START, allowsEqualTimestamps: true };
  assert.equal(seal(equal, NOW).plan.timestamp, NOW);
});

test("the time of the next block moves the time of all after it", () => {
  const told = after(START, { kind: "set-next-timestamp", timestamp: 5_000, parentTimestamp: 900 });
  assert.equal(nextTimestamp(told, NOW, 900), 5_000);
  const first = seal(told, 900);
  assert.equal(first.plan.timestamp, 5_000);
  assert.equal(seal(first.state, 5_000, { now: NOW + 10 }).plan.timestamp, 5_010);
});

test("a time that is not after the parent's is refused", () => {
  const input = { kind: "set-next-timestamp", timestamp: 900, parentTimestamp: 900 } as const;
  const refused = step(START, input);
  assert.equal(refused.ok ? undefined : refused.error.code, "instant/timestamp-too-low");
  const sealed = step(START, { kind: "seal", now: NOW, parentTimestamp: 900, timestamp: 899 });
  assert.equal(sealed.ok ? undefined : sealed.error.code, "instant/timestamp-too-low");
  assert.ok(step({ ...START, allowsEqualTimestamps: true }, input).ok);
});

test("a fixed distance between blocks takes the place of the clock until it is taken away", () => {
  const fixed = after(START, { kind: "set-timestamp-interval", seconds: 7 });
  assert.equal(seal(fixed, 2_000).plan.timestamp, 2_007);
  const free = after(fixed, { kind: "set-timestamp-interval", seconds: undefined });
  assert.equal(seal(free, 500).plan.timestamp, NOW);
});

test("base fee and randomness are of the next block alone", () => {
  const prevRandao = hashFromHex("11".repeat(32));
  const told = after(
    START,
    { kind: "set-next-base-fee", baseFeePerGas: 9n },
    { kind: "set-next-prev-randao", prevRandao },
  );
  const first = seal(told, 900);
  assert.deepEqual([first.plan.baseFeePerGas, first.plan.prevRandao], [9n, prevRandao]);
  const second = seal(first.state, NOW);
  assert.deepEqual([second.plan.baseFeePerGas, second.plan.prevRandao], [undefined, undefined]);
});

test("the time that it is may be set back or forward, and goes on from there", () => {
  const set = after(START, { kind: "set-time", timestamp: 400, now: NOW });
  assert.equal(nextTimestamp(set, NOW + 5, 100), 405);
});
