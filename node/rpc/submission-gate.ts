import type { RpcLimits } from "./limits.ts";
import { busy, type RpcError } from "./rpc-error.ts";

/** Lets as many transactions through to the pool's thread as it answers in about `submissionWaitMs`; the others hear at once that
 * the node is busy, and when to try again. How many that is follows from how long the answers take: additive increase,
 * multiplicative decrease (Chiu and Jain 1989). */
export type SubmissionGate = {
  /** @returns why these may not go on now; undefined: they may, and `leave` is called when they are answered. A group goes in as soon as
   * there is any room at all, so that great ones are not shut out by small ones. */
  readonly enter: (transactions: number, bytes: number) => RpcError | undefined;
  /** @param tookMs from `enter` to here. @param isPoolFull the pool had no room for some of them. */
  readonly leave: (transactions: number, bytes: number, tookMs: number, isPoolFull: boolean) => void;
  /** What is under way, and how much may be. */
  readonly load: () => { readonly transactions: number; readonly bytes: number; readonly room: number };
};

type GateLimits = Pick<
  RpcLimits,
  "submittedTransactions" | "submittedBytes" | "submissionWaitMs" | "concurrentRequests"
>;

/** Before any answer: whoever comes with all at once, when nobody knows yet how long the pool takes, would have them wait for many seconds. */
const FIRST_ROOM = 1_024;
/** However slow the answers are, so many may be under way: who asks with less would never learn that they are fast again. */
const LEAST_ROOM = 128;
/** The room shrinks at most by this factor at a time. */
const MOST_SHRINK = 0.5;
const LEAST_RETRY_MS = 100;
const MOST_RETRY_MS = 5_000;
/** A pool without room is not asked again before this: each question costs it the check of a signature. */
const FULL_POOL_PAUSE_MS = 250;

/** @param nowMs a clock that only goes forward. */
export function createSubmissionGate(limits: GateLimits, nowMs: () => number): SubmissionGate {
  const { submittedTransactions, submittedBytes, submissionWaitMs } = limits;
  // The rest is for those who read.
  const mostGroups = Math.max(1, Math.floor(limits.concurrentRequests / 2));
  let room = Math.min(submittedTransactions, FIRST_ROOM);
  let transactions = 0;
  let bytes = 0;
  let groups = 0;
  let lastTookMs = 0;
  let nextShrinkMs = 0;
  let closedUntilMs = 0;

  const retryAfterMs = (): number => Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, Math.ceil(lastTookMs)));

  return {
    enter: (count, size) => {
      const pauseMs = closedUntilMs - nowMs();
      if (pauseMs > 0) return busy("txpool is full: try again later", FULL_POOL_PAUSE_MS, "txpool/full");
      if (transactions >= room || groups >= mostGroups || (bytes > 0 && bytes + size > submittedBytes)) {
        return busy("too many transactions are waiting to be checked: try again later", retryAfterMs());
      }
      transactions += count;
      bytes += size;
      groups++;
      return undefined;
    },
    leave: (count, size, tookMs, isPoolFull) => {
      transactions -= count;
      bytes -= size;
      groups--;
      lastTookMs = tookMs;
      const now = nowMs();
      if (isPoolFull) closedUntilMs = now + FULL_POOL_PAUSE_MS;
      if (tookMs <= submissionWaitMs && !isPoolFull) {
        room = Math.min(submittedTransactions, room + count);
      } else if (now >= nextShrinkMs) {
        // A full pool takes what its blocks take out of it, and no more.
        const share = isPoolFull ? MOST_SHRINK : Math.max(MOST_SHRINK, submissionWaitMs / tookMs);
        room = Math.max(LEAST_ROOM, Math.floor(room * share));
        // What entered before it shrank is late too, and says nothing new.
        nextShrinkMs = now + tookMs;
      }
    },
    load: () => ({ transactions, bytes, room }),
  };
}
