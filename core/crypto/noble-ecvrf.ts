import { p256 } from "@noble/curves/nist.js";
import { bytesToBigint } from "@ostrom/base";
import { createEcvrf, ECVRF_PUBLIC_KEY_LENGTH, type EcvrfEngine, type EcvrfGroup } from "./ecvrf.ts";
import { P256_ORDER } from "./secret-keys.ts";

export type NobleP256Point = InstanceType<typeof p256.Point>;

const Point = p256.Point;

/** Secret scalars k are split into r and k - r by a secret mask, so that neither product, whose time JavaScript's integers may give away,
 * tells anything about k: noble goes through the same additions for each scalar, but blinds only multiples of the generator. */
export const nobleEcvrfGroup: EcvrfGroup<NobleP256Point> = {
  name: "noble",
  decode: (bytes) => {
    if (bytes.length !== ECVRF_PUBLIC_KEY_LENGTH) return undefined;
    try {
      return Point.fromBytes(bytes);
    } catch {
      return undefined;
    }
  },
  encode: (point) => point.toBytes(true),
  multiplySecret: (scalar, point, mask) => {
    const of = point === "base" ? Point.BASE : point;
    const hidden = bytesToBigint(mask);
    const rest = (bytesToBigint(scalar) + P256_ORDER - hidden) % P256_ORDER;
    // The mask is the scalar itself once in 2^256 times.
    return rest === 0n ? of.multiply(hidden) : of.multiply(hidden).add(of.multiply(rest));
  },
  difference: (s, first, c, second) => {
    const sum = (first === "base" ? Point.BASE : first).mulAddUnsafe(s, second.negate(), c);
    return sum.is0() ? undefined : sum;
  },
};

/** The reference engine of the verifiable random function. */
export const nobleEcvrf: EcvrfEngine = createEcvrf(nobleEcvrfGroup);
