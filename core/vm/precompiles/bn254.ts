import { type Bytes, wordToBytes } from "@ostrom/base";
import { bn254 } from "@ostrom/crypto";
import { type Precompile, readPadded } from "./precompile.ts";

/** Gas of EIP-1108. */
const ADD_GAS = 150n;
const MULTIPLY_GAS = 6000n;
const PAIRING_BASE_GAS = 45_000;
const PAIRING_GAS_PER_PAIR = 34_000;

const POINT_LENGTH = 64;
const PAIR_LENGTH = 192;

/** 0x06: sum of two points of alt_bn128's G1. Points are x || y, a word each; infinity is zeros. Fails on coordinates
 * that reach the field's order and on points off the curve. Source: EIP-196. */
export const bn254Add: Precompile = {
  gas: () => ADD_GAS,
  run: (input) => bn254().add(readPadded(input, 0, 2 * POINT_LENGTH)),
};

/** 0x07: a point of G1 times any 256-bit number. Source: EIP-196. */
export const bn254Multiply: Precompile = {
  gas: () => MULTIPLY_GAS,
  run: (input) => bn254().multiply(readPadded(input, 0, POINT_LENGTH), readPadded(input, POINT_LENGTH, 32)),
};

/** 0x08: whether the product of the pairings of all pairs (G1, G2) is one, as a word. G2 coordinates come imaginary part
 * first, and its points must lie in the subgroup of the group's order. No pairs at all: one. Source: EIP-197. */
export const bn254Pairing: Precompile = {
  gas: (input) => BigInt(PAIRING_BASE_GAS + PAIRING_GAS_PER_PAIR * Math.floor(input.length / PAIR_LENGTH)),
  run: checkPairing,
};

function checkPairing(input: Bytes): Bytes | undefined {
  if (input.length % PAIR_LENGTH !== 0) return undefined;
  const isOne = bn254().pairing(input);
  return isOne === undefined ? undefined : wordToBytes(isOne ? 1n : 0n);
}
