import { toHexDigits } from "@ostrom/base";
import type { JournaledState, StateChanges, StateReader } from "@ostrom/state";
import type { ModuleState } from "./chain-module.ts";

/** State as a run of transactions has left it so far; it goes on changing. */
export function viewOfJournal(state: JournaledState): ModuleState {
  return {
    storage: (address, slot) => state.storage(address, slot),
    account: (address) => {
      const codeHash = state.codeHash(address);
      if (codeHash === undefined) return undefined;
      return { nonce: state.nonce(address), balance: state.balance(address), codeHash };
    },
  };
}

/** A state with changes on it. */
export function viewOfChanges(
  below: Pick<StateReader, "account" | "storage">,
  changes: StateChanges,
): ModuleState {
  const written = new Map(
    [...changes.accounts].map(([key, { storage }]) => [
      key,
      new Map(storage.map(({ slot, value }) => [slot.toString(16), value])),
    ]),
  );
  return {
    account: (address) => {
      const change = changes.accounts.get(toHexDigits(address));
      return change === undefined ? below.account(address) : change.account;
    },
    storage: (address, slot) => {
      const key = toHexDigits(address);
      const change = changes.accounts.get(key);
      if (change === undefined) return below.storage(address, slot);
      const isCleared = change.storageCleared || change.account === undefined;
      return written.get(key)?.get(slot.toString(16)) ?? (isCleared ? 0n : below.storage(address, slot));
    },
  };
}
