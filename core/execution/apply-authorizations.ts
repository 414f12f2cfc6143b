import { EMPTY_BYTES, equalBytes, ZERO_ADDRESS } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { delegationDesignator, delegationTarget, MAX_NONCE, TRANSACTION_GAS } from "@ostrom/vm";
import { KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
import { isKeyedAccount } from "./key-authority.ts";
import { recoverAuthority } from "./signature.ts";
import type { Authorization } from "./types.ts";

/** Makes the accounts that signed the authorizations delegate to what they name; the zero address ends a delegation. A
 * tuple that is not valid is passed over, and paid for all the same. What is done here stays when the transaction's
 * message fails.
 * @param hasKeySets accounts may have key sets: tuples of one that acts by its set alone are passed over, and those that would make an account
 * look like one, which only KeySets does.
 * Source: EIP-7702, "Behavior", steps 1 to 9. */
export function applyAuthorizations(
  state: JournaledState,
  chainId: bigint,
  authorizations: readonly Authorization[],
  hasKeySets = false,
): void {
  for (const authorization of authorizations) {
    if (hasKeySets && equalBytes(authorization.address, KEYED_ACCOUNT_ADDRESS)) continue;
    applyAuthorization(state, chainId, authorization, hasKeySets);
  }
}

function applyAuthorization(
  state: JournaledState,
  chainId: bigint,
  authorization: Authorization,
  hasKeySets: boolean,
): void {
  // 0 is good for any chain.
  if (authorization.chainId !== 0n && authorization.chainId !== chainId) return;
  if (authorization.nonce >= MAX_NONCE) return;
  const authority = recoverAuthority(authorization);
  if (authority === undefined) return;

  state.warmAddress(authority);
  const code = state.code(authority);
  if (code.length > 0 && delegationTarget(code) === undefined) return;
  if (hasKeySets && isKeyedAccount(code)) return;
  if (state.nonce(authority) !== authorization.nonce) return;
  if (state.exists(authority)) {
    state.addRefund(TRANSACTION_GAS.newAuthorization - TRANSACTION_GAS.authorization);
  }
  const ends = equalBytes(authorization.address, ZERO_ADDRESS);
  state.setCode(authority, ends ? EMPTY_BYTES : delegationDesignator(authorization.address));
  state.setNonce(authority, authorization.nonce + 1n);
}
