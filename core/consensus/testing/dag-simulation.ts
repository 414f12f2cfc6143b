import assert from "node:assert/strict";
import { createRandom, EventQueue, type Random, toHexDigits } from "@ostrom/base";
import {
  type Commit,
  type DagMessage,
  dagDigest,
  decodeSignedDagBlock,
  encodeSignedDagBlock,
  type MysticetiConfig,
  type SignedDagBlock,
  type stepMysticeti,
} from "../mysticeti/index.ts";
import { ValidatorIndex } from "../types.ts";
import { totalWeight } from "../validator-set.ts";
import { DAG_ACTORS, type DagActor, DagNode, type DagWorld, INVALID_PAYLOAD, pick } from "./dag-node.ts";
import { simulatedDomain, simulatedSet } from "./signatures.ts";

export type DagSimulationOptions = {
  readonly seed: number;
  readonly weights: readonly number[];
  readonly actors?: ReadonlyMap<number, DagActor>;
  readonly config?: Partial<MysticetiConfig>;
  /** Until the network heals. */
  readonly lossPerMille?: number;
  readonly crashes?: boolean;
  readonly partitions?: boolean;
  /** A planted bug: what each honest validator's input becomes, and its effects. */
  readonly step?: typeof stepMysticeti;
};

type Event = { readonly timeMs: number; readonly run: () => void };

const MIN_LATENCY_MS = 5;
const MAX_LATENCY_MS = 60;
const CRASH_EVERY_MS = 1_500;
const CUT_EVERY_MS = 2_500;
const START_MS = 1_700_000_000_000;

/** A whole network of engines under one seed. */
export class DagSimulation implements DagWorld {
  readonly options: DagSimulationOptions;
  readonly step: typeof stepMysticeti | undefined;
  readonly config: MysticetiConfig;
  readonly random: Random;
  readonly nodes: DagNode[];
  /** By index of the commit, as whoever committed first has it. */
  readonly commits: { readonly leader: string; readonly blocks: readonly string[] }[] = [];
  readonly #queue = new EventQueue<Event>();
  readonly #ordered = new Set<string>();
  /** Blocks that were found invalid must never be ordered. */
  readonly accusations: { readonly by: number; readonly author: number }[] = [];
  isHealed = false;
  nowMs: number = START_MS;
  #cut: ReadonlySet<number> = new Set();
  hash = 0;

  constructor(options: DagSimulationOptions) {
    this.options = options;
    this.step = options.step;
    this.random = createRandom(options.seed);
    this.config = {
      domain: simulatedDomain,
      validators: simulatedSet(options.weights),
      own: undefined,
      waveLength: 3,
      leadersPerRound: 1 + this.random.below(2),
      gcDepth: 12,
      leaderTimeoutMs: 150,
      minRoundMs: 20,
      emptyRoundMs: 400,
      standstillMs: 300,
      fetchRetryMs: 100,
      lostLog: false,
      ...options.config,
    };
    this.nodes = options.weights.map((_, index) => new DagNode(this, index, options.actors?.get(index)));
    for (const node of this.nodes) node.start(false);
    if (options.crashes === true) this.after(CRASH_EVERY_MS, () => this.#crashOne());
    if (options.partitions === true) this.after(CUT_EVERY_MS, () => this.#cutSome());
  }

  get honest(): readonly DagNode[] {
    return this.nodes.filter(({ actor }) => actor === undefined);
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.put({ timeMs: this.nowMs + delayMs, run });
  }

  /** Runs until simulated time has passed. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (let event = this.#next(endMs); event !== undefined; event = this.#next(endMs)) {
      this.nowMs = event.timeMs;
      event.run();
    }
    this.nowMs = endMs;
  }

  #next(endMs: number): Event | undefined {
    const { nextMs } = this.#queue;
    return nextMs === undefined || nextMs > endMs ? undefined : this.#queue.take();
  }

  heal(): void {
    this.isHealed = true;
    this.#cut = new Set();
    for (const node of this.nodes) if (!node.isUp) node.start(node.losesLog);
  }

  send(from: number, to: number, message: DagMessage): void {
    const { lossPerMille = 0 } = this.options;
    if (!this.isHealed && this.random.below(1000) < lossPerMille) return;
    if (!this.isHealed && this.#cut.has(from) !== this.#cut.has(to)) return;
    const latencyMs = MIN_LATENCY_MS + this.random.below(MAX_LATENCY_MS);
    const wire = throughCodec(message);
    this.after(latencyMs, () => this.nodes[to]!.receive(ValidatorIndex(from), wire));
  }

  /** What an honest validator orders is what every other one orders at this place, and nothing twice. */
  committed(by: DagNode, { index, leader, blocks }: Commit): void {
    const told = {
      leader: `${leader.round}/${leader.author}/${toHexDigits(leader.digest)}`,
      blocks: blocks.map((block) => toHexDigits(dagDigest(this.config.domain, block))),
    };
    const known = this.commits[index - 1];
    if (known === undefined) {
      assert.equal(index, this.commits.length + 1, "commits have no gaps");
      this.commits.push(told);
      for (const key of told.blocks) {
        assert.ok(!this.#ordered.has(key), `${key} is ordered twice`);
        this.#ordered.add(key);
      }
      for (const block of blocks) {
        assert.notEqual(block.payload[0], INVALID_PAYLOAD, "an invalid block is ordered");
        this.hash = (Math.imul(this.hash, 31) + block.round * 7 + block.author) >>> 0;
      }
    } else assert.deepEqual(told, known, `node ${by.index}, commit ${index}`);
  }

  #crashOne(): void {
    this.after(CRASH_EVERY_MS, () => this.#crashOne());
    if (this.isHealed) return;
    const down = this.nodes.find(({ isUp }) => !isUp);
    if (down !== undefined) {
      down.start(down.losesLog);
      return;
    }
    const node = pick(this.random, this.nodes);
    // Who loses its log counts among the faulty: there is one, and no actors besides.
    const mayLose =
      (this.options.actors?.size ?? 0) === 0 && node.index === this.options.seed % this.nodes.length;
    node.crash(mayLose && this.random.below(2) === 0);
  }

  #cutSome(): void {
    this.after(CUT_EVERY_MS, () => this.#cutSome());
    if (this.isHealed) return;
    const isCut = this.#cut.size === 0 && this.random.below(3) > 0;
    const some = this.nodes.map(({ index }) => index).filter(() => this.random.below(2) === 0);
    this.#cut = new Set(isCut ? some : []);
  }
}

/** What is sent is what the codec makes of it. */
function throughCodec(message: DagMessage): DagMessage {
  const recode = (signed: SignedDagBlock): SignedDagBlock => {
    const decoded = decodeSignedDagBlock(encodeSignedDagBlock(signed));
    assert.ok(decoded.ok, "blocks survive their codec");
    return decoded.value;
  };
  if (message.kind === "dag-block") return { kind: "dag-block", ...recode(message) };
  if (message.kind === "dag-blocks") return { ...message, blocks: message.blocks.map(recode) };
  return message;
}

/** As many actors as less than a third of the weight allows, chosen by the seed. */
export function chooseActors(weights: readonly number[], seed: number): ReadonlyMap<number, DagActor> {
  const random = createRandom(seed ^ 0x5eed);
  const total = totalWeight(simulatedSet(weights));
  const actors = new Map<number, DagActor>();
  let weight = 0;
  for (const index of weights.keys()) {
    const own = weights[index]!;
    if (random.below(2) === 0 || 3 * (weight + own) >= total) continue;
    weight += own;
    actors.set(index, pick(random, DAG_ACTORS));
  }
  return actors;
}
