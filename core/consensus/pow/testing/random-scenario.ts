import assert from "node:assert/strict";
import { createRandom, type Random } from "@ostrom/base";
import { genesisPoint } from "../chain-point.ts";
import { HostilePeer } from "./hostile-peer.ts";
import type { MinerHabit } from "./miner-node.ts";
import { PowNetwork } from "./scenario.ts";

/** How often each thing struck in one run. */
export type Strikes = {
  readonly partitions: number;
  readonly crashes: number;
  readonly cutLinks: number;
  readonly rateSteps: number;
  readonly spammedHeaders: number;
  readonly withheldBodies: number;
  readonly badHabits: number;
  readonly reorganisations: number;
};

export type RandomRun = {
  readonly seed: number;
  readonly nodes: number;
  /** Lowest head at the end. */
  readonly height: number;
  readonly deepestReorganisation: number;
  readonly maxRecords: number;
  readonly trace: string;
  readonly strikes: Strikes;
};

const MIN_NODES = 5;
const MAX_NODES = 20;
/** Rounds of a few block intervals: in each something else happens. */
const ROUNDS = 18;
/** Of a round, in block intervals: partitions must stay well below the depth of finality, which is all that it promises. */
const MAX_ROUND_INTERVALS = 8;
/** In units of what the initial target asks for. */
const LEAST_RATE = 1.2;
const BAD_HABITS: readonly MinerHabit[] = [
  "times-ahead",
  "times-behind",
  "false-executed-hash",
  "invalid-payload",
];

/** A network of 5 to 20 nodes in which all goes wrong that the seed chooses; then it heals. Fails where a rule is broken: two nodes
 * call different blocks final, a reorganisation is too deep, memory is not bounded, the healed network does not agree, it hardly
 * grew, or an honest node is blamed. */
export function runRandomScenario(seed: number): RandomRun {
  const random = createRandom(seed ^ 0x5eed);
  const count = MIN_NODES + random.below(MAX_NODES - MIN_NODES + 1);
  const habits = chooseHabits(random, count);
  let rate = LEAST_RATE;
  const network = new PowNetwork({
    seed,
    count,
    habits,
    maxLatencyMs: 20 + random.below(150),
    lossPerMille: random.below(3) === 0 ? random.below(30) : 0,
    shares: chooseShares(random, count, habits),
    skewsMs: Array.from({ length: count }, () => random.below(600) - 300),
    rate: () => rate,
    config: { finalityDepth: 30, maxReorgDepth: 60, maxBodyBytes: 20_000, maxPayloadBytes: 500 },
  });
  const spammer = new Spammer(network, random);
  const strikes = { partitions: 0, crashes: 0, cutLinks: 0, rateSteps: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    switch (random.below(6)) {
      case 0: {
        const groups = 2 + random.below(2);
        const groupOf = network.nodes.map(() => random.below(groups));
        network.split((index) => groupOf[index] ?? 0);
        strikes.partitions++;
        break;
      }
      case 1: {
        const node = network.node(random.below(count));
        if (node.isUp) node.crash();
        else node.restart();
        strikes.crashes++;
        break;
      }
      case 2:
        for (let cut = 0; cut < count; cut++) {
          const [a, b] = [network.node(random.below(count)), network.node(random.below(count))];
          network.world.unlink(a.name, b.name);
        }
        strikes.cutLinks++;
        break;
      case 3:
        rate = LEAST_RATE * (1 + random.below(3) / 2);
        strikes.rateSteps++;
        break;
      case 4:
        spammer.strike();
        break;
      default:
        break;
    }
    network.world.runFor(network.config.targetIntervalMs * (1 + random.below(MAX_ROUND_INTERVALS)));
    network.linkAll();
    for (const node of network.nodes) node.check();
    network.checkFinality();
  }
  const found = heal(network, seed);
  const sum = (of: (node: PowNetwork["nodes"][number]) => number): number =>
    network.nodes.reduce((total, node) => total + of(node), 0);
  return {
    seed,
    nodes: count,
    height: found,
    deepestReorganisation: Math.max(...network.nodes.map((node) => node.deepestReorganisation)),
    maxRecords: Math.max(...network.nodes.map((node) => node.maxRecords)),
    trace: network.world.trace,
    strikes: {
      ...strikes,
      spammedHeaders: spammer.spammed,
      withheldBodies: spammer.withheld,
      badHabits: habits.size,
      reorganisations: sum((node) => Number(node.deepestReorganisation > 0)),
    },
  };
}

