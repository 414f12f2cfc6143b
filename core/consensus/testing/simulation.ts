import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Bytes, createRandom, Height, type Random, toHexDigits, unwrap } from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeMessage,
  encodeMessage,
  type Message,
  type SimplexConfig,
  ValidatorIndex,
  type ValidatorSet,
} from "../index.ts";
import { type ActorName, bend } from "./actors.ts";
import { simulatedDomain, simulatedSet, simulatedSign } from "./signatures.ts";
import { type NodeWorld, SimulatedNode } from "./simulated-node.ts";

export type SimulationOptions = {
  readonly seed: number;
  readonly weights: readonly number[];
  /** Byzantine validators by index; they must weigh less than a third. */
  readonly actors?: ReadonlyMap<number, ActorName | "twin">;
  /** Lost messages in a thousand. */
  readonly lossPerMille?: number;
  readonly duplicatePerMille?: number;
  readonly maxLatencyMs?: number;
  /** Each message goes through the wire codec. */
  readonly encodes?: boolean;
  readonly domain?: ConsensusDomain;
  readonly set?: ValidatorSet;
  readonly sign?: (signer: ValidatorIndex, message: Bytes) => Bytes;
  readonly config?: Partial<SimplexConfig>;
};

type Event = { readonly timeMs: number; readonly order: number; readonly run: () => void };

const MIN_LATENCY_MS = 2;
const MAX_CLOCK_SKEW_MS = 40;

