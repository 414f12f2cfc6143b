import { assert } from "@ostrom/base";

/** aserti3-2d: the target of a block is the anchor's times 2^(lag / halflife), where `lag` is how far the chain is behind the
 * schedule that the anchor began. It depends on two points of the chain alone, so no window can be gamed, and rounding does not add up.
 * Source: Bitcoin Cash upgrade specification 2020-11-15, "ASERT Difficulty Adjustment Algorithm (aserti3-2d)". There times are
 * seconds and targets pass through a compact form of 32 bits; here the unit is the caller's, and targets are whole. */
export type AsertSchedule = {
  /** Target of the anchor block. */
  readonly anchorTarget: bigint;
  /** Targets are never greater: work is never less. */
  readonly maxTarget: bigint;
  /** Between blocks, in the same unit as times. */
  readonly targetInterval: number;
  /** Lag after which the target has doubled, in the same unit. */
  readonly halflife: number;
};

/** Bits of the exponent's fraction, and of the factor that is made from it. */
const RADIX_BITS = 16n;
const RADIX = 1n << RADIX_BITS;
/** 2^x - 1 for x in [0, 1) = 0.695502049 x + 0.2262698 x^2 + 0.0782318 x^3, scaled by 2^64; the error is below 0.013%. */
const CUBIC = 971_821_376n;
const SQUARE = 5_127n;
const LINEAR = 195_766_423_245_049n;
const POLYNOMIAL_BITS = 48n;

/** The target of the block after one of `heightDelta` blocks above the anchor.
 * @param timeDelta that block's time less the time of the anchor's parent (or one interval before the anchor). May be negative.
 * @returns in [1, maxTarget]. */
export function asertTarget(schedule: AsertSchedule, timeDelta: number, heightDelta: number): bigint {
  const { anchorTarget, maxTarget, targetInterval, halflife } = schedule;
  assert(anchorTarget >= 1n && anchorTarget <= maxTarget, "the anchor's target must be in [1, the maximum]");
  assert(targetInterval > 0 && halflife > 0, "the interval and the halflife must be positive");
  const lag = BigInt(timeDelta) - BigInt(targetInterval) * (BigInt(heightDelta) + 1n);
  // Division truncates towards zero and shifts round down, as the specification's integers do.
  const exponent = (lag * RADIX) / BigInt(halflife);
  const shifts = exponent >> RADIX_BITS;
  const fraction = exponent - shifts * RADIX;
  const polynomial =
    LINEAR * fraction + CUBIC * fraction ** 2n + SQUARE * fraction ** 3n + (1n << (POLYNOMIAL_BITS - 1n));
  const factor = RADIX + (polynomial >> POLYNOMIAL_BITS);
  // Beyond these the outcome is a bound; shifting by a hostile exponent could ask for gigabytes.
  if (shifts > 256n) return maxTarget;
  if (shifts < -512n) return 1n;
  const product = anchorTarget * factor;
  const target = shifts >= RADIX_BITS ? product << (shifts - RADIX_BITS) : product >> (RADIX_BITS - shifts);
  if (target < 1n) return 1n;
  return target > maxTarget ? maxTarget : target;
}
