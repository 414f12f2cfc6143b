import assert from "node:assert/strict";
import { test } from "node:test";
import type { SimplexViewRecord, ViewReads } from "@ostrom/rpc";
import { installNativeCrypto } from "./native-crypto.ts";
import { EpochNetwork, type EpochNetworkOptions, type Member } from "./testing/epoch-network.ts";
import type { ViewPage } from "./view-page.ts";
import { createViewReads } from "./view-reads.ts";
import { ViewRecorder } from "./view-recorder.ts";

installNativeCrypto();

const members = (...nodes: readonly number[]): readonly Member[] => nodes.map((node) => ({ node }));
const LATENCY_MS = 2;

/** A network whose first node writes down its views, by the network's clock. @param seats validators that there is room for. */
function watched(
  options: EpochNetworkOptions,
  seats: number = options.setOf(0).length,
): { readonly network: EpochNetwork; readonly reads: ViewReads } {
  const network = new EpochNetwork(options);
  const beganMs = network.clock.nowMs();
  let page: ViewPage;
  const views = new ViewRecorder(seats, {
    nowMs: network.clock.nowMs,
    elapsedMs: () => network.clock.nowMs() - beganMs,
    moved: (next) => {
      page = next;
    },
  });
  page = views.page;
  network.nodes[0]!.views = views;
  return { network, reads: createViewReads(() => page) };
}

function simplexViews(reads: ViewReads): readonly SimplexViewRecord[] {
  return reads.read(1, Number.MAX_SAFE_INTEGER).filter((record) => record.engine === "simplex");
}

const LONG: Pick<EpochNetworkOptions, "epochLength" | "epochLead"> = { epochLength: 10_000, epochLead: 8 };

test("view recorder: a view's steps follow each other, one message delay apart, and every vote is in it", async () => {
  const { network, reads } = watched({ nodes: 4, ...LONG, setOf: () => members(0, 1, 2, 3) });
  await network.start(0, 1, 2, 3);
  assert.ok(await network.until(() => network.certified(0) >= 12), network.describe());
  const done = simplexViews(reads).filter(({ steps }) => steps.certified !== undefined);
  assert.ok(done.length >= 10);
  const led = done.filter(({ leader }) => leader === 0);
  assert.ok(led.length > 0 && led.length < done.length);
  for (const { steps, votes, leader, height, view, proposal, executed, startedAtMs } of done.slice(1)) {
    const { proposed, notarized, finalized } = steps;
    assert.ok(proposed !== undefined && notarized !== undefined && finalized !== undefined);
    // What this node proposes is here at once; another's has travelled already.
    assert.equal(notarized - proposed, leader === 0 ? 2 * LATENCY_MS : LATENCY_MS);
    assert.equal(finalized - notarized, LATENCY_MS);
    assert.ok((steps.executed ?? -1) >= finalized && (steps.certified ?? -1) >= (steps.executed ?? 0));
    assert.equal(votes.notarize[leader], proposed);
    for (const kind of ["notarize", "finalize"] as const)
      assert.ok(votes[kind].filter((at) => at !== undefined).length >= 3, `${kind} of view ${view}`);
    assert.ok(votes.nullify.every((at) => at === undefined));
    assert.equal(height, view);
    assert.ok(proposal !== undefined && executed?.transactions === 0);
    assert.ok(startedAtMs >= network.genesis.timestampMs);
  }
});

test("view recorder: a view whose leader is away is given up, by votes after a timeout, and has no block", async () => {
  const { network, reads } = watched({ nodes: 4, ...LONG, setOf: () => members(0, 1, 2, 3) });
  await network.start(0, 1, 2);
  assert.ok(await network.until(() => network.certified(0) >= 20), network.describe());
  const missed = simplexViews(reads).filter(
    ({ leader, steps }) => leader === 3 && steps.nullified !== undefined,
  );
  assert.ok(missed.length > 0);
  for (const { steps, votes, height, signers, proposal } of missed) {
    assert.equal(steps.proposed, undefined);
    assert.equal(steps.finalized, undefined);
    assert.equal(height, undefined);
    assert.equal(proposal, undefined);
    assert.equal(votes.nullify[3], undefined);
    assert.ok(votes.nullify.filter((at) => at !== undefined).length >= 3);
    assert.deepEqual(signers.nullification, Uint8Array.of(0b0111));
    assert.equal(signers.notarization, undefined);
  }
  assert.ok(
    missed.some(({ steps }) => steps.leaderTimeout !== undefined || steps.advanceTimeout !== undefined),
  );
  assert.ok(simplexViews(reads).every(({ votes }) => votes.notarize[3] === undefined));
});

test("view recorder: records are bounded, the oldest give way, and numbers go on", async () => {
  // Records with room for so many are few.
  const { network, reads } = watched({ nodes: 1, ...LONG, setOf: () => members(0) }, 4_000);
  await network.start(0);
  const capacity = reads.capacity();
  assert.ok(capacity <= 64);
  assert.ok(await network.until(() => reads.next() > capacity + 50, 60_000), network.describe());
  const all = simplexViews(reads);
  assert.equal(all.length, capacity);
  assert.deepEqual(
    all.map(({ number }) => number),
    Array.from({ length: capacity }, (_, index) => reads.next() - capacity + index),
  );
  assert.equal(reads.read(1, 3)[0]?.number, reads.next() - capacity);
});

test("view recorder: the set of the next epoch has its own places, and a larger one moves to a larger page", async () => {
  const large = Array.from({ length: 20 }, (_, node) => node);
  const setOf = (epoch: number): readonly Member[] => (epoch === 0 ? members(0) : members(...large));
  const { network, reads } = watched({ nodes: 20, epochLength: 6, epochLead: 3, setOf });
  await network.start(...large);
  assert.ok(await network.until(() => network.certified(0) >= 8), network.describe());
  const views = simplexViews(reads);
  assert.ok(views.length > 0);
  for (const { epoch, validators, votes } of views) {
    assert.equal(epoch, 1);
    assert.equal(validators, 20);
    assert.equal(votes.finalize.length, 20);
  }
});

test("view recorder: who asks for what has changed hears of changed records alone", async () => {
  const { network, reads } = watched({ nodes: 1, ...LONG, setOf: () => members(0) });
  await network.start(0);
  await network.until(() => network.certified(0) >= 3);
  const since = reads.changes();
  assert.deepEqual(reads.changedSince(since, 100), []);
  const newest = reads.next() - 1;
  await network.until(() => network.certified(0) >= 5);
  const changed = reads.changedSince(since, 100);
  assert.ok(changed.length >= 2);
  assert.ok(changed.every(({ number }) => number >= newest - 1));
});
