import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes } from "@ostrom/base";
import { BLS_ORDER } from "./secret-keys.ts";

/** Encodings of EIP-2537. A field element is 64 bytes, big-endian, below p, so its first 16 bytes are zeros. One of the
 * extension is c0 || c1. A point is x || y, uncompressed; infinity is zeros. A scalar is 32 bytes, of any value. */

export const FP_LENGTH = 64;
export const FP2_LENGTH = 128;
export const G1_LENGTH = 128;
export const G2_LENGTH = 256;
export const SCALAR_LENGTH = 32;

const PADDING_LENGTH = 16;

export type FieldPair = { readonly c0: bigint; readonly c1: bigint };
export type G1Point = WeierstrassPoint<bigint>;
export type G2Point = InstanceType<typeof G2>;

export const G1: typeof bls12_381.G1.Point = bls12_381.G1.Point;
export const G2: typeof bls12_381.G2.Point = bls12_381.G2.Point;

const { Fp, Fp2 } = bls12_381.fields;
const G1_B = G1.CURVE().b;
const G2_B = G2.CURVE().b;

/** What a point is checked for: the curve's equation, or also membership in the subgroup of prime order. */
export type PointCheck = "curve" | "subgroup";

/** @returns undefined if it reaches p. */
export function readFieldElement(bytes: Bytes): bigint | undefined {
  for (let i = 0; i < PADDING_LENGTH; i++) if (bytes[i] !== 0) return undefined;
  const value = bytesToBigint(bytes.subarray(PADDING_LENGTH));
  return value < Fp.ORDER ? value : undefined;
}

/** @returns undefined if a part reaches p. */
export function readFieldPair(bytes: Bytes): FieldPair | undefined {
  const c0 = readFieldElement(bytes.subarray(0, FP_LENGTH));
  const c1 = readFieldElement(bytes.subarray(FP_LENGTH));
  return c0 === undefined || c1 === undefined ? undefined : { c0, c1 };
}

/** A scalar, reduced by the group's order: the points that it multiplies have that order. */
export function readScalar(bytes: Bytes): bigint {
  return bytesToBigint(bytes) % BLS_ORDER;
}

/** @returns undefined if the encoding is not canonical or the check fails. */
export function readG1(bytes: Bytes, check: PointCheck): G1Point | undefined {
  const x = readFieldElement(bytes.subarray(0, FP_LENGTH));
  const y = readFieldElement(bytes.subarray(FP_LENGTH));
  if (x === undefined || y === undefined) return undefined;
  if (x === 0n && y === 0n) return G1.ZERO;
  // No point of either curve has y = 0: both groups have odd order.
  if (y === 0n || Fp.sqr(y) !== Fp.add(Fp.mul(Fp.sqr(x), x), G1_B)) return undefined;
  const point = G1.fromAffine({ x, y });
  return check === "curve" || point.isTorsionFree() ? point : undefined;
}

/** @returns undefined if the encoding is not canonical or the check fails. */
export function readG2(bytes: Bytes, check: PointCheck): G2Point | undefined {
  const x = readFieldPair(bytes.subarray(0, FP2_LENGTH));
  const y = readFieldPair(bytes.subarray(FP2_LENGTH));
  if (x === undefined || y === undefined) return undefined;
  if (Fp2.is0(y)) return Fp2.is0(x) ? G2.ZERO : undefined;
  if (!Fp2.eql(Fp2.sqr(y), Fp2.add(Fp2.mul(Fp2.sqr(x), x), G2_B))) return undefined;
  const point = G2.fromAffine({ x, y });
  return check === "curve" || point.isTorsionFree() ? point : undefined;
}

export function writeG1(point: G1Point): Bytes {
  const { x, y } = point.toAffine();
  return concatBytes(bigintToBytes(x, FP_LENGTH), bigintToBytes(y, FP_LENGTH));
}

export function writeG2(point: G2Point): Bytes {
  const { x, y } = point.toAffine();
  return concatBytes(...[x.c0, x.c1, y.c0, y.c1].map((part) => bigintToBytes(part, FP_LENGTH)));
}
