import assert from "node:assert/strict";
import { bytesToBigint, createRandom, equalBytes, Height, must, toHexDigits } from "@ostrom/base";
import {
  domainOfSet,
  type Effect,
  type Evidence,
  type Executed,
  epochOfMessage,
  type FinalizedTip,
  isRecordLive,
  type LogRecord,
  type Message,
  type SealProof,
  type SignedExecuted,
  type SignedVote,
  type SimplexConfig,
  type SimplexState,
  type StateCertificate,
  ValidatorIndex,
  validatorSetHash,
} from "../index.ts";
import { type PlannedSet, plannedSet } from "./epoch-plan.ts";
import {
  EarlyMessages,
  GENESIS_TIMESTAMP_MS,
  type LostVotes,
  lostAfterVote,
  mustAskIn,
  startAfter,
} from "./node-memory.ts";
import type { NodeSettings, NodeWorld } from "./node-world.ts";
import { type StoredBlock, servedBlocks } from "./served-blocks.ts";
import { type EpochHost, SimulatedEpoch } from "./simulated-epoch.ts";

const MAX_EXECUTION_MS = 20;

/** A node with a log, a store, timers and a pool: what node/runtime is to the real one. Blocks are on disk when they are executed. */
export class SimulatedNode {
  readonly machine: number;
  readonly name: string;
  settings: NodeSettings;
  isUp = false;
  isHonest = true;
  /** Everything this validator signed that reached its disk, over all its lives. */
  readonly signed: SignedVote[] = [];
  readonly signedResults: SignedExecuted[] = [];
  readonly evidence: { readonly machine: number; readonly evidence: Evidence }[] = [];
  readonly faults: { readonly machine: number; readonly text: string }[] = [];
  readonly store: StoredBlock[] = [];
  readonly results: Executed[] = [];
  readonly sets: PlannedSet[];
  readonly proofs: Map<number, SealProof> = new Map();
  certificate: StateCertificate | undefined;
  pool = 0;
  #current: SimulatedEpoch | undefined;
  #previous: SimulatedEpoch | undefined;
  readonly #world: NodeWorld<SimulatedNode>;
  readonly #clockOffsetMs: number;
  #log: LogRecord[] = [];
  #unsynced: LogRecord[] = [];
  #lost: LostVotes = { kind: "whole" };
  #life = 0;
  #early = new EarlyMessages();
  #lastBlock: Extract<Effect, { kind: "finalized" }> | undefined;
  #nextTip: FinalizedTip | undefined;
  #asked: number | undefined;
  #canAsk = true;
  #isPaused = false;

  constructor(
    world: NodeWorld<SimulatedNode>,
    machine: number,
    settings: NodeSettings,
    name: string,
    clockOffsetMs: number,
  ) {
    this.#world = world;
    this.machine = machine;
    this.settings = settings;
    this.name = name;
    this.#clockOffsetMs = clockOffsetMs;
    this.sets = [world.firstSet];
  }

  get height(): number {
    return this.store.length;
  }

