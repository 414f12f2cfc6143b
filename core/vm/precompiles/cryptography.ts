import { type Address, addressFromWord } from "@ostrom/base";
import { HASH_SM3, SCHEME_BLS12381, SIGNATURE_SCHEMES, sm3 } from "@ostrom/crypto";
import { gasPerWord, type Precompile } from "./precompile.ts";
import { verifySignaturePrecompile } from "./verify-signature.ts";

/** "ver" in ASCII, then the scheme's id. */
const VERIFY_SPACE = 0x76_65_72_00n;
/** "hsh" in ASCII, then the hash's id. */
const HASH_SPACE = 0x68_73_68_00n;

/** SM3 of the input, at SHA-256's price. Source: GB/T 32905-2016. */
const sm3Precompile: Precompile = { gas: gasPerWord(60, 12), run: (input) => sm3(input) };

/** Where contracts reach SM3. */
export const SM3_ADDRESS: Address = addressFromWord(HASH_SPACE | BigInt(HASH_SM3));

/** Where contracts reach the verification of a signature scheme: `verify-signature.ts` has its form. secp256k1 and P-256 are among them, beside
 * ECRECOVER and P256VERIFY, so that a contract asks about any key in one way. */
export function verifyAddress(schemeId: number): Address {
  return addressFromWord(verifyWord(schemeId));
}

function verifyWord(schemeId: number): bigint {
  return VERIFY_SPACE | BigInt(schemeId);
}

/** BLS is not among them: contracts have EIP-2537. */
export const CRYPTOGRAPHY_PRECOMPILES: ReadonlyMap<bigint, Precompile> = new Map([
  ...SIGNATURE_SCHEMES.filter(({ id }) => id !== SCHEME_BLS12381).map(
    (scheme) => [verifyWord(scheme.id), verifySignaturePrecompile(scheme)] as const,
  ),
  [HASH_SPACE | BigInt(HASH_SM3), sm3Precompile] as const,
]);
