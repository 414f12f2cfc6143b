import type { PowMessage } from "@ostrom/consensus";
import type { PeerId } from "@ostrom/network";
import { PeerQuota, type QuotaLimits } from "./peer-quota.ts";
import type { Clock, Log } from "./ports.ts";

/** Messages that are read of one peer: blocks are seconds apart, but who catches up asks for many bodies. */
const MESSAGES: QuotaLimits = { perSecond: 1_000, burst: 4_000 };

/** What a small question can cost: a body counts 1, the headers after a locator 8. */
const ANSWERS: QuotaLimits = { perSecond: 256, burst: 1_024 };
const HEADERS_COST = 8;

/** Faults of peers are logged at most this often for each kind, so that a hostile peer cannot fill the disk. */
const FAULT_LOG_INTERVAL_MS = 1_000;

/** What one peer may do to a node of a mined chain. */
export class PowConduct {
  readonly #ports: {
    readonly clock: Clock;
    readonly log: Log;
    readonly punish: (peerId: PeerId, reason: string) => void;
  };
  readonly #messages: PeerQuota<PeerId>;
  readonly #answers: PeerQuota<PeerId>;
  readonly #lastFaultLog = new Map<string, number>();

  constructor(ports: {
    readonly clock: Clock;
    readonly log: Log;
    readonly punish: (peerId: PeerId, reason: string) => void;
  }) {
    this.#ports = ports;
    this.#messages = new PeerQuota(ports.clock, MESSAGES);
    this.#answers = new PeerQuota(ports.clock, ANSWERS);
  }

  /** @returns false if the message is not to be read: whoever is honest says or asks it again. */
  allows(peerId: PeerId, message: PowMessage): boolean {
    if (this.#messages.spend(peerId, 1) && this.#mayBeAnswered(peerId, message)) return true;
    this.#note(peerId, "network/over-quota", `asks or says too much (${message.kind}): not read`);
    return false;
  }

  /** A peer broke a rule that no honest one breaks. */
  fault(peerId: PeerId, code: string, message: string): void {
    this.#ports.punish(peerId, code);
    this.#note(peerId, code, message);
  }

  #mayBeAnswered(peerId: PeerId, { kind }: PowMessage): boolean {
    if (kind === "get-headers") return this.#answers.spend(peerId, HEADERS_COST);
    return kind !== "get-block" || this.#answers.spend(peerId, 1);
  }

  #note(peerId: PeerId, code: string, reason: string): void {
    const now = this.#ports.clock.nowMs();
    const sinceMs = now - (this.#lastFaultLog.get(code) ?? Number.NEGATIVE_INFINITY);
    // The clock may have been set back.
    if (sinceMs >= 0 && sinceMs < FAULT_LOG_INTERVAL_MS) return;
    this.#lastFaultLog.set(code, now);
    this.#ports.log("warn", "a peer broke a rule", { peerId, code, reason });
  }
}