  get clockMs(): number {
    return GENESIS_TIMESTAMP_MS + Math.floor(this.#world.now()) + this.#clockOffsetMs;
  }

  get current(): SimulatedEpoch {
    return must(this.#current, "only a node that was started has an epoch");
  }

  get state(): SimplexState {
    return must(this.current.state, "the current epoch orders blocks");
  }

  get config(): SimplexConfig {
    return this.current.config;
  }

  get epoch(): number {
    return this.config.validators.epoch;
  }

  /** Its place in the set of the epoch it is in. */
  get index(): ValidatorIndex | undefined {
    return this.config.own;
  }

  start(): void {
    this.#life++;
    this.isUp = true;
    const tip = startAfter(this.store.at(-1)?.tip, this.#world.plan.length, this.#world.domain.genesisHash);
    const certified = this.certificate?.executed.height ?? 0;
    const hasOlder = this.results.some(({ epoch, height }) => epoch === tip.epoch - 1 && height > certified);
    this.#previous = hasOlder ? this.#open(tip.epoch - 1, undefined) : undefined;
    this.#current = this.#open(tip.epoch, tip);
    this.#previous?.start();
    this.#current.start();
    this.#after(0, () => this.#execute());
  }

  /** Loses what was not synced or executed, and everything that was under way. */
  crash(): void {
    this.#world.trace(`${this.name} crashes`);
    this.isUp = false;
    this.#life++;
    this.#log.push(...this.#unsynced.slice(0, this.#world.random.below(this.#unsynced.length + 1)));
    this.#unsynced = [];
    this.store.length = this.results.length;
    this.#early = new EarlyMessages();
    this.#lastBlock = undefined;
    this.#nextTip = undefined;
    this.#canAsk = true;
  }

  /** The disk of the log is lost, and its operator knows. */
  loseLog(): void {
    if (this.isUp) this.crash();
    this.#world.trace(`${this.name} loses its log`);
    this.#log = [];
    this.#lost = { kind: "lost" };
  }

  receive(from: number, message: Message): void {
    const epoch = epochOfMessage(message);
    if (epoch === undefined) this.#question(from, message);
    else if (epoch > this.epoch) this.#hearAhead(from, message);
    else if (epoch === this.epoch) this.#hearNow(from, message);
    else if (epoch === this.epoch - 1) hearIn(this.#previous, this.#seatOf(from, epoch), message);
    const carried = message.kind === "proposal" ? message.block.stateCertificate : undefined;
    if (carried !== undefined) this.#certify(carried);
  }

  addWork(): void {
    this.pool++;
    if (this.pool === 1) this.current.input({ kind: "work", pending: true });
    this.current.tryOffer();
  }

  #hearAhead(from: number, message: Message): void {
    this.#early.keep(from, message);
    const index = this.#seatOf(from, this.epoch);
    if (index !== undefined) this.current.receive(index, message);
    else if (this.#canAsk && this.#nextTip === undefined) {
      this.#canAsk = false;
      this.#asked = from;
      this.#after(this.settings.fetchRetryMs, () => {
        this.#canAsk = true;
      });
      const fromHeight = Height(this.state.tip.height + 1);
      this.#world.send(this, from, { kind: "block-range-request", fromHeight });
    }
  }

  #hearNow(from: number, message: Message): void {
    const index = this.#seatOf(from, this.epoch);
    if (index !== undefined) this.current.receive(index, message);
    else if (message.kind === "block-range" && this.#asked === from) {
      this.#asked = undefined;
      this.current.input({ kind: "message", from: undefined, message });
    }
  }

