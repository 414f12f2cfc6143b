import type { Hash } from "@ostrom/base";
import {
  type BuildPayload,
  type Certificate,
  type CheckBlock,
  type Effect,
  type Evidence,
  type FinalizedTip,
  type Input,
  type LogRecord,
  type Message,
  type OrderedBlock,
  recoverSimplex,
  type SignedVote,
  type SimplexConfig,
  type SimplexState,
  type StateCertificate,
  stepSimplex,
  type TimerId,
  type ValidatorIndex,
  type Vote,
} from "@ostrom/consensus";
import { EffectQueue } from "./effect-queue.ts";
import { CONSENSUS } from "./metrics-catalog.ts";
import { countFinalized, countRecord, countStep } from "./metrics-consensus.ts";
import { countOf } from "./metrics-counters.ts";
import type { Clock, Log } from "./ports.ts";
import type { ViewRecorder } from "./view-recorder.ts";
import type { VoteJournal } from "./vote-journal.ts";

/** What ordering asks of the rest of the node. */
export type OrderingPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: VoteJournal;
  readonly send: (to: ValidatorIndex, message: Message) => void;
  readonly broadcast: (message: Message) => void;
  /** Makes the payload of a proposal; answers through the callback when its time has come. */
  readonly build: (request: BuildPayload, answer: (payload: BuiltPayload) => void) => void;
  /** Checks a block; answers once, when everything that it needs is there. */
  readonly check: (request: CheckBlock, answer: (valid: boolean) => void) => void;
  /** Takes a finalized block, in height order. */
  readonly finalized: (finalized: FinalizedBlock) => void;
  /** Whether more finalized blocks may be fetched now: execution may be behind. */
  readonly hasRoom: () => boolean;
  readonly serveBlocks: (to: ValidatorIndex, fromHeight: number) => void;
  /** The epoch's last block is final: the engine orders nothing more. */
  readonly ended: (end: Omit<Extract<Effect, { kind: "epochEnded" }>, "kind">) => void;
  readonly evidence: (evidence: Evidence) => void;
  /** A peer broke a rule. */
  readonly fault: (peer: ValidatorIndex, code: string, message: string) => void;
  /** A broken invariant or a log that cannot be written: the node must stop. */
  readonly failed: (error: unknown) => void;
  /** Writes down what becomes of views; undefined: nobody does. */
  readonly views?: ViewRecorder | undefined;
};

export type BuiltPayload = {
  readonly timestampMs: number;
  readonly payload: Uint8Array;
  readonly stateCertificate: StateCertificate | undefined;
};

export type FinalizedBlock = {
  readonly block: OrderedBlock;
  readonly digest: Hash;
  readonly finalization: Certificate;
};

/** Runs the simplex engine: steps it with what happens and performs its effects, each vote on disk before it is sent. */
export class Ordering {
  readonly #ports: OrderingPorts;
  readonly #queue: EffectQueue<Effect>;
  readonly #timers = new Map<TimerId, () => void>();
  readonly #firstEffects: Effect[];
  #state: SimplexState;
  #stopped = false;
  /** Its log was lost, and it has not voted since. */
  #isAbstaining: boolean;

  constructor(config: SimplexConfig, tip: FinalizedTip, records: readonly LogRecord[], ports: OrderingPorts) {
    this.#ports = ports;
    this.#isAbstaining = config.lostLog;
    this.#queue = new EffectQueue((effects) => this.#perform(effects), ports.failed);
    const recovered = recoverSimplex(config, tip, records);
    this.#state = recovered.state;
    this.#firstEffects = [...recovered.effects];
  }

  /** Begins: what a restart has to say is said now. */
  start(): void {
    this.#ports.views?.begin(this.#state);
    this.#queue.push(this.#firstEffects.splice(0));
  }

  state(): SimplexState {
    return this.#state;
  }

