import type { Failure, Result } from "@ostrom/base";
import { type Message, quorumWeight, totalWeight, type ValidatorSet } from "@ostrom/consensus";
import type { PeerId } from "@ostrom/network";
import { peerIdsOf } from "./epoch-sets.ts";
import { PeerQuota, type QuotaLimits } from "./peer-quota.ts";
import type { Clock } from "./ports.ts";

/** Consensus and sync messages that are read of one peer. A busy network sends a hundred a second, one that comes together again
 * some hundreds at once. */
const MESSAGES: QuotaLimits = { perSecond: 2_000, burst: 8_000 };

/** Reading the store and encoding blocks is what a small question can cost most: a body counts 1, a range of blocks 8. */
const ANSWERS: QuotaLimits = { perSecond: 64, burst: 128 };
const RANGE_COST = 8;

/** What one peer may make this one do with messages. What is over the quota is dropped: whoever is honest repeats it. */
export class TrafficQuota {
  readonly #messages: PeerQuota<PeerId>;
  readonly #answers: PeerQuota<PeerId>;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#messages = new PeerQuota(clock, MESSAGES);
    this.#answers = new PeerQuota(clock, ANSWERS);
  }

  allows(from: PeerId, message: Message): boolean {
    if (!this.#messages.spend(from, 1)) return false;
    if (message.kind === "block-range-request") return this.#answers.spend(from, RANGE_COST);
    return message.kind !== "block-request" || this.#answers.spend(from, 1);
  }
}

/** Transactions that can never be valid on this chain: whoever sends them has not looked at them. Some are forgiven, because
 * programs and clocks differ a little. */
const JUNK: QuotaLimits = { perSecond: 1, burst: 64 };

/** Counts the junk among the transactions of each peer. */
export class JunkWatch {
  readonly #quota: PeerQuota<PeerId>;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#quota = new PeerQuota(clock, JUNK);
  }

  /** @param results of a batch of the peer's transactions. @returns whether it went too far. */
  tooMuch(peerId: PeerId, results: readonly Result<unknown, Failure>[]): boolean {
    const junk = results.filter((result) => !result.ok && isJunk(result.error.code)).length;
    return junk > 0 && !this.#quota.spend(peerId, junk);
  }
}

/** Form, signature and what this chain never admits: an honest peer finds the same. Nonces, balances and room differ. */
function isJunk(code: string): boolean {
  return code.startsWith("transaction/") || code === "txpool/too-large" || code === "txpool/unprotected";
}

/** How far the others say they have executed. */
export class PeerHeights {
  readonly #heights = new Map<PeerId, number>();

  hear(from: PeerId, height: number): void {
    this.#heights.set(from, Math.max(height, this.#heights.get(from) ?? 0));
  }

  /** The highest height that somebody honest of a set has reached, as far as this node heard; 0 if it heard too few. */
  believable(set: ValidatorSet): number {
    const needed = totalWeight(set) - quorumWeight(set) + 1;
    const heard = peerIdsOf(set).map((peerId, index) => ({
      height: this.#heights.get(peerId) ?? 0,
      weight: set.validators[index]!.weight,
    }));
    let weight = 0;
    for (const one of heard.toSorted((a, b) => b.height - a.height)) {
      weight += one.weight;
      if (weight >= needed) return one.height;
    }
    return 0;
  }
}