/** A whole network under one seed: nothing happens that the seed did not choose. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly random: Random;
  readonly domain: ConsensusDomain;
  readonly set: ValidatorSet;
  /** All nodes; a twin's second half comes after the others. */
  readonly nodes: SimulatedNode[] = [];
  timeMs = 0;
  steps = 0;
  lossPerMille: number;
  readonly sent: Map<Message["kind"], number> = new Map();
  #events: Event[] = [];
  #order = 0;
  #trace = createHash("sha256");
  #isCut: (from: number, to: number) => boolean = () => false;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = createRandom(options.seed);
    this.domain = options.domain ?? simulatedDomain;
    this.set = options.set ?? simulatedSet(options.weights);
    this.lossPerMille = options.lossPerMille ?? 0;
    for (let index = 0; index < options.weights.length; index++) this.#addNode(index, "");
    for (const [index, actor] of options.actors ?? []) {
      this.nodes[index]!.isHonest = false;
      if (actor === "twin") this.#addNode(index, "'").isHonest = false;
    }
  }

  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter((node) => node.isHonest);
  }

  start(): void {
    for (const node of this.nodes) this.at(this.random.below(50), () => node.start());
  }

  at(delayMs: number, run: () => void): void {
    this.#push({ timeMs: this.timeMs + delayMs, order: this.#order++, run });
  }

  /** Cuts the links for which `isCut` answers true; messages under way still arrive. */
  partition(isCut: (from: number, to: number) => boolean): void {
    this.#isCut = isCut;
  }

  heal(): void {
    this.#isCut = () => false;
    this.lossPerMille = 0;
  }

  /** Runs until the condition holds; fails when simulated time is up.
   * @returns simulated milliseconds that it took. */
  runUntil(isDone: () => boolean, limitMs: number, what: string): number {
    const startMs = this.timeMs;
    while (!isDone()) {
      const event = this.#pop();
      assert.ok(
        event !== undefined && event.timeMs - startMs <= limitMs,
        `seed ${this.options.seed}: ${what}`,
      );
      this.timeMs = event.timeMs;
      event.run();
    }
    return this.timeMs - startMs;
  }

  runFor(durationMs: number): void {
    const endMs = this.timeMs + durationMs;
    while ((this.#events[0]?.timeMs ?? Number.POSITIVE_INFINITY) <= endMs) {
      const event = this.#pop()!;
      this.timeMs = event.timeMs;
      event.run();
    }
    this.timeMs = endMs;
  }

  /** Gives everybody's pool a transaction now and then. */
  keepBusy(intervalMs: number): void {
    this.at(intervalMs, () => {
      for (const node of this.nodes) if (node.isUp) node.addWork();
      this.keepBusy(intervalMs);
    });
  }

  traceHash(): string {
    return this.#trace.copy().digest("hex");
  }

  /** What must hold whatever happened: agreement, and no honest validator against itself. */
  check(): void {
    const seed = `seed ${this.options.seed}`;
    const agreed = new Map<number, string>();
    for (const node of this.honest) {
      for (const { block, digest } of node.store) {
        const known = agreed.get(block.height) ?? toHexDigits(digest);
        assert.equal(toHexDigits(digest), known, `${seed}: two final blocks of height ${block.height}`);
        agreed.set(block.height, known);
      }
      const said = new Map<string, string>();
      for (const { vote } of node.signed) {
        const group = vote.kind === "notarize" ? "notarize" : "end";
        const word = vote.kind === "notarize" ? toHexDigits(vote.digest) : vote.kind;
        const key = `${vote.view}/${group}`;
        assert.equal(
          said.get(key) ?? word,
          word,
          `${seed}: ${node.name} contradicts itself in view ${vote.view}`,
        );
        said.set(key, word);
      }
      for (const { validator } of node.evidence) {
        assert.ok(
          this.options.actors?.has(validator),
          `${seed}: evidence against honest validator ${validator}`,
        );
      }
      for (const fault of node.faults) {
        const culprit = Number(fault.match(/ by (\d+):/)?.[1]);
        assert.ok(this.options.actors?.has(culprit), `${seed}: honest validator blamed: ${fault}`);
      }
    }
  }

  #addNode(index: number, suffix: string): SimulatedNode {
    const config: SimplexConfig = {
      domain: this.domain,
      validators: this.set,
      earlierValidators: [],
      own: ValidatorIndex(index),
      deltaMs: 60,
      deltaGrowthPercent: 150,
      maxDeltaMs: 5_000,
      minBlockIntervalMs: 10,
      emptyBlockIntervalMs: 100,
      standstillMs: 300,
      fetchRetryMs: 30,
      lostLog: false,
      lastHeight: Height(1_000_000),
      frozenHeight: Height(999_000),
      ...this.options.config,
    };
    const skewMs = this.random.below(MAX_CLOCK_SKEW_MS);
    const node = new SimulatedNode(this.#world(), config, `${index}${suffix}`, skewMs);
    this.nodes.push(node);
    return node;
  }

  #world(): NodeWorld {
    return {
      random: this.random,
      now: () => this.timeMs,
      after: (delayMs, run) => this.at(delayMs, run),
      send: (from, to, message) => this.#send(from, to, message),
      sign:
        this.options.sign ??
        ((signer, message) => simulatedSign(this.set.validators[signer]!.consensusKey, message)),
      trace: (text) => this.#trace.update(`${this.timeMs} ${text}\n`),
    };
  }

  #send(from: SimulatedNode, to: ValidatorIndex | undefined, message: Message): void {
    const encoded = this.options.encodes === true ? encodeMessage(message) : undefined;
    const arriving = encoded === undefined ? message : unwrap(decodeMessage(encoded));
    const actor = this.options.actors?.get(from.index);
    for (const node of this.nodes) {
      if (node.index === from.index || (to !== undefined && node.index !== to)) continue;
      const messages =
        actor === undefined || actor === "twin"
          ? [arriving]
          : bend(actor, from, this.random, node.index, arriving);
      for (const one of messages) this.#deliver(from, node, one);
    }
  }

  #deliver(from: SimulatedNode, node: SimulatedNode, message: Message): void {
    this.sent.set(message.kind, (this.sent.get(message.kind) ?? 0) + 1);
    if (this.#isCut(this.nodes.indexOf(from), this.nodes.indexOf(node))) return;
    if (this.random.chance(this.lossPerMille, 1000)) return;
    const copies = this.random.chance(this.options.duplicatePerMille ?? 0, 1000) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const latencyMs = MIN_LATENCY_MS + this.random.below(this.options.maxLatencyMs ?? 20);
      this.at(latencyMs, () => {
        this.steps++;
        if (node.isUp) node.receive(from.index, message);
      });
    }
  }

  /** A binary heap by time, then by order of creation. */
  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above]!, event)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (isBefore(last, heap[below]!)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}
