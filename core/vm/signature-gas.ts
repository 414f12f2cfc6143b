import { assert } from "@ostrom/base";
import {
  SCHEME_ED25519,
  SCHEME_FALCON_512,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
} from "@ostrom/crypto";

/** Price of ECRECOVER, to which all other prices are in proportion as the time of their verification is to that of a recovery. */
export const RECOVERY_GAS = 3000n;

/** Per byte of the signatures and inline keys that a transaction carries. */
export const SIGNATURE_BYTE_GAS = 4n;

/** Frozen: prices are part of the chain's rules, whatever a later machine measures. They are in proportion to the time that the native engines
 * take for keys which they have not met before (docs/cryptography.md has figures of keys met before: reading one costs P-256 as much again, ML-DSA
 * a tenth to a fifth); SM2's is of its slowest inputs, Falcon's of its portable engine. */
const SIGNATURE_GAS: ReadonlyMap<number, bigint> = new Map([
  [SCHEME_SECP256K1, RECOVERY_GAS],
  [SCHEME_ED25519, 2700n],
  [SCHEME_P256, 6000n],
  [SCHEME_WEBAUTHN_P256, 6900n],
  [SCHEME_ML_DSA_44, 6600n],
  [SCHEME_ML_DSA_65, 10_500n],
  [SCHEME_ML_DSA_87, 16_500n],
  [SCHEME_SLH_DSA_SHA2_128S, 16_200n],
  [SCHEME_SM2, 15_000n],
  [SCHEME_FALCON_512, 36_000n],
]);

/** Price of one verification, without the bytes that are hashed for it: of the verify precompiles, and of each authorization of a transaction.
 * @param schemeId one that signs accounts' messages: what comes from outside is checked first. Throws InvariantError for others. */
export function signatureGas(schemeId: number): bigint {
  const gas = SIGNATURE_GAS.get(schemeId);
  assert(gas !== undefined, "a scheme that signs accounts' messages has a price");
  return gas;
}
