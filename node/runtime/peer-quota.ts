import type { Clock } from "./ports.ts";

export type QuotaLimits = {
  readonly perSecond: number;
  /** What may be spent at once after a quiet time. */
  readonly burst: number;
};

const MS_PER_SECOND = 1_000;

/** Peers that are remembered; who was asked about longest ago is forgotten first, and has all of his allowance again. Links let nobody come back
 * so fast that this would pay. */
const MAX_PEERS = 8_192;

/** What each peer may make this node do: an allowance that grows with time and is spent. */
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
    this.#left.delete(peer);
    if (this.#left.size >= MAX_PEERS)
      for (const oldest of this.#left.keys()) {
        this.#left.delete(oldest);
        break;
      }
    this.#left.set(peer, { amount: isEnough ? amount - cost : amount, atMs: nowMs });
    return isEnough;
  }
}
