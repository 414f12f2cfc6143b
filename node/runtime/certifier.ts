import {
  type CertificationConfig,
  type CertificationEffect,
  type CertificationInput,
  type CertificationState,
  type Executed,
  type Message,
  type StateCertificate,
  startCertification,
  stepCertification,
  type ValidatorIndex,
} from "@ostrom/consensus";
import { EffectQueue } from "./effect-queue.ts";
import type { Clock } from "./ports.ts";
import type { VoteJournal } from "./vote-journal.ts";

export type CertifierPorts = {
  readonly clock: Clock;
  /** undefined: this node follows and never signs. */
  readonly journal: VoteJournal | undefined;
  readonly send: (to: ValidatorIndex, message: Message) => void;
  readonly broadcast: (message: Message) => void;
  readonly certified: (certificate: StateCertificate) => void;
  /** The quorum's result is not ours: this node must stop signing and serving. */
  readonly diverged: (message: string) => void;
  readonly evidence: (effect: Extract<CertificationEffect, { kind: "evidence" }>) => void;
  readonly fault: (peer: ValidatorIndex, code: string, message: string) => void;
  readonly failed: (error: unknown) => void;
};

/** Runs certification: signs what this node executed, gathers what the others signed, and announces state certificates. */
export class Certifier {
  readonly #ports: CertifierPorts;
  readonly #queue: EffectQueue<CertificationEffect>;
  readonly #firstEffects: CertificationEffect[];
  #state: CertificationState;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  /** @param newest stored certificate. @param results own stored results above it, in height order. */
  constructor(
    config: CertificationConfig,
    newest: StateCertificate | undefined,
    results: readonly Executed[],
    ports: CertifierPorts,
  ) {
    this.#ports = ports;
    this.#queue = new EffectQueue((effects) => this.#perform(effects[0]!), ports.failed);
    const { state, effects } = startCertification(config, newest, results);
    this.#state = state;
    this.#firstEffects = [...effects];
  }

  /** Begins: results that are not certified yet are signed again. */
  start(): void {
    this.#queue.push(this.#firstEffects.splice(0));
  }

  input(input: CertificationInput): void {
    if (this.#stopped) return;
    try {
      const { state, effects } = stepCertification(this.#state, input);
      this.#state = state;
      this.#queue.push(effects);
    } catch (error) {
      this.#ports.failed(error);
    }
  }

  /** How much is kept in memory, by what. */
  sizes(): Readonly<Record<string, number>> {
    const { results, tallies, ignored } = this.#state;
    return { results: results.size, tallies: tallies.size, ignored: ignored.size };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    await this.#queue.stop();
  }

  #perform(effect: CertificationEffect): number | Promise<number> {
    const ports = this.#ports;
    switch (effect.kind) {
      case "sign":
        return this.#sign(effect);
      case "broadcast":
        ports.broadcast(effect.message);
        return 1;
      case "send":
        ports.send(effect.to, effect.message);
        return 1;
      case "certified":
        ports.certified(effect.certificate);
        return 1;
      case "diverged":
        ports.diverged(
          `block ${effect.certificate.executed.height}: this node's result differs from the one that a quorum certified; ` +
            "its database or program is damaged. It signs and serves no more. Put another validator's chain folder in place of its own, never that one's log folder",
        );
        return 1;
      case "setTimer":
        this.#cancelTimer?.();
        this.#cancelTimer = ports.clock.after(effect.delayMs, () => this.input({ kind: "timer" }));
        return 1;
      case "cancelTimer":
        this.#cancelTimer?.();
        return 1;
      case "evidence":
        ports.evidence(effect);
        return 1;
      case "fault":
        ports.fault(effect.peer, effect.code, effect.message);
        return 1;
      default:
        return effect satisfies never;
    }
  }

  async #sign(effect: Extract<CertificationEffect, { kind: "sign" }>): Promise<number> {
    const { journal } = this.#ports;
    if (journal === undefined) return 1;
    if (journal.isSignedElsewhere(effect.executed.epoch)) {
      void this.#request(journal, effect.executed).catch(this.#ports.failed);
      return 1;
    }
    const vote = journal.signExecuted(effect.executed);
    await journal.sync();
    this.input({ kind: "signed", vote });
    return 1;
  }

  /** Another machine may take its time, or be away: the others' results are gathered meanwhile. */
  async #request(journal: VoteJournal, executed: Executed): Promise<void> {
    const vote = await journal.requestExecuted(executed);
    if (vote === undefined || this.#stopped) return;
    await journal.sync();
    this.input({ kind: "signed", vote });
  }
}
