import type { Address } from "@ostrom/base";
import {
  addressEntrySlot,
  COUNTERS,
  entrySlot,
  type Field,
  field,
  type MembershipState,
  readAddresses,
  readWord,
  SLOTS,
} from "./layout.ts";
import { MAX_ORGANISATIONS } from "./limits.ts";
import {
  isActive,
  ORGANISATION_SLOTS,
  organisationIds,
  organisationSlot,
  readActiveWord,
} from "./organisations.ts";
import { ROLES, type Role, rolesFromBits } from "./roles.ts";

/** What one organisation lets an account do. */
export type Grant = {
  readonly organisation: number;
  readonly roles: readonly Role[];
  /** Whether it counts: not while the organisation is suspended, nor after it was removed. */
  readonly isActive: boolean;
};

export type MemberAccount = { readonly address: Address; readonly roles: readonly Role[] };

const BITS_IN_A_WORD = 256;
const ROLE_SHIFT = 2;
const ROLE_BITS: Field = [0, 8];
const ADMIN_ORGANISATION: Field = [0, 32];

/** The roles that count: given by any organisation that is not suspended. */
export function readRoles(state: MembershipState, account: Address): readonly Role[] {
  return ROLES.filter((role) => hasRole(state, account, role));
}

/** Whether any organisation that is not suspended gives an account a role. */
export function hasRole(state: MembershipState, account: Address, role: Role): boolean {
  const base = addressEntrySlot(account, SLOTS.grants);
  const index = ROLES.indexOf(role);
  return words(state).some((word) => {
    const grants = readWord(state, entrySlot((index << ROLE_SHIFT) | word, base));
    return grants !== 0n && (grants & readActiveWord(state, word)) !== 0n;
  });
}

/** Which organisation an account acts for as its admin, if that is not suspended. */
export function readOrganisationOfAdmin(state: MembershipState, account: Address): number | undefined {
  const organisation = field(
    readWord(state, addressEntrySlot(account, SLOTS.organisationOfAdmin)),
    ADMIN_ORGANISATION,
  );
  return organisation !== 0 && isActive(state, organisation) ? organisation : undefined;
}

/** What each organisation lets an account do. */
export function readGrants(state: MembershipState, account: Address): readonly Grant[] {
  return organisationIds(state).flatMap((organisation) => {
    const roles = rolesGivenBy(state, organisation, account);
    return roles.length === 0 ? [] : [{ organisation, roles, isActive: isActive(state, organisation) }];
  });
}

/** Accounts of one organisation, a page of them. @param from index of the first. */
export function readAccounts(
  state: MembershipState,
  organisation: number,
  from: number,
  limit: number,
): readonly MemberAccount[] {
  const slot = organisationSlot(organisation) + ORGANISATION_SLOTS.accounts;
  return readAddresses(state, slot, limit, from).map((address) => ({
    address,
    roles: rolesGivenBy(state, organisation, address),
  }));
}

function rolesGivenBy(state: MembershipState, organisation: number, account: Address): readonly Role[] {
  const slot = addressEntrySlot(account, entrySlot(organisation, SLOTS.places));
  return rolesFromBits(field(readWord(state, slot), ROLE_BITS));
}

/** Words of one bit for each organisation that were ever begun. */
function words(state: MembershipState): readonly number[] {
  const last = field(readWord(state, SLOTS.counters), COUNTERS.lastOrganisation);
  const count = Math.floor(Math.min(last, MAX_ORGANISATIONS) / BITS_IN_A_WORD) + 1;
  return Array.from({ length: count }, (_, word) => word);
}
