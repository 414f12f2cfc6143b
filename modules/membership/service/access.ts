import { filterOf, rolesAtNode } from "@ostrom/membership-chain";
import type { ModuleAccess } from "@ostrom/runtime";

/** Who accounts are, for the JSON-RPC server of each node. */
export const membershipAccess: ModuleAccess = {
  rolesOf: (state, account, peerId) => rolesAtNode(state, account, peerId),
  filterOf: (state, account) => filterOf(state, account),
};
