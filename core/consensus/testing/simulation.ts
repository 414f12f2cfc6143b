import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type Bytes,
  createRandom,
  EventQueue,
  type Hash,
  type Random,
  toHexDigits,
  unwrap,
} from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeEvidence,
  decodeMessage,
  encodeEvidence,
  encodeMessage,
  epochOfEvidence,
  type Message,
  type OrderedBlock,
  type ValidatorIndex,
  type ValidatorSet,
  verifyEvidence,
} from "../index.ts";
import { type ActorName, bend } from "./actors.ts";
import { type EpochPlan, endlessPlan, type PlannedSet, plannedSet } from "./epoch-plan.ts";
import type { NodeSettings, NodeWorld } from "./node-world.ts";
import { simulatedDomain, simulatedSign } from "./signatures.ts";
import { SimulatedNode } from "./simulated-node.ts";

export type SimulationOptions = {
  readonly seed: number;
  /** Of the first set's validators, one a machine. */
  readonly weights: readonly number[];
  /** More machines than that, which follow until a set names them. */
  readonly spareMachines?: number;
  /** Without one, the first epoch never ends. */
  readonly plan?: EpochPlan;
  /** Byzantine machines by number; they must weigh less than a third of every set. */
  readonly actors?: ReadonlyMap<number, ActorName | "twin">;
  /** Lost messages in a thousand. */
  readonly lossPerMille?: number;
  readonly duplicatePerMille?: number;
  readonly maxLatencyMs?: number;
  /** Each message goes through the wire codec. */
  readonly encodes?: boolean;
  readonly domain?: ConsensusDomain;
  /** Instead of the plan's first set. */
  readonly set?: ValidatorSet;
  readonly sign?: (signer: ValidatorIndex, message: Bytes) => Bytes;
  readonly config?: Partial<NodeSettings>;
};

type Event = { readonly timeMs: number; readonly run: () => void };

const MIN_LATENCY_MS = 2;
const MAX_CLOCK_SKEW_MS = 40;

