import { type Address, addressToWord, equalBytes, toHex } from "@ostrom/base";
import { DEPLOYMENT_PROXY_ADDRESS, type PermissionRefusal, type PermissionRequest } from "@ostrom/execution";
import { hasRole, readOrganisationOfAdmin } from "./accounts.ts";
import { COUNTERS, field, type MembershipState, readWord, SLOTS } from "./layout.ts";

/** Whether an account may send a transaction: a sender or the admin of an organisation that is not suspended, or the owner. To create a
 * contract it must be a deployer besides. Calls of the proxy that creates contracts for anybody count as creating one; a contract that
 * does the same by its own code passes on what its deployer was allowed.
 *
 * Where the contract was never activated, all is as without it: a chain that a failed activation has closed could not be repaired.
 * @param state before the block. Source: protocol notes ("Epochs"): permission is read as of the block's height. */
export function permits(state: MembershipState, request: PermissionRequest): PermissionRefusal | undefined {
  const counters = readWord(state, SLOTS.counters);
  if (field(counters, COUNTERS.version) === 0 || field(counters, COUNTERS.openToAll) === 1) return undefined;
  const { sender, to } = request;
  if (!maySend(state, sender))
    return { reason: `no organisation of this chain lets ${toHex(sender)} send transactions` };
  const creates = to === undefined || equalBytes(to, DEPLOYMENT_PROXY_ADDRESS);
  if (creates && !hasRole(state, sender, "deployer"))
    return { reason: `no organisation of this chain lets ${toHex(sender)} create contracts` };
  return undefined;
}

function maySend(state: MembershipState, sender: Address): boolean {
  return (
    hasRole(state, sender, "sender") ||
    readOrganisationOfAdmin(state, sender) !== undefined ||
    isOwner(state, sender)
  );
}

const ADDRESS_BITS = 160n;

function isOwner(state: MembershipState, sender: Address): boolean {
  const owner = readWord(state, SLOTS.owner) & ((1n << ADDRESS_BITS) - 1n);
  return owner !== 0n && owner === addressToWord(sender);
}
