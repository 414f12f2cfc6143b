import { must } from "@ostrom/base";

/** A binary heap: the item that comes before all others is taken first. */
export type Heap<T> = {
  readonly items: T[];
  readonly before: (a: T, b: T) => boolean;
};

/** Makes a heap of these items in linear time; keeps the array. */
export function createHeap<T>(items: T[], before: (a: T, b: T) => boolean): Heap<T> {
  const heap = { items, before };
  for (let i = (items.length >> 1) - 1; i >= 0; i--) sink(heap, i);
  return heap;
}

export function pushHeap<T>(heap: Heap<T>, item: T): void {
  const { items, before } = heap;
  items.push(item);
  let i = items.length - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(items[i]!, items[parent]!)) return;
    swap(items, i, parent);
    i = parent;
  }
}

/** Takes the first item out, or undefined from an empty heap. */
export function popHeap<T>(heap: Heap<T>): T | undefined {
  const { items } = heap;
  if (items.length === 0) return undefined;
  const first = items[0];
  const last = must(items.pop(), "a heap with items must have a last one");
  if (items.length > 0) {
    items[0] = last;
    sink(heap, 0);
  }
  return first;
}

function sink<T>(heap: Heap<T>, from: number): void {
  const { items, before } = heap;
  let i = from;
  for (;;) {
    const left = 2 * i + 1;
    const right = left + 1;
    let first = i;
    if (left < items.length && before(items[left]!, items[first]!)) first = left;
    if (right < items.length && before(items[right]!, items[first]!)) first = right;
    if (first === i) return;
    swap(items, i, first);
    i = first;
  }
}

function swap<T>(items: T[], a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}
