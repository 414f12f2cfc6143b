type Timed = { readonly timeMs: number };
type Entry<Event extends Timed> = { readonly order: number; readonly event: Event };

/** Events of simulated time, which are taken out by time and, at one time, in the order in which they were put in: whatever runs on
 * it is the same each time. A binary heap; nothing in a node keeps time by it. */
export class EventQueue<Event extends Timed> {
  readonly #heap: Entry<Event>[] = [];
  #order = 0;

  put(event: Event): void {
    const heap = this.#heap;
    const entry = { order: this.#order++, event };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above]!, entry)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** When the next event is due; undefined if there is none. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.event.timeMs;
  }

  take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.event;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (isBefore(last, heap[below]!)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first.event;
  }
}

function isBefore(a: Entry<Timed>, b: Entry<Timed>): boolean {
  const apart = a.event.timeMs - b.event.timeMs;
  return apart < 0 || (apart === 0 && a.order < b.order);
}
