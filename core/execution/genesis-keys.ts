import { type Bytes, toHex } from "@ostrom/base";
import { signatureScheme, signatureSchemeByName } from "@ostrom/crypto";
import { ACCOUNT_SCHEMES, type AccountSchemeName } from "./genesis-suites.ts";
import {
  duplicate,
  inconsistent,
  type Place,
  readChoice,
  readCount,
  readHex,
  readList,
  readObject,
} from "./json-reader.ts";
import type { AccountKey, ChainRules } from "./types.ts";

/** What genesis says of key sets of accounts. */
export type GenesisKeys = {
  /** Seconds that a change of keys waits at least, in which the account or its guardian may cancel it. */
  readonly timelockMinimum: number;
  /** Post-quantum keys, so many of which may together declare that elliptic curves are broken. */
  readonly breakers: readonly AccountKey[];
  /** 1 to as many as there are breakers; 0 where there are none, and nobody may. */
  readonly breakThreshold: number;
};

export type GenesisKeysJson = {
  readonly timelockMinimum: number;
  readonly breakers: readonly { readonly scheme: string; readonly publicKey: string }[];
  readonly breakThreshold: number;
};

const MAX_BREAKERS = 16;
/** Longest timelock of a key set, in seconds: 366 days. */
export const MAX_TIMELOCK: number = 366 * 86_400;

/** Reads `keys`. @returns undefined for null: a chain whose accounts have no key sets. */
export function readGenesisKeys(place: Place): GenesisKeys | undefined {
  if (place.value === null) return undefined;
  const fields = readObject(place, ["timelockMinimum", "breakers", "breakThreshold"]);
  const breakers = readBreakers(fields.breakers);
  return {
    timelockMinimum: readCount(fields.timelockMinimum, 0, MAX_TIMELOCK),
    breakers,
    breakThreshold: readCount(fields.breakThreshold, Math.min(1, breakers.length), breakers.length),
  };
}

/** Writes `keys` in canonical form. */
export function formatGenesisKeys({
  timelockMinimum,
  breakers,
  breakThreshold,
}: GenesisKeys): GenesisKeysJson {
  return {
    timelockMinimum,
    breakers: breakers.map(({ schemeId, publicKey }) => ({
      scheme: signatureScheme(schemeId)?.name ?? "",
      publicKey: toHex(publicKey),
    })),
    breakThreshold,
  };
}

/** Key sets are KeyedAccount's delegations, which the rules before Prague have not. */
export function checkKeysAndForks(place: Place, forks: ChainRules["forks"]): void {
  if (forks[0]?.fork === "cancun") {
    throw inconsistent(place, "must be null where the first rule set is cancun: key sets need prague");
  }
}

function readBreakers(place: Place): readonly AccountKey[] {
  const entries = readList(place);
  if (entries.length > MAX_BREAKERS)
    throw inconsistent(place, `must name at most ${MAX_BREAKERS} keys; found ${entries.length}`);
  const seen = new Set<string>();
  return entries.map((entry) => {
    const fields = readObject(entry, ["scheme", "publicKey"]);
    const scheme = signatureSchemeByName(readChoice<AccountSchemeName>(fields.scheme, ACCOUNT_SCHEMES));
    if (scheme === undefined || !scheme.isPostQuantum)
      throw inconsistent(
        fields.scheme,
        "must be a post-quantum scheme: others would be broken with the rest",
      );
    const publicKey: Bytes = readHex(fields.publicKey, {
      min: scheme.publicKeyLength,
      max: scheme.publicKeyLength,
    });
    const key = `${scheme.id}/${toHex(publicKey)}`;
    if (seen.has(key)) throw duplicate(fields.publicKey, "another breaker has this key; each needs its own");
    seen.add(key);
    return { schemeId: scheme.id, publicKey };
  });
}
