import type { GenesisAccount, SlotChange } from "@ostrom/state";
import type { GenesisKeys } from "./genesis-keys.ts";
import { KEY_SETS_ADDRESS, KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
import {
  ALLOWED_SCHEMES_SLOT,
  BREAKERS_SLOT,
  breakerSlot,
  keyAccount,
  RULES_SLOT,
  rulesWord,
  storedKey,
} from "./key-sets.ts";
import { KEY_SETS_CODE, KEYED_ACCOUNT_CODE } from "./key-sets-code.ts";
import type { ChainRules } from "./types.ts";

/** The accounts that key sets need in genesis: KeySets with the rules of the chain, what accounts delegate to, and the keys that may declare
 * elliptic curves broken. None where accounts have no key sets. */
export function keySetsAccounts(
  keys: GenesisKeys | undefined,
  { accountSchemes }: Pick<ChainRules, "accountSchemes">,
): readonly GenesisAccount[] {
  if (keys === undefined) return [];
  const { timelockMinimum, breakers, breakThreshold } = keys;
  const allowed = accountSchemes.reduce((bits, schemeId) => bits | (1n << BigInt(schemeId)), 0n);
  const storage: SlotChange[] = [
    { slot: ALLOWED_SCHEMES_SLOT, value: allowed },
    { slot: RULES_SLOT, value: rulesWord(timelockMinimum, breakThreshold) },
    { slot: BREAKERS_SLOT, value: BigInt(breakers.length) },
    ...breakers.map((key, index) => ({ slot: breakerSlot(index), value: storedKey(key) })),
  ];
  return [
    { address: KEY_SETS_ADDRESS, nonce: 1n, balance: 0n, code: KEY_SETS_CODE, storage },
    { address: KEYED_ACCOUNT_ADDRESS, nonce: 1n, balance: 0n, code: KEYED_ACCOUNT_CODE, storage: [] },
    ...breakers.map((key) => ({ ...keyAccount(key), nonce: 1n, balance: 0n, storage: [] })),
  ];
}
