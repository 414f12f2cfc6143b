import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bn254 } from "@noble/curves/bn254.js";
import { type Bytes, bytesToBigint, concatBytes, wordToBytes } from "@ostrom/base";
import { type Precompile, readPadded } from "./precompile.ts";

/** Gas of EIP-1108. */
const ADD_GAS = 150n;
const MULTIPLY_GAS = 6000n;
const PAIRING_BASE_GAS = 45_000;
const PAIRING_GAS_PER_PAIR = 34_000;

const G1_LENGTH = 64;
const PAIR_LENGTH = 192;

const { Fp12, Fr } = bn254.fields;
const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;

type G1Point = WeierstrassPoint<bigint>;
type G2Point = InstanceType<typeof G2>;

/** 0x06: sum of two points of alt_bn128's G1. Points are x || y, a word each; infinity is zeros. Fails on coordinates
 * that reach the field's order and on points off the curve. Source: EIP-196. */
export const bn254Add: Precompile = { gas: () => ADD_GAS, run: add };

/** 0x07: a point of G1 times any 256-bit number. Source: EIP-196. */
export const bn254Multiply: Precompile = { gas: () => MULTIPLY_GAS, run: multiply };

/** 0x08: whether the product of the pairings of all pairs (G1, G2) is one, as a word. G2 coordinates come imaginary part
 * first, and its points must lie in the subgroup of the group's order. No pairs at all: one. Source: EIP-197. */
export const bn254Pairing: Precompile = {
  gas: (input) => BigInt(PAIRING_BASE_GAS + PAIRING_GAS_PER_PAIR * Math.floor(input.length / PAIR_LENGTH)),
  run: checkPairing,
};

function add(input: Bytes): Bytes | undefined {
  const first = readG1(readPadded(input, 0, G1_LENGTH));
  const second = readG1(readPadded(input, G1_LENGTH, G1_LENGTH));
  return first === undefined || second === undefined ? undefined : writeG1(first.add(second));
}

function multiply(input: Bytes): Bytes | undefined {
  const point = readG1(readPadded(input, 0, G1_LENGTH));
  if (point === undefined) return undefined;
  const scalar = bytesToBigint(readPadded(input, G1_LENGTH, 32));
  return writeG1(point.multiplyUnsafe(scalar % Fr.ORDER));
}

function checkPairing(input: Bytes): Bytes | undefined {
  if (input.length % PAIR_LENGTH !== 0) return undefined;
  const pairs: { g1: G1Point; g2: G2Point }[] = [];
  for (let offset = 0; offset < input.length; offset += PAIR_LENGTH) {
    const g1 = readG1(input.subarray(offset, offset + G1_LENGTH));
    if (g1 === undefined) return undefined;
    const g2 = readG2(input.subarray(offset + G1_LENGTH, offset + PAIR_LENGTH));
    if (g2 === undefined) return undefined;
    // A pair with infinity contributes a factor of one.
    if (!g1.is0() && !g2.is0()) pairs.push({ g1, g2 });
  }
  return wordToBytes(Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE) ? 1n : 0n);
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
