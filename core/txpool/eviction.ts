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

type Item = {
  readonly queue: SenderQueue;
  readonly version: number;
  readonly worth: bigint;
  /** Order of arrival of the last transaction. */
  readonly sequence: number;
};

/** Of items that are for one plan only. */
const NO_VERSION = -1;
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

/** Of the senders whose last transaction waits for a missing nonce, the one whose last offers the lowest tip; of equals the
 * youngest. */
export function cheapestGapped(
  gapped: Iterable<SenderQueue>,
  baseFeePerGas: bigint,
): GappedVictim | undefined {
  let cheapest: GappedVictim | undefined;
  for (const queue of gapped) {
    const last = must(queue.entries.at(-1), "a queue with a gap must have entries");
    const tip = effectiveTip(last.transaction, baseFeePerGas);
    const { sequence } = last;
    if (
      cheapest === undefined ||
      tip < cheapest.tip ||
      (tip === cheapest.tip && sequence > cheapest.sequence)
    ) {
      cheapest = { queue, tip, sequence };
    }
  }
  return cheapest;
}

type GappedVictim = { readonly queue: SenderQueue; readonly tip: bigint; readonly sequence: number };

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
  /** What each queue touched would be worth without its victims. */
  const remaining = new Map<SenderQueue, { readonly item: Item; readonly count: number }>();
  const popped: Item[] = [];
  while (victims.length < MAX_VICTIMS && !isEnough(victims.map(({ entry }) => entry))) {
    const item = popHeap(heap);
    if (item === undefined) break;
    const { queue } = item;
    const planned = remaining.get(queue);
    const isCurrent = planned === undefined ? item.version === queue.version : item === planned.item;
    if (!isCurrent) continue;
    if (planned === undefined) popped.push(item);
    if (item.worth >= worth) break;
    const count = (planned?.count ?? queue.entries.length) - 1;
    victims.push({ queue, entry: must(queue.entries[count], "a queue in the order must have entries") });
    const next = count > 0 ? { ...itemOf(queue, baseFeePerGas, count), version: NO_VERSION } : item;
    remaining.set(queue, { item: next, count });
    if (count > 0) pushHeap(heap, next);
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

/** @param count how many of the queue's first transactions are looked at. */
function itemOf(queue: SenderQueue, baseFeePerGas: bigint, count: number = queue.entries.length): Item {
  const { sequence } = must(queue.entries[count - 1], "a queue in the order must have entries");
  return { queue, version: queue.version, worth: lowestTip(queue, count, baseFeePerGas), sequence };
}

/** Of equals the youngest goes first. */
function isCheaper(a: Item, b: Item): boolean {
  return a.worth === b.worth ? a.sequence > b.sequence : a.worth < b.worth;
}
