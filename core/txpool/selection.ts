import { effectiveTip, type SignedTransaction } from "@ostrom/execution";
import { isOutdated } from "./admission.ts";
import { createHeap, popHeap, pushHeap } from "./heap.ts";
import type { SenderQueue } from "./sender-queue.ts";
import type { Entry, Selection } from "./types.ts";

/** No transaction asks for less gas, so with less left the block is full. */
const LEAST_GAS = 21_000n;
/** RLP takes at most this much around a transaction, and around the whole list. */
const BYTES_AROUND_TRANSACTION = 5;
const BYTES_AROUND_PAYLOAD = 8;
/** After so many senders whose next transaction does not fit, the block is as full as it gets. */
const MAX_MISFITS = 64;

type Candidate = {
  readonly queue: SenderQueue;
  readonly index: number;
  readonly tip: bigint;
  readonly entry: Entry;
};

/** What the block to be demands of a transaction. */
type Bounds = Pick<Selection, "accepts"> & { readonly baseFeePerGas: bigint; readonly timestamp: number };

/** Chooses transactions for a block: always the highest tip among what can run next; of equals the one that came first.
 * Each sender's come in nonce order.
 * @param inFlight nonces that ancestors use, by sender. */
export function selectTransactions(
  queues: Iterable<SenderQueue>,
  inFlight: ReadonlyMap<string, ReadonlySet<bigint>>,
  {
    gasLimit,
    maxBytes,
    maxCount = Number.POSITIVE_INFINITY,
    accepts,
    baseFeePerGas,
    timestamp = 0,
  }: Selection,
): SignedTransaction[] {
  const bounds = { baseFeePerGas, timestamp, accepts };
  const first: Candidate[] = [];
  for (const queue of queues) {
    const candidate = firstCandidate(queue, inFlight.get(queue.key), bounds);
    if (candidate !== undefined) first.push(candidate);
  }
  const heap = createHeap(first, comesFirst);
  const chosen: SignedTransaction[] = [];
  let gasLeft = gasLimit;
  let bytesLeft = maxBytes - BYTES_AROUND_PAYLOAD;
  let misfits = 0;
  while (gasLeft >= LEAST_GAS && misfits < MAX_MISFITS && chosen.length < maxCount) {
    const best = popHeap(heap);
    if (best === undefined) break;
    const { transaction } = best.entry;
    const bytes = transaction.raw.length + BYTES_AROUND_TRANSACTION;
    if (transaction.gasLimit > gasLeft || bytes > bytesLeft) {
      // What stands behind it cannot go before it, so its sender is done.
      misfits++;
      continue;
    }
    chosen.push(transaction);
    gasLeft -= transaction.gasLimit;
    bytesLeft -= bytes;
    const next = candidateAt(
      best.queue,
      best.index + 1,
      transaction.nonce + 1n,
      inFlight.get(best.queue.key),
      bounds,
    );
    if (next !== undefined) pushHeap(heap, next);
  }
  return chosen;
}

/** Whether there is anything to choose. */
export function hasSelectable(
  queues: Iterable<SenderQueue>,
  inFlight: ReadonlyMap<string, ReadonlySet<bigint>>,
  { baseFeePerGas, timestamp = 0 }: Pick<Selection, "baseFeePerGas" | "timestamp">,
): boolean {
  const bounds = { baseFeePerGas, timestamp };
  for (const queue of queues) {
    if (firstCandidate(queue, inFlight.get(queue.key), bounds) !== undefined) return true;
  }
  return false;
}

function firstCandidate(
  queue: SenderQueue,
  inFlight: ReadonlySet<bigint> | undefined,
  bounds: Bounds,
): Candidate | undefined {
  return candidateAt(queue, 0, queue.account.nonce, inFlight, bounds);
}

/** The next that can run: at `index` of the queue or behind, where ancestors are taken as executed.
 * @param nonce that the account will have. */
function candidateAt(
  queue: SenderQueue,
  index: number,
  nonce: bigint,
  inFlight: ReadonlySet<bigint> | undefined,
  bounds: Bounds,
): Candidate | undefined {
  let expected = nonce;
  let at = index;
  while (inFlight?.has(expected) === true) {
    if (queue.entries[at]?.transaction.nonce === expected) at++;
    expected++;
  }
  const entry = queue.entries[at];
  if (entry === undefined || entry.transaction.nonce !== expected) return undefined;
  const { baseFeePerGas, timestamp, accepts } = bounds;
  if (accepts?.(entry.transaction) === false) return undefined;
  if (entry.transaction.maxFeePerGas < baseFeePerGas || isOutdated(entry.transaction, timestamp))
    return undefined;
  return { queue, index: at, tip: effectiveTip(entry.transaction, baseFeePerGas), entry };
}

function comesFirst(a: Candidate, b: Candidate): boolean {
  return a.tip === b.tip ? a.entry.sequence < b.entry.sequence : a.tip > b.tip;
}
