import assert from "node:assert/strict";
import { test } from "node:test";
import { Weight } from "@ostrom/base";
import { deriveBlsSecretKey, keccak256, nobleBls, SCHEME_BLS12381 } from "@ostrom/crypto";
import { ethereumDomain, leaderOf } from "../index.ts";
import { runCampaign, runEpochCampaign } from "../testing/campaign.ts";
import { endlessPlan } from "../testing/epoch-plan.ts";
import { simulatedSet } from "../testing/signatures.ts";
import type { SimulatedNode } from "../testing/simulated-node.ts";
import { Simulation } from "../testing/simulation.ts";

/** More seeds: OSTROM_SIMULATION_SEEDS=5000 OSTROM_SIMULATION_FIRST=1 node --test ... */
const SEEDS = Number(process.env.OSTROM_SIMULATION_SEEDS ?? 0);
const FIRST_SEED = Number(process.env.OSTROM_SIMULATION_FIRST ?? 1);

const FOUR = [1, 1, 1, 1];
const SEVEN_WEIGHTED = [5, 3, 2, 2, 1, 1, 1];

function campaigns(weights: readonly number[], usualSeeds: number): void {
  const end = FIRST_SEED + (SEEDS === 0 ? usualSeeds : SEEDS);
  for (let seed = FIRST_SEED; seed < end; seed++) runCampaign(seed, weights);
}

test("one validator alone: whatever is lost and however often it restarts, it agrees with itself and goes on", () => {
  campaigns([1], 100);
});

test("four validators, one of them Byzantine at times: agreement always, progress after healing", () => {
  campaigns(FOUR, 120);
});

test("seven validators of different weight: agreement always, progress after healing", () => {
  campaigns(SEVEN_WEIGHTED, 40);
});

function epochCampaigns(validators: number, usualSeeds: number): number {
  const end = FIRST_SEED + (SEEDS === 0 ? usualSeeds : SEEDS);
  let epochs = 0;
  for (let seed = FIRST_SEED; seed < end; seed++) {
    const simulation = runEpochCampaign(seed, validators);
    epochs += Math.max(...simulation.honest.map((node) => node.epoch));
  }
  return epochs;
}

test("four validators over short epochs whose sets change: one chain, one set an epoch, progress after healing", () => {
  assert.ok(epochCampaigns(4, 80) > 80 * 2, "epochs pass in these campaigns");
});

test("seven validators over short epochs whose sets change: one chain, one set an epoch, progress after healing", () => {
  assert.ok(epochCampaigns(7, 20) > 20 * 2, "epochs pass in these campaigns");
});

test("the same seed twice gives the same trace; another seed another one", () => {
  const traces = [11, 11, 12].map((seed) => runCampaign(seed, FOUR).traceHash());
  assert.equal(traces[0], traces[1]);
  assert.notEqual(traces[0], traces[2]);
});

test("every campaign message survives the wire codec unchanged", () => {
  const plain = runCampaign(21, FOUR, { encodes: false });
  const encoded = runCampaign(21, FOUR, { encodes: true });
  assert.equal(plain.traceHash(), encoded.traceHash());
});

test("with real BLS12-381 signatures four validators finalize and certify", () => {
  const secretKeys = FOUR.map((_, index) => deriveBlsSecretKey(new Uint8Array(32).fill(index + 1)));
  const set = {
    ...simulatedSet(FOUR),
    schemeId: SCHEME_BLS12381,
    validators: simulatedSet(FOUR).validators.map((validator, index) => ({
      ...validator,
      consensusKey: nobleBls.publicKey(secretKeys[index]!),
      weight: Weight(1),
    })),
  };
  const domain = ethereumDomain(keccak256(Uint8Array.of(1)));
  const sign = (signer: number, message: Uint8Array): Uint8Array =>
    nobleBls.sign(secretKeys[signer]!, message);
  const simulation = new Simulation({ seed: 3, weights: FOUR, set, domain, sign, encodes: true });
  simulation.start();
  const isDone = (): boolean =>
    simulation.nodes.every((node) => node.height >= 2 && (node.certificate?.executed.height ?? 0) >= 1);
  simulation.runUntil(isDone, 5_000, "two blocks with real signatures");
  simulation.check();
});

test("an idle chain makes a block each empty interval, and work is final within a few message delays", () => {
  const simulation = new Simulation({ seed: 5, weights: FOUR, config: { emptyBlockIntervalMs: 1_000 } });
  simulation.start();
  simulation.runFor(10_000);
  const { height } = simulation.nodes[0]!;
  assert.ok(height >= 9 && height <= 11, `${height} blocks in ten idle seconds`);
  assert.ok(simulation.nodes.every((node) => !node.signed.some(({ vote }) => vote.kind === "nullify")));
  for (const node of simulation.nodes) node.addWork();
  const isIncluded = (): boolean =>
    simulation.nodes.every((node) => node.store.some(({ block }) => block.payload.length > 0));
  // Proposal, Notarize and Finalize take at most 22 ms each, three syncs at most 4 ms, the check 3 ms.
  const took = simulation.runUntil(isIncluded, 1_000, "work is included");
  assert.ok(took <= 120, `${took} ms`);
  simulation.check();
});

