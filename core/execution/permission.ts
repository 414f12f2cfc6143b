import { toHexDigits } from "@ostrom/base";
import type { ModuleState, PermissionRefusal, PermissionRequest } from "./chain-module.ts";
import type { InstalledModules } from "./installed-modules.ts";
import { type ActiveModule, planModules } from "./module-plan.ts";

/** Whether a transaction may run. @returns why not, or undefined. */
export type PermissionCheck = (request: PermissionRequest) => PermissionRefusal | undefined;

/** What all modules that are active as of a block say together, by the state after it: for pools, and for those who ask before they
 * send. What counts is the state that a transaction's own block begins with.
 * @param height of that block, which the state is after.
 * @returns undefined if no module asks. */
export function permissionAsOf(
  state: ModuleState,
  installed: InstalledModules | undefined,
  height: number,
): PermissionCheck | undefined {
  return permissionOf(state, planModules(state, installed, height).active);
}

/** @returns undefined if no module asks. */
export function permissionOf(
  state: ModuleState,
  active: readonly ActiveModule[],
): PermissionCheck | undefined {
  const asked = active.filter(({ module }) => module.permits !== undefined);
  if (asked.length === 0) return undefined;
  const remembered = rememberReads(state);
  return (request) => {
    for (const { module } of asked) {
      const refusal = module.permits?.(remembered, request);
      if (refusal !== undefined) return { reason: `${module.name}: ${refusal.reason}` };
    }
    return undefined;
  };
}

/** Transactions of one block ask for the same few slots. */
function rememberReads(state: ModuleState): ModuleState {
  const accounts = new Map<string, ReturnType<ModuleState["account"]>>();
  const slots = new Map<string, bigint>();
  return {
    account: (address) => {
      const key = toHexDigits(address);
      if (accounts.has(key)) return accounts.get(key);
      const account = state.account(address);
      accounts.set(key, account);
      return account;
    },
    storage: (address, slot) => {
      const key = `${toHexDigits(address)}/${slot.toString(16)}`;
      const known = slots.get(key);
      if (known !== undefined) return known;
      const value = state.storage(address, slot);
      slots.set(key, value);
      return value;
    },
  };
}
