import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bn254 } from "@noble/curves/bn254.js";
import { type Bytes, bytesToBigint, type Random } from "@ostrom/base";
import {
  encodeBlsG1,
  encodeBlsG2,
  encodeBn254G1,
  encodeBn254G2,
  randomBlsG1,
  randomBlsG2,
  randomBn254G1,
  randomBn254G2,
  strayBlsG1,
  strayBlsG2,
  strayBn254G2,
} from "./points.ts";

/** Points of every kind that engines could treat differently, encoded. */

const BN254_ORDER: bigint = bn254.fields.Fr.ORDER;
const BLS_ORDER: bigint = bls12_381.fields.Fr.ORDER;

/** The prime factors of the cofactor of BN254's twist, 2p - r. */
export const BN254_TWIST_COFACTOR_PRIMES: readonly bigint[] = [
  10069n,
  5864401n,
  1875725156269n,
  197620364512881247228717050342013327560683201906968909n,
];
export const BN254_TWIST_COFACTOR: bigint = 2n * bn254.fields.Fp.ORDER - BN254_ORDER;

/** A point times any number, by doubling: the library's own functions take scalars below the order. */
function multiple<T>(point: WeierstrassPoint<T>, scalar: bigint): WeierstrassPoint<T> {
  let sum = point.subtract(point);
  for (const bit of scalar.toString(2)) {
    sum = sum.double();
    if (bit === "1") sum = sum.add(point);
  }
  return sum;
}

type FieldPair = { readonly c0: bigint; readonly c1: bigint };

function words(bytes: Bytes, length: number): bigint[] {
  return Array.from({ length: bytes.length / length }, (_, i) =>
    bytesToBigint(bytes.subarray(i * length, (i + 1) * length)),
  );
}

const decodeBn254G2 = (bytes: Bytes): WeierstrassPoint<FieldPair> => {
  const [x1, x0, y1, y0] = words(bytes, 32) as [bigint, bigint, bigint, bigint];
  return bn254.G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } });
};
const decodeBlsG1 = (bytes: Bytes): WeierstrassPoint<bigint> => {
  const [x, y] = words(bytes, 64) as [bigint, bigint];
  return bls12_381.G1.Point.fromAffine({ x, y });
};
const decodeBlsG2 = (bytes: Bytes): WeierstrassPoint<FieldPair> => {
  const [x0, x1, y0, y1] = words(bytes, 64) as [bigint, bigint, bigint, bigint];
  return bls12_381.G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } });
};

/** A point of BN254's twist of a prime order that divides the cofactor. */
export function bn254TwistPointOfOrder(random: Random, prime: bigint): Bytes {
  for (;;) {
    const stray = decodeBn254G2(strayBn254G2(random));
    const point = multiple(stray, BN254_ORDER * (BN254_TWIST_COFACTOR / prime));
    if (!point.is0()) return encodeBn254G2(point.toAffine());
  }
}

/** A point's encoding with its y coordinate negated. */
function negated<T>(
  decode: (bytes: Bytes) => WeierstrassPoint<T>,
  encode: (affine: { readonly x: T; readonly y: T }) => Bytes,
): (bytes: Bytes) => Bytes {
  return (bytes) => encode(decode(bytes).negate().toAffine());
}

export type PointPool = {
  /** In the subgroup; each is followed by its negative. */
  readonly members: readonly Bytes[];
  /** On the curve outside the subgroup; of small order, of a cofactor's, and sums of such with members. */
  readonly strays: readonly Bytes[];
  readonly infinity: Bytes;
};

export type PointPools = Readonly<Record<"bn254G1" | "bn254G2" | "blsG1" | "blsG2", PointPool>>;

const MEMBERS = 8;
const STRAYS = 4;

export function pointPools(random: Random): PointPools {
  const members = (make: (from: Random) => Bytes, negate: (point: Bytes) => Bytes): Bytes[] =>
    Array.from({ length: MEMBERS }, () => make(random)).flatMap((point) => [point, negate(point)]);
  const blsG1 = members(randomBlsG1, negated(decodeBlsG1, encodeBlsG1));
  const blsG2 = members(randomBlsG2, negated(decodeBlsG2, encodeBlsG2));
  const bn254G1 = members(randomBn254G1, (point) => {
    const [x, y] = words(point, 32) as [bigint, bigint];
    return encodeBn254G1({ x, y: bn254.fields.Fp.ORDER - y });
  });
  return {
    bn254G1: { members: bn254G1, strays: [], infinity: new Uint8Array(64) },
    bn254G2: {
      members: members(randomBn254G2, negated(decodeBn254G2, encodeBn254G2)),
      strays: [
        ...Array.from({ length: STRAYS }, () => strayBn254G2(random)),
        ...BN254_TWIST_COFACTOR_PRIMES.map((prime) => bn254TwistPointOfOrder(random, prime)),
      ],
      infinity: new Uint8Array(128),
    },
    blsG1: {
      members: blsG1,
      strays: [
        // x = 0: a point of order three.
        encodeBlsG1({ x: 0n, y: 2n }),
        ...straysOf(() => strayBlsG1(random), decodeBlsG1, encodeBlsG1, blsG1),
      ],
      infinity: new Uint8Array(128),
    },
    blsG2: {
      members: blsG2,
      strays: straysOf(() => strayBlsG2(random), decodeBlsG2, encodeBlsG2, blsG2),
      infinity: new Uint8Array(256),
    },
  };
}

function straysOf<T>(
  make: () => Bytes,
  decode: (bytes: Bytes) => WeierstrassPoint<T>,
  encode: (affine: { readonly x: T; readonly y: T }) => Bytes,
  members: readonly Bytes[],
): Bytes[] {
  return Array.from({ length: STRAYS }, (_, i) => {
    const stray = make();
    const inCofactor = multiple(decode(stray), BLS_ORDER);
    const sum = inCofactor.add(decode(members[i]!));
    return [stray, encode(inCofactor.toAffine()), encode(sum.toAffine())];
  }).flat();
}
