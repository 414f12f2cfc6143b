/** Something that happens at a moment of simulated time. */
type Event = {
  readonly timeMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
};

/** Simulated time: nothing happens but the events that are due, one after another, each with all that its promises lead to.
 *
 * Promises resolve in an order that the language fixes, so a run is the same each time as long as nothing in it waits for the
 * machine (its clock, disk, threads): then the end of the queue of microtasks ends all that an event has begun. */
export class SimulatedClock {
  timeMs = 0;
  /** Events that have happened. */
  events = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  /** Runs a callback once, later. @returns a function that cancels it. */
  at(delayMs: number, run: () => void): () => void {
    const timeMs = this.timeMs + Math.max(0, delayMs);
    const event = { timeMs, order: this.#order++, run, isCancelled: false };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Runs events until the condition holds. @returns whether it came to hold before simulated time was up. */
  async runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.timeMs + limitMs;
    await endOfMicrotasks();
    while (!isDone()) {
      const event = this.#pop();
      if (event === undefined || event.timeMs > endMs) {
        if (event !== undefined) this.#push(event);
        this.timeMs = endMs;
        return false;
      }
      if (event.isCancelled) continue;
      this.timeMs = event.timeMs;
      this.events++;
      event.run();
      await endOfMicrotasks();
    }
    return true;
  }

  async runFor(durationMs: number): Promise<void> {
    await this.runUntil(() => false, durationMs);
  }

  /** A binary heap by time, then by order of creation. */
  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above]!, event)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
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
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}

/** All promises that can resolve without waiting for the machine have done so: a tick comes only after the last microtask, and costs a
 * fraction of a turn of the event loop. */
function endOfMicrotasks(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
