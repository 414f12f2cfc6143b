import assert from "node:assert/strict";
import { chooseActors, DagSimulation } from "./dag-simulation.ts";

const FAULTY_MS = 12_000;
const HEALED_MS = 8_000;
/** Of one node's memory: what is kept must follow from the depth of the garbage collection, not from the length of the run. */
const MOST_ROUNDS_KEPT = 60;
const MOST_WAITING_PER_VALIDATOR = 48;

/** One seed's story: each fault with probability one half or so, then a healed network that must go on. */
export function runDagCampaign(seed: number, weights: readonly number[]): DagSimulation {
  const hasActors = seed % 2 === 0;
  const simulation = new DagSimulation({
    seed,
    weights,
    lossPerMille: seed % 5 === 0 ? 0 : 40,
    crashes: seed % 3 > 0,
    partitions: seed % 4 > 1,
    ...(hasActors ? { actors: chooseActors(weights, seed) } : {}),
  });
  simulation.run(FAULTY_MS);
  const before = simulation.commits.length;
  simulation.heal();
  simulation.run(HEALED_MS);
  for (const { index, state } of simulation.honest) {
    assert.ok(
      state.commits > before,
      `seed ${seed}: node ${index} is at commit ${state.commits}, after healing at ${before}`,
    );
    assert.ok(
      state.graph.size <= MOST_ROUNDS_KEPT,
      `seed ${seed}: node ${index} keeps ${state.graph.size} rounds`,
    );
    assert.ok(state.waiting.size <= MOST_WAITING_PER_VALIDATOR * weights.length);
    assert.ok(state.unordered >= 0);
  }
  return simulation;
}
