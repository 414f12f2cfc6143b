import { type Bytes, type Failure, must, toHexDigits, unwrap } from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeMessage,
  decodeStateCertificate,
  type Message,
  type ValidatorSet,
} from "@ostrom/consensus";
import type { Genesis } from "@ostrom/execution";
import type { Channel, Network, PeerId } from "@ostrom/network";
import { consensusSet } from "@ostrom/runtime";
import { readStateCertificate, type Store } from "@ostrom/storage";
import { type Actor, type ActorName, carriesConsensus, createActor } from "./actors.ts";
import { isBatchActor } from "./batch-actors.ts";
import { type SimplexBootOptions, simplexBoot } from "./boot-simplex.ts";
import { type ClientLoad, Clients } from "./clients.ts";
import { SimulatedClock } from "./clock.ts";
import { peerIdOf, simulatedDomain } from "./genesis.ts";
import { Invariants } from "./invariants.ts";
import { KnownSets, seatIn } from "./known-sets.ts";
import type { SimulatedLinks } from "./links.ts";
import { type MachineWorld, SimulatedMachine } from "./machine.ts";
import { MemoryWatch, memoryBounds, ViewProgress } from "./memory-watch.ts";
import { NetworkBatches } from "./network-batches.ts";
import { genesisOfNetwork, USUAL_CLIENTS } from "./network-genesis.ts";
import { linksOfNetwork } from "./network-links.ts";
import type { NetworkOptions } from "./network-options.ts";
import { SIMULATED_PROGRAM } from "./participation/modules.ts";
import { Participation } from "./participation/participation.ts";
import { delayBelow, randomFor } from "./random.ts";
import { KEY_GENERATIONS, type Registrar, registrarOf } from "./registrar.ts";
import {
  type CryptographyCosts,
  MEASURED_COSTS,
  simulatedKeys,
  simulatedSchemes,
  simulatedSign,
} from "./signatures.ts";
import { tapNetwork } from "./tapped-network.ts";
import { describeBatchFrame, describeMessage, jsonOf, Trace } from "./trace.ts";

const MAX_START_MS = 30;
/** Shrunken, so that rare paths run often. */
const SHRUNKEN_LIMITS: SimplexBootOptions["limits"] = { historyBlocks: 16, rotateAtRecords: 24 };

/** Why a node stopped, by code. */
export type NodeFailure = Failure & { readonly machine: number; readonly timeMs: number };

/** A whole network in one process under one seed: clock, links, disks, processors and crashes are simulated, all else is what runs in
 * production. */
export class SimulatedNetwork {
  readonly seed: number;
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  readonly links: SimulatedLinks;
  /** One for each validator, then the second machines of twins. */
  readonly machines: readonly SimulatedMachine[];
  readonly actors: ReadonlyMap<number, ActorName>;
  readonly trace: Trace;
  readonly invariants: Invariants;
  readonly clients: Clients;
  readonly memory: MemoryWatch;
  /** Changes the validator set, where that can be changed. */
  readonly registrar: Registrar | undefined;
  /** Where a module decides who validates. */
  readonly participation: Participation | undefined;
  /** More is faulty than the protocol bears: nothing is promised any more. */
  isOutside = false;
  /** Actors, and validators whose disks may be lost. */
  isFaulty: (identity: number) => boolean = () => false;
  /** Whether a set with these members may come to be. */
  isAcceptable: (members: readonly Member[]) => boolean = () => true;
  /** Nodes that stopped, oldest first. */
  readonly failures: NodeFailure[] = [];
  /** How often something struck. */
  readonly counts: Map<string, number> = new Map();
  /** Hears what machines say, honest or not. */
  onSaid: (machine: SimulatedMachine, message: Message) => void = () => undefined;
  /** Called when a machine has lost its power, or its node has stopped by itself, because of a failure. */
  onDown: (machine: SimulatedMachine, failure: Failure | undefined) => void = () => undefined;
  /** Failure codes that the faults of this run may cause. */
  readonly allowedFailures: Set<string>;
  readonly #identities: readonly number[];
  readonly #sets: KnownSets;
  readonly #hasModules: boolean;
  readonly #acting = new Map<number, Actor>();
  readonly #batches: NetworkBatches | undefined;
  readonly #progress = new ViewProgress();

