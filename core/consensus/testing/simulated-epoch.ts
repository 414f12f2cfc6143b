import assert from "node:assert/strict";
import { type Bytes, type Hash, type Random, toHexDigits } from "@ostrom/base";
import {
  type CertificationEffect,
  type CertificationInput,
  type CertificationState,
  type Effect,
  type Executed,
  executedSigningBytes,
  type FinalizedTip,
  type Input,
  type LogRecord,
  type Message,
  type OrderedBlock,
  recoverSimplex,
  type SignedExecuted,
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

/** What an epoch's engines need of the node they run in. */
export type EpochHost = {
  readonly random: Random;
  readonly clockMs: () => number;
  /** Within this life of the node. */
  readonly after: (delayMs: number, run: () => void) => void;
  readonly send: (to: ValidatorIndex | undefined, message: Message) => void;
  readonly sign: (message: Bytes) => Bytes;
  readonly trace: (text: string) => void;
  readonly persist: (record: LogRecord) => void;
  /** On disk, with everything appended before. */
  readonly writeVote: (vote: SignedVote) => void;
  readonly writeExecuted: (signed: SignedExecuted) => void;
  readonly pool: () => number;
  readonly newestCertificate: () => StateCertificate | undefined;
  readonly serveBlocks: (to: ValidatorIndex, fromHeight: number) => void;
  readonly finalized: (effect: Extract<Effect, { kind: "finalized" }>) => void;
  readonly ended: (effect: Extract<Effect, { kind: "epochEnded" }>) => void;
  readonly certified: (certificate: StateCertificate) => void;
  readonly told: (effect: Extract<Effect | CertificationEffect, { kind: "evidence" | "fault" }>) => void;
};

/** What an epoch begins with here. */
export type EpochBeginning = {
  /** undefined: all its blocks are final, only results are certified. */
  readonly tip: FinalizedTip | undefined;
  readonly records: readonly LogRecord[];
  readonly certificate: StateCertificate | undefined;
  /** Own results of this epoch above the certificate. */
  readonly results: readonly Executed[];
};

const MAX_FSYNC_MS = 4;
const MAX_CLOCK_AHEAD_MS = 500;
const CERTIFICATION_RESEND_MS = 200;

/** First byte of a payload that no honest validator accepts. */
export const INVALID_PAYLOAD = 0xff;

/** The engines of one epoch in one node, and the performing of their effects. */
export class SimulatedEpoch {
  readonly config: SimplexConfig;
  /** undefined: it orders nothing. */
  state: SimplexState | undefined;
  certification: CertificationState;
  readonly #host: EpochHost;
  #queue: Effect[] = [];
  #isPerforming = false;
  #isCertifying = true;
  readonly #timers = new Map<string, number>();
  #timerCount = 0;
  #offer: Extract<Effect, { kind: "buildPayload" }> | undefined;
  #payloads = 0;
  readonly #firstEffects: readonly Effect[];
  readonly #firstCertificationEffects: readonly CertificationEffect[];

  constructor(config: SimplexConfig, beginning: EpochBeginning, host: EpochHost) {
    this.config = config;
    this.#host = host;
    const { tip, records, certificate, results } = beginning;
    const step = tip === undefined ? undefined : recoverSimplex(config, tip, records);
    this.state = step?.state;
    this.#firstEffects = step?.effects ?? [];
    const certifier = startCertification(
      { ...config, resendMs: CERTIFICATION_RESEND_MS },
      certificate,
      results,
    );
    this.certification = certifier.state;
    this.#firstCertificationEffects = certifier.effects;
  }

  start(): void {
    this.#enqueue(this.#firstEffects);
    this.#performCertification(this.#firstCertificationEffects);
    if (this.#host.pool() > 0) this.input({ kind: "work", pending: true });
  }

  input(input: Input): void {
    if (this.state === undefined) return;
    const step = stepSimplex(this.state, input);
    this.state = step.state;
    this.#enqueue(step.effects);
  }

  certify(input: CertificationInput): void {
    if (!this.#isCertifying) return;
    const step = stepCertification(this.certification, input);
    this.certification = step.state;
    this.#performCertification(step.effects);
  }

  receive(from: ValidatorIndex, message: Message): void {
    this.input({ kind: "message", from, message });
    this.certify({ kind: "message", from, message });
  }

  stopCertifying(): void {
    this.#isCertifying = false;
    this.#timers.delete("certification");
  }

  /** Answers what the leader's desk still owes, if something has changed. */
  tryOffer(): void {
    const offer = this.#offer;
    if (offer === undefined || this.state === undefined || this.state.ended) return;
    const isEmpty = this.#host.pool() === 0;
    const waitMs = (isEmpty ? offer.emptyNotBeforeMs : offer.notBeforeMs) - this.#host.clockMs();
    if (waitMs > 0) {
      this.#setTimer("offer", waitMs, () => this.tryOffer());
      return;
    }
    const stateCertificate = this.#host.newestCertificate();
    // Rule E1: the first block waits for what it must carry.
    const { executed } = stateCertificate ?? offer.parentStateCertificate ?? {};
    const isFirst = this.state.tip.view === 0 && offer.ancestors.length === 0;
    if (isFirst && (executed?.height ?? 0) < this.config.leastCertified) return;
    this.#offer = undefined;
    const tag = this.#payloads++ % 250;
    const payload = isEmpty
      ? new Uint8Array()
      : Uint8Array.of(1, this.config.own ?? 0, tag, this.#host.pool() & 255);
    const timestampMs = this.#host.clockMs();
    this.input({ kind: "payload", view: offer.view, timestampMs, payload, stateCertificate });
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
        this.#host.after(this.#host.random.below(MAX_FSYNC_MS), () => this.#finishSigning(vote));
        return;
      }
      this.#perform(effect);
    }
    this.#isPerforming = false;
  }

  #finishSigning(vote: SignedVote["vote"]): void {
    const { own, domain } = this.config;
    assert.ok(own !== undefined, "a follower signs nothing");
    const signature = this.#host.sign(voteSigningBytes(domain, vote));
    const signed: SignedVote = { vote, signer: own, signature };
    this.#host.writeVote(signed);
    this.#host.trace(`${vote.kind} ${vote.epoch}/${vote.view} ${toHexDigits(vote.digest).slice(0, 8)}`);
    this.#isPerforming = false;
    this.input({ kind: "signed", vote: signed });
    if (!this.#isPerforming) this.#performAll();
  }

  #perform(effect: Exclude<Effect, { kind: "sign" }>): void {
    const host = this.#host;
    switch (effect.kind) {
      case "persist":
        host.persist(effect.record);
        return;
      case "broadcast":
        host.send(undefined, effect.message);
        return;
      case "send":
        host.send(effect.to, effect.message);
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
        this.tryOffer();
        return;
      case "checkBlock":
        this.#check(effect.digest, effect.block);
        return;
      case "finalized":
        host.finalized(effect);
        return;
      case "epochEnded":
        host.ended(effect);
        return;
      case "sync":
        host.send(effect.peer, { kind: "block-range-request", fromHeight: effect.fromHeight });
        return;
      case "serveBlocks":
        host.serveBlocks(effect.to, effect.fromHeight);
        return;
      case "evidence":
      case "fault":
        host.told(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  #setTimer(id: string, delayMs: number, run: () => void): void {
    const count = ++this.#timerCount;
    this.#timers.set(id, count);
    this.#host.after(delayMs, () => {
      if (this.#timers.get(id) !== count) return;
      this.#timers.delete(id);
      run();
    });
  }

  #check(digest: Hash, block: OrderedBlock): void {
    const waitMs = block.timestampMs - MAX_CLOCK_AHEAD_MS - this.#host.clockMs();
    const delayMs = waitMs > 0 ? waitMs : this.#host.random.below(3);
    const valid = block.payload[0] !== INVALID_PAYLOAD;
    this.#host.after(delayMs, () => this.input({ kind: "verdict", digest, valid }));
  }

  #performCertification(effects: readonly CertificationEffect[]): void {
    const host = this.#host;
    const { own, domain } = this.config;
    for (const effect of effects) {
      switch (effect.kind) {
        case "sign": {
          const { executed } = effect;
          assert.ok(own !== undefined, "a follower signs nothing");
          host.after(1, () => {
            const signature = host.sign(executedSigningBytes(domain, executed));
            const vote: SignedExecuted = { executed, signer: own, signature };
            host.writeExecuted(vote);
            this.certify({ kind: "signed", vote });
          });
          break;
        }
        case "broadcast":
          host.send(undefined, effect.message);
          break;
        case "send":
          host.send(effect.to, effect.message);
          break;
        case "certified":
          host.certified(effect.certificate);
          break;
        case "setTimer":
          this.#setTimer("certification", effect.delayMs, () => this.certify({ kind: "timer" }));
          break;
        case "cancelTimer":
          this.#timers.delete("certification");
          break;
        case "diverged":
          assert.fail("honest executions are equal");
          break;
        case "evidence":
        case "fault":
          host.told(effect);
          break;
        default:
          effect satisfies never;
      }
    }
  }
}
