import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bn254 } from "@noble/curves/bn254.js";
import { type Bytes, bytesToBigint, concatBytes, wordToBytes } from "@ostrom/base";
import type { Bn254Engine } from "./arithmetic-engines.ts";

const G1_LENGTH = 64;
const PAIR_LENGTH = 192;

const { Fp12, Fr } = bn254.fields;
const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;

type G1Point = WeierstrassPoint<bigint>;
type G2Point = InstanceType<typeof G2>;

/** The reference engine of BN254. */
export const nobleBn254: Bn254Engine = { name: "noble", add, multiply, pairing };

function add(points: Bytes): Bytes | undefined {
  const first = readG1(points.subarray(0, G1_LENGTH));
  const second = readG1(points.subarray(G1_LENGTH));
  return first === undefined || second === undefined ? undefined : writeG1(first.add(second));
}

function multiply(pointBytes: Bytes, scalar: Bytes): Bytes | undefined {
  const point = readG1(pointBytes);
  return point === undefined ? undefined : writeG1(point.multiplyUnsafe(bytesToBigint(scalar) % Fr.ORDER));
}

function pairing(bytes: Bytes): boolean | undefined {
  const pairs: { g1: G1Point; g2: G2Point }[] = [];
  for (let offset = 0; offset < bytes.length; offset += PAIR_LENGTH) {
    const g1 = readG1(bytes.subarray(offset, offset + G1_LENGTH));
    if (g1 === undefined) return undefined;
    const g2 = readG2(bytes.subarray(offset + G1_LENGTH, offset + PAIR_LENGTH));
    if (g2 === undefined) return undefined;
    // A pair with infinity contributes a factor of one.
    if (!g1.is0() && !g2.is0()) pairs.push({ g1, g2 });
  }
  return Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE);
}

function readG1(bytes: Bytes): G1Point | undefined {
  return validPoint(G1, { x: bytesToBigint(bytes.subarray(0, 32)), y: bytesToBigint(bytes.subarray(32)) });
}

function readG2(bytes: Bytes): G2Point | undefined {
  const word = (index: number): bigint => bytesToBigint(bytes.subarray(32 * index, 32 * index + 32));
  return validPoint(G2, { x: { c0: word(1), c1: word(0) }, y: { c0: word(3), c1: word(2) } });
}

/** Checks the range of the coordinates, the curve's equation and, in G2, the subgroup. */
function validPoint<T>(
  group: { fromAffine(affine: { x: T; y: T }): WeierstrassPoint<T> },
  affine: { x: T; y: T },
): WeierstrassPoint<T> | undefined {
  try {
    const point = group.fromAffine(affine);
    point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}

function writeG1(point: G1Point): Bytes {
  const { x, y } = point.toAffine();
  return concatBytes(wordToBytes(x), wordToBytes(y));
}
