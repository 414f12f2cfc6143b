import type { Clock } from "./ports.ts";

export type QuotaLimits = {
  readonly perSecond: number;
  /** What may be spent at once after a quiet time. */
  readonly burst: number;
};

const MS_PER_SECOND = 1_000;

/** What each peer may make this node do: an allowance that grows with time and is spent. Peers are few, so none is forgotten. */
export class PeerQuota<Peer> {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #limits: QuotaLimits;
  readonly #left = new Map<Peer, { readonly amount: number; readonly atMs: number }>();

  constructor(clock: Pick<Clock, "nowMs">, limits: QuotaLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** @returns false if the peer has not so much left; then nothing is spent. */
  spend(peer: Peer, cost: number): boolean {
    const { perSecond, burst } = this.#limits;
    const nowMs = this.#clock.nowMs();
    const before = this.#left.get(peer) ?? { amount: burst, atMs: nowMs };
    // The clock may have been set back.
    const elapsedMs = Math.max(0, nowMs - before.atMs);
    const amount = Math.min(burst, before.amount + (elapsedMs * perSecond) / MS_PER_SECOND);
    const isEnough = amount >= cost;
    this.#left.set(peer, { amount: isEnough ? amount - cost : amount, atMs: nowMs });
    return isEnough;
  }
}
