import { createRandom, type Random } from "@ostrom/base";
import { quorumWeight, totalWeight } from "../index.ts";
import { ACTOR_NAMES, type ActorName } from "./actors.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";

/** How long the bad phase lasts, and how much the healed network must do in how much time. */
const TROUBLE_MS = 1_500;
const HEALED_BLOCKS = 3;
const HEALED_LIMIT_MS = 30_000;

/** One seed's story: a network with faults of every kind, then a healed one that must make progress. */
export function runCampaign(
  seed: number,
  weights: readonly number[],
  overrides: Partial<SimulationOptions> = {},
): Simulation {
  const random = createRandom(seed ^ 0x5eed);
  const simulation = new Simulation({
    seed,
    weights,
    actors: chooseActors(random, weights),
    lossPerMille: random.below(300),
    duplicatePerMille: random.below(100),
    maxLatencyMs: 1 + random.below(120),
    encodes: random.chance(1, 8),
    ...overrides,
  });
  simulation.start();
  if (random.chance(1, 2)) simulation.keepBusy(20 + random.below(100));
  planTrouble(simulation, random);
  simulation.runFor(TROUBLE_MS);

  simulation.heal();
  for (const node of simulation.nodes) if (!node.isUp) node.start();
  const goal = Math.max(...simulation.honest.map((node) => node.height)) + HEALED_BLOCKS;
  const isDone = (): boolean =>
    simulation.honest.every(
      (node) => node.height >= goal && (node.certificate?.executed.height ?? 0) >= goal - 2,
    );
  simulation.runUntil(isDone, HEALED_LIMIT_MS, `no progress to height ${goal} after healing`);
  simulation.check();
  return simulation;
}

/** Byzantine validators below a third of the weight. */
function chooseActors(random: Random, weights: readonly number[]): ReadonlyMap<number, ActorName | "twin"> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const actors = new Map<number, ActorName | "twin">();
  let bad = 0;
  for (let tries = random.below(3); tries > 0; tries--) {
    const index = random.below(weights.length);
    if (actors.has(index) || 3 * (bad + weights[index]!) >= total) continue;
    bad += weights[index]!;
    actors.set(index, random.chance(1, 3) ? "twin" : ACTOR_NAMES[random.below(ACTOR_NAMES.length)]!);
  }
  return actors;
}

function planTrouble(simulation: Simulation, random: Random): void {
  const count = simulation.nodes.length;
  for (let crashes = random.below(5); crashes > 0; crashes--) {
    const node = simulation.nodes[random.below(count)]!;
    const atMs = random.below(TROUBLE_MS);
    simulation.at(atMs, () => node.isUp && node.crash());
    simulation.at(atMs + random.below(400), () => node.isUp || node.start());
  }
  if (simulation.honest.length === count && random.chance(1, 4)) planLostLog(simulation, random);
  for (let splits = random.below(3); splits > 0; splits--) {
    const side = Array.from({ length: count }, () => random.chance(1, 2));
    const oneWay = random.chance(1, 4);
    simulation.at(random.below(TROUBLE_MS), () => {
      simulation.partition((from, to) => (oneWay ? side[from]! && !side[to]! : side[from] !== side[to]));
    });
    simulation.at(random.below(TROUBLE_MS), () => simulation.partition(() => false));
  }
  if (random.chance(1, 10)) {
    simulation.at(random.below(TROUBLE_MS), () => {
      for (const node of simulation.nodes) if (node.isUp) node.crash();
    });
  }
}

/** One disk is lost. Where those who remain are no quorum, only operators could help. */
function planLostLog(simulation: Simulation, random: Random): void {
  const wiped = simulation.nodes[random.below(simulation.nodes.length)]!;
  const others = totalWeight(simulation.set) - simulation.set.validators[wiped.index]!.weight;
  if (others < quorumWeight(simulation.set)) return;
  simulation.at(random.below(TROUBLE_MS), () => {
    if (wiped.isUp) wiped.crash();
    wiped.wipeLog();
    wiped.restart({ lostLog: true });
  });
}
