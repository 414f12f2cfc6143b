import { findNonce, type SenderQueue } from "./sender-queue.ts";
import type { Entry, PoolContent } from "./types.ts";

/** What queues hold, of each sender in nonce order. */
export function contentOf(queues: readonly SenderQueue[]): PoolContent {
  const transactionsOf = (entries: readonly Entry[]) => entries.map(({ transaction }) => transaction);
  return {
    pending: queues.flatMap(({ entries, pendingCount }) => transactionsOf(entries.slice(0, pendingCount))),
    queued: queues.flatMap(({ entries, pendingCount }) => transactionsOf(entries.slice(pendingCount))),
  };
}

/** The first nonce, from the account's on, that neither the queue nor what is in flight has. */
export function nonceAfter(
  queue: SenderQueue | undefined,
  inFlight: ReadonlyMap<bigint, number> | undefined,
  accountNonce: bigint,
): bigint {
  let nonce = accountNonce;
  while (inFlight?.has(nonce) === true || (queue !== undefined && findNonce(queue, nonce).found)) nonce++;
  return nonce;
}
