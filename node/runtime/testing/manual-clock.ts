import type { Clock } from "../ports.ts";

/** A clock that stands still until a test moves it. */
export type ManualClock = Clock & {
  /** Runs what falls due, in order of time. */
  readonly advance: (ms: number) => void;
  /** Changes what the clock shows, and no timer. */
  readonly set: (nowMs: number) => void;
  /** Delays of the timers that are set, from now. */
  readonly timers: () => readonly number[];
};

export function createManualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  let elapsedMs = 0;
  let timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { atMs: elapsedMs + Math.max(0, delayMs), callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance: (ms) => {
      const endMs = elapsedMs + ms;
      const step = (toMs: number): void => {
        nowMs += toMs - elapsedMs;
        elapsedMs = toMs;
      };
      for (;;) {
        const next = timers.toSorted((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined || next.atMs > endMs) break;
        step(next.atMs);
        timers = timers.filter((other) => other !== next);
        next.callback();
      }
      step(endMs);
    },
    set: (to) => {
      nowMs = to;
    },
    timers: () => timers.map(({ atMs }) => atMs - elapsedMs),
  };
}

/** All promises that can resolve without waiting for the machine have done so. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