  input(input: Input): void {
    if (this.#stopped) return;
    try {
      const { state, effects } = stepSimplex(this.#state, input);
      countStep(this.#state, state);
      this.#ports.views?.stepped(this.#state, state, input, effects);
      this.#state = state;
      this.#queue.push(effects);
    } catch (error) {
      this.#ports.failed(error);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#queue.stop();
  }

  /** Votes and records at the head of the list go to disk together, under one sync. */
  #perform(effects: readonly Effect[]): number | Promise<number> {
    const first = effects[0]!;
    if (first.kind !== "sign" && first.kind !== "persist") {
      this.#performOne(first);
      return 1;
    }
    const run: Extract<Effect, { kind: "sign" | "persist" }>[] = [];
    for (const effect of effects) {
      if (effect.kind !== "sign" && effect.kind !== "persist") break;
      run.push(effect);
    }
    return this.#record(run);
  }

  async #record(run: readonly Extract<Effect, { kind: "sign" | "persist" }>[]): Promise<number> {
    const { journal } = this.#ports;
    const signed = run.flatMap((effect) => {
      if (effect.kind === "persist") {
        journal.record(effect.record);
        countRecord(effect.record);
        return [];
      }
      if (!journal.isSignedElsewhere(effect.vote.epoch)) return [journal.signVote(effect.vote)];
      // Another machine may take its time, or be away: the engine goes on meanwhile.
      void this.#request(effect.vote).catch(this.#ports.failed);
      return [];
    });
    if (signed.length > 0) await this.#say(signed);
    return run.length;
  }

  async #request(vote: Vote): Promise<void> {
    const signed = await this.#ports.journal.requestVote(vote);
    if (signed !== undefined && !this.#stopped) await this.#say([signed]);
  }

  async #say(signed: readonly SignedVote[]): Promise<void> {
    if (this.#isAbstaining) this.#ports.log("info", "the others are past its lost votes: it votes again");
    this.#isAbstaining = false;
    await this.#ports.journal.sync();
    for (const vote of signed) {
      countOf(CONSENSUS.votes, vote.vote.kind);
      this.input({ kind: "signed", vote });
    }
  }

  #performOne(effect: Exclude<Effect, { kind: "sign" | "persist" }>): void {
    const ports = this.#ports;
    switch (effect.kind) {
      case "broadcast":
        ports.broadcast(effect.message);
        return;
      case "send":
        ports.send(effect.to, effect.message);
        return;
      case "setTimer":
        this.#setTimer(effect.id, effect.token, effect.delayMs);
        return;
      case "cancelTimer":
        this.#timers.get(effect.id)?.();
        this.#timers.delete(effect.id);
        return;
      case "buildPayload":
        ports.build(effect, (built) => this.input({ kind: "payload", view: effect.view, ...built }));
        return;
      case "checkBlock":
        ports.check(effect, (valid) => this.input({ kind: "verdict", digest: effect.digest, valid }));
        return;
      case "finalized":
        countFinalized(effect.block);
        ports.finalized(effect);
        return;
      case "sync":
        if (ports.hasRoom()) {
          ports.send(effect.peer, { kind: "block-range-request", fromHeight: effect.fromHeight });
        }
        return;
      case "epochEnded":
        ports.ended(effect);
        return;
      case "serveBlocks":
        ports.serveBlocks(effect.to, effect.fromHeight);
        return;
      case "evidence":
        ports.evidence(effect.evidence);
        return;
      case "fault":
        ports.fault(effect.peer, effect.code, effect.message);
        return;
      default:
        effect satisfies never;
    }
  }

  #setTimer(id: TimerId, token: number, delayMs: number): void {
    this.#timers.get(id)?.();
    this.#timers.set(
      id,
      this.#ports.clock.after(delayMs, () => {
        this.#timers.delete(id);
        countOf(CONSENSUS.timeouts, id);
        this.input({ kind: "timer", id, token });
      }),
    );
  }
}
