import { must } from "@ostrom/base";
import { effectiveTip } from "@ostrom/execution";
import { createHeap, type Heap, popHeap, pushHeap } from "./heap.ts";
import { lowestTip, type SenderQueue } from "./sender-queue.ts";
import type { Entry } from "./types.ts";

/** Senders by what their last transaction is worth, the cheapest first. A transaction is worth the lowest tip among it and
 * those of its sender before it, because it cannot run sooner than they do.
 *
 * The order is made when it is first needed and thrown away when the base fee changes, which moves all tips. An item
 * whose version is not its queue's is out of date and passed over. */
export type EvictionOrder = { heap: Heap<Item> | undefined };

type Item = { readonly queue: SenderQueue; readonly version: number; readonly worth: bigint };

/** A newcomer that would drive more out than this is refused. */
const MAX_VICTIMS = 64;
/** With more items than this for each sender most are out of date, and the order is made anew. */
const MAX_ITEMS_PER_SENDER = 4;

export function createEvictionOrder(): EvictionOrder {
  return { heap: undefined };
}

/** Says that all tips moved. */
export function resetEvictionOrder(order: EvictionOrder): void {
  order.heap = undefined;
}

/** Says that a queue changed. @param senders how many there are. */
export function noteQueueChange(
  order: EvictionOrder,
  queue: SenderQueue,
  senders: number,
  baseFeePerGas: bigint,
): void {
  if (order.heap === undefined || queue.entries.length === 0) return;
  pushHeap(order.heap, itemOf(queue, baseFeePerGas));
  if (order.heap.items.length > MAX_ITEMS_PER_SENDER * (senders + 1)) order.heap = undefined;
}

/** Of the senders whose last transaction waits for a missing nonce, the one for whose last the lowest tip is offered. */
export function cheapestGapped(gapped: Iterable<SenderQueue>, baseFeePerGas: bigint): GappedVictim | undefined {
  let cheapest: GappedVictim | undefined;
  for (const queue of gapped) {
    const last = must(queue.entries.at(-1), "a queue with a gap must have entries");
    const tip = effectiveTip(last.transaction, baseFeePerGas);
    if (cheapest === undefined || tip < cheapest.tip) cheapest = { queue, tip };
  }
  return cheapest;
}

type GappedVictim = { readonly queue: SenderQueue; readonly tip: bigint };

/** Finds the cheapest transactions that must go, so that a newcomer has room. Each is the last of its sender's, and worth
 * less than the newcomer. Nothing is changed yet.
 * @param worth of the newcomer.
 * @param isEnough says whether the pool has room without these.
 * @returns undefined if there is no such set. */
export function planEvictions(
  order: EvictionOrder,
  queues: ReadonlyMap<string, SenderQueue>,
  worth: bigint,
  baseFeePerGas: bigint,
  isEnough: (victims: readonly Entry[]) => boolean,
): readonly { readonly queue: SenderQueue; readonly entry: Entry }[] | undefined {
  const heap = currentHeap(order, queues, baseFeePerGas);
  const victims: { queue: SenderQueue; entry: Entry }[] = [];
  const taken = new Map<SenderQueue, number>();
  const popped: Item[] = [];
  while (victims.length < MAX_VICTIMS && !isEnough(victims.map(({ entry }) => entry))) {
    const item = popHeap(heap);
    if (item === undefined) break;
    const already = taken.get(item.queue) ?? 0;
    if (already === 0) {
      if (item.version !== item.queue.version) continue;
      popped.push(item);
    }
    if (item.worth >= worth) break;
    const left = item.queue.entries.length - already;
    victims.push({ queue: item.queue, entry: item.queue.entries[left - 1]! });
    taken.set(item.queue, already + 1);
    if (left > 1) pushHeap(heap, { ...item, worth: lowestTip(item.queue, left - 1, baseFeePerGas), version: -1 });
  }
  // Items of the plan itself are out of date by their version; the queues' own go back.
  for (const item of popped) pushHeap(heap, item);
  return isEnough(victims.map(({ entry }) => entry)) ? victims : undefined;
}

function currentHeap(
  order: EvictionOrder,
  queues: ReadonlyMap<string, SenderQueue>,
  baseFeePerGas: bigint,
): Heap<Item> {
  order.heap ??= createHeap(
    Array.from(queues.values(), (queue) => itemOf(queue, baseFeePerGas)),
    isCheaper,
  );
  return order.heap;
}

function itemOf(queue: SenderQueue, baseFeePerGas: bigint): Item {
  return { queue, version: queue.version, worth: lowestTip(queue, queue.entries.length, baseFeePerGas) };
}

/** Of equals the youngest goes first. */
function isCheaper(a: Item, b: Item): boolean {
  if (a.worth !== b.worth) return a.worth < b.worth;
  return lastSequence(a) > lastSequence(b);
}

function lastSequence({ queue }: Item): number {
  return queue.entries.at(-1)?.sequence ?? 0;
}
