import {
  type WeierstrassPoint,
  type WeierstrassPointCons,
  weierstrass,
} from "@noble/curves/abstract/weierstrass.js";
import { type Bytes, concatBytes } from "@ostrom/base";
import { SM2_ORDER } from "./secret-keys.ts";

export const SM2_POINT_LENGTH = 64;

/** Parameters of GB/T 32918.5-2017 (draft-shen-sm2-ecdsa-02, appendix D). */
export const SM2_FIELD: bigint = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
export const SM2_A: bigint = SM2_FIELD - 3n;
export const SM2_B: bigint = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
export const SM2_BASE_X: bigint = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n;
export const SM2_BASE_Y: bigint = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n;

export type Sm2Point = WeierstrassPoint<bigint>;

/** The curve's points; its cofactor is 1. */
export const Sm2Points: WeierstrassPointCons<bigint> = weierstrass({
  p: SM2_FIELD,
  n: SM2_ORDER,
  h: 1n,
  a: SM2_A,
  b: SM2_B,
  Gx: SM2_BASE_X,
  Gy: SM2_BASE_Y,
});

const UNCOMPRESSED = Uint8Array.of(4);

/** @param bytes x || y. @returns undefined if that is no point of the curve; infinity has no such form. */
export function readSm2Point(bytes: Bytes): Sm2Point | undefined {
  if (bytes.length !== SM2_POINT_LENGTH) return undefined;
  try {
    return Sm2Points.fromBytes(concatBytes(UNCOMPRESSED, bytes));
  } catch {
    return undefined;
  }
}

/** @param point not infinity. @returns x || y, 64 bytes. */
export function writeSm2Point(point: Sm2Point): Bytes {
  return point.toBytes(false).slice(1);
}
