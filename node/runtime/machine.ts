import { randomBytes } from "node:crypto";
import type { Clock, Entropy } from "./ports.ts";

/** Node fires a timer with a longer delay at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const machineClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const isLast = leftMs <= MAX_TIMER_MS;
      timer = setTimeout(
        isLast ? callback : () => arm(leftMs - MAX_TIMER_MS),
        Math.min(leftMs, MAX_TIMER_MS),
      );
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/** The operating system's random source. */
export const machineEntropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** When something happened, and how long things took: for records that nothing is decided by. */
export const machineTimes: { readonly nowMs: () => number; readonly elapsedMs: () => number } = {
  nowMs: Date.now,
  elapsedMs: () => performance.now(),
};
