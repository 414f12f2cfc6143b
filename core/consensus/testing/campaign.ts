import { createRandom, type Random } from "@ostrom/base";
import { ACTOR_NAMES, type ActorName } from "./actors.ts";
import { changingPlan, type Member } from "./epoch-plan.ts";
import { SIMULATED_SCHEME } from "./signatures.ts";
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
  const actors = chooseActors(random, weights);
  const wiped = chooseWiped(random, weights, actors);
  return runStory(random, wiped, { seed, weights, actors, ...networkOf(random), ...overrides });
}

/** As `runCampaign`, over many short epochs in which machines leave, join, change their weight and rotate their keys.
 * @param schemes of the epochs' votes, in turn. */
export function runEpochCampaign(
  seed: number,
  validators: number,
  overrides: Partial<SimulationOptions> = {},
  schemes: readonly number[] = [SIMULATED_SCHEME],
): Simulation {
  const random = createRandom(seed ^ 0xe90c4);
  const weights = Array.from({ length: validators }, () => 1);
  const spareMachines = 1 + random.below(3);
  const actors = chooseActors(random, weights);
  const wiped = chooseWiped(random, weights, actors);
  const first: readonly Member[] = weights.map((weight, machine) => ({ machine, weight, key: 0 }));
  const fragile = new Set([...actors.keys(), ...wiped]);
  const length = 2 + random.below(7);
  const lead = 1 + random.below(length - 1);
  const plan = changingPlan(validators + spareMachines, first, length, lead, fragile, schemes);
  const network = networkOf(random);
  return runStory(random, wiped, { seed, weights, spareMachines, plan, actors, ...network, ...overrides });
}

function networkOf(
  random: Random,
): Pick<SimulationOptions, "lossPerMille" | "duplicatePerMille" | "maxLatencyMs" | "encodes"> {
  return {
    lossPerMille: random.below(300),
    duplicatePerMille: random.below(100),
    maxLatencyMs: 1 + random.below(120),
    encodes: random.chance(1, 8),
  };
}

function runStory(random: Random, wiped: readonly number[], options: SimulationOptions): Simulation {
  const simulation = new Simulation(options);
  simulation.start();
  if (random.chance(1, 2)) simulation.keepBusy(20 + random.below(100));
  planTrouble(simulation, random);
  for (const machine of wiped) planLostLog(simulation, random, machine);
  simulation.runFor(TROUBLE_MS);

  simulation.heal();
  for (const node of simulation.nodes) if (!node.isUp) node.start();
  const more = options.plan === undefined ? HEALED_BLOCKS : options.plan.length + HEALED_BLOCKS;
  const goal = Math.max(...simulation.honest.map((node) => node.height)) + more;
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
  for (let pauses = random.below(3); pauses > 0; pauses--) {
    const node = simulation.nodes[random.below(count)]!;
    simulation.at(random.below(TROUBLE_MS), () => node.pauseExecution(random.below(400)));
  }
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

/** Honest machines whose logs are lost once each: with the Byzantine ones they weigh less than a third. Beyond that only operators could
 * help. */
function chooseWiped(
  random: Random,
  weights: readonly number[],
  actors: ReadonlyMap<number, unknown>,
): readonly number[] {
  if (!random.chance(1, 3)) return [];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const wiped = new Set<number>();
  let weak = [...actors.keys()].reduce((sum, machine) => sum + weights[machine]!, 0);
  for (let tries = 2; tries > 0; tries--) {
    const machine = random.below(weights.length);
    if (wiped.has(machine) || actors.has(machine) || 3 * (weak + weights[machine]!) >= total) continue;
    weak += weights[machine]!;
    wiped.add(machine);
  }
  return [...wiped];
}

function planLostLog(simulation: Simulation, random: Random, machine: number): void {
  const node = simulation.nodes[machine]!;
  simulation.at(random.below(TROUBLE_MS), () => {
    node.loseLog();
    node.start();
  });
}
