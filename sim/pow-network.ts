import { type Address, type Failure, hashFromWord, must, toHexDigits } from "@ostrom/base";
import { decodePowMessage, type PowMessage } from "@ostrom/consensus";
import {
  addressOfSecretKey,
  createPowGenesis,
  genesisHash,
  type PowGenesis,
  type PowParameters,
} from "@ostrom/execution";
import type { Network } from "@ostrom/network";
import type { ExecutionReport } from "@ostrom/runtime";
import { readBody, readHead, readHeader, type Store } from "@ostrom/storage";
import { powBoot } from "./boot-pow.ts";
import { Clients } from "./clients.ts";
import { SimulatedClock } from "./clock.ts";
import { peerIdOf, SIMULATED_CHAIN_ID, SIMULATED_GENESIS_MS, simulatedGenesis } from "./genesis.ts";
import type { InvariantName, Violation } from "./invariants.ts";
import { PERFECT_LINKS, SimulatedLinks } from "./links.ts";
import { type MachineWorld, SimulatedMachine } from "./machine.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { createPowActor, type PowActor, type PowActorName } from "./pow-actors.ts";
import { delayBelow, randomFor } from "./random.ts";
import { jsonOf, Trace } from "./trace.ts";

export type PowNetworkOptions = {
  readonly seed: number;
  /** Parts of the hash rate, one for each node; 0: it does not mine. */
  readonly hashShares: readonly number[];
  readonly actors?: ReadonlyMap<number, PowActorName>;
  readonly parameters?: Partial<PowParameters>;
  /** Reorganisations may be deeper than what nodes have called final: so long were they apart. */
  readonly isFinalityAtRisk?: boolean;
};

const COINBASES = 30_000n;
const CLIENTS = 4;
const LATENCY_MS = 4;
const JITTER_MS = 8;
const FRAME_US = 30;
const MAX_START_MS = 30;
const MAX_VIOLATIONS = 20;
const PATIENCE_INTERVALS = 4;
const REWARD = 2n * 10n ** 18n;

const PARAMETERS = {
  hash: "sha256",
  targetIntervalMs: 200,
  halflifeMs: 20_000,
  initialTarget: 2n ** 240n,
  finalityDepth: 24,
  maxReorgDepth: 40,
  blockReward: REWARD,
} as const;

/** A network of a mined chain in one process under one seed: who finds a block is chance in simulated time, all else of a node is what
 * runs in production. */
export class SimulatedPowNetwork {
  readonly seed: number;
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly genesis: PowGenesis;
  readonly links: SimulatedLinks;
  readonly machines: readonly SimulatedMachine[];
  readonly actors: ReadonlyMap<number, PowActorName>;
  readonly trace: Trace;
  readonly clients: Clients;
  readonly memory: MemoryWatch;
  readonly counts: Map<string, number> = new Map();
  readonly allowedFailures: Set<string> = new Set();
  readonly violations: Violation[] = [];
  readonly invariants: {
    readonly violate: (invariant: InvariantName, machine: number | undefined, message: string) => void;
  };
  onDown: (machine: SimulatedMachine, failure: Failure | undefined) => void = () => undefined;
  /** Blocks that some honest node has executed. */
  executions = 0;
  reorganisations = 0;
  readonly #isFinalityAtRisk: boolean;
  readonly #results = new Map<string, string>();
  readonly #finalized = new Map<number, string>();
  readonly #submitted = new Set<string>();
  readonly #acting = new Map<number, PowActor>();

