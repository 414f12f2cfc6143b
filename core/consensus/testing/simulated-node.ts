import assert from "node:assert/strict";
import { type Bytes, equalBytes, type Hash, Height, type Random, toHexDigits, ZERO_HASH } from "@ostrom/base";
import {
  type CertificationConfig,
  type CertificationEffect,
  type CertificationInput,
  type CertificationState,
  type Effect,
  type Evidence,
  type Executed,
  executedSigningBytes,
  type FinalizedTip,
  genesisTip,
  type Input,
  isRecordLive,
  type LogRecord,
  type Message,
  type OrderedBlock,
  recoverSimplex,
  type SignedVote,
  type SimplexConfig,
  type SimplexState,
  type StateCertificate,
  startCertification,
  stepCertification,
  stepSimplex,
  type ValidatorIndex,
  voteSigningBytes,
} from "../index.ts";

/** The node's world, as the simulation provides it. */
export type NodeWorld = {
  readonly random: Random;
  readonly now: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  /** `to` undefined: to all others. */
  readonly send: (from: SimulatedNode, to: ValidatorIndex | undefined, message: Message) => void;
  readonly sign: (signer: ValidatorIndex, message: Bytes) => Bytes;
  readonly trace: (text: string) => void;
};

export const GENESIS_TIMESTAMP_MS = 1_000_000;
const SERVED_BLOCKS = 4;
const MAX_FSYNC_MS = 4;
const MAX_EXECUTION_MS = 20;
const MAX_CLOCK_AHEAD_MS = 500;
/** First byte of a payload that no honest validator accepts. */
export const INVALID_PAYLOAD = 0xff;

type StoredBlock = { readonly block: OrderedBlock; readonly digest: Hash; readonly tip: FinalizedTip };

/** A validator with a log, a store, timers and a pool: what node/runtime is to the real one. */
export class SimulatedNode {
  readonly index: ValidatorIndex;
  readonly name: string;
  config: SimplexConfig;
  state!: SimplexState;
  certification!: CertificationState;
  isUp = false;
  isHonest = true;
  /** Everything this validator signed that reached its disk, over all its lives. */
  readonly signed: SignedVote[] = [];
  readonly evidence: Evidence[] = [];
  readonly faults: string[] = [];
  readonly store: StoredBlock[] = [];
  readonly results: Executed[] = [];
  certificate: StateCertificate | undefined;
  pool = 0;
  #world: NodeWorld;
  #clockOffsetMs: number;
  #log: LogRecord[] = [];
  #unsynced: LogRecord[] = [];
  #queue: Effect[] = [];
  #isPerforming = false;
  #life = 0;
  #timers = new Map<string, number>();
  #timerCount = 0;
  #offer: Extract<Effect, { kind: "buildPayload" }> | undefined;
  #payloads = 0;

  constructor(world: NodeWorld, config: SimplexConfig, name: string, clockOffsetMs: number) {
    this.#world = world;
    this.config = config;
    this.index = config.own!;
    this.name = name;
    this.#clockOffsetMs = clockOffsetMs;
  }

  get height(): number {
    return this.store.length;
  }

  get clockMs(): number {
    return GENESIS_TIMESTAMP_MS + Math.floor(this.#world.now()) + this.#clockOffsetMs;
  }

  start(): void {
    this.#life++;
    this.isUp = true;
    const tip = this.store.at(-1)?.tip ?? genesisTip(this.config, GENESIS_TIMESTAMP_MS);
    const hasVoted = this.#log.some((record) => record.kind === "vote");
    this.config = { ...this.config, lostLog: this.config.lostLog && !hasVoted };
    const step = recoverSimplex(this.config, tip, this.#log);
    this.state = step.state;
    this.#enqueue(step.effects);
    this.#startCertification();
    if (this.pool > 0) this.input({ kind: "work", pending: true });
  }

  /** Loses what was not synced, and everything that was under way. */
  crash(): void {
    this.#world.trace(`${this.name} crashes`);
    this.isUp = false;
    this.#life++;
    this.#log.push(...this.#unsynced.slice(0, this.#world.random.below(this.#unsynced.length + 1)));
    this.#unsynced = [];
    this.#queue = [];
    this.#isPerforming = false;
    this.#timers.clear();
    this.#offer = undefined;
  }

  restart(change: Partial<SimplexConfig>): void {
    this.config = { ...this.config, ...change };
    this.start();
  }

  wipeLog(): void {
    this.#log = [];
  }

  input(input: Input): void {
    if (!this.isUp) return;
    const step = stepSimplex(this.state, input);
    this.state = step.state;
    this.#enqueue(step.effects);
  }

  receive(from: ValidatorIndex, message: Message): void {
    this.input({ kind: "message", from, message });
    this.#certify({ kind: "message", from, message });
  }

  addWork(): void {
    this.pool++;
    if (this.pool === 1) this.input({ kind: "work", pending: true });
    this.#tryOffer();
  }

  #after(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#world.after(delayMs, () => {
      if (life === this.#life) run();
    });
  }

