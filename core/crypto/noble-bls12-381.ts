import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import type { Bytes } from "@ostrom/base";
import type { Bls12381Engine } from "./arithmetic-engines.ts";
import {
  G1,
  G1_LENGTH,
  type G1Point,
  G2,
  G2_LENGTH,
  type G2Point,
  readFieldElement,
  readFieldPair,
  readG1,
  readG2,
  readScalar,
  SCALAR_LENGTH,
  writeG1,
  writeG2,
} from "./bls12-381-encoding.ts";
import { multiScalarMultiply } from "./multi-scalar-multiply.ts";
import { verifyKzgProof } from "./noble-kzg.ts";

const PAIR_LENGTH = G1_LENGTH + G2_LENGTH;

const { Fp12 } = bls12_381.fields;

// The library's declarations say "bigint[] to affine point" for both; G1's takes one bigint, and both return points.
const mapElement = bls12_381.G1.mapToCurve as unknown as (element: bigint) => G1Point;
const mapPair = bls12_381.G2.mapToCurve as unknown as (parts: [c0: bigint, c1: bigint]) => G2Point;

/** The reference engine of BLS12-381's arithmetic. */
export const nobleBls12381: Bls12381Engine = {
  name: "noble",
  addG1: (points) => {
    const first = readG1(points.subarray(0, G1_LENGTH), "curve");
    const second = readG1(points.subarray(G1_LENGTH), "curve");
    return first === undefined || second === undefined ? undefined : writeG1(first.add(second));
  },
  addG2: (points) => {
    const first = readG2(points.subarray(0, G2_LENGTH), "curve");
    const second = readG2(points.subarray(G2_LENGTH), "curve");
    return first === undefined || second === undefined ? undefined : writeG2(first.add(second));
  },
  sumOfMultiplesG1: (terms) => {
    const read = readTerms(terms, G1_LENGTH, (bytes) => readG1(bytes, "subgroup"));
    return read && writeG1(multiScalarMultiply(G1, read.points, read.scalars));
  },
  sumOfMultiplesG2: (terms) => {
    const read = readTerms(terms, G2_LENGTH, (bytes) => readG2(bytes, "subgroup"));
    return read && writeG2(multiScalarMultiply(G2, read.points, read.scalars));
  },
  pairing,
  mapToG1: (bytes) => {
    const element = readFieldElement(bytes);
    return element === undefined ? undefined : writeG1(mapElement(element));
  },
  mapToG2: (bytes) => {
    const pair = readFieldPair(bytes);
    return pair === undefined ? undefined : writeG2(mapPair([pair.c0, pair.c1]));
  },
  verifyKzgProof,
};

type Terms<T> = { readonly points: readonly WeierstrassPoint<T>[]; readonly scalars: readonly bigint[] };

function readTerms<T>(
  terms: Bytes,
  pointLength: number,
  readPoint: (bytes: Bytes) => WeierstrassPoint<T> | undefined,
): Terms<T> | undefined {
  const points: WeierstrassPoint<T>[] = [];
  const scalars: bigint[] = [];
  for (let offset = 0; offset < terms.length; offset += pointLength + SCALAR_LENGTH) {
    const point = readPoint(terms.subarray(offset, offset + pointLength));
    if (point === undefined) return undefined;
    points.push(point);
    scalars.push(readScalar(terms.subarray(offset + pointLength, offset + pointLength + SCALAR_LENGTH)));
  }
  return { points, scalars };
}

function pairing(bytes: Bytes): boolean | undefined {
  const pairs: { g1: G1Point; g2: G2Point }[] = [];
  for (let offset = 0; offset < bytes.length; offset += PAIR_LENGTH) {
    const g1 = readG1(bytes.subarray(offset, offset + G1_LENGTH), "subgroup");
    if (g1 === undefined) return undefined;
    const g2 = readG2(bytes.subarray(offset + G1_LENGTH, offset + PAIR_LENGTH), "subgroup");
    if (g2 === undefined) return undefined;
    // A pair with infinity contributes a factor of one.
    if (!g1.is0() && !g2.is0()) pairs.push({ g1, g2 });
  }
  return Fp12.eql(bls12_381.pairingBatch(pairs), Fp12.ONE);
}
