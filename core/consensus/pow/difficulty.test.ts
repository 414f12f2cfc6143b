import assert from "node:assert/strict";
import { test } from "node:test";
import type { MinerHabit } from "./testing/miner-node.ts";
import { PowNetwork } from "./testing/scenario.ts";

const HALFLIFE_BLOCKS = 40;
const CONFIG = { halflifeMs: HALFLIFE_BLOCKS * 1000, finalityDepth: 60, maxReorgDepth: 120 };
/** A step of ten is that many halflives of lag. */
const STEP_HALFLIVES = Math.log2(10);

test("difficulty follows the hash rate: ten times as much, and back, within a few halflives and bounded drift (W3)", () => {
  let rate = 2;
  const network = new PowNetwork({
    seed: 31,
    count: 3,
    minLatencyMs: 1,
    maxLatencyMs: 10,
    rate: () => rate,
    config: CONFIG,
  });
  const settle = 6 * HALFLIFE_BLOCKS;
  const spans: { readonly rate: number; readonly from: number; readonly to: number }[] = [];
  for (const next of [2, 20, 2]) {
    rate = next;
    network.world.runFor(settle * 1000);
    const from = network.node(0).head.height;
    network.world.runFor(300_000);
    spans.push({ rate, from, to: network.node(0).head.height });
  }
  for (const { rate, from, to } of spans) {
    const mean = network.meanInterval(from, to);
    assert.ok(mean > 0.8 && mean < 1.25, `at rate ${rate} blocks came every ${mean} intervals`);
  }
  // Schedule, not average, is what the chain keeps to: the lag after each step is the halflives of its difficulty, and no more.
  const first = network.node(0).chain[0]!.point.timestampMs;
  const lagBlocks = (height: number): number => {
    const { timestampMs } = network.node(0).chain[height - 1]!.point;
    return (timestampMs - first) / 1000 - height;
  };
  const [slow, fast, slowAgain] = spans.map(({ to }) => lagBlocks(to));
  const drift = HALFLIFE_BLOCKS * STEP_HALFLIVES;
  assert.ok(Math.abs(slow! - fast! - drift) < drift / 3, `ten times: ${slow! - fast!} against ${drift}`);
  assert.ok(
    Math.abs(slowAgain! - fast! - drift) < drift / 3,
    `a tenth: ${slowAgain! - fast!} against ${drift}`,
  );
  assert.ok(network.nodes.every(({ halted }) => halted === undefined));
});

for (const habit of ["times-ahead", "times-behind"] as const satisfies readonly MinerHabit[]) {
  test(`a miner with 40% of the rate and ${habit} hardly moves the pace (W3, W4)`, () => {
    const network = new PowNetwork({
      seed: 32,
      count: 4,
      minLatencyMs: 1,
      maxLatencyMs: 10,
      shares: [0.2, 0.2, 0.2, 0.4],
      habits: new Map([[3, habit]]),
      rate: () => 2,
      config: CONFIG,
    });
    network.world.runFor(200_000);
    const startMs = network.world.timeMs;
    const start = network.node(0).head.height;
    network.world.runFor(600_000);
    const mean = (network.world.timeMs - startMs) / (network.node(0).head.height - start) / 1000;
    assert.ok(mean > 0.88 && mean < 1.15, `blocks came every ${mean} intervals of real time`);
    network.checkAgreement(30);
    const liars = network
      .node(0)
      .chain.filter(({ block }) =>
        block.header.miner.every((byte, index) => byte === network.node(3).address[index]),
      );
    const share = liars.length / network.node(0).chain.length;
    assert.ok(share < 0.46, `the liar has ${share} of the blocks`);
    assert.deepEqual(
      network.nodes.flatMap(({ faults }) => faults),
      [],
      "a time ahead of a clock is nobody's provable fault",
    );
  });
}
