import { createRequire } from "node:module";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, hex, type Random, toHex } from "@ostrom/base";
import { BLS_ORDER, sha256 } from "@ostrom/crypto";
import { runPrecompile } from "../index.ts";

/** KZG proofs made from the ceremony's powers of tau, and calls of the precompile that checks them. */

export const MAX_DEGREE = 5;
const { Point } = bls12_381.G1;
const { Fr } = bls12_381.fields;

type TrustedSetup = { readonly g1_monomial: string };

/** Powers of tau in G1, of the setup that kzg-wasm brings along. */
function powersOfTau(): InstanceType<typeof Point>[] {
  const require = createRequire(import.meta.url);
  const entry = require.resolve("kzg-wasm");
  const setup = (require(entry.replace(/index\.js$/, "trustedSetup.js")) as { default: TrustedSetup })
    .default;
  const digits = setup.g1_monomial.replace(/^0x/, "");
  return Array.from({ length: MAX_DEGREE + 1 }, (_, i) => Point.fromHex(digits.slice(96 * i, 96 * i + 96)));
}

const powers = powersOfTau();

/** That the polynomial of a commitment is y at z. */
export type Claim = {
  readonly commitment: Bytes;
  readonly z: Bytes;
  readonly y: Bytes;
  readonly proof: Bytes;
};

export function randomElement(random: Random): bigint {
  return Fr.create(bytesToBigint(random.bytes(40)));
}

/** Commits to a polynomial and proves its value at z, by division by (X - z). */
export function prove(coefficients: readonly bigint[], z: bigint): Claim {
  const quotient: bigint[] = [];
  let carried = 0n;
  for (let i = coefficients.length - 1; i >= 0; i--) {
    carried = Fr.add(Fr.mul(carried, z), coefficients[i]!);
    quotient.unshift(carried);
  }
  const y = quotient.shift()!;
  return {
    commitment: commit(coefficients),
    z: bigintToBytes(z, 32),
    y: bigintToBytes(y, 32),
    proof: commit(quotient),
  };
}

function commit(coefficients: readonly bigint[]): Bytes {
  let sum = Point.ZERO;
  for (const [i, coefficient] of coefficients.entries()) {
    sum = sum.add(powers[i]!.multiplyUnsafe(coefficient));
  }
  return sum.toBytes(true);
}

/** Claims and whether they hold: honest ones, ones about other values, and malformed ones. */
export function* claims(random: Random): Generator<readonly [Claim, boolean]> {
  for (let degree = 0; degree <= MAX_DEGREE; degree++) {
    const coefficients = Array.from({ length: degree + 1 }, () => randomElement(random));
    const claim = prove(coefficients, randomElement(random));
    const other = prove(coefficients, randomElement(random));
    yield [claim, true];
    yield [{ ...claim, y: bigintToBytes(randomElement(random), 32) }, false];
    yield [{ ...claim, z: other.z }, degree === 0];
    yield [{ ...claim, proof: other.proof }, degree <= 1];
  }
  yield [prove([0n], 0n), true];
  yield [prove([0n], randomElement(random)), true];
  yield [prove([BLS_ORDER - 1n], randomElement(random)), true];
  yield [prove([1n, 2n, 3n], 0n), true];
  yield [prove([1n, 2n, 3n], BLS_ORDER - 1n), true];
  const small = prove([5n, 7n, 11n], 3n);
  for (const part of ["z", "y"] as const) {
    yield [{ ...small, [part]: bigintToBytes(bytesToBigint(small[part]) + BLS_ORDER, 32) }, false];
  }
  const infinityWithTail = new Uint8Array(48);
  infinityWithTail.set([0xc0, 1]);
  // On the curve, since 4 + 64 has a root, but outside the subgroup.
  const outside = hex(`8${"4".padStart(95, "0")}`);
  for (const bad of [new Uint8Array(48), outside, infinityWithTail, random.bytes(48)]) {
    yield [{ ...small, commitment: bad }, false];
    yield [{ ...small, proof: bad }, false];
  }
}

/** The precompile's output in hex, or "failed". @param version first byte of the versioned hash. */
export function callPointEvaluation(claim: Claim, version = 1): string {
  const versionedHash = sha256(claim.commitment).slice();
  versionedHash[0] = version;
  const input = concatBytes(versionedHash, claim.z, claim.y, claim.commitment, claim.proof);
  const result = runPrecompile("cancun", 0x0a, input, 50_000n);
  return result.ok ? toHex(result.output) : "failed";
}
