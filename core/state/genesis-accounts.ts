import { type Address, type Bytes, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { EMPTY_CODE_HASH } from "./account.ts";
import type { AccountChange, SlotChange, StateChanges } from "./types.ts";

/** An account that a chain, or a test, begins with. */
export type GenesisAccount = {
  readonly address: Address;
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly code: Bytes;
  readonly storage: readonly SlotChange[];
};

/** The changes that make these accounts from nothing. Empty accounts are kept, as Ethereum's genesis keeps them. */
export function genesisChanges(accounts: Iterable<GenesisAccount>): StateChanges {
  const changed = new Map<string, AccountChange>();
  const codes = new Map<string, Bytes>();
  for (const { address, nonce, balance, code, storage } of accounts) {
    const codeHash = code.length === 0 ? EMPTY_CODE_HASH : keccak256(code);
    if (code.length > 0) codes.set(toHexDigits(codeHash), code);
    changed.set(toHexDigits(address), {
      address,
      account: { nonce, balance, codeHash },
      storageCleared: false,
      storage: storage.filter(({ value }) => value !== 0n),
    });
  }
  return { accounts: changed, codes };
}
