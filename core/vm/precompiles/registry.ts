import { type Address, addressFromWord, type Bytes } from "@ostrom/base";
import type { Fork } from "../types.ts";
import { blake2fPrecompile } from "./blake2f.ts";
import {
  blsG1Add,
  blsG1MultiScalarMultiplication,
  blsG2Add,
  blsG2MultiScalarMultiplication,
  blsMapFp2ToG2,
  blsMapFpToG1,
  blsPairing,
} from "./bls12-381.ts";
import { bn254Add, bn254Multiply, bn254Pairing } from "./bn254.ts";
import { ecrecover } from "./ecrecover.ts";
import { identity, ripemd160Precompile, sha256Precompile } from "./hashes.ts";
import { kzgPointEvaluation } from "./kzg-point-evaluation.ts";
import { modexpEip2565, modexpEip7883 } from "./modexp.ts";
import { p256Verify } from "./p256-verify.ts";
import type { Precompile } from "./precompile.ts";

export type PrecompileResult =
  | { readonly ok: true; readonly gasUsed: bigint; readonly output: Bytes }
  /** The call failed, or its gas did not suffice: all of it is gone and there is no output. */
  | { readonly ok: false };

const FAILED: PrecompileResult = { ok: false };

const CANCUN: readonly (readonly [number, Precompile])[] = [
  [0x01, ecrecover],
  [0x02, sha256Precompile],
  [0x03, ripemd160Precompile],
  [0x04, identity],
  [0x05, modexpEip2565],
  [0x06, bn254Add],
  [0x07, bn254Multiply],
  [0x08, bn254Pairing],
  [0x09, blake2fPrecompile],
  [0x0a, kzgPointEvaluation],
];

const PRAGUE: readonly (readonly [number, Precompile])[] = [
  ...CANCUN,
  [0x0b, blsG1Add],
  [0x0c, blsG1MultiScalarMultiplication],
  [0x0d, blsG2Add],
  [0x0e, blsG2MultiScalarMultiplication],
  [0x0f, blsPairing],
  [0x10, blsMapFpToG1],
  [0x11, blsMapFp2ToG2],
];

/** A later entry for an address replaces the earlier one. */
const OSAKA: readonly (readonly [number, Precompile])[] = [
  ...PRAGUE,
  [0x05, modexpEip7883],
  [0x100, p256Verify],
];

const PRECOMPILES: Readonly<Record<Fork, ReadonlyMap<number, Precompile>>> = {
  cancun: new Map(CANCUN),
  prague: new Map(PRAGUE),
  osaka: new Map(OSAKA),
};

const ADDRESSES: Readonly<Record<Fork, readonly Address[]>> = {
  cancun: addressesOf(PRECOMPILES.cancun),
  prague: addressesOf(PRECOMPILES.prague),
  osaka: addressesOf(PRECOMPILES.osaka),
};

function addressesOf(precompiles: ReadonlyMap<number, Precompile>): readonly Address[] {
  return [...precompiles.keys()].map((address) => addressFromWord(BigInt(address)));
}

/** Addresses that a fork gives to precompiles; EIP-2929 has them warm from a transaction's start. */
export function precompileAddresses(fork: Fork): readonly Address[] {
  return ADDRESSES[fork];
}

/** Whether an address, as a number, is a precompile's. */
export function isPrecompile(fork: Fork, address: bigint | number): boolean {
  return find(fork, address) !== undefined;
}

/** Calls a precompile.
 * @param address one for which `isPrecompile` holds; another one fails.
 * @param input is not kept nor changed; the output never shares its memory.
 * @param gasLimit all the gas of the call. */
export function runPrecompile(
  fork: Fork,
  address: bigint | number,
  input: Bytes,
  gasLimit: bigint,
): PrecompileResult {
  const precompile = find(fork, address);
  if (precompile === undefined) return FAILED;
  return callPrecompile(precompile, input, gasLimit);
}

/** Charges and runs one. */
export function callPrecompile(precompile: Precompile, input: Bytes, gasLimit: bigint): PrecompileResult {
  const gasUsed = precompile.gas(input);
  if (gasUsed > gasLimit) return FAILED;
  const output = precompile.run(input);
  return output === undefined ? FAILED : { ok: true, gasUsed, output };
}

const HIGHEST_ADDRESS = 0x100;

function find(fork: Fork, address: bigint | number): Precompile | undefined {
  return address > HIGHEST_ADDRESS ? undefined : PRECOMPILES[fork].get(Number(address));
}
