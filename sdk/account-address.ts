import type { Address } from "@ostrom/base";
import { signatureSchemeByName } from "@ostrom/crypto";
import { addressOfKeys } from "@ostrom/execution";
import type { PublicKey } from "./key-pair.ts";

/** The address that keys have by themselves, before any key set is on chain (core/execution).
 * @returns undefined if one of them signs nothing, or the threshold is not 1 to their number. */
export function addressOfPublicKeys(keys: readonly PublicKey[], threshold: number): Address | undefined {
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > keys.length) return undefined;
  const entries = keys.flatMap(({ scheme, publicKey }) => {
    const schemeId = signatureSchemeByName(scheme)?.id;
    return schemeId === undefined ? [] : [{ schemeId, publicKey }];
  });
  return entries.length === keys.length ? addressOfKeys(threshold, entries) : undefined;
}
