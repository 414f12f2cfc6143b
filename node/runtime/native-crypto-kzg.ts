import { type Bytes, bytesToBigint } from "@ostrom/base";
import { BLS_GENERATOR_G2, BLS_NEGATED_GENERATOR_G1, BLS_ORDER, KZG_TAU_G2 } from "@ostrom/crypto";
import {
  MCL_FIELD_SIZE,
  MCL_G1_SIZE,
  MCL_G2_SIZE,
  MCL_GT_SIZE,
  MCL_SCALAR_SIZE,
  type Mcl,
} from "./native-crypto-mcl.ts";

type BlstBinding = typeof import("@chainsafe/blst");

const FIELD_BYTES = 48;
const SCALAR_BYTES = 32;
/** First byte of a compressed point at infinity; the rest is zeros. */
const INFINITY = 0xc0;
const PRECOMPUTED_UNIT_BYTES = 8;

/** `Bls12381Engine.verifyKzgProof` with both points of G2 constant:
 * e(commitment - [y] + z proof, [1]) e(-proof, [tau]) = 1. Source: EIP-4844. */
export function kzgVerifier(
  mcl: Mcl,
  blst: BlstBinding,
): (commitment: Bytes, z: Bytes, y: Bytes, proof: Bytes) => boolean {
  const { call } = mcl;
  // For one sum of two products: the proof and the negated generator, z and y.
  const bases = mcl.allocate(2 * MCL_G1_SIZE);
  const scalars = mcl.allocate(2 * MCL_SCALAR_SIZE);
  const [proof, negatedGenerator] = [bases, bases + MCL_G1_SIZE];
  const left = mcl.allocate(MCL_G1_SIZE);
  const product = mcl.allocate(MCL_GT_SIZE);
  const generator = mcl.allocate(MCL_G1_SIZE);
  const held = mcl.allocate(SCALAR_BYTES);
  readCompressedG1(mcl, blst, BLS_NEGATED_GENERATOR_G1, generator);
  const generatorLines = lineCoefficients(mcl, blst, BLS_GENERATOR_G2);
  const tauLines = lineCoefficients(mcl, blst, KZG_TAU_G2);
  const readScalar = (bytes: Bytes, to: number): void => {
    mcl.heap.set(bytes, held);
    call["mclBnFr_setBigEndianMod"]!(to, held, SCALAR_BYTES);
  };
  const runMillerLoops = (): void => {
    const [skipsLeft, skipsProof] = [left, proof].map((point) => call["mclBnG1_isZero"]!(point) === 1);
    call["mclBnG1_normalize"]!(left, left);
    call["mclBnG1_normalize"]!(proof, proof);
    // A pair with infinity contributes a factor of one.
    if (skipsLeft && skipsProof) call["mclBnGT_setInt32"]!(product, 1);
    else if (skipsLeft) call["mclBn_precomputedMillerLoop"]!(product, proof, tauLines);
    else if (skipsProof) call["mclBn_precomputedMillerLoop"]!(product, left, generatorLines);
    else call["mclBn_precomputedMillerLoop2"]!(product, left, generatorLines, proof, tauLines);
  };
  const sum = mcl.allocate(MCL_G1_SIZE);
  return (commitmentBytes, z, y, proofBytes) => {
    if (bytesToBigint(z) >= BLS_ORDER || bytesToBigint(y) >= BLS_ORDER) return false;
    if (!readCompressedG1(mcl, blst, commitmentBytes, left)) return false;
    if (!readCompressedG1(mcl, blst, proofBytes, proof)) return false;
    mcl.heap.copyWithin(negatedGenerator, generator, generator + MCL_G1_SIZE);
    readScalar(z, scalars);
    readScalar(y, scalars + MCL_SCALAR_SIZE);
    call["mclBnG1_mulVec"]!(sum, bases, scalars, 2);
    call["mclBnG1_add"]!(left, left, sum);
    call["mclBnG1_neg"]!(proof, proof);
    runMillerLoops();
    call["mclBn_finalExp"]!(product, product);
    return call["mclBnGT_isOne"]!(product) === 1;
  };
}

/** Copies a compressed point of G1's subgroup in, infinity included. @returns false if it is none. */
function readCompressedG1(mcl: Mcl, blst: BlstBinding, bytes: Bytes, to: number): boolean {
  if (bytes[0] === INFINITY && bytes.subarray(1).every((byte) => byte === 0)) {
    mcl.call["mclBnG1_clear"]!(to);
    return true;
  }
  let affine: Bytes;
  try {
    affine = blst.PublicKey.fromBytes(bytes, true).toBytes(false);
  } catch {
    return false;
  }
  mcl.readField(affine, 0, to);
  mcl.readField(affine, FIELD_BYTES, to + MCL_FIELD_SIZE);
  mcl.writeOne(to + 2 * MCL_FIELD_SIZE);
  return true;
}

/** The Miller loop's coefficients for a constant, compressed point of G2. @returns where they lie. */
function lineCoefficients(mcl: Mcl, blst: BlstBinding, compressed: Bytes): number {
  const { call } = mcl;
  const affine = blst.Signature.fromBytes(compressed, true).toBytes(false);
  const point = mcl.allocate(MCL_G2_SIZE);
  // blst has c1 before c0.
  for (let part = 0; part < 4; part++) {
    mcl.readField(affine, (part ^ 1) * FIELD_BYTES, point + part * MCL_FIELD_SIZE);
  }
  mcl.writeOne(point + 4 * MCL_FIELD_SIZE);
  mcl.heap.fill(0, point + 5 * MCL_FIELD_SIZE, point + 6 * MCL_FIELD_SIZE);
  const lines = mcl.allocate(call["mclBn_getUint64NumToPrecompute"]!() * PRECOMPUTED_UNIT_BYTES);
  call["mclBn_precomputeG2"]!(lines, point);
  return lines;
}
