import type { MiningInterval } from "@ostrom/consensus";
import { type Decoder, ValueError } from "@ostrom/rpc";
import { whole } from "./method-parts.ts";

export type MineRequest = { readonly timestamp?: number; readonly blocks?: number };

/** A time in seconds, or anvil's {timestamp, blocks}. */
export const mineRequest: Decoder<MineRequest> = {
  type: "time in seconds, or {timestamp, blocks}",
  decode: (value) => {
    if (typeof value !== "object" || value === null) {
      const timestamp = whole.decode(value);
      // Clients write 0 where they mean nothing.
      return timestamp === 0 ? {} : { timestamp };
    }
    const { timestamp, blocks } = value as { readonly timestamp?: unknown; readonly blocks?: unknown };
    return {
      ...(isMissing(timestamp) ? {} : { timestamp: whole.decode(timestamp) }),
      ...(isMissing(blocks) ? {} : { blocks: whole.decode(blocks) }),
    };
  },
};

/** Milliseconds, or [least, most]; 0: no interval. */
export const miningInterval: Decoder<MiningInterval | undefined> = {
  type: "milliseconds, or [least, most]; 0: never",
  decode: (value) => {
    const [minMs, maxMs] = Array.isArray(value)
      ? [whole.decode(value[0]), whole.decode(value[1])]
      : [whole.decode(value), whole.decode(value)];
    if (minMs > maxMs) throw new ValueError("the least time is above the most");
    return maxMs === 0 ? undefined : { minMs, maxMs };
  },
};

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}