function chooseHabits(random: Random, count: number): ReadonlyMap<number, MinerHabit> {
  const habits = new Map<number, MinerHabit>();
  const bad = random.below(Math.ceil(count / 3));
  for (let index = 0; index < bad; index++) {
    habits.set(count - 1 - index, BAD_HABITS[random.below(BAD_HABITS.length)]!);
  }
  return habits;
}

/** Some mine ten times as much as others; those with bad habits together less than a third of the rest. */
function chooseShares(
  random: Random,
  count: number,
  habits: ReadonlyMap<number, MinerHabit>,
): readonly number[] {
  const weights = Array.from({ length: count }, (_, index) => (habits.has(index) ? 2 : 1 + random.below(10)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function heal(network: PowNetwork, seed: number): number {
  const { world, config, nodes } = network;
  for (const node of nodes) if (!node.isUp) node.restart();
  world.lossPerMille = 0;
  network.linkAll();
  const before = Math.max(...nodes.map((node) => node.chain.length));
  const isDone = (): boolean => nodes.every((node) => node.chain.length > before + 25);
  const halted = (): string => nodes.map((node) => node.halted ?? `${node.chain.length}`).join(", ");
  assert.ok(world.runUntil(isDone, 400 * config.targetIntervalMs), `seed ${seed}: no progress: ${halted()}`);
  assert.ok(network.converge(60 * config.targetIntervalMs, 3), `seed ${seed}: no agreement: ${halted()}`);
  network.checkFinality();
  const height = network.checkAgreement(12);
  for (const node of nodes) {
    assert.equal(node.halted, undefined, `seed ${seed}: ${node.name}`);
    for (const { peer, code, message } of node.faults) {
      assert.equal(peer, Spammer.peerName, `seed ${seed}: ${node.name} blames ${peer}: ${code}, ${message}`);
    }
    assert.ok(
      node.maxRecords <= 3 * config.maxReorgDepth + config.maxSideHeaders + config.maxHeadersAhead,
      `seed ${seed}: ${node.name} held ${node.maxRecords} headers`,
    );
  }
  return height;
}

/** Sends headers without work, and headers with work whose bodies nobody ever gets. */
class Spammer {
  static readonly peerName = "spammer";
  spammed = 0;
  withheld = 0;
  readonly #network: PowNetwork;
  readonly #random: Random;
  readonly #peer: HostilePeer;

  constructor(network: PowNetwork, random: Random) {
    this.#network = network;
    this.#random = random;
    this.#peer = new HostilePeer(network.world, Spammer.peerName, network.config);
  }

  strike(): void {
    const { nodes, world } = this.#network;
    const victim = this.#network.node(this.#random.below(nodes.length));
    world.link(Spammer.peerName, victim.name);
    if (this.#random.chance(1, 2)) {
      const start = this.#random.chance(1, 2) ? victim.head : genesisPoint(this.#network.config);
      const forged = this.#peer.forge(start, 1 + this.#random.below(20), { lacksWork: true });
      this.#peer.say(victim.name, { kind: "announce", headers: forged.map(({ header }) => header) });
      this.spammed += forged.length;
    } else {
      const forged = this.#peer.forge(victim.head, 1 + this.#random.below(3));
      this.#peer.say(victim.name, { kind: "announce", headers: forged.map(({ header }) => header) });
      this.withheld += forged.length;
    }
  }
}