  constructor(options: PowNetworkOptions) {
    this.seed = options.seed;
    this.actors = options.actors ?? new Map();
    this.#isFinalityAtRisk = options.isFinalityAtRisk ?? false;
    this.trace = new Trace(() => this.clock.timeMs, true);
    this.invariants = {
      violate: (invariant, machine, message) => {
        if (this.violations.length < MAX_VIOLATIONS)
          this.violations.push({ invariant, timeMs: this.clock.timeMs, machine, message });
      },
    };
    this.genesis = makeGenesis(options.parameters);
    const boot = powBoot({
      genesis: this.genesis,
      genesisHash: genesisHash(this.genesis),
      coinbase: coinbaseOf,
      hashShare: (machine) => must(options.hashShares[machine], "each machine has its share"),
      historyBlocks: 2 * this.genesis.consensus.maxReorgDepth,
      executed: (machine, report) => this.#executed(machine, report),
      finalized: (machine, height, store) => this.#isFinal(machine, height, store),
      unwound: (machine) => {
        this.reorganisations++;
        this.trace.note(machine, "takes a block off");
        this.strike("blocks taken off");
      },
      punished: (machine, peerId, reason) => this.#punished(machine, peerId, reason),
    });
    this.machines = options.hashShares.map((_, index) => this.#makeMachine(index, boot));
    this.links = new SimulatedLinks({
      clock: this.clock,
      random: randomFor(this.seed, "links"),
      ends: this.machines,
      latencyMs: () => LATENCY_MS,
      watch: {
        arrived: ({ from, to, fingerprint }) => this.trace.count(from, to, fingerprint),
        lost: (_, why) => this.strike(`frames lost (${why})`),
        duplicated: () => this.strike("frames duplicated"),
      },
    });
    this.links.condition(() => ({ ...PERFECT_LINKS, jitterMs: JITTER_MS }));
    this.clients = new Clients({
      clock: this.clock,
      random: randomFor(this.seed, "clients"),
      count: CLIENTS,
      nodes: () => this.machines.flatMap(({ node }) => (node === undefined ? [] : [node])),
      submitted: ({ hash }) => this.#submitted.add(toHexDigits(hash)),
      // A block may be taken off: clients insist until the end.
      isExecuted: () => false,
    });
    this.memory = new MemoryWatch(this);
  }

  identityOf(machine: number): number {
    return machine;
  }

  isHonest(machine: number): boolean {
    return !this.actors.has(machine);
  }

  get honest(): readonly SimulatedMachine[] {
    return this.machines.filter(({ index }) => this.isHonest(index));
  }

  get highest(): number {
    return Math.max(...this.honest.map(({ height }) => height));
  }

  memoryBounds(): Readonly<Record<string, number>> {
    return {
      headers: 8_192,
      bodies: 1_024,
      requests: 256,
      peers: this.machines.length,
      inputs: 4_096,
      transactions: 4_096,
    };
  }

  strike(fault: string, times = 1): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + times);
  }

  start(): void {
    const random = randomFor(this.seed, "start");
    for (const machine of this.machines)
      this.clock.at(delayBelow(random, MAX_START_MS), () => machine.start());
  }

  loseLog(): void {
    // A mined chain has no votes to remember.
  }

  loseDatabase(machine: SimulatedMachine): void {
    machine.disks.loseDatabase();
    this.trace.note(machine.index, "lost its database");
  }

  nameOf(machine: number): string {
    const actor = this.actors.get(machine);
    return actor === undefined ? `${machine}` : `${machine} (${actor})`;
  }

  async runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    await this.clock.runUntil(() => isDone() || this.violations.length > 0, limitMs);
    return isDone();
  }

  /** Whether all honest nodes stand on one block that has all that was sent. */
  isSettled(): boolean {
    const heads = this.honest.map(({ node }) => (node === undefined ? undefined : headHash(node.store)));
    if (heads.some((head) => head === undefined || head !== heads[0])) return false;
    return this.honest.every(({ node }) => node !== undefined && this.clients.hasAll(node.store));
  }

  describe(): string {
    const nodes = this.machines.map((machine) => {
      const { node, height, certified } = machine;
      const head = node === undefined ? "off" : (headHash(node.store) ?? "").slice(0, 8);
      return `${this.nameOf(machine.index)}: ${height}/${certified} ${head}`;
    });
    return `${Math.round(this.clock.timeMs)} ms; ${nodes.join(", ")}; sent ${this.clients.sent}`;
  }

  /** The chain that all have come to: each transaction was sent by a client, and is in it once. */
  checkChain(): void {
    const store = this.honest[0]?.node?.store;
    if (store === undefined) return;
    const seen = new Set<string>();
    const head = must(readHead(store), "an open chain has a head").height;
    for (let height = 1; height <= head; height++) {
      for (const { hash } of readBody(store, height) ?? []) {
        const name = toHexDigits(hash);
        if (!this.#submitted.has(name))
          this.invariants.violate("validity", 0, `block ${height}: nobody sent ${name}`);
        if (seen.has(name)) this.invariants.violate("validity", 0, `block ${height}: ${name} a second time`);
        seen.add(name);
      }
    }
  }

  #makeMachine(index: number, boot: MachineWorld["boot"]): SimulatedMachine {
    const world: MachineWorld = {
      clock: this.clock,
      links: () => this.links,
      random: (use) => randomFor(this.seed, `${use} ${index}`),
      boot,
      frameUs: FRAME_US,
      bend: (network, machine) => this.#bent(network, machine),
      heard: (machine, channel, payload) => {
        if (channel !== "transactions") this.#acting.get(machine.index)?.heard(payload);
      },
      logged: (machine, level, message, fields) => {
        this.trace.note(machine.index, () => `${level}: ${message} ${jsonOf(fields ?? {})}`);
      },
      up: (machine) => this.trace.note(machine.index, () => `is up at ${machine.height}`),
      down: (machine, why) => {
        this.trace.note(machine.index, `is down: ${why}`);
        this.trace.count(2, machine.index);
        if (why === "crash") this.onDown(machine, undefined);
      },
      failed: (machine, failure) => {
        this.trace.note(machine.index, () => `stops: ${failure.code}: ${failure.message}`);
        this.strike(`stopped ${failure.code}`);
        if (this.isHonest(index) && !this.allowedFailures.has(failure.code))
          this.invariants.violate("failure", index, `${failure.code}: ${failure.message}`);
        this.onDown(machine, failure);
      },
    };
    return new SimulatedMachine({ index, name: `${index}`, peerId: peerIdOf(index), world });
  }

  #bent(network: Network, machine: SimulatedMachine): Network {
    const noted: Network = {
      ...network,
      send: (peerId, channel, payload) => {
        const read = channel === "transactions" ? undefined : decodePowMessage(payload);
        if (read?.ok) this.trace.note(machine.index, () => `says: ${describe(read.value)}`);
        return network.send(peerId, channel, payload);
      },
    };
    const name = this.actors.get(machine.index);
    if (name === undefined) return noted;
    const actor = createPowActor(name, noted, {
      random: randomFor(this.seed, `actor ${machine.index}`),
      clock: this.clock,
      coinbase: toHexDigits(coinbaseOf(machine.index)),
      patienceMs: PATIENCE_INTERVALS * this.genesis.consensus.targetIntervalMs,
      bent: () => this.strike(name),
    });
    this.#acting.set(machine.index, actor);
    return actor.network;
  }

  /** The same block comes to the same result everywhere. */
  #executed(machine: number, report: ExecutionReport): void {
    const [ordered, result] = [toHexDigits(report.orderDigest), toHexDigits(report.executedHash)];
    this.trace.note(machine, () => `executed ${report.height} ${result.slice(0, 8)}`);
    this.trace.count(3, machine, report.height);
    this.executions++;
    const before = this.#results.get(ordered);
    this.#results.set(ordered, before ?? result);
    if (before !== undefined && before !== result)
      this.invariants.violate(
        "certified-is-executed",
        machine,
        `block ${report.height} came to ${result}, not ${before}`,
      );
  }

  #isFinal(machine: number, height: number, store: Store): void {
    const hash = readHeader(store, height)?.hash;
    if (hash === undefined || !this.isHonest(machine) || this.#isFinalityAtRisk) return;
    const name = toHexDigits(hash);
    const before = this.#finalized.get(height);
    this.#finalized.set(height, before ?? name);
    if (before !== undefined && before !== name)
      this.invariants.violate("agreement", machine, `calls another block ${height} final`);
  }

  #punished(machine: number, peerId: string, reason: string): void {
    this.strike("peers punished");
    const peer = this.machines.findIndex((other) => other.peerId === peerId);
    this.trace.note(machine, `punishes ${peer}: ${reason}`);
    if (this.isHonest(machine) && this.isHonest(peer))
      this.invariants.violate("accusation", machine, `punishes ${peer}: ${reason}`);
  }
}