  #enqueue(effects: readonly Effect[]): void {
    this.#queue.push(...effects);
    if (!this.#isPerforming) this.#performAll();
  }

  #performAll(): void {
    this.#isPerforming = true;
    for (let effect = this.#queue.shift(); effect !== undefined; effect = this.#queue.shift()) {
      if (effect.kind === "sign") {
        const { vote } = effect;
        this.#after(this.#world.random.below(MAX_FSYNC_MS), () => this.#finishSigning(vote));
        return;
      }
      this.#perform(effect);
    }
    this.#isPerforming = false;
  }

  #finishSigning(vote: SignedVote["vote"]): void {
    const signature = this.#world.sign(this.index, voteSigningBytes(this.config.domain, vote));
    const signed: SignedVote = { vote, signer: this.index, signature };
    this.#log.push(...this.#unsynced, { kind: "vote", vote: signed });
    this.#unsynced = [];
    this.signed.push(signed);
    this.#world.trace(`${this.name} ${vote.kind} ${vote.view} ${toHexDigits(vote.digest).slice(0, 8)}`);
    this.#isPerforming = false;
    this.input({ kind: "signed", vote: signed });
    if (!this.#isPerforming) this.#performAll();
  }

  #perform(effect: Exclude<Effect, { kind: "sign" }>): void {
    switch (effect.kind) {
      case "persist":
        this.#unsynced.push(effect.record);
        return;
      case "broadcast":
        this.#world.send(this, undefined, effect.message);
        return;
      case "send":
        this.#world.send(this, effect.to, effect.message);
        return;
      case "setTimer":
        this.#setTimer(effect.id, effect.delayMs, () => {
          this.input({ kind: "timer", id: effect.id, token: effect.token });
        });
        return;
      case "cancelTimer":
        this.#timers.delete(effect.id);
        return;
      case "buildPayload":
        this.#offer = effect;
        this.#tryOffer();
        return;
      case "checkBlock":
        this.#check(effect.digest, effect.block);
        return;
      case "finalized":
        this.#finalized(effect);
        return;
      case "sync":
        this.#world.send(this, effect.peer, { kind: "block-range-request", fromHeight: effect.fromHeight });
        return;
      case "serveBlocks":
        this.#serve(effect.to, effect.fromHeight);
        return;
      case "epochEnded":
        assert.fail("nothing here comes to the end of an epoch");
        return;
      case "evidence":
        this.evidence.push(effect.evidence);
        return;
      case "fault":
        this.faults.push(`${effect.code} by ${effect.peer}: ${effect.message}`);
        return;
      default:
        effect satisfies never;
    }
  }

  #setTimer(id: string, delayMs: number, run: () => void): void {
    const count = ++this.#timerCount;
    this.#timers.set(id, count);
    this.#after(delayMs, () => {
      if (this.#timers.get(id) !== count) return;
      this.#timers.delete(id);
      run();
    });
  }

  #tryOffer(): void {
    const offer = this.#offer;
    if (offer === undefined) return;
    const isEmpty = this.pool === 0;
    const waitMs = (isEmpty ? offer.emptyNotBeforeMs : offer.notBeforeMs) - this.clockMs;
    if (waitMs > 0) {
      this.#setTimer("offer", waitMs, () => this.#tryOffer());
      return;
    }
    this.#offer = undefined;
    const tag = this.#payloads++ % 250;
    const payload = isEmpty ? new Uint8Array() : Uint8Array.of(1, this.index, tag, this.pool & 255);
    const stateCertificate = this.certificate;
    this.input({ kind: "payload", view: offer.view, timestampMs: this.clockMs, payload, stateCertificate });
  }

  #check(digest: Hash, block: OrderedBlock): void {
    const waitMs = block.timestampMs - MAX_CLOCK_AHEAD_MS - this.clockMs;
    const delayMs = waitMs > 0 ? waitMs : this.#world.random.below(3);
    const valid = block.payload[0] !== INVALID_PAYLOAD;
    this.#after(delayMs, () => this.input({ kind: "verdict", digest, valid }));
  }

  #finalized({ block, digest, finalization }: Extract<Effect, { kind: "finalized" }>): void {
    assert.equal(block.height, this.height + 1, "final blocks come in height order, each once");
    const parent = this.store.at(-1)?.digest ?? this.config.domain.genesisHash;
    assert.ok(equalBytes(block.parent, parent), "each final block extends the last");
    const { epoch, view, height, timestampMs, stateCertificate } = block;
    const tip = { epoch, view, height, digest, timestampMs, stateCertificate, finalization };
    this.store.push({ block, digest, tip });
    this.#world.trace(`${this.name} final ${height} ${toHexDigits(digest).slice(0, 8)}`);
    this.#log = this.#log.filter((record) => isRecordLive(tip, record));
    if (block.payload.length > 0) {
      this.pool = Math.max(0, this.pool - 1);
      if (this.pool === 0) this.#queueMicro(() => this.input({ kind: "work", pending: false }));
    }
    if (stateCertificate !== undefined) {
      this.#queueMicro(() => this.#certify({ kind: "certificate", certificate: stateCertificate }));
    }
    this.#after(this.#world.random.below(MAX_EXECUTION_MS), () => this.#execute());
  }

  /** Runs after the effects that are being performed. */
  #queueMicro(run: () => void): void {
    this.#after(0, run);
  }

  #execute(): void {
    const next = this.store[this.results.length];
    if (next === undefined) return;
    const { block, digest } = next;
    const executedHash = this.config.domain.hash(Uint8Array.of(9, ...digest));
    const executed: Executed = {
      epoch: block.epoch,
      height: Height(block.height),
      orderDigest: digest,
      executedHash,
      nextSetHash: ZERO_HASH,
    };
    this.results.push(executed);
    this.#certify({ kind: "executed", executed });
    if (this.results.length < this.store.length) this.#after(1, () => this.#execute());
  }

  #serve(to: ValidatorIndex, fromHeight: number): void {
    const found = this.store.slice(fromHeight - 1);
    let end = 0;
    for (let i = 0; i < found.length && (end === 0 || i < SERVED_BLOCKS); i++) {
      if (equalBytes(found[i]!.tip.finalization!.digest, found[i]!.digest)) end = i + 1;
    }
    if (end === 0) return;
    const blocks = found.slice(0, end);
    const finalization = blocks.at(-1)!.tip.finalization!;
    this.#world.send(this, to, {
      kind: "block-range",
      blocks: blocks.map(({ block }) => block),
      finalization,
    });
  }

  #startCertification(): void {
    const { domain, validators, earlierValidators, own, lastHeight } = this.config;
    const config: CertificationConfig = {
      domain,
      validators,
      earlierValidators,
      own,
      lastHeight,
      resendMs: 200,
    };
    const certified = this.certificate?.executed.height ?? 0;
    const step = startCertification(config, this.certificate, this.results.slice(certified));
    this.certification = step.state;
    this.#performCertification(step.effects);
    this.#after(0, () => this.#execute());
  }

  #certify(input: CertificationInput): void {
    if (!this.isUp) return;
    const step = stepCertification(this.certification, input);
    this.certification = step.state;
    this.#performCertification(step.effects);
  }

  #performCertification(effects: readonly CertificationEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "sign": {
          const { executed } = effect;
          this.#after(1, () => {
            const signature = this.#world.sign(
              this.index,
              executedSigningBytes(this.config.domain, executed),
            );
            this.#certify({ kind: "signed", vote: { executed, signer: this.index, signature } });
          });
          break;
        }
        case "broadcast":
          this.#world.send(this, undefined, effect.message);
          break;
        case "send":
          this.#world.send(this, effect.to, effect.message);
          break;
        case "certified":
          this.certificate = effect.certificate;
          break;
        case "setTimer":
          this.#setTimer("certification", effect.delayMs, () => this.#certify({ kind: "timer" }));
          break;
        case "cancelTimer":
          this.#timers.delete("certification");
          break;
        case "diverged":
          assert.fail("honest executions are equal");
          break;
        case "evidence":
        case "fault":
          break;
        default:
          effect satisfies never;
      }
    }
  }
}
