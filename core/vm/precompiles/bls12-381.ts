import { type Bytes, wordToBytes } from "@ostrom/base";
import { bls12381 } from "@ostrom/crypto";
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
import type { Precompile } from "./precompile.ts";

/** The precompiles of EIP-2537 (final, Prague). All fail on input of another length, on field elements that are not
 * canonical and on points off the curve; pairing and multi-scalar multiplication also on points outside the subgroup,
 * addition not. The encodings are those of `Bls12381Engine`. */

const FP_LENGTH = 64;
const FP2_LENGTH = 128;
const G1_LENGTH = 128;
const G2_LENGTH = 256;
const SCALAR_LENGTH = 32;
const G1_TERM_LENGTH = G1_LENGTH + SCALAR_LENGTH;
const G2_TERM_LENGTH = G2_LENGTH + SCALAR_LENGTH;
const PAIR_LENGTH = G1_LENGTH + G2_LENGTH;

function isList(input: Bytes, elementLength: number): boolean {
  return input.length > 0 && input.length % elementLength === 0;
}

/** 0x0b: sum of two points of G1's curve. */
export const blsG1Add: Precompile = {
  gas: () => G1_ADD_GAS,
  run: (input) => (input.length === 2 * G1_LENGTH ? bls12381().addG1(input) : undefined),
};

/** 0x0d: sum of two points of G2's curve. */
export const blsG2Add: Precompile = {
  gas: () => G2_ADD_GAS,
  run: (input) => (input.length === 2 * G2_LENGTH ? bls12381().addG2(input) : undefined),
};

/** 0x0c: sum of points of G1, each times its scalar. At least one term. */
export const blsG1MultiScalarMultiplication: Precompile = {
  gas: (input) => g1MultiScalarGas(Math.floor(input.length / G1_TERM_LENGTH)),
  run: (input) => (isList(input, G1_TERM_LENGTH) ? bls12381().sumOfMultiplesG1(input) : undefined),
};

/** 0x0e: sum of points of G2, each times its scalar. At least one term. */
export const blsG2MultiScalarMultiplication: Precompile = {
  gas: (input) => g2MultiScalarGas(Math.floor(input.length / G2_TERM_LENGTH)),
  run: (input) => (isList(input, G2_TERM_LENGTH) ? bls12381().sumOfMultiplesG2(input) : undefined),
};

/** 0x0f: whether the product of the pairings of all pairs (G1, G2) is one, as a word. At least one pair. */
export const blsPairing: Precompile = {
  gas: (input) => BigInt(PAIRING_BASE_GAS + PAIRING_GAS_PER_PAIR * Math.floor(input.length / PAIR_LENGTH)),
  run: (input) => {
    const isOne = isList(input, PAIR_LENGTH) ? bls12381().pairing(input) : undefined;
    return isOne === undefined ? undefined : wordToBytes(isOne ? 1n : 0n);
  },
};

/** 0x10: a field element to a point of G1: the simplified SWU map and the clearing of the cofactor of RFC 9380. */
export const blsMapFpToG1: Precompile = {
  gas: () => MAP_FP_GAS,
  run: (input) => (input.length === FP_LENGTH ? bls12381().mapToG1(input) : undefined),
};

/** 0x11: an element of the quadratic extension to a point of G2, likewise. */
export const blsMapFp2ToG2: Precompile = {
  gas: () => MAP_FP2_GAS,
  run: (input) => (input.length === FP2_LENGTH ? bls12381().mapToG2(input) : undefined),
};
