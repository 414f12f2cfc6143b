import assert from "node:assert/strict";
import { equalBytes } from "@ostrom/base";
import { PowNetwork, USUAL_RATE } from "./scenario.ts";
import { SelfishMiner } from "./selfish-miner.ts";
import { steadyRate } from "./world.ts";

/** @returns the share of the chain's blocks that are the attacker's. */
export function runSelfish(share: number, blocks: number, seed: number): number {
  const network = new PowNetwork({
    seed,
    count: 4,
    minLatencyMs: 1,
    maxLatencyMs: 10,
    rate: () => USUAL_RATE * (1 - share),
    config: { initialTarget: 2n ** 232n, finalityDepth: 60, maxReorgDepth: 120 },
  });
  const rate = share * USUAL_RATE * steadyRate(network.config);
  const attacker = new SelfishMiner(network.world, "selfish", network.config, rate);
  for (const node of network.nodes) network.world.link("selfish", node.name);
  const node = network.node(0);
  assert.ok(network.world.runUntil(() => node.chain.length >= blocks, 3 * blocks * 1000));
  assert.equal(node.halted, undefined);
  network.checkAgreement();
  const won = node.chain.filter(({ block }) => equalBytes(block.header.miner, attacker.address)).length;
  return won / node.chain.length;
}
