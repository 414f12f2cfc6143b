import { type ChainModule, defineModule, MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import { MEMBERSHIP_CODE } from "./membership-code.ts";
import { permits } from "./permits.ts";
import { validatorSet } from "./validators.ts";

/** Membership as it is now. */
const MEMBERSHIP_1: ChainModule = defineModule({
  name: "membership",
  version: 1,
  contracts: [{ address: MEMBERSHIP_ADDRESS, code: MEMBERSHIP_CODE }],
  activates: MEMBERSHIP_ADDRESS,
  permits,
  validatorSet: (state, _epoch, current) => validatorSet(state, current),
});

/** All versions that this program has, oldest first. */
export const chainModules: readonly ChainModule[] = [MEMBERSHIP_1];

export { filterOf, rolesAtNode } from "./access.ts";
export {
  type Grant,
  hasRole,
  type MemberAccount,
  readAccounts,
  readGrants,
  readOrganisationOfAdmin,
  readRoles,
} from "./accounts.ts";
export type { MembershipState } from "./layout.ts";
export * from "./limits.ts";
export { admitsStrangers, isMemberPeer, type LinkKind, linkKindOf, linkRules } from "./links.ts";
export {
  MEMBERSHIP_ABI,
  MEMBERSHIP_ERRORS,
  MEMBERSHIP_EVENTS,
  MEMBERSHIP_FUNCTIONS,
} from "./membership-abi.ts";
export {
  certificateAuthoritiesOf,
  type MemberNode,
  readNode,
  readNodeOfPeer,
  readNodes,
  readNodesOf,
  readOrganisationOfPeer,
} from "./nodes.ts";
export {
  isActive,
  type MembershipRules,
  type Organisation,
  organisationIds,
  readCertificates,
  readOrganisation,
  readOrganisations,
  readRules,
  type Standing,
} from "./organisations.ts";
export { permits } from "./permits.ts";
export {
  type Proposal,
  type ProposedCall,
  readOpenProposals,
  readProposal,
  votesNeeded,
} from "./proposals.ts";
export { ROLES, type Role, rolesFromBits, rolesToBits } from "./roles.ts";
export {
  decodeSettings,
  encodeSettings,
  type Limits,
  type MembershipSettings,
  NODE_ROLES,
  type NodeRole,
  type NodeSettings,
  type OrganisationSettings,
  type SettingsFailure,
} from "./settings.ts";
export { validatorSet } from "./validators.ts";
