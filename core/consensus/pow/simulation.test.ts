import assert from "node:assert/strict";
import { test } from "node:test";
import { genesisPoint } from "./chain-point.ts";
import { HostilePeer, idOf } from "./testing/hostile-peer.ts";
import { MinerNode } from "./testing/miner-node.ts";
import { runRandomScenario } from "./testing/random-scenario.ts";
import { PowNetwork } from "./testing/scenario.ts";

const INTERVAL_MS = 1000;
/** A run that orders less says little. */
const MIN_HEIGHT = 30;

test("the same seed gives the same run, message by message", () => {
  const [first, second, other] = [runRandomScenario(3), runRandomScenario(3), runRandomScenario(4)];
  assert.deepEqual(first, second);
  assert.notEqual(first.trace, other.trace);
});

for (let seed = 10; seed < 14; seed++) {
  test(`a network where all goes wrong agrees below the depth of finality (seed ${seed})`, () => {
    const run = runRandomScenario(seed);
    assert.ok(run.height >= MIN_HEIGHT, `${run.height} heights count for little`);
  });
}

test("halves of a network that were apart follow the heavier chain when they meet (W6)", () => {
  const network = new PowNetwork({
    seed: 21,
    count: 6,
    shares: [0.3, 0.3, 0.1, 0.1, 0.1, 0.1],
    rate: () => 2,
  });
  network.world.runFor(20 * INTERVAL_MS);
  network.split((index) => (index < 2 ? 0 : 1));
  network.world.runFor(8 * INTERVAL_MS);
  const [heavy, light] = [network.node(0).head, network.node(5).head];
  assert.ok(heavy.totalWork > light.totalWork, "60% of the rate should win in this seed");
  network.linkAll();
  const isSwitched = (): boolean => network.node(5).head.totalWork > heavy.totalWork;
  assert.ok(network.world.runUntil(isSwitched, 20 * INTERVAL_MS));
  assert.equal(network.node(5).idAt(heavy.height), idOf(heavy));
  assert.ok(network.node(5).deepestReorganisation >= 2);
  network.checkAgreement(2);
});

test("a branch whose bodies do not fit into memory is followed piece by piece (W9)", () => {
  const network = new PowNetwork({
    seed: 27,
    count: 3,
    shares: [0.4, 0.4, 0.2],
    rate: () => 2,
    config: { maxPayloadBytes: 40, maxBodyBytes: 160 },
  });
  network.world.runFor(20 * INTERVAL_MS);
  network.split((index) => (index < 2 ? 0 : 1));
  const isApart = (): boolean => network.node(2).head.height > 45 && network.node(0).head.height > 45;
  assert.ok(network.world.runUntil(isApart, 100 * INTERVAL_MS));
  network.linkAll();
  const isSwitched = (): boolean => network.node(2).idAt(45) === network.node(0).idAt(45);
  assert.ok(network.world.runUntil(isSwitched, 40 * INTERVAL_MS));
  for (const node of network.nodes) {
    assert.equal(node.halted, undefined);
    assert.ok(node.maxBodyBytes <= 160);
  }
  assert.ok(network.node(2).deepestReorganisation > 10);
});

test("a heavier branch that forks deeper than maxReorgDepth halts, and the heavier side goes on (W11)", () => {
  const network = new PowNetwork({
    seed: 22,
    count: 5,
    shares: [0.3, 0.3, 0.2, 0.1, 0.1],
    rate: () => 2,
    config: { finalityDepth: 5, maxReorgDepth: 10 },
  });
  network.world.runFor(10 * INTERVAL_MS);
  network.split((index) => (index < 3 ? 0 : 1));
  const isApart = (): boolean => network.node(4).head.height > 40 && network.node(0).head.height > 40;
  assert.ok(network.world.runUntil(isApart, 400 * INTERVAL_MS));
  const lightHeight = network.node(4).head.height;
  network.linkAll();
  network.world.runFor(20 * INTERVAL_MS);
  for (const index of [0, 1, 2]) assert.equal(network.node(index).halted, undefined);
  for (const index of [3, 4]) {
    const { halted, head, state } = network.node(index);
    assert.match(halted ?? "", /has more work than the own chain/);
    assert.equal(state.halted, "pow/reorganisation-too-deep");
    assert.ok(head.height <= lightHeight + 1, "a halted node does not follow any chain");
  }
  assert.ok(network.node(0).head.height > 45);
  assert.equal(network.node(0).idAt(45), network.node(2).idAt(45));
});

