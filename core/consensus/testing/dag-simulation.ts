import assert from "node:assert/strict";
import { createRandom, EventQueue, type Hash, must, type Random, toHexDigits } from "@ostrom/base";
import {
  type Commit,
  type CommitFloor,
  type DagBlock,
  type DagEffect,
  type DagInput,
  type DagMessage,
  dagDigest,
  dagSigningBytes,
  decodeSignedDagBlock,
  encodeSignedDagBlock,
  FIRST_FLOOR,
  type MysticetiConfig,
  type MysticetiState,
  raiseFloor,
  recoverMysticeti,
  type SignedDagBlock,
  stepMysticeti,
} from "../mysticeti/index.ts";
import { ValidatorIndex } from "../types.ts";
import { quorumWeight, totalWeight } from "../validator-set.ts";
import { simulatedDomain, simulatedSet, simulatedSign } from "./signatures.ts";

/** Byzantine validators: they run the engine too, and bend what it says.
 * - `equivocator` makes two blocks in a round and shows each to some;
 * - `withholder` sends its blocks to few, and answers nobody;
 * - `picker` leaves leaders out of its parents, where a quorum remains;
 * - `forger` sends old blocks, blocks of far rounds, and malformed ones, besides its own;
 * - `silent` says nothing. */
export type DagActor = "equivocator" | "withholder" | "picker" | "forger" | "silent";

export const DAG_ACTORS: readonly DagActor[] = ["equivocator", "withholder", "picker", "forger", "silent"];

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
const MAX_SYNC_MS = 4;
const CRASH_EVERY_MS = 1_500;
const CUT_EVERY_MS = 2_500;
const INVALID_PAYLOAD = 0xff;
const START_MS = 1_700_000_000_000;

/** A whole network of engines under one seed. */
export class DagSimulation {
  readonly options: DagSimulationOptions;
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

/** One validator: its engine, its disk, and, if it is Byzantine, how it bends what the engine says. */
export class DagNode {
  readonly index: ValidatorIndex;
  readonly actor: DagActor | undefined;
  state: MysticetiState;
  isUp = false;
  losesLog = false;
  readonly #world: DagSimulation;
  /** Synced records, and those that a crash loses. */
  #disk: SignedDagBlock[] = [];
  #unsynced: SignedDagBlock[] = [];
  #floor: CommitFloor = FIRST_FLOOR;
  #life = 0;
  #queue: DagEffect[] = [];
  #isPerforming = false;
  #timers = new Map<string, number>();
  #timerCount = 0;
  #payloads = 0;
  #made: SignedDagBlock[] = [];
  readonly behind: number[] = [];

  constructor(world: DagSimulation, index: number, actor: DagActor | undefined) {
    this.#world = world;
    this.index = ValidatorIndex(index);
    this.actor = actor;
    this.state = recoverMysticeti({ ...world.config, own: this.index }, FIRST_FLOOR, []).state;
  }

  start(lostLog: boolean): void {
    this.isUp = true;
    this.losesLog = false;
    this.#life++;
    const config = { ...this.#world.config, own: this.index, lostLog };
    const { state, effects } = recoverMysticeti(config, this.#floor, this.#disk);
    this.state = state;
    this.#queue = [];
    this.#isPerforming = false;
    this.#timers = new Map();
    this.#enqueue(effects);
    if (this.#world.random.below(2) === 0) this.input({ kind: "work", pending: true });
  }

  /** @param losesLog its disk goes too, but for what is ordered. */
  crash(losesLog: boolean): void {
    this.isUp = false;
    this.losesLog = losesLog;
    this.#life++;
    const kept = this.#unsynced.slice(0, this.#world.random.below(this.#unsynced.length + 1));
    this.#disk = losesLog ? [] : [...this.#disk, ...kept];
    this.#unsynced = [];
  }

  receive(from: ValidatorIndex, message: DagMessage): void {
    if (!this.isUp) return;
    if (this.actor === "withholder" && message.kind === "dag-request") return;
    this.input({ kind: "message", from, message });
  }

  input(input: DagInput): void {
    const step = this.actor === undefined ? (this.#world.options.step ?? stepMysticeti) : stepMysticeti;
    const { state, effects } = step(this.state, input);
    this.state = state;
    this.#enqueue(effects);
  }

  #enqueue(effects: readonly DagEffect[]): void {
    this.#queue.push(...effects);
    if (!this.#isPerforming) this.#perform();
  }

  #perform(): void {
    this.#isPerforming = true;
    for (let effect = this.#queue.shift(); effect !== undefined; effect = this.#queue.shift()) {
      if (effect.kind === "sign") {
        const { block, digest } = effect;
        this.#after(this.#world.random.below(MAX_SYNC_MS), () => this.#finishSigning(block, digest));
        return;
      }
      this.#performOne(effect);
    }
    this.#isPerforming = false;
  }

  #finishSigning(made: DagBlock, digest: Hash): void {
    const { domain } = this.#world.config;
    const block = this.actor === "picker" ? this.#picky(made) : made;
    const signed = this.#signed(block, block === made ? digest : dagDigest(domain, block));
    this.#disk.push(...this.#unsynced.splice(0), signed);
    this.#isPerforming = false;
    // What a picker has bent it believes itself.
    if (block !== made) this.state = { ...this.state, signing: { block, digest: dagDigest(domain, block) } };
    this.#made.push(signed);
    this.input({ kind: "signed", signed });
    if (!this.#isPerforming) this.#perform();
  }

  #signed(block: DagBlock, digest: Hash = dagDigest(this.#world.config.domain, block)): SignedDagBlock {
    const { domain, validators } = this.#world.config;
    const { consensusKey } = must(validators.validators[this.index], "each node is a validator");
    return { block, signature: simulatedSign(consensusKey, dagSigningBytes(domain, digest)) };
  }

  #performOne(effect: Exclude<DagEffect, { kind: "sign" }>): void {
    const world = this.#world;
    switch (effect.kind) {
      case "persist":
        this.#unsynced.push(effect.signed);
        return;
      case "broadcast":
        this.#broadcast(effect.message);
        return;
      case "send":
        if (this.actor !== "silent") world.send(this.index, effect.to, effect.message);
        return;
      case "setTimer": {
        const count = ++this.#timerCount;
        this.#timers.set(effect.id, count);
        this.#after(effect.delayMs, () => {
          if (this.#timers.get(effect.id) !== count) return;
          this.input({ kind: "timer", id: effect.id, token: effect.token });
        });
        return;
      }
      case "buildPayload":
        this.#build(effect);
        return;
      case "checkBlock": {
        const { block, digest } = effect;
        const valid = block.payload[0] !== INVALID_PAYLOAD;
        this.#after(world.random.below(3), () => this.input({ kind: "verdict", digest, valid }));
        return;
      }
      case "committed":
        this.#commit(effect.commit);
        return;
      case "behind":
        this.#catchUp(effect.peer, effect.round);
        return;
      case "evidence": {
        const { author } = effect.first.block;
        const accused = world.nodes[author]!;
        if (this.actor === undefined)
          assert.ok(accused.actor !== undefined, `node ${this.index} accuses ${author}`);
        world.accusations.push({ by: this.index, author });
        return;
      }
      case "fault":
        if (this.actor === undefined && effect.code !== "mysticeti/wrong-sender")
          assert.notEqual(world.nodes[effect.peer]!.actor, undefined, `${effect.code}: ${effect.message}`);
        return;
      default:
        effect satisfies never;
    }
  }

