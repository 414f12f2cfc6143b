import type { OverlayEntry, OverlayPlace } from "./overlay-entry.ts";

/** Sets that live as long as one transaction. */
export type TransactionSets = {
  readonly warmSlots: Map<OverlayPlace, Set<string>>;
  readonly transient: Map<OverlayPlace, Map<string, bigint>>;
  readonly created: Map<OverlayPlace, OverlayEntry>;
  readonly selfDestructed: Set<OverlayPlace>;
  readonly touched: OverlayEntry[];
};

export function emptySets(): TransactionSets {
  return {
    warmSlots: new Map(),
    transient: new Map(),
    created: new Map(),
    selfDestructed: new Set(),
    touched: [],
  };
}