test("a node that joins late syncs headers first, across several batches and its own pruning (W7)", () => {
  const network = new PowNetwork({ seed: 23, count: 2, rate: () => 1.5, config: { maxReorgDepth: 40 } });
  assert.ok(network.world.runUntil(() => network.node(0).head.height >= 1300, 3000 * INTERVAL_MS));
  const late = new MinerNode(network.world, { name: "late", config: network.config });
  network.world.link("late", "node0");
  network.world.runFor(100);
  assert.equal(late.head.height, 0, "headers come before bodies");
  assert.ok(network.world.runUntil(() => late.head.height >= 1300, 100 * INTERVAL_MS));
  assert.equal(late.idAt(1250), network.node(0).idAt(1250));
  assert.deepEqual(late.faults, []);
  assert.ok(late.state.records.size < 700, `${late.state.records.size} headers are held after the sync`);
});

test("a node continues from its store after a crash, and from where it was behind (W13)", () => {
  const network = new PowNetwork({ seed: 24, count: 4, rate: () => 2, config: { maxReorgDepth: 25 } });
  network.world.runFor(80 * INTERVAL_MS);
  const node = network.node(3);
  node.crash();
  network.world.runFor(120 * INTERVAL_MS);
  const durable = node.head.height;
  const reached = network.node(0).head.height;
  assert.ok(reached > durable + 60);
  node.restart();
  assert.equal(node.head.height, node.chain.length);
  assert.ok(network.world.runUntil(() => node.head.height >= reached, 20 * INTERVAL_MS));
  network.checkAgreement();
  assert.deepEqual(node.faults, []);
});

test("a branch from below the base is checked without being kept: lighter is passed over, heavier halts (W8, W11)", () => {
  for (const isHeavier of [false, true]) {
    const network = new PowNetwork({
      seed: 25,
      count: 1,
      rate: () => 1.5,
      config: { finalityDepth: 5, maxReorgDepth: 10 },
    });
    const node = network.node(0);
    assert.ok(network.world.runUntil(() => node.head.height >= 700, 1000 * INTERVAL_MS));
    const peer = new HostilePeer(network.world, "peer", network.config);
    const chain = peer.forge(genesisPoint(network.config), isHeavier ? 900 : 600, {
      timestampMs: (index) => 1_000_100 + index * (isHeavier ? 700 : 1100),
    });
    const tip = chain.at(-1)!.point;
    assert.equal(tip.totalWork > node.head.totalWork, isHeavier);
    const held = node.state.records.size;
    peer.serve(chain);
    network.world.link("peer", node.name);
    peer.claim(node.name, { height: tip.height, id: tip.id }, 2n ** 200n);
    network.world.runFor(5 * INTERVAL_MS);
    const questions = peer.heard.filter(({ message }) => message.kind === "get-headers").length;
    assert.ok(questions >= 2, "the branch was read to its end");
    assert.equal(node.halted !== undefined, isHeavier);
    assert.ok(node.state.records.size <= held + 20, "none of the branch was kept");
    assert.deepEqual(node.faults, []);
  }
});

test("finality is told once a height, D below the head, and never goes back (W12)", () => {
  const network = new PowNetwork({ seed: 26, count: 3, rate: () => 2, config: { finalityDepth: 6 } });
  network.world.runFor(60 * INTERVAL_MS);
  for (const node of network.nodes) {
    const heights = [...node.finalized.keys()];
    assert.deepEqual(
      heights,
      Array.from({ length: heights.length }, (_, index) => index + 1),
    );
    assert.ok(Math.abs(node.head.height - 6 - (heights.at(-1) ?? 0)) <= 1);
  }
  network.checkFinality();
});
