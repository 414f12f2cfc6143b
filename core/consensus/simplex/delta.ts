import type { SimplexState } from "./state.ts";

/** Delta of the current view (rule S6): it grows with each view since the newest final block, except the two that are
 * always under way, so that timeouts outgrow any delay that the network has. */
export function currentDeltaMs({ config, view, tip }: SimplexState): number {
  let deltaMs = config.deltaMs;
  for (let late = view - tip.view - 2; late > 0 && deltaMs < config.maxDeltaMs; late--) {
    deltaMs = Math.floor((deltaMs * config.deltaGrowthPercent) / 100);
  }
  return Math.min(deltaMs, config.maxDeltaMs);
}