function makeGenesis(parameters: Partial<PowParameters> = {}): PowGenesis {
  const { alloc, validatorSet } = simulatedGenesis({ weights: [1], clients: CLIENTS });
  return createPowGenesis({
    profile: "dev",
    chainId: SIMULATED_CHAIN_ID,
    timestampMs: SIMULATED_GENESIS_MS,
    validators: validatorSet.validators,
    accounts: alloc.filter(({ code }) => code.length === 0),
    pow: { ...PARAMETERS, ...parameters },
  });
}

function coinbaseOf(machine: number): Address {
  return addressOfSecretKey(hashFromWord(COINBASES + BigInt(machine)));
}

function headHash(store: Store): string | undefined {
  const head = readHead(store);
  const hash = head === undefined ? undefined : readHeader(store, head.height)?.hash;
  return hash === undefined ? undefined : toHexDigits(hash);
}

function describe(message: PowMessage): string {
  switch (message.kind) {
    case "inventory":
      return `has ${message.tip.height}`;
    case "announce":
    case "headers":
      return `${message.kind} ${message.headers[0]?.height ?? "none"}..${message.headers.at(-1)?.height ?? ""}`;
    case "get-headers":
      return `asks for headers after ${message.locator[0]?.height ?? 0}`;
    case "get-block":
      return `asks for block ${message.block.height}`;
    case "block":
      return `block ${message.block.header.height}`;
    default:
      return message satisfies never;
  }
}
