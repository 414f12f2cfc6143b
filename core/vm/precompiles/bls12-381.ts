import { bls12_381 } from "@noble/curves/bls12-381.js";
import { wordToBytes } from "@ostrom/base";
import {
  FP_LENGTH,
  FP2_LENGTH,
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
import {
  G1_ADD_GAS,
  G2_ADD_GAS,
  g1MultiScalarGas,
  g2MultiScalarGas,
  MAP_FP_GAS,
  MAP_FP2_GAS,
  PAIRING_BASE_GAS,
  PAIRING_GAS_PER_PAIR,
} from "./bls12-381-gas.ts";
import { multiScalarMultiply } from "./multi-scalar-multiply.ts";
import type { Precompile } from "./precompile.ts";

/** The precompiles of EIP-2537 (final, Prague). All fail on input of another length, on field elements that are not
 * canonical and on points off the curve; pairing and multi-scalar multiplication also on points outside the subgroup,
 * addition not. Encodings: bls12-381-encoding.ts. */

const G1_TERM_LENGTH = G1_LENGTH + SCALAR_LENGTH;
const G2_TERM_LENGTH = G2_LENGTH + SCALAR_LENGTH;
const PAIR_LENGTH = G1_LENGTH + G2_LENGTH;

const { Fp12 } = bls12_381.fields;

// The library's declarations say "bigint[] to affine point" for both; G1's takes one bigint, and both return points.
const mapToG1 = bls12_381.G1.mapToCurve as unknown as (element: bigint) => G1Point;
const mapToG2 = bls12_381.G2.mapToCurve as unknown as (parts: [c0: bigint, c1: bigint]) => G2Point;

/** 0x0b: sum of two points of G1's curve. */
export const blsG1Add: Precompile = {
  gas: () => G1_ADD_GAS,
  run: (input) => {
    if (input.length !== 2 * G1_LENGTH) return undefined;
    const first = readG1(input.subarray(0, G1_LENGTH), "curve");
    const second = readG1(input.subarray(G1_LENGTH), "curve");
    return first === undefined || second === undefined ? undefined : writeG1(first.add(second));
  },
};

/** 0x0d: sum of two points of G2's curve. */
export const blsG2Add: Precompile = {
  gas: () => G2_ADD_GAS,
  run: (input) => {
    if (input.length !== 2 * G2_LENGTH) return undefined;
    const first = readG2(input.subarray(0, G2_LENGTH), "curve");
    const second = readG2(input.subarray(G2_LENGTH), "curve");
    return first === undefined || second === undefined ? undefined : writeG2(first.add(second));
  },
};

/** 0x0c: sum of points of G1, each times its scalar. At least one term. */
export const blsG1MultiScalarMultiplication: Precompile = {
  gas: (input) => g1MultiScalarGas(Math.floor(input.length / G1_TERM_LENGTH)),
  run: (input) => {
    if (input.length === 0 || input.length % G1_TERM_LENGTH !== 0) return undefined;
    const points: G1Point[] = [];
    const scalars: bigint[] = [];
    for (let offset = 0; offset < input.length; offset += G1_TERM_LENGTH) {
      const point = readG1(input.subarray(offset, offset + G1_LENGTH), "subgroup");
      if (point === undefined) return undefined;
      points.push(point);
      scalars.push(readScalar(input.subarray(offset + G1_LENGTH, offset + G1_TERM_LENGTH)));
    }
    return writeG1(multiScalarMultiply(G1, points, scalars));
  },
};

/** 0x0e: sum of points of G2, each times its scalar. At least one term. */
export const blsG2MultiScalarMultiplication: Precompile = {
  gas: (input) => g2MultiScalarGas(Math.floor(input.length / G2_TERM_LENGTH)),
  run: (input) => {
    if (input.length === 0 || input.length % G2_TERM_LENGTH !== 0) return undefined;
    const points: G2Point[] = [];
    const scalars: bigint[] = [];
    for (let offset = 0; offset < input.length; offset += G2_TERM_LENGTH) {
      const point = readG2(input.subarray(offset, offset + G2_LENGTH), "subgroup");
      if (point === undefined) return undefined;
      points.push(point);
      scalars.push(readScalar(input.subarray(offset + G2_LENGTH, offset + G2_TERM_LENGTH)));
    }
    return writeG2(multiScalarMultiply(G2, points, scalars));
  },
};

/** 0x0f: whether the product of the pairings of all pairs (G1, G2) is one, as a word. At least one pair. */
export const blsPairing: Precompile = {
  gas: (input) => BigInt(PAIRING_BASE_GAS + PAIRING_GAS_PER_PAIR * Math.floor(input.length / PAIR_LENGTH)),
  run: (input) => {
    if (input.length === 0 || input.length % PAIR_LENGTH !== 0) return undefined;
    const pairs: { g1: G1Point; g2: G2Point }[] = [];
    for (let offset = 0; offset < input.length; offset += PAIR_LENGTH) {
      const g1 = readG1(input.subarray(offset, offset + G1_LENGTH), "subgroup");
      if (g1 === undefined) return undefined;
      const g2 = readG2(input.subarray(offset + G1_LENGTH, offset + PAIR_LENGTH), "subgroup");
      if (g2 === undefined) return undefined;
      // A pair with infinity contributes a factor of one.
      if (!g1.is0() && !g2.is0()) pairs.push({ g1, g2 });
    }
    return wordToBytes(Fp12.eql(bls12_381.pairingBatch(pairs), Fp12.ONE) ? 1n : 0n);
  },
};

/** 0x10: a field element to a point of G1: the simplified SWU map and the clearing of the cofactor of RFC 9380. */
export const blsMapFpToG1: Precompile = {
  gas: () => MAP_FP_GAS,
  run: (input) => {
    if (input.length !== FP_LENGTH) return undefined;
    const element = readFieldElement(input);
    return element === undefined ? undefined : writeG1(mapToG1(element));
  },
};

/** 0x11: an element of the quadratic extension to a point of G2, likewise. */
export const blsMapFp2ToG2: Precompile = {
  gas: () => MAP_FP2_GAS,
  run: (input) => {
    if (input.length !== FP2_LENGTH) return undefined;
    const element = readFieldPair(input);
    return element === undefined ? undefined : writeG2(mapToG2([element.c0, element.c1]));
  },
};
