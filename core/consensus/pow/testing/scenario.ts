import assert from "node:assert/strict";
import type { PowConfig } from "../types.ts";
import { type MinerHabit, MinerNode } from "./miner-node.ts";
import { simulatedConfig, steadyRate, World, type WorldOptions } from "./world.ts";

/** The network's rate in units of what the initial target asks for: above 1, so that difficulty is free to fall. */
export const USUAL_RATE = 16;

export type NetworkOptions = WorldOptions & {
  readonly count: number;
  readonly config?: Partial<PowConfig>;
  /** Weights of the miners' rates; equal without. */
  readonly shares?: readonly number[];
  readonly habits?: ReadonlyMap<number, MinerHabit>;
  readonly skewsMs?: readonly number[];
  /** Of the whole network, in units of `steadyRate`. */
  readonly rate?: (timeMs: number) => number;
};

/** Nodes that are all linked with each other. */
export class PowNetwork {
  readonly world: World;
  readonly config: PowConfig;
  readonly nodes: readonly MinerNode[];

  constructor(options: NetworkOptions) {
    this.world = new World(options);
    this.config = simulatedConfig(options.config);
    const shares = options.shares ?? Array.from({ length: options.count }, () => 1 / options.count);
    const rate = options.rate ?? (() => USUAL_RATE);
    this.nodes = Array.from({ length: options.count }, (_, index) => {
      const share = shares[index] ?? 0;
      return new MinerNode(this.world, {
        name: `node${index}`,
        config: this.config,
        habit: options.habits?.get(index) ?? "honest",
        clockSkewMs: options.skewsMs?.[index] ?? 0,
        hashesPerMs: (timeMs) => share * rate(timeMs) * steadyRate(this.config),
      });
    });
    this.linkAll();
  }

  linkAll(): void {
    for (const a of this.nodes) for (const b of this.nodes) this.world.link(a.name, b.name);
  }

  /** Cuts all links between nodes of different groups. */
  split(groupOf: (index: number) => number): void {
    for (const [i, a] of this.nodes.entries()) {
      for (const [j, b] of this.nodes.entries()) {
        if (i < j && groupOf(i) !== groupOf(j)) this.world.unlink(a.name, b.name);
      }
    }
  }

  node(index: number): MinerNode {
    const node = this.nodes[index];
    assert.ok(node !== undefined);
    return node;
  }

  /** All that run agree on every block that is `depth` below the lowest of their heads. @returns that height. */
  checkAgreement(depth: number = this.config.finalityDepth): number {
    for (const node of this.nodes) node.check();
    const running = this.nodes.filter((node) => node.halted === undefined && node.isUp);
    const height = Math.min(...running.map((node) => node.chain.length)) - depth;
    const first = running[0];
    assert.ok(first !== undefined);
    for (const node of running) {
      if (height > 0) assert.equal(node.idAt(height), first.idAt(height), `${node.name} at height ${height}`);
    }
    return height;
  }

  /** No two nodes ever called different blocks of one height final. */
  checkFinality(): void {
    const final = new Map<number, string>();
    for (const node of this.nodes) {
      for (const [height, id] of node.finalized) {
        assert.equal(final.get(height) ?? id, id, `${node.name}: height ${height} is final elsewhere`);
        final.set(height, id);
      }
    }
  }

  /** Runs until all heads but for `slack` blocks are one. @returns whether that came in time. */
  converge(limitMs: number, slack = 1): boolean {
    return this.world.runUntil(() => {
      const height = Math.min(...this.nodes.map((node) => node.chain.length)) - slack;
      const id = this.nodes[0]?.idAt(height);
      return height > 0 && this.nodes.every((node) => node.idAt(height) === id);
    }, limitMs);
  }

  /** Mean time between the blocks of a height and one above, in units of the interval. */
  meanInterval(from: number, to: number): number {
    const chain = this.node(0).chain;
    const [first, last] = [chain[from - 1], chain[to - 1]];
    assert.ok(first !== undefined && last !== undefined, `the chain reaches ${to}`);
    const spanMs = last.point.timestampMs - first.point.timestampMs;
    return spanMs / (to - from) / this.config.targetIntervalMs;
  }
}