/** Milliseconds between a block and the next. */
function intervals(simulation: Simulation): readonly number[] {
  const times = simulation.nodes[0]!.store.map(({ block }) => block.timestampMs);
  return times.slice(1).map((timestampMs, index) => timestampMs - times[index]!);
}

test("S17: without work no block comes sooner than the empty interval after its parent, however fast the network", () => {
  for (const emptyBlockIntervalMs of [200, 1_500]) {
    const config = { emptyBlockIntervalMs };
    const simulation = new Simulation({ seed: 17, weights: FOUR, maxLatencyMs: 2, config });
    simulation.start();
    simulation.runFor(20 * emptyBlockIntervalMs);
    assert.ok(simulation.nodes[0]!.height >= 15, `${simulation.nodes[0]!.height} blocks`);
    for (const interval of intervals(simulation))
      assert.ok(interval >= emptyBlockIntervalMs, `${interval} ms`);
  }
});

test("S17: under load blocks follow each other at the least interval or at the network's pace, whatever the empty interval", () => {
  for (const minBlockIntervalMs of [10, 150]) {
    const config = { minBlockIntervalMs, emptyBlockIntervalMs: 60_000 };
    const simulation = new Simulation({ seed: 18, weights: FOUR, maxLatencyMs: 4, config });
    simulation.start();
    simulation.runFor(100);
    simulation.keepBusy(5);
    simulation.runUntil(() => simulation.nodes[0]!.height >= 20, 20_000, "twenty blocks");
    // A proposal and the Notarizes for it take at most 5 ms each, two syncs at most 4 ms, a check 3 ms; a clock may be 40 ms behind.
    const pace = Math.max(minBlockIntervalMs + 40, 21 + 40);
    for (const interval of intervals(simulation))
      assert.ok(interval >= minBlockIntervalMs && interval <= pace + 21, `${interval} ms`);
  }
});

test("a dead validator costs one timeout a view it leads, and nothing once it counts as absent", () => {
  const config = { emptyBlockIntervalMs: 20, minBlockIntervalMs: 20 };
  const simulation = new Simulation({ seed: 6, weights: FOUR, config });
  simulation.start();
  simulation.keepBusy(20);
  simulation.runFor(1_000);
  const dead = simulation.nodes[3]!;
  dead.crash();
  const alive = simulation.nodes.slice(0, 3);
  const heights = (): number => Math.min(...alive.map((node) => node.height));
  const before = heights();
  const firstTwelve = simulation.runUntil(() => heights() >= before + 12, 10_000, "three of four go on");
  const nextTwelve = simulation.runUntil(() => heights() >= before + 24, 10_000, "three of four go on");
  // Twelve blocks span four or five views of the dead one; a timeout is 2 * 60 + 20 ms plus two message delays.
  assert.ok(firstTwelve <= 12 * 100 + 5 * 200, `${firstTwelve} ms`);
  assert.ok(nextTwelve <= 12 * 100 + 5 * 60, `${nextTwelve} ms`);
  dead.start();
  const caughtUp = (): boolean =>
    dead.height >= heights() - 1 && dead.signed.some(({ vote }) => vote.view > dead.state.view - 3);
  simulation.runUntil(caughtUp, 5_000, "the dead one comes back and votes");
  simulation.check();
});

test("all four killed at once resume from their logs and lose nothing final", () => {
  for (let seed = 30; seed < 40; seed++) {
    const simulation = new Simulation({ seed, weights: FOUR });
    simulation.start();
    simulation.keepBusy(15);
    simulation.runFor(700 + seed * 7);
    const before = Math.max(...simulation.nodes.map((node) => node.height));
    for (const node of simulation.nodes) node.crash();
    for (const node of simulation.nodes) node.start();
    simulation.runUntil(
      () => simulation.nodes.every((node) => node.height > before + 3),
      10_000,
      "the chain resumes",
    );
    simulation.check();
  }
});

test("a validator that lost its log abstains until it cannot contradict itself, then votes again", () => {
  for (let seed = 50; seed < 70; seed++) {
    const simulation = new Simulation({ seed, weights: FOUR, maxLatencyMs: 40 });
    simulation.start();
    simulation.keepBusy(20);
    simulation.runFor(500 + seed * 11);
    const wiped = simulation.nodes[1]!;
    wiped.loseLog();
    wiped.start();
    const votesBefore = wiped.signed.length;
    simulation.runUntil(() => wiped.signed.length > votesBefore + 4, 10_000, "the wiped one votes again");
    simulation.check();
  }
});

