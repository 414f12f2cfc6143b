import { type Address, must } from "@ostrom/base";
import { effectiveTip } from "@ostrom/execution";
import type { Entry, PoolAccount } from "./types.ts";

/** The transactions of one sender, in nonce order. */
export type SenderQueue = {
  readonly address: Address;
  /** The address as hex digits. */
  readonly key: string;
  account: PoolAccount;
  readonly entries: Entry[];
  /** How many from the front can run one after another, beginning with the account's nonce. */
  pendingCount: number;
  totalCost: bigint;
  /** Rises with each change, so that what was derived from an older state is recognized. */
  version: number;
};

export function createSenderQueue(address: Address, key: string, account: PoolAccount): SenderQueue {
  return { address, key, account, entries: [], pendingCount: 0, totalCost: 0n, version: 0 };
}

/** Where the nonce is, or where it belongs. */
export function findNonce(
  queue: SenderQueue,
  nonce: bigint,
): { readonly index: number; readonly found: boolean } {
  const { entries } = queue;
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.transaction.nonce < nonce) low = middle + 1;
    else high = middle;
  }
  return { index: low, found: entries[low]?.transaction.nonce === nonce };
}

/** Puts an entry in its place. @returns what it replaced. */
export function insertEntry(queue: SenderQueue, entry: Entry): Entry | undefined {
  const { index, found } = findNonce(queue, entry.transaction.nonce);
  const replaced = found ? queue.entries[index] : undefined;
  queue.entries.splice(index, found ? 1 : 0, entry);
  queue.totalCost += entry.cost - (replaced?.cost ?? 0n);
  queue.version++;
  extendRun(queue);
  return replaced;
}

/** Takes the entry with the highest nonce out. */
export function removeLast(queue: SenderQueue): Entry {
  const last = must(queue.entries.pop(), "a queue must have an entry to remove");
  queue.totalCost -= last.cost;
  if (queue.pendingCount > queue.entries.length) queue.pendingCount = queue.entries.length;
  queue.version++;
  return last;
}

/** Takes the entries from `index` on out. */
export function removeFrom(queue: SenderQueue, index: number): Entry[] {
  const removed: Entry[] = [];
  while (queue.entries.length > index) removed.push(removeLast(queue));
  return removed.reverse();
}

/** Takes one entry out; those behind it wait for its nonce from now on. */
export function removeNonce(queue: SenderQueue, nonce: bigint): Entry | undefined {
  const { index, found } = findNonce(queue, nonce);
  if (!found) return undefined;
  const removed = must(queue.entries[index], "a nonce that was found must have an entry");
  queue.entries.splice(index, 1);
  queue.totalCost -= removed.cost;
  if (queue.pendingCount > index) queue.pendingCount = index;
  queue.version++;
  return removed;
}

/** Takes the entries below the account's new nonce out. */
export function advanceAccount(queue: SenderQueue, account: PoolAccount): Entry[] {
  queue.account = account;
  const { index } = findNonce(queue, account.nonce);
  const removed = queue.entries.splice(0, index);
  for (const entry of removed) queue.totalCost -= entry.cost;
  queue.pendingCount = 0;
  queue.version++;
  extendRun(queue);
  return removed;
}

/** The lowest tip of the first `count` entries: what stands behind a cheap transaction is worth no more than it. */
export function lowestTip(queue: SenderQueue, count: number, baseFeePerGas: bigint): bigint {
  let lowest = effectiveTip(
    must(queue.entries[0], "a queue must have entries to value").transaction,
    baseFeePerGas,
  );
  for (let i = 1; i < count; i++) {
    const tip = effectiveTip(queue.entries[i]!.transaction, baseFeePerGas);
    if (tip < lowest) lowest = tip;
  }
  return lowest;
}

function extendRun(queue: SenderQueue): void {
  const { entries, account } = queue;
  while (
    queue.pendingCount < entries.length &&
    entries[queue.pendingCount]!.transaction.nonce === account.nonce + BigInt(queue.pendingCount)
  ) {
    queue.pendingCount++;
  }
}
