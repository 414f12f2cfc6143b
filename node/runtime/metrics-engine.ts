import type { ContractEngine } from "@ostrom/vm";
import { ENGINE } from "./metrics-catalog.ts";
import { gauge, gaugeOf, observe } from "./metrics-counters.ts";

/** Shows what a thread's contract engine has counted. */
export function showEngine({ messages, nodeFaults, frames, tier1 }: ContractEngine["counts"]): void {
  gauge(ENGINE.messages, messages);
  gauge(ENGINE.faults, nodeFaults);
  for (const [tier, ran] of Object.entries(frames)) gaugeOf(ENGINE.frames, tier, ran);
  const { requested, compiled, evicted, refused, emittedBytes } = tier1;
  gaugeOf(ENGINE.compiles, "requested", requested);
  gaugeOf(ENGINE.compiles, "compiled", compiled);
  gaugeOf(ENGINE.compiles, "evicted", evicted);
  gaugeOf(
    ENGINE.compiles,
    "refused",
    Object.values(refused).reduce((sum, one) => sum + one, 0),
  );
  gauge(ENGINE.compiledBytes, emittedBytes);
}

/** Times the execution of a block. */
export async function timeBlock<T>(execute: () => Promise<T>): Promise<T> {
  const beganMs = performance.now();
  const report = await execute();
  observe(ENGINE.blockSeconds, (performance.now() - beganMs) / 1_000);
  return report;
}
