import type { Clock } from "../types.ts";

/** A clock that stands still until a test moves it. */
export type ManualClock = Clock & {
  /** Runs what falls due, in order. */
  readonly advance: (ms: number) => void;
  /** Timers that are set. */
  readonly timers: () => number;
};

export function createManualClock(): ManualClock {
  let now = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  return {
    after: (delayMs, callback) => {
      const timer = { at: now + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance: (ms) => {
      const end = now + ms;
      for (;;) {
        const next = timers.toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        now = next.at;
        timers = timers.filter((other) => other !== next);
        next.callback();
      }
      now = end;
    },
    timers: () => timers.length,
  };
}