  #commit(commit: Commit): void {
    if (this.actor === undefined) this.#world.committed(this, commit);
    this.#floor = raiseFloor(this.#floor, commit, this.#world.config);
    const lowest = this.#floor.leaderRound - 2 * this.#world.config.gcDepth;
    this.#disk = this.#disk.filter(({ block }) => block.round > lowest || block.author === this.index);
  }

  /** As the runtime: fetches what is ordered from whoever is ahead, and begins anew above it. */
  #catchUp(peer: ValidatorIndex, round: number): void {
    this.behind.push(round);
    const ahead = this.#world.nodes[peer]!;
    if (ahead.actor !== undefined || ahead.#floor.index <= this.#floor.index) return;
    this.#floor = ahead.#floor;
    this.#after(1, () => this.start(false));
  }

  #build({ round, notBeforeMs, emptyNotBeforeMs }: Extract<DagEffect, { kind: "buildPayload" }>): void {
    const { random, nowMs } = this.#world;
    const isEmpty = random.below(3) === 0;
    const waitMs = Math.max(0, (isEmpty ? emptyNotBeforeMs : notBeforeMs) - nowMs);
    this.#after(waitMs, () => {
      const payload = isEmpty ? new Uint8Array() : Uint8Array.of(1, this.index, this.#payloads++ & 255);
      const timestampMs = this.#world.nowMs;
      this.input({ kind: "payload", round, timestampMs, payload, stateCertificate: undefined });
    });
  }

  #broadcast(message: DagMessage): void {
    const { random, nodes } = this.#world;
    if (this.actor === "silent") return;
    const others = nodes.filter((node) => node !== this);
    const isOwn = message.kind === "dag-block";
    const second = isOwn && this.actor === "equivocator" ? this.#other(message) : message;
    for (const { index } of others) {
      if (isOwn && this.actor === "withholder" && random.below(3) > 0) continue;
      this.#world.send(this.index, index, random.below(2) === 0 ? message : second);
    }
    if (this.actor === "forger") this.#forge();
  }

  #other({ block }: SignedDagBlock): DagMessage {
    const payload = Uint8Array.of(1, this.index, this.#world.random.below(4));
    return { kind: "dag-block", ...this.#signed({ ...block, payload }) };
  }

  /** Without some leader, if the rest is a quorum still. */
  #picky(block: DagBlock): DagBlock {
    const { validators } = this.#world.config;
    const parents = block.parents.filter(() => this.#world.random.below(4) > 0);
    const weight = parents.reduce((sum, { author }) => sum + validators.validators[author]!.weight, 0);
    const own = block.previous?.round === block.round - 1 ? validators.validators[this.index]!.weight : 0;
    return block.round > 1 && weight + own >= quorumWeight(validators) ? { ...block, parents } : block;
  }

  #forge(): void {
    const { random, nodes } = this.#world;
    const made = pick(random, this.#made);
    const forged: readonly SignedDagBlock[] = [
      made,
      this.#signed({ ...made.block, round: (made.block.round + 1000) as DagBlock["round"] }),
      this.#signed({ ...made.block, parents: made.block.parents.slice(0, 1) }),
      this.#signed({ ...made.block, payload: Uint8Array.of(INVALID_PAYLOAD) }),
      { ...made, signature: made.signature.map((byte) => byte ^ 1) },
    ];
    this.#world.send(this.index, pick(random, nodes).index, { kind: "dag-block", ...pick(random, forged) });
  }

  #after(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#world.after(delayMs, () => {
      if (life === this.#life && this.isUp) run();
    });
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

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}
