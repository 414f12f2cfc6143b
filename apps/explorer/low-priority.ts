import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";

const { PRIORITY_LOW } = constants.priority;

/** Under load the nodes go first; the console lags and catches up. On Linux a priority is one thread's: those that V8 has started already
 * need it too, those that come inherit it. */
export function yieldToNodes(): void {
  setPriority(PRIORITY_LOW);
  if (process.platform !== "linux") return;
  for (const thread of readdirSync("/proc/self/task")) {
    try {
      setPriority(Number(thread), PRIORITY_LOW);
    } catch {
      // It has ended meanwhile.
    }
  }
}
