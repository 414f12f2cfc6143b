import { EventQueue, must } from "@ostrom/base";

/** Something that happens at a moment of simulated time. */
type Event = {
  readonly timeMs: number;
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
  readonly #queue = new EventQueue<Event>();

  /** Runs a callback once, later. @returns a function that cancels it. */
  at(delayMs: number, run: () => void): () => void {
    const timeMs = this.timeMs + Math.max(0, delayMs);
    const event = { timeMs, run, isCancelled: false };
    this.#queue.put(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Runs events until the condition holds. @returns whether it came to hold before simulated time was up. */
  async runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.timeMs + limitMs;
    await endOfMicrotasks();
    while (!isDone()) {
      if ((this.#queue.nextMs ?? Number.POSITIVE_INFINITY) > endMs) {
        this.timeMs = endMs;
        return false;
      }
      const event = must(this.#queue.take(), "an event is due");
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
}

/** All promises that can resolve without waiting for the machine have done so: a tick comes only after the last microtask, and costs a
 * fraction of a turn of the event loop. */
function endOfMicrotasks(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
