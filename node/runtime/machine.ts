import { randomBytes } from "node:crypto";
import type { Clock, Entropy } from "./ports.ts";

/** The machine's clock. */
export const machineClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/** The operating system's random source. */
export const machineEntropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) };
