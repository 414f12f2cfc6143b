import { addressFromWord, addressToWord } from "@ostrom/base";
import { forkPrecompiles, type PrecompileSet } from "@ostrom/vm";
import {
  blsG1Add,
  blsG1MultiScalarMultiplication,
  blsG2Add,
  blsG2MultiScalarMultiplication,
  blsMapFp2ToG2,
  blsMapFpToG1,
  blsPairing,
} from "../../core/vm/precompiles/bls12-381.ts";
import type { Precompile } from "../../core/vm/precompiles/precompile.ts";

/** The folder stEIP2537 of ethereum/tests was filled in April 2024, when EIP-2537 was a draft: it had multiplications of
 * one point at addresses of their own (0x0c and 0x0f; what follows them came later), other prices, and one table of
 * discounts. The operations are those that Prague has, so the folder tests them, but only under the draft's addresses
 * and prices; by Prague's final ones its roots are wrong. */
const FOLDER = /(?:^|[\\/])stEIP2537[\\/]/;

const G1_TERM_LENGTH = 160;
const G2_TERM_LENGTH = 288;
const PAIR_LENGTH = 384;
const G1_MULTIPLICATION_GAS = 12_000;
const G2_MULTIPLICATION_GAS = 45_000;
const PAIRING_BASE_GAS = 65_000;
const PAIRING_GAS_PER_PAIR = 43_000;
const DISCOUNT_DENOMINATOR = 1000;

/** Per mille of the single price that each of k terms costs, for k = 1 to 128; more terms cost what 128 do. */
const DISCOUNTS: readonly number[] = [
  1200, 888, 764, 641, 594, 547, 500, 453, 438, 423, 408, 394, 379, 364, 349, 334, 330, 326, 322, 318, 314,
  310, 306, 302, 298, 294, 289, 285, 281, 277, 273, 269, 268, 266, 265, 263, 262, 260, 259, 257, 256, 254,
  253, 251, 250, 248, 247, 245, 244, 242, 241, 239, 238, 236, 235, 233, 232, 231, 229, 228, 226, 225, 223,
  222, 221, 220, 219, 219, 218, 217, 216, 216, 215, 214, 213, 213, 212, 211, 211, 210, 209, 208, 208, 207,
  206, 205, 205, 204, 203, 202, 202, 201, 200, 199, 199, 198, 197, 196, 196, 195, 194, 193, 193, 192, 191,
  191, 190, 189, 188, 188, 187, 186, 185, 185, 184, 183, 182, 182, 181, 180, 179, 179, 178, 177, 176, 176,
  175, 174,
];

const DRAFT: ReadonlyMap<bigint, Precompile> = new Map([
  [0x0bn, { ...blsG1Add, gas: () => 500n }],
  [0x0cn, oneTerm(blsG1MultiScalarMultiplication, G1_TERM_LENGTH, G1_MULTIPLICATION_GAS)],
  [0x0dn, manyTerms(blsG1MultiScalarMultiplication, G1_TERM_LENGTH, G1_MULTIPLICATION_GAS)],
  [0x0en, { ...blsG2Add, gas: () => 800n }],
  [0x0fn, oneTerm(blsG2MultiScalarMultiplication, G2_TERM_LENGTH, G2_MULTIPLICATION_GAS)],
  [0x10n, manyTerms(blsG2MultiScalarMultiplication, G2_TERM_LENGTH, G2_MULTIPLICATION_GAS)],
  [0x11n, { ...blsPairing, gas: (input) => BigInt(pairingGas(Math.floor(input.length / PAIR_LENGTH))) }],
  [0x12n, { ...blsMapFpToG1, gas: () => 5500n }],
  [0x13n, { ...blsMapFp2ToG2, gas: () => 75_000n }],
]);

function oneTerm(operation: Precompile, length: number, gas: number): Precompile {
  return {
    gas: () => BigInt(gas),
    run: (input) => (input.length === length ? operation.run(input) : undefined),
  };
}

function manyTerms(operation: Precompile, length: number, price: number): Precompile {
  return { ...operation, gas: (input) => BigInt(termsGas(Math.floor(input.length / length), price)) };
}

function termsGas(terms: number, price: number): number {
  if (terms === 0) return 0;
  const discount = DISCOUNTS[Math.min(terms, DISCOUNTS.length) - 1]!;
  return Math.floor((terms * price * discount) / DISCOUNT_DENOMINATOR);
}

function pairingGas(pairs: number): number {
  return PAIRING_BASE_GAS + PAIRING_GAS_PER_PAIR * pairs;
}

const DRAFT_SET: PrecompileSet = {
  addresses: [...forkPrecompiles("cancun").addresses, ...[...DRAFT.keys()].map(addressFromWord)],
  call: (address, input, gasLimit) => {
    const precompile = DRAFT.get(addressToWord(address));
    if (precompile === undefined) return forkPrecompiles("cancun").call(address, input, gasLimit);
    const gasUsed = precompile.gas(input);
    if (gasUsed > gasLimit) return { ok: false };
    const output = precompile.run(input);
    return output === undefined ? { ok: false } : { ok: true, gasUsed, output };
  },
};

/** The precompiles that a file of tests was filled with, if they are not those of its fork. */
export function draftPrecompiles(path: string): PrecompileSet | undefined {
  return FOLDER.test(path) ? DRAFT_SET : undefined;
}
