import type { Hash } from "@ostrom/base";

/** How long an interval of mining may be chosen from: both bounds are the same for a fixed one. Milliseconds. */
export type MiningInterval = { readonly minMs: number; readonly maxMs: number };

/** All that the engine of a development chain remembers between two blocks. Plain data: a snapshot of the chain keeps it as it is.
 * Times are Unix seconds. */
export type InstantState = {
  /** A block is made for each transaction that comes. */
  readonly isAutomining: boolean;
  /** A block is made after each such time; undefined: none. */
  readonly interval: MiningInterval | undefined;
  /** What the chain's time is ahead of the clock. */
  readonly offset: number;
  /** Of the next block alone. */
  readonly nextTimestamp: number | undefined;
  /** Between each block and the one before it, in place of the clock; undefined: the clock. */
  readonly timestampInterval: number | undefined;
  /** Of the next block alone, in wei. */
  readonly nextBaseFee: bigint | undefined;
  /** Of the next block alone. */
  readonly nextPrevRandao: Hash | undefined;
  /** Two blocks may have the same time. */
  readonly allowsEqualTimestamps: boolean;
};

export type InstantInput =
  /** A transaction came. */
  | { readonly kind: "transaction" }
  /** The timer that was asked for has rung. @param chance in [0, 1): which time of the interval is next. */
  | { readonly kind: "timer"; readonly chance: number }
  | { readonly kind: "set-automining"; readonly isOn: boolean }
  | { readonly kind: "set-interval"; readonly interval: MiningInterval | undefined; readonly chance: number }
  | { readonly kind: "increase-time"; readonly seconds: number }
  /** The chain's time becomes this, now. */
  | { readonly kind: "set-time"; readonly timestamp: number; readonly now: number }
  | { readonly kind: "set-next-timestamp"; readonly timestamp: number; readonly parentTimestamp: number }
  | { readonly kind: "set-timestamp-interval"; readonly seconds: number | undefined }
  | { readonly kind: "set-next-base-fee"; readonly baseFeePerGas: bigint }
  | { readonly kind: "set-next-prev-randao"; readonly prevRandao: Hash }
  /** A block is made. @param timestamp that it shall have; undefined: the next one. */
  | {
      readonly kind: "seal";
      readonly now: number;
      readonly parentTimestamp: number;
      readonly timestamp: number | undefined;
    };

export type InstantEffect =
  /** Make a block of what waits. */
  | { readonly kind: "make-block" }
  /** Ring after this time, in place of any timer before; undefined: never. */
  | { readonly kind: "set-timer"; readonly afterMs: number | undefined }
  /** The answer to `seal`. */
  | { readonly kind: "sealed"; readonly plan: BlockPlan };

/** What a block has that the rules do not give it. */
export type BlockPlan = {
  readonly timestamp: number;
  readonly baseFeePerGas: bigint | undefined;
  readonly prevRandao: Hash | undefined;
};

/** Code: `instant/timestamp-too-low` (a block's time is below, or where that is not allowed equal to, its parent's). */
export type InstantErrorCode = "instant/timestamp-too-low";
