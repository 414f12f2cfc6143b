import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, type Failure, Height, ok, type Result, View, ZERO_HASH } from "@ostrom/base";
import type { Message } from "@ostrom/consensus";
import { peerIdsOf } from "./epoch-sets.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { JunkWatch, PeerHeights, TrafficQuota } from "./peer-conduct.ts";
import { PeerQuota } from "./peer-quota.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";

installNativeCrypto();
const epoch = Epoch(0);
const { validators } = new OrderedChain();
const [, A = "", B = ""] = peerIdsOf(validators);

const RANGE: Message = { kind: "block-range-request", fromHeight: Height(1) };
const BODY: Message = { kind: "block-request", epoch, view: View(1), digest: ZERO_HASH };
const SMALL: Message = { kind: "view-request", epoch };

/** How many of so many messages are read. */
function read(quota: TrafficQuota, from: string, message: Message, count: number): number {
  let allowed = 0;
  for (let index = 0; index < count; index++) if (quota.allows(from, message)) allowed++;
  return allowed;
}

test("a quota is spent, grows with time up to its burst, and each peer has its own", () => {
  const clock = createManualClock(1_000);
  const quota = new PeerQuota<string>(clock, { perSecond: 10, burst: 20 });
  assert.equal(quota.spend("a", 20), true);
  assert.equal(quota.spend("a", 1), false);
  assert.equal(quota.spend("b", 20), true);
  clock.advance(250);
  assert.equal(quota.spend("a", 3), false, "what is too little is left as it is");
  assert.equal(quota.spend("a", 2), true);
  clock.advance(1_000_000);
  assert.equal(quota.spend("a", 21), false);
  assert.equal(quota.spend("a", 20), true);
});

test("a clock that is set back neither gives nor takes", () => {
  const clock = createManualClock(1_000_000);
  const quota = new PeerQuota<string>(clock, { perSecond: 10, burst: 20 });
  assert.equal(quota.spend("a", 15), true);
  clock.set(0);
  assert.equal(quota.spend("a", 6), false);
  assert.equal(quota.spend("a", 5), true);
  clock.advance(500);
  assert.equal(quota.spend("a", 5), true);
});

test("a peer that asks for blocks a thousand times a second is answered a few times", () => {
  const clock = createManualClock(0);
  const quota = new TrafficQuota(clock);
  assert.equal(read(quota, A, RANGE, 1_000), 16);
  clock.advance(1_000);
  assert.equal(read(quota, A, RANGE, 1_000), 8);
  clock.advance(1_000);
  assert.equal(read(quota, A, BODY, 1_000), 64);
  assert.equal(read(quota, B, RANGE, 10), 10, "others do not pay for it");
});

test("a flood of small messages is read up to a rate that no honest peer needs", () => {
  const clock = createManualClock(0);
  const quota = new TrafficQuota(clock);
  assert.equal(read(quota, A, SMALL, 20_000), 8_000);
  clock.advance(1_000);
  assert.equal(read(quota, A, SMALL, 20_000), 2_000);
});

test("a little junk is forgiven, much is not, and what depends on state is no junk", () => {
  const clock = createManualClock(0);
  const watch = new JunkWatch(clock);
  const failed = (code: string, count: number): readonly Result<unknown, Failure>[] =>
    Array.from({ length: count }, () => ({ ok: false, error: { code, message: "" } }));
  for (const code of [
    "txpool/nonce-too-low",
    "txpool/insufficient-funds",
    "txpool/full",
    "txpool/busy",
    "txpool/already-known",
  ])
    assert.equal(watch.tooMuch("a", failed(code, 10_000)), false, code);
  assert.equal(watch.tooMuch("a", [ok(1)]), false);
  assert.equal(watch.tooMuch("a", failed("transaction/invalid-signature", 40)), false);
  assert.equal(watch.tooMuch("a", failed("transaction/wrong-chain-id", 40)), true);
  assert.equal(watch.tooMuch("b", failed("transaction/malformed", 1_000)), true);
  clock.advance(60_000);
  assert.equal(watch.tooMuch("a", failed("txpool/too-large", 40)), false);
});

test("a height is believed when more than a third of the weight says so", () => {
  const heights = new PeerHeights();
  heights.hear(A, Number.MAX_SAFE_INTEGER);
  heights.hear("of no validator", Number.MAX_SAFE_INTEGER);
  assert.equal(heights.believable(validators), 0);
  heights.hear(B, 7);
  heights.hear(B, 5);
  assert.equal(heights.believable(validators), 7);
});