test("E7: a validator that alone saw an epoch end, voted in the next, and then lost its log, asks in both", () => {
  let votedAgain = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const plan = { ...endlessPlan(FOUR), length: 6, lead: 5 };
    const config = { minBlockIntervalMs: 1, emptyBlockIntervalMs: 1, deltaMs: 30 };
    const simulation = new Simulation({ seed, weights: FOUR, plan, maxLatencyMs: 6, config });
    const [, alone, ...others] = simulation.nodes as [SimulatedNode, SimulatedNode, ...SimulatedNode[]];
    const isLastNotarized = (node: SimulatedNode): boolean =>
      node.isUp &&
      node.height >= 4 &&
      [...node.state.blocks.values()].some(
        ({ block }) => block.height === 6 && node.state.views.get(block.view)?.certificates.notarization,
      );
    simulation.start();
    simulation.runUntil(() => others.every(isLastNotarized), 3_000, "the last block is notarized");
    simulation.partition((_, to) => to !== alone.machine);
    alone.pauseExecution(150);
    simulation.runUntil(() => alone.signed.at(-1)?.vote.epoch === 1, 200, "it votes in the next epoch");
    // Where the others were as fast, nothing can be seen.
    if (others.some((node) => node.epoch > 0)) continue;
    alone.loseLog();
    alone.start();
    assert.equal(alone.epoch, 0, "what it had not executed is not on its disk");
    const said = alone.signed.length;
    simulation.heal();
    const isBack = (): boolean => alone.signed.slice(said).some(({ vote }) => vote.epoch >= 2);
    simulation.runUntil(isBack, 20_000, "it votes again");
    if (alone.signed.slice(said).some(({ vote }) => vote.epoch === 0)) votedAgain++;
    simulation.check();
  }
  assert.ok(votedAgain > 0, "it voted in both epochs after its loss");
});

test("a laggard that missed everything syncs blocks instead of replaying views", () => {
  const simulation = new Simulation({ seed: 8, weights: FOUR });
  simulation.partition((from, to) => from === 2 || to === 2);
  simulation.start();
  simulation.runUntil(() => simulation.nodes[0]!.height >= 40, 30_000, "three make forty blocks");
  const laggard = simulation.nodes[2]!;
  assert.equal(laggard.height, 0);
  simulation.heal();
  simulation.runUntil(() => laggard.height >= 40, 3_000, "the laggard catches up");
  const voted = (): boolean => laggard.signed.some(({ vote }) => vote.view > 40);
  simulation.runUntil(voted, 3_000, "the laggard votes");
  simulation.check();
});

test("views far apart come together by certificate, at once", () => {
  const simulation = new Simulation({ seed: 9, weights: FOUR });
  const [first, , , behind] = simulation.nodes;
  simulation.start();
  simulation.runFor(300);
  simulation.partition((from, to) => from === 3 || to === 3);
  simulation.runUntil(() => first!.state.view >= 40, 30_000, "three go forty views ahead");
  assert.ok(behind!.state.view < 10, "one stays behind");
  simulation.partition(() => true);
  simulation.runFor(20_000);
  simulation.heal();
  const before = Math.max(...simulation.nodes.map((node) => node.height));
  // One standstill period of 300 ms, a skipped view, and a few message delays.
  const took = simulation.runUntil(
    () => simulation.nodes.every((node) => node.height > before),
    10_000,
    "healing",
  );
  assert.ok(took <= 1_200, `${took} ms`);
  simulation.check();
});

test("one spammer of far views neither moves nor slows the others, nor grows their memory", () => {
  const actors = new Map([[3, "spammer" as const]]);
  const simulation = new Simulation({ seed: 10, weights: FOUR, actors });
  simulation.start();
  simulation.keepBusy(30);
  simulation.runFor(5_000);
  simulation.check();
  for (const node of simulation.honest) {
    assert.ok(
      node.height > 40 && node.state.view < 2 * node.height,
      `height ${node.height}, view ${node.state.view}`,
    );
    assert.ok(node.state.views.size < 12 && node.state.blocks.size < 8);
  }
});

test("S1: equal weights lead once a round; other weights lead in proportion", () => {
  const simulation = new Simulation({ seed: 1, weights: FOUR });
  const { domain } = simulation;
  const { set } = simulation.firstSet;
  const leaders = Array.from({ length: 400 }, (_, index) =>
    leaderOf(domain, set, (index + 1) as Parameters<typeof leaderOf>[2]),
  );
  for (let round = 0; round < 100; round++) {
    assert.deepEqual([...leaders.slice(4 * round, 4 * round + 4)].sort(), [0, 1, 2, 3]);
  }
  assert.ok(
    new Set(Array.from({ length: 100 }, (_, round) => leaders[4 * round])).size === 4,
    "orders differ",
  );
  const weighted = simulatedSet([6, 3, 1]);
  const counts = [0, 0, 0];
  for (let view = 1; view <= 10_000; view++)
    counts[leaderOf(domain, weighted, view as Parameters<typeof leaderOf>[2])]!++;
  assert.ok(Math.abs(counts[0]! - 6_000) < 200 && Math.abs(counts[2]! - 1_000) < 120, counts.join());
});
