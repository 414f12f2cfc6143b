import { Address, type Bytes, concatBytes } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";

/** An account delegates to a contract by holding 0xef0100 || address as its code. No contract can be deployed with
 * code of that form (EIP-3541). Source: EIP-7702. */
const DESIGNATOR_PREFIX = Uint8Array.of(0xef, 0x01, 0x00);
const DESIGNATOR_LENGTH = 23;

/** The code that makes an account delegate to `target`. */
export function delegationDesignator(target: Address): Bytes {
  return concatBytes(DESIGNATOR_PREFIX, target);
}

/** @returns the address that `code` delegates to, or undefined if it is no designator. */
export function delegationTarget(code: Bytes): Address | undefined {
  if (code.length !== DESIGNATOR_LENGTH) return undefined;
  for (let i = 0; i < DESIGNATOR_PREFIX.length; i++) {
    if (code[i] !== DESIGNATOR_PREFIX[i]) return undefined;
  }
  return Address(code.slice(DESIGNATOR_PREFIX.length));
}

/** The code that a call to `address` runs: its own, or that of the account it delegates to. One step only: what the
 * target's code is, it runs as, even if that is a designator again (which then fails as the invalid opcode 0xef).
 * @param delegate the target, if the account delegates. */
export function codeToRun(
  state: JournaledState,
  address: Address,
  hasDelegation: boolean,
): { readonly code: Bytes; readonly delegate: Address | undefined } {
  const code = state.code(address);
  const delegate = hasDelegation ? delegationTarget(code) : undefined;
  return delegate === undefined ? { code, delegate } : { code: state.code(delegate), delegate };
}