  constructor(options: NetworkOptions) {
    this.seed = options.seed;
    this.trace = new Trace(() => this.clock.timeMs, options.keepsTrace ?? true);
    this.actors = options.actors ?? new Map();
    this.allowedFailures = new Set(options.seams?.expectedFailures);
    const { participation } = options;
    this.#hasModules = participation !== undefined;
    const candidates = options.standby === undefined ? 0 : options.weights.length + options.standby;
    this.genesis = genesisOfNetwork(options, candidates);
    const costs = options.costs ?? MEASURED_COSTS;
    this.domain = simulatedDomain(this.genesis);
    this.#sets = new KnownSets(this.domain, consensusSet(this.genesis.validatorSet, 0));
    this.invariants = new Invariants({
      domain: this.domain,
      now: () => this.clock.timeMs,
      setOf: (epoch) => this.setOf(epoch),
    });
    const twins = [...this.actors].filter(([, actor]) => actor === "twin").map(([identity]) => identity);
    const count = Math.max(candidates, options.weights.length, participation?.identities ?? 0);
    this.#identities = [...Array.from({ length: count }, (_, index) => index), ...twins];
    this.#batches = options.batches === undefined ? undefined : new NetworkBatches(this, options.batches);
    const bootOptions = this.#bootOptions(costs, { ...SHRUNKEN_LIMITS, ...options.limits });
    const boot = simplexBoot(bootOptions, options.seams?.boot);
    this.machines = this.#identities.map((identity, index) =>
      this.#makeMachine(index, identity, { boot, frameUs: costs.frameUs }),
    );
    this.links = linksOfNetwork(this, options);
    this.clients = new Clients({
      clock: this.clock,
      random: randomFor(this.seed, "clients"),
      count: options.clients ?? USUAL_CLIENTS,
      nodes: () => this.machines.flatMap(({ node }) => (node === undefined ? [] : [node])),
      submitted: (transfer) => {
        this.invariants.submitted(transfer.hash);
        this.participation?.submitted(transfer);
      },
      isExecuted: ({ hash }) => this.invariants.isExecuted(hash),
    });
    this.memory = new MemoryWatch(this);
    this.registrar = registrarOf(this, candidates, options.schemes);
    if (participation !== undefined) this.participation = new Participation(this, participation);
  }

  /** Place of a machine's validator in the first set. */
  identityOf(machine: number): number {
    return this.#identities[machine]!;
  }

  isHonest(machine: number): boolean {
    return !this.actors.has(this.identityOf(machine));
  }

  get honest(): readonly SimulatedMachine[] {
    return this.machines.filter(({ index }) => this.isHonest(index));
  }

  setOf(epoch: number): ValidatorSet | undefined {
    return this.#sets.of(epoch);
  }

  /** Whether machines with these identities could decide alone, in each of the newest sets that are known. */
  isQuorum(identities: readonly number[]): boolean {
    return this.#sets.areQuorum(identities);
  }

  /** Turns all machines on. */
  start(): void {
    const random = randomFor(this.seed, "start");
    for (const machine of this.machines)
      this.clock.at(delayBelow(random, MAX_START_MS), () => machine.start());
  }

  memoryBounds(): Readonly<Record<string, number>> {
    return memoryBounds(this.machines.length, this.#progress.viewsSinceFinal);
  }

  strike(fault: string, times = 1): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + times);
  }

  keepBusy(load: ClientLoad): void {
    this.clients.start(load);
  }

  get highest(): number {
    return Math.max(...this.honest.map(({ height }) => height));
  }

  /** Runs until these machines have certified a height. */
  reach(height: number, limitMs: number, among: readonly SimulatedMachine[] = this.honest): Promise<boolean> {
    return this.#run(() => among.every(({ certified }) => certified >= height), limitMs);
  }

  /** No new transfers; @returns whether all that were sent are executed and certified by these before time is up. */
  settle(limitMs: number, among: readonly SimulatedMachine[] = this.honest): Promise<boolean> {
    this.clients.stop();
    return this.#run(() => among.every((machine) => this.#isSettled(machine)), limitMs);
  }

  /** Runs on until the condition holds, something is wrong, or time is up. */
  async #run(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const isBroken = (): boolean => this.isOutside || this.invariants.violations.length > 0;
    await this.clock.runUntil(() => isDone() || isBroken(), limitMs);
    return isDone();
  }

  runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    return this.#run(isDone, limitMs);
  }

  /** Where everybody is. */
  describe(): string {
    const nodes = this.machines.map((machine) => {
      const state = machine.isUp ? "" : machine.isOn ? "starting " : "off ";
      return `${this.nameOf(machine.index)}: ${state}${machine.height}/${machine.certified}`;
    });
    const failures = this.failures.map(({ machine, code, message }) => `${machine} ${code}: ${message}`);
    return `${Math.round(this.clock.timeMs)} ms; ${nodes.join(", ")}; sent ${this.clients.sent}${failures.length > 0 ? `; failures: ${failures.join("; ")}` : ""}`;
  }

  nameOf(machine: number): string {
    const identity = this.identityOf(machine);
    const actor = this.actors.get(identity);
    return `${machine}${actor === undefined ? "" : ` (${actor}${machine === identity ? "" : ` of ${identity}`})`}`;
  }

  #isSettled({ node }: SimulatedMachine): boolean {
    if (node === undefined) return false;
    const { executed, certified } = node.heads();
    return (
      certified >= executed && executed >= this.invariants.executedHeight && this.clients.hasAll(node.store)
    );
  }

  #makeMachine(
    index: number,
    identity: number,
    program: Pick<MachineWorld, "boot" | "frameUs">,
  ): SimulatedMachine {
    const world: MachineWorld = {
      ...program,
      clock: this.clock,
      links: () => this.links,
      random: (use) => randomFor(this.seed, `${use} ${index}`),
      bend: (network, machine) => this.#tapped(network, machine),
      heard: (machine, channel, payload) => this.#acting.get(machine.index)?.heard(channel, payload),
      logged: (machine, level, message, fields) => {
        this.trace.note(machine.index, () => `${level}: ${message} ${jsonOf(fields ?? {})}`);
        // Over its quota is who catches up over many short epochs, or whose batches a peer that is behind has not seen ordered: what it
        // says is dropped, and it says it again.
        if (message !== "a validator broke a rule" || String(fields?.code).endsWith("/over-quota")) return;
        const accused = this.identityOfPeer(String(fields?.peerId));
        if (this.isHonest(machine.index) && !this.actors.has(accused))
          this.invariants.violate(
            "accusation",
            machine.index,
            `accuses ${accused}: ${JSON.stringify(fields)}`,
          );
      },
      up: (machine) => {
        this.trace.note(machine.index, () => `is up at ${machine.height}`);
        this.trace.count(1, machine.index);
      },
      down: (machine, why) => {
        this.trace.note(machine.index, `is down: ${why}`);
        this.trace.count(2, machine.index);
        if (why === "crash") this.onDown(machine, undefined);
      },
      failed: (machine, failure) => this.#failed(machine, failure),
    };
    return new SimulatedMachine({ index, name: `${index}`, peerId: peerIdOf(identity), world });
  }

  #failed(machine: SimulatedMachine, failure: Failure): void {
    this.trace.note(machine.index, () => `stops: ${failure.code}: ${failure.message}`);
    this.failures.push({ machine: machine.index, timeMs: this.clock.timeMs, ...failure });
    this.strike(`stopped ${failure.code}`);
    if (this.isHonest(machine.index) && !this.allowedFailures.has(failure.code))
      this.invariants.violate("failure", machine.index, `${failure.code}: ${failure.message}`);
    this.onDown(machine, failure);
  }

  /** The disk of the log breaks and is replaced by an empty one. */
  loseLog(machine: SimulatedMachine): void {
    machine.disks.loseLog();
    this.trace.note(machine.index, "lost its log");
  }

  loseDatabase(machine: SimulatedMachine): void {
    machine.disks.loseDatabase();
    this.trace.note(machine.index, "lost its database");
    this.invariants.databaseLost(machine.index);
  }

  /** What honest machines say is heard; what others say is bent. */
  #tapped(network: Network, machine: SimulatedMachine): Network {
    const identity = this.identityOf(machine.index);
    const actor = this.actors.get(identity);
    const listen = (channel: Channel, payload: Bytes, to: PeerId | undefined): void => {
      if (channel === "batches")
        this.trace.note(
          machine.index,
          () => `says to ${this.#nameOfPeer(to)}: ${describeBatchFrame(payload)}`,
        );
      if (!carriesConsensus(channel)) return;
      const message = unwrap(decodeMessage(payload));
      this.trace.note(machine.index, () => `says to ${this.#nameOfPeer(to)}: ${describeMessage(message)}`);
      this.onSaid(machine, message);
      if (actor === "twin") this.participation?.confessed(identity, message);
      if (actor !== undefined) return;
      if (message.kind === "vote") this.#progress.voted(message.vote.vote);
      const seat = (epoch: number): number | undefined => this.#sets.seatIn(epoch, identity);
      this.invariants.said(machine.index, { identity, seat }, message);
    };
    const tapped = tapNetwork(network, listen);
    if (actor === undefined || actor === "twin") return tapped;
    const heard = tapNetwork(network, (channel, payload) => {
      if (carriesConsensus(channel) && this.participation !== undefined)
        this.participation.confessed(identity, unwrap(decodeMessage(payload)));
    });
    const tools = {
      identity,
      random: randomFor(this.seed, `actor ${machine.index}`),
      domain: this.domain,
      setOf: (epoch: number) => this.setOf(epoch),
      seatIn: (set: ValidatorSet) => seatIn(set, identity),
      identityOfPeer: (peerId: PeerId) => this.identityOfPeer(peerId),
      sign: (set: ValidatorSet, message: Bytes) =>
        simulatedSign(set.validators[seatIn(set, identity) ?? 0]!.consensusKey, message),
      bent: (message: Message | undefined, to: number) => {
        this.strike(actor);
        if (message !== undefined)
          this.trace.note(machine.index, () => `bends for ${to}: ${describeMessage(message)}`);
      },
    };
    const acting = isBatchActor(actor)
      ? must(this.#batches, "who lies about batches is where there are some").actor(actor, heard, tools)
      : createActor(actor, heard, tools);
    this.#acting.set(machine.index, acting);
    return acting.network;
  }

  /** What honest nodes keep against others must be true. */
  examineEvidence(): void {
    this.#batches?.examineEvidence();
  }

  #nameOfPeer(peerId: PeerId | undefined): string {
    if (peerId === undefined) return "all";
    return String(this.identityOfPeer(peerId));
  }

  /** Whose links are known by a name. */
  identityOfPeer(peerId: PeerId): number {
    return this.#identities.findIndex((identity) => peerIdOf(identity) === peerId);
  }

  /** The set of the next epoch: all must come to the same. */
  #learnSets(machine: number, set: ValidatorSet | undefined): void {
    if (set !== undefined && this.isHonest(machine) && !this.#sets.learn(set))
      this.invariants.violate("agreement", machine, `has another validator set of epoch ${set.epoch}`);
  }

  #bootOptions(costs: CryptographyCosts, limits: SimplexBootOptions["limits"]): SimplexBootOptions {
    return {
      genesis: this.genesis,
      signaturesOf: (charge) => simulatedSchemes(costs, charge),
      keys: (machine, charge) => simulatedKeys(this.identityOf(machine), KEY_GENERATIONS, { costs, charge }),
      limits,
      ...(this.#hasModules ? { installed: SIMULATED_PROGRAM } : {}),
      ...(this.#batches === undefined ? {} : { batches: this.#batches.boot }),
      stored: (machine, report, store) => {
        this.participation?.stored(machine, report, store);
        this.#batches?.stored(machine, report.height, store);
      },
      executed: (machine, report, setOf) => {
        this.trace.note(
          machine,
          () => `executed ${report.height} ${toHexDigits(report.executedHash).slice(0, 8)}`,
        );
        this.trace.count(3, machine, report.height);
        this.#learnSets(machine, setOf(report.epoch + 1));
        this.#progress.final(report);
        if (this.isHonest(machine)) this.invariants.executed(machine, report);
      },
      certified: (machine, height, store) => this.#certified(machine, height, store),
      punished: (machine, peerId, reason) => {
        this.strike("peers punished");
        const peer = this.identityOfPeer(peerId);
        this.trace.note(machine, `punishes ${peer}: ${reason}`);
        if (this.isHonest(machine) && !this.actors.has(peer))
          this.invariants.violate("accusation", machine, `punishes ${peer}: ${reason}`);
      },
      recovered: (machine, height) => {
        this.trace.note(machine, `found height ${height} on its disk`);
        if (this.isHonest(machine)) this.invariants.recovered(machine, height);
      },
    };
  }

  #certified(machine: number, height: number, store: Store): void {
    this.trace.count(4, machine, height);
    const bytes = readStateCertificate(store, height);
    if (!this.isHonest(machine) || bytes === undefined) return;
    this.invariants.stateCertificate(machine, unwrap(decodeStateCertificate(bytes)));
  }
}

type Member = { readonly identity: number; readonly weight: number };
