import { type Bytes, concatBytes, equalBytes, wordToBytes } from "@ostrom/base";
import { BLS_ORDER, bls12381, sha256 } from "@ostrom/crypto";
import type { Precompile } from "./precompile.ts";

const GAS = 50_000n;
const INPUT_LENGTH = 192;
const VERSIONED_HASH_VERSION_KZG = 1;
const FIELD_ELEMENTS_PER_BLOB = 4096n;

/** 0x0a: checks the proof that the polynomial behind a blob's commitment is y at z. Input: versioned hash (32), z (32),
 * y (32), commitment (48), proof (48). Output: field elements in a blob and the field's modulus, a word each. Fails
 * unless all is well formed and the proof holds. Source: EIP-4844. */
export const kzgPointEvaluation: Precompile = { gas: () => GAS, run };

const SUCCESS = concatBytes(wordToBytes(FIELD_ELEMENTS_PER_BLOB), wordToBytes(BLS_ORDER));

function run(input: Bytes): Bytes | undefined {
  if (input.length !== INPUT_LENGTH) return undefined;
  const commitment = input.subarray(96, 144);
  if (!equalBytes(input.subarray(0, 32), versionedHash(commitment))) return undefined;
  const z = input.subarray(32, 64);
  const y = input.subarray(64, 96);
  return bls12381().verifyKzgProof(commitment, z, y, input.subarray(144)) ? SUCCESS.slice() : undefined;
}

function versionedHash(commitment: Bytes): Bytes {
  const hash = sha256(commitment).slice();
  hash[0] = VERSIONED_HASH_VERSION_KZG;
  return hash;
}
