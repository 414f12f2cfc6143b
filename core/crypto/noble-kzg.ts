import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bytesToBigint, hex } from "@ostrom/base";
import { BLS_ORDER } from "./secret-keys.ts";

/** [tau] of G2, compressed: the second of the powers in G2 of the Ethereum KZG ceremony's output
 * (ethereum/consensus-specs, presets/mainnet/trusted_setups/trusted_setup_4096.json, g2_monomial[1]). */
export const KZG_TAU_G2: Bytes = hex(
  "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72" +
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2",
);

/** For engines that compute the same: the groups' generators, compressed (draft-irtf-cfrg-pairing-friendly-curves-11, 4.2.1). Written down,
 * because to compute them takes a tenth of the time in which a development chain starts. */
export const BLS_GENERATOR_G2: Bytes = hex(
  "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e" +
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
);
export const BLS_NEGATED_GENERATOR_G1: Bytes = hex(
  "b7f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
);

type G1Point = WeierstrassPoint<bigint>;
type LineCoefficients = ReturnType<typeof bls12_381.utils.calcPairingPrecomputes>;

const { Fp12 } = bls12_381.fields;

/** The reference of `Bls12381Engine.verifyKzgProof`. */
export function verifyKzgProof(
  commitmentBytes: Bytes,
  zBytes: Bytes,
  yBytes: Bytes,
  proofBytes: Bytes,
): boolean {
  const z = bytesToBigint(zBytes);
  const y = bytesToBigint(yBytes);
  if (z >= BLS_ORDER || y >= BLS_ORDER) return false;
  const commitment = readCompressedG1(commitmentBytes);
  const proof = readCompressedG1(proofBytes);
  return commitment !== undefined && proof !== undefined && proves(commitment, z, y, proof);
}

/** A compressed point of G1's subgroup; infinity is one. */
function readCompressedG1(bytes: Bytes): G1Point | undefined {
  try {
    return bls12_381.G1.Point.fromBytes(bytes);
  } catch {
    return undefined;
  }
}

let lines: { readonly generator: LineCoefficients; readonly tau: LineCoefficients } | undefined;

/** The Miller loop's coefficients for both fixed points of G2, computed when first needed. */
function fixedLines(): { readonly generator: LineCoefficients; readonly tau: LineCoefficients } {
  const { Point } = bls12_381.G2;
  const { calcPairingPrecomputes } = bls12_381.utils;
  lines ??= {
    generator: calcPairingPrecomputes(Point.BASE),
    tau: calcPairingPrecomputes(Point.fromBytes(KZG_TAU_G2)),
  };
  return lines;
}

/** e(commitment - [y], [1]) = e(proof, [tau - z]), moved around so that both points of G2 are constants:
 * e(commitment - [y] + z proof, [1]) e(-proof, [tau]) = 1. */
function proves(commitment: G1Point, z: bigint, y: bigint, proof: G1Point): boolean {
  const base = bls12_381.G1.Point.BASE;
  const left = commitment.subtract(base.multiplyUnsafe(y)).add(proof.multiplyUnsafe(z));
  const { generator, tau } = fixedLines();
  const pairs: [LineCoefficients, bigint, bigint][] = [];
  for (const [point, coefficients] of [
    [left, generator],
    [proof.negate(), tau],
  ] as const) {
    if (point.is0()) continue;
    const { x, y: pointY } = point.toAffine();
    pairs.push([coefficients, x, pointY]);
  }
  return Fp12.eql(Fp12.finalExponentiate(bls12_381.millerLoopBatch(pairs)), Fp12.ONE);
}
