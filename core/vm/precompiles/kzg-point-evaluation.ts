import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bytesToBigint, concatBytes, equalBytes, hex, wordToBytes } from "@ostrom/base";
import { BLS_ORDER, sha256 } from "@ostrom/crypto";
import type { Precompile } from "./precompile.ts";

const GAS = 50_000n;
const INPUT_LENGTH = 192;
const VERSIONED_HASH_VERSION_KZG = 1;
const FIELD_ELEMENTS_PER_BLOB = 4096n;

/** [tau] of G2, compressed: the second of the powers in G2 of the Ethereum KZG ceremony's output
 * (ethereum/consensus-specs, presets/mainnet/trusted_setups/trusted_setup_4096.json, g2_monomial[1]). */
const TAU_G2 =
  "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72" +
  "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2";

/** 0x0a: checks the proof that the polynomial behind a blob's commitment is y at z. Input: versioned hash (32), z (32),
 * y (32), commitment (48), proof (48). Output: field elements in a blob and the field's modulus, a word each. Fails
 * unless all is well formed and the proof holds. Source: EIP-4844. */
export const kzgPointEvaluation: Precompile = { gas: () => GAS, run };

type G1Point = WeierstrassPoint<bigint>;
type LineCoefficients = ReturnType<typeof bls12_381.utils.calcPairingPrecomputes>;

const { Fp12 } = bls12_381.fields;
const SUCCESS = concatBytes(wordToBytes(FIELD_ELEMENTS_PER_BLOB), wordToBytes(BLS_ORDER));

function run(input: Bytes): Bytes | undefined {
  if (input.length !== INPUT_LENGTH) return undefined;
  const commitmentBytes = input.subarray(96, 144);
  if (!equalBytes(input.subarray(0, 32), versionedHash(commitmentBytes))) return undefined;
  const z = bytesToBigint(input.subarray(32, 64));
  const y = bytesToBigint(input.subarray(64, 96));
  if (z >= BLS_ORDER || y >= BLS_ORDER) return undefined;
  const commitment = readG1(commitmentBytes);
  const proof = readG1(input.subarray(144));
  if (commitment === undefined || proof === undefined) return undefined;
  return proves(commitment, z, y, proof) ? SUCCESS.slice() : undefined;
}

function versionedHash(commitment: Bytes): Bytes {
  const hash = sha256(commitment).slice();
  hash[0] = VERSIONED_HASH_VERSION_KZG;
  return hash;
}

/** A compressed point of G1's subgroup; infinity is one. */
function readG1(bytes: Bytes): G1Point | undefined {
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
    tau: calcPairingPrecomputes(Point.fromBytes(hex(TAU_G2))),
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
