/** However slowly blocks empty the pool, so many pending transactions may be in it before clients hear that the node is busy. */
export const LEAST_CLIENT_ROOM = 4_096;
/** What blocks have taken out of the pool in such a time may wait in it. */
const MOST_WAIT_MS = 3_000;
/** The rate is the mean of such a time and of all that was before it. */
const WINDOW_MS = 1_000;

/** How many transactions this node takes from its own clients: no more than its blocks will soon have. Whoever takes more checks signatures
 * for nothing, in every validator, and has all of them wait; so the rate at which blocks empty the pool decides, before any check. */
export class ClientRoom {
  #perMs = 0;
  #left = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** A block was executed. @param count of pending transactions that left the pool by it. */
  left(count: number, nowMs: number): void {
    this.#left += Math.max(0, count);
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= 0 && elapsedMs < WINDOW_MS) return;
    // A clock that was set back begins anew.
    if (elapsedMs > 0) this.#perMs = (this.#perMs + this.#left / elapsedMs) / 2;
    this.#left = 0;
    this.#sinceMs = nowMs;
  }

  /** Pending transactions that there may be in the pool. */
  get size(): number {
    return Math.max(LEAST_CLIENT_ROOM, Math.floor(this.#perMs * MOST_WAIT_MS));
  }
}
