import assert from "node:assert/strict";
import { type Hash, must, type Random } from "@ostrom/base";
import {
  type Commit,
  type CommitFloor,
  type DagBlock,
  type DagEffect,
  type DagInput,
  type DagMessage,
  dagDigest,
  dagSigningBytes,
  FIRST_FLOOR,
  type MysticetiConfig,
  type MysticetiState,
  raiseFloor,
  recoverMysticeti,
  type SignedDagBlock,
  stepMysticeti,
} from "../mysticeti/index.ts";
import { ValidatorIndex } from "../types.ts";
import { quorumWeight } from "../validator-set.ts";
import { simulatedSign } from "./signatures.ts";

/** Byzantine validators: they run the engine too, and bend what it says.
 * - `equivocator` makes two blocks in a round and shows each to some;
 * - `withholder` sends its blocks to few, and answers nobody;
 * - `picker` leaves leaders out of its parents, where a quorum remains;
 * - `forger` sends old blocks, blocks of far rounds, and malformed ones, besides its own;
 * - `silent` says nothing. */
export type DagActor = "equivocator" | "withholder" | "picker" | "forger" | "silent";

export const DAG_ACTORS: readonly DagActor[] = ["equivocator", "withholder", "picker", "forger", "silent"];

/** What a validator lives in. */
export type DagWorld = {
  readonly config: MysticetiConfig;
  readonly random: Random;
  readonly nowMs: number;
  readonly nodes: readonly DagNode[];
  /** Of honest validators, where it is not the engine's own. */
  readonly step: typeof stepMysticeti | undefined;
  readonly accusations: { readonly by: number; readonly author: number }[];
  after(delayMs: number, run: () => void): void;
  send(from: number, to: number, message: DagMessage): void;
  committed(by: DagNode, commit: Commit): void;
};

const MAX_SYNC_MS = 4;
/** First byte of a payload that no honest validator accepts. */
export const INVALID_PAYLOAD = 0xff;

/** One validator: its engine, its disk, and, if it is Byzantine, how it bends what the engine says. */
export class DagNode {
  readonly index: ValidatorIndex;
  readonly actor: DagActor | undefined;
  state: MysticetiState;
  isUp = false;
  losesLog = false;
  readonly #world: DagWorld;
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

  constructor(world: DagWorld, index: number, actor: DagActor | undefined) {
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
    const step = this.actor === undefined ? (this.#world.step ?? stepMysticeti) : stepMysticeti;
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

/** One of a list, which is not empty. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}
