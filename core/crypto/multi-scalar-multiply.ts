import { mulAddUnsafe, pippenger } from "@noble/curves/abstract/curve.js";
import type { WeierstrassPoint, WeierstrassPointCons } from "@noble/curves/abstract/weierstrass.js";

/** From how many terms on buckets are faster than a table of odd multiples for each point. Measured. */
const BUCKETS_FROM_TERMS = 256;

/** Sum of points, each times its scalar in [0, group order). Zero terms fall out first: they are common in tests and
 * would still cost their share of a table. */
export function multiScalarMultiply<T>(
  group: WeierstrassPointCons<T>,
  points: readonly WeierstrassPoint<T>[],
  scalars: readonly bigint[],
): WeierstrassPoint<T> {
  const livePoints: WeierstrassPoint<T>[] = [];
  const liveScalars: bigint[] = [];
  for (const [index, point] of points.entries()) {
    const scalar = scalars[index]!;
    if (scalar === 0n || point.is0()) continue;
    livePoints.push(point);
    liveScalars.push(scalar);
  }
  if (livePoints.length === 0) return group.ZERO;
  return livePoints.length < BUCKETS_FROM_TERMS
    ? mulAddUnsafe(group, livePoints, liveScalars)
    : pippenger(group, livePoints, liveScalars);
}