  #question(from: number, message: Message): void {
    if (message.kind === "block-range-request") this.#serveBlocks(from, message.fromHeight);
    const newest = this.certificate;
    if (message.kind !== "state-certificate-request" || newest === undefined) return;
    if (newest.executed.height >= message.height)
      this.#world.send(this, from, { kind: "state-certificate", certificate: newest });
  }

  #seatOf(machine: number, epoch: number): ValidatorIndex | undefined {
    const index = this.sets[epoch]?.members.findIndex((member) => member.machine === machine) ?? -1;
    return index < 0 ? undefined : ValidatorIndex(index);
  }

  #certify(certificate: StateCertificate): void {
    const { epoch } = certificate.executed;
    if (epoch === this.epoch) this.current.certify({ kind: "certificate", certificate });
    else if (epoch === this.epoch - 1) this.#previous?.certify({ kind: "certificate", certificate });
  }

  #lastHeightOf(epoch: number): Height {
    return Height((epoch + 1) * this.#world.plan.length);
  }

  /** The block whose state names the set of the epoch after. */
  #frozenHeightOf(epoch: number): Height {
    return Height(this.#lastHeightOf(epoch) - this.#world.plan.lead);
  }

  /** @param tip undefined: the epoch's blocks are final, its results are not certified. */
  #open(epoch: number, tip: FinalizedTip | undefined): SimulatedEpoch {
    const { set } = must(this.sets[epoch], "the set of an epoch is known before it begins");
    const earlier = this.sets[epoch - 1]?.set;
    const config: SimplexConfig = {
      domain: domainOfSet(this.#world.domain, set),
      validators: set,
      earlierValidators: earlier === undefined ? [] : [earlier],
      own: this.#seatOf(this.machine, epoch),
      lastHeight: this.#lastHeightOf(epoch),
      leastCertified: epoch === 0 ? Height(0) : this.#frozenHeightOf(epoch - 1),
      ...this.settings,
      lostLog: mustAskIn(this.#lost, epoch),
    };
    const certified = this.certificate?.executed.height ?? 0;
    const results = this.results.filter((result) => result.epoch === epoch && result.height > certified);
    const beginning = { tip, records: this.#log, certificate: this.certificate, results };
    return new SimulatedEpoch(config, beginning, this.#hostOf(epoch));
  }

  #hostOf(epoch: number): EpochHost {
    const world = this.#world;
    const planned = must(this.sets[epoch], "the set of an epoch is known before it begins");
    const machineOf = (index: ValidatorIndex): number => planned.members[index]!.machine;
    return {
      random: world.random,
      clockMs: () => this.clockMs,
      after: (delayMs, run) => this.#after(delayMs, run),
      send: (to, message) => world.send(this, to === undefined ? undefined : machineOf(to), message),
      sign: (message) =>
        world.sign(planned, must(this.#seatOf(this.machine, epoch), "it has a seat"), message),
      trace: (text) => world.trace(`${this.name} ${text}`),
      persist: (record) => this.#unsynced.push(record),
      writeVote: (vote) => this.#writeVote(vote),
      writeExecuted: (signed) => this.signedResults.push(signed),
      pool: () => this.pool,
      newestCertificate: () => this.certificate,
      serveBlocks: (to, fromHeight) => this.#serveBlocks(machineOf(to), fromHeight),
      finalized: (effect) => this.#finalized(effect),
      ended: (effect) => this.#ended(effect),
      certified: (certificate) => this.#certified(epoch, certificate),
      told: (effect) => {
        if (effect.kind === "fault") {
          const text = `${effect.code}: ${effect.message}`;
          this.faults.push({ machine: machineOf(effect.peer), text });
        } else {
          const { first } = "evidence" in effect ? effect.evidence : effect;
          const validator = first.signer;
          const evidence: Evidence =
            "evidence" in effect ? effect.evidence : { ...effect, kind: "results", validator };
          this.evidence.push({ machine: machineOf(validator), evidence });
        }
      },
    };
  }

  #after(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#world.after(delayMs, () => {
      if (life === this.#life) run();
    });
  }

  #writeVote(vote: SignedVote): void {
    this.#log.push(...this.#unsynced, { kind: "vote", vote });
    this.#unsynced = [];
    this.#lost = lostAfterVote(this.#lost, vote.vote.epoch);
    this.signed.push(vote);
  }

  #finalized(effect: Extract<Effect, { kind: "finalized" }>): void {
    const { block } = effect;
    assert.equal(block.height, this.height + 1, "final blocks come in height order, each once");
    const parent = this.store.at(-1)?.digest ?? this.#world.domain.genesisHash;
    assert.ok(equalBytes(block.parent, parent), "each final block extends the last");
    // What proves the last block final is on disk before it is.
    if (block.height === this.config.lastHeight) this.#lastBlock = effect;
    else this.#keep(effect);
  }

  #ended({ tip, proof }: Extract<Effect, { kind: "epochEnded" }>): void {
    this.proofs.set(this.epoch, proof);
    this.#keep(must(this.#lastBlock, "an epoch ends with its last block"));
    this.#lastBlock = undefined;
    this.#nextTip = tip;
    this.#after(0, () => this.#handOver());
  }

  #keep({ block, digest, finalization }: Extract<Effect, { kind: "finalized" }>): void {
    const { epoch, view, height, timestampMs, stateCertificate } = block;
    const tip = { epoch, view, height, digest, timestampMs, stateCertificate, finalization };
    this.store.push({ block, digest, tip });
    this.#world.trace(`${this.name} final ${height} ${toHexDigits(digest).slice(0, 8)}`);
    this.#world.finalized(this, block, digest);
    if (block.payload.length > 0) {
      this.pool = Math.max(0, this.pool - 1);
      if (this.pool === 0) this.#after(0, () => this.current.input({ kind: "work", pending: false }));
    }
    if (stateCertificate !== undefined) this.#after(0, () => this.#certify(stateCertificate));
    this.#after(this.#world.random.below(MAX_EXECUTION_MS), () => this.#execute());
  }

  /** Begins the next epoch, when this one has ended and the next one's set is known. */
  #handOver(): void {
    const tip = this.#nextTip;
    if (tip === undefined || this.sets[tip.epoch] === undefined) return;
    this.#nextTip = undefined;
    this.#previous?.stopCertifying();
    this.#previous = this.current;
    this.#current = this.#open(tip.epoch, tip);
    this.#world.trace(`${this.name} begins epoch ${tip.epoch}`);
    this.#current.start();
    for (const { from, message } of this.#early.takeAll()) this.receive(from, message);
  }

  /** Nothing is executed, and nothing new is on disk, for so long. */
  pauseExecution(durationMs: number): void {
    this.#isPaused = true;
    this.#world.after(durationMs, () => {
      this.#isPaused = false;
      if (this.isUp) this.#execute();
    });
  }

  #execute(): void {
    const next = this.store[this.results.length];
    if (next === undefined || this.#isPaused) return;
    const { block, digest, tip } = next;
    const { epoch, height } = block;
    const frozenHeight = this.#frozenHeightOf(epoch);
    const { members, set } = must(this.sets[epoch], "a block is executed in a known epoch");
    if (height === frozenHeight) {
      const random = createRandom(Number(bytesToBigint(digest.subarray(0, 4))));
      this.sets[epoch + 1] = plannedSet(this.#world.plan, epoch + 1, this.#world.plan.next(random, members));
    }
    const { domain } = this.#world;
    const nextSet = height < frozenHeight ? set : this.sets[epoch + 1]!.set;
    const executed: Executed = {
      epoch,
      height,
      orderDigest: digest,
      executedHash: domain.hash(Uint8Array.of(9, ...digest)),
      nextSetHash: validatorSetHash(domain, nextSet),
    };
    this.results.push(executed);
    this.#log = this.#log.filter((record) => isRecordLive(tip, record));
    if (epoch === this.epoch) this.current.certify({ kind: "executed", executed });
    else if (epoch === this.epoch - 1) this.#previous?.certify({ kind: "executed", executed });
    this.#handOver();
    if (this.results.length < this.store.length) this.#after(1, () => this.#execute());
  }

  #certified(epoch: number, certificate: StateCertificate): void {
    if (certificate.executed.height <= (this.certificate?.executed.height ?? 0)) return;
    this.certificate = certificate;
    if (epoch === this.#current?.config.validators.epoch) {
      this.#previous?.stopCertifying();
      this.#current.tryOffer();
    }
  }

  #serveBlocks(to: number, fromHeight: number): void {
    const stored = this.store.slice(0, this.results.length);
    const answer = servedBlocks(stored, this.proofs, this.#world.plan.length, fromHeight);
    if (answer !== undefined) this.#world.send(this, to, answer);
  }
}

function hearIn(
  session: SimulatedEpoch | undefined,
  from: ValidatorIndex | undefined,
  message: Message,
): void {
  if (session !== undefined && from !== undefined) session.receive(from, message);
}