/** A whole network under one seed: nothing happens that the seed did not choose. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly random: Random;
  readonly domain: ConsensusDomain;
  readonly plan: EpochPlan;
  readonly firstSet: PlannedSet;
  /** All nodes; a twin's second half comes after the others. */
  readonly nodes: SimulatedNode[] = [];
  /** Digests of all blocks that were ever final at an honest node, by height. */
  readonly agreed: Map<number, string> = new Map();
  timeMs = 0;
  steps = 0;
  lossPerMille: number;
  readonly sent: Map<Message["kind"], number> = new Map();
  readonly #events = new EventQueue<Event>();
  #trace = createHash("sha256");
  #isCut: (from: number, to: number) => boolean = () => false;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.random = createRandom(options.seed);
    this.domain = options.domain ?? simulatedDomain;
    this.plan = options.plan ?? endlessPlan(options.weights);
    const planned = plannedSet(this.plan, 0, this.plan.first);
    this.firstSet = options.set === undefined ? planned : { ...planned, set: options.set };
    this.lossPerMille = options.lossPerMille ?? 0;
    const machines = options.weights.length + (options.spareMachines ?? 0);
    for (let machine = 0; machine < machines; machine++) this.#addNode(machine, "");
    for (const [machine, actor] of options.actors ?? []) {
      this.nodes[machine]!.isHonest = false;
      if (actor === "twin") this.#addNode(machine, "'").isHonest = false;
    }
  }

  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter((node) => node.isHonest);
  }

  start(): void {
    for (const node of this.nodes) this.at(this.random.below(50), () => node.start());
  }

  at(delayMs: number, run: () => void): void {
    this.#events.put({ timeMs: this.timeMs + delayMs, run });
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
      const event = this.#events.take();
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
    while ((this.#events.nextMs ?? Number.POSITIVE_INFINITY) <= endMs) {
      const event = this.#events.take()!;
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

  /** What must hold whatever happened: agreement on blocks (checked as they become final) and on sets, and no honest validator
   * against itself. */
  check(): void {
    const sets: PlannedSet[] = [];
    for (const node of this.honest) {
      for (const [epoch, planned] of node.sets.entries()) {
        sets[epoch] ??= planned;
        assert.deepEqual(planned, sets[epoch], `${this.#seed}: two sets of epoch ${epoch}`);
      }
      this.#checkVotes(node);
    }
    for (const node of this.honest) {
      for (const { machine, evidence } of node.evidence) {
        assert.ok(this.options.actors?.has(machine), `${this.#seed}: evidence against honest ${machine}`);
        const read = unwrap(decodeEvidence(encodeEvidence(evidence)));
        const { set } = sets[epochOfEvidence(read)]!;
        unwrap(verifyEvidence(this.domain, set, read));
      }
      for (const { machine, text } of node.faults)
        assert.ok(
          this.options.actors?.has(machine),
          `${this.#seed}: ${machine} is honest, and blamed: ${text}`,
        );
    }
  }

  get #seed(): string {
    return `seed ${this.options.seed}`;
  }

  #checkVotes(node: SimulatedNode): void {
    const said = new Map<string, string>();
    const note = (question: string, answer: string): void => {
      const before = said.get(question) ?? answer;
      assert.equal(answer, before, `${this.#seed}: ${node.name} contradicts itself about ${question}`);
      said.set(question, answer);
    };
    for (const { vote } of node.signed) {
      const group = vote.kind === "notarize" ? "notarize" : "end";
      const word = vote.kind === "notarize" ? toHexDigits(vote.digest) : vote.kind;
      note(`epoch ${vote.epoch}, view ${vote.view}, ${group}`, word);
    }
    for (const { executed } of node.signedResults)
      note(`height ${executed.height}`, toHexDigits(executed.executedHash) + executed.epoch);
  }

  #finalized(node: SimulatedNode, block: OrderedBlock, digest: Hash): void {
    if (!node.isHonest) return;
    const known = this.agreed.get(block.height) ?? toHexDigits(digest);
    assert.equal(toHexDigits(digest), known, `${this.#seed}: two final blocks of height ${block.height}`);
    this.agreed.set(block.height, known);
    const { length } = this.plan;
    assert.equal(
      block.epoch,
      Math.ceil(block.height / length) - 1,
      `${this.#seed}: a block outside its epoch`,
    );
  }

  #addNode(machine: number, suffix: string): SimulatedNode {
    const settings: NodeSettings = {
      deltaMs: 60,
      deltaGrowthPercent: 150,
      maxDeltaMs: 5_000,
      minBlockIntervalMs: 10,
      emptyBlockIntervalMs: 100,
      standstillMs: 300,
      fetchRetryMs: 30,
      ...this.options.config,
    };
    const skewMs = this.random.below(MAX_CLOCK_SKEW_MS);
    const node = new SimulatedNode(this.#world(), machine, settings, `${machine}${suffix}`, skewMs);
    this.nodes.push(node);
    return node;
  }

  #world(): NodeWorld<SimulatedNode> {
    const { sign } = this.options;
    return {
      random: this.random,
      domain: this.domain,
      plan: this.plan,
      firstSet: this.firstSet,
      now: () => this.timeMs,
      after: (delayMs, run) => this.at(delayMs, run),
      send: (from, to, message) => this.#send(from, to, message),
      sign: ({ set }, signer, message) =>
        sign === undefined
          ? simulatedSign(set.validators[signer]!.consensusKey, message)
          : sign(signer, message),
      trace: (text) => this.#trace.update(`${this.timeMs} ${text}\n`),
      finalized: (node, block, digest) => this.#finalized(node, block, digest),
    };
  }

  #send(from: SimulatedNode, to: number | undefined, message: Message): void {
    const encoded = this.options.encodes === true ? encodeMessage(message) : undefined;
    const arriving = encoded === undefined ? message : unwrap(decodeMessage(encoded));
    const actor = this.options.actors?.get(from.machine);
    for (const node of this.nodes) {
      if (node.machine === from.machine || (to !== undefined && node.machine !== to)) continue;
      const messages =
        actor === undefined || actor === "twin"
          ? [arriving]
          : bend(actor, from, this.random, node.machine, arriving);
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
        if (node.isUp) node.receive(from.machine, message);
      });
    }
  }
}
