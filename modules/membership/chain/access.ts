import { type Address, toHexDigits } from "@ostrom/base";
import { readGrants, readOrganisationOfAdmin } from "./accounts.ts";
import type { MembershipState } from "./layout.ts";
import { readOrganisationOfPeer } from "./nodes.ts";
import { readOrganisation, readRules } from "./organisations.ts";
import type { Role } from "./roles.ts";

/** What an account may do at one node: all that the node's own organisation gives it; of what others give it, sending and deploying, if they
 * may see all of the chain. So nobody operates or audits another's machine, and who may see only a part is served by its own nodes alone. An
 * organisation's admin may send. Where the chain is open to all, everybody may send and deploy.
 * @param peerId of the node: its raw transport key in hex digits. */
export function rolesAtNode(state: MembershipState, account: Address, peerId: string): readonly Role[] {
  const own = readOrganisationOfPeer(state, peerId);
  const isServed = (organisation: number): boolean =>
    organisation === own || readOrganisation(state, organisation)?.filter.length === 0;
  const { openToAll } = readRules(state);
  const roles = new Set<Role>(openToAll ? ["sender", "deployer"] : []);
  for (const grant of readGrants(state, account)) {
    if (!grant.isActive || !isServed(grant.organisation)) continue;
    for (const role of grant.roles)
      if (grant.organisation === own || role === "sender" || role === "deployer") roles.add(role);
  }
  const administered = readOrganisationOfAdmin(state, account);
  if (administered !== undefined && isServed(administered)) roles.add("sender");
  return [...roles];
}

/** What an account may be shown of the chain's transactions: what any organisation may see that gives it a role and is not suspended.
 * @returns undefined: nothing. */
export function filterOf(state: MembershipState, account: Address): "all" | readonly Address[] | undefined {
  if (readRules(state).openToAll) return "all";
  const organisations = new Set(
    readGrants(state, account)
      .filter((grant) => grant.isActive)
      .map((grant) => grant.organisation),
  );
  const administered = readOrganisationOfAdmin(state, account);
  if (administered !== undefined) organisations.add(administered);
  if (organisations.size === 0) return undefined;
  const addresses = new Map<string, Address>();
  for (const organisation of organisations) {
    const { filter = [] } = readOrganisation(state, organisation) ?? {};
    if (filter.length === 0) return "all";
    for (const address of filter) addresses.set(toHexDigits(address), address);
  }
  return [...addresses.values()];
}
