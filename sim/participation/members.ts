import { toHexDigits } from "@ostrom/base";
import { readValidatorSetsPort, type Validator } from "@ostrom/execution";
import {
  type MembershipState,
  readAccounts,
  readNodeOfPeer,
  readOrganisation,
  readOrganisations,
  readRules,
} from "@ostrom/membership-chain";
import { readStakers, type StakerState } from "@ostrom/staking-chain";
import { peerIdOf } from "../genesis.ts";

/** Who takes part in a validator set, by its place in the network. */
export type Seated = { readonly identity: number; readonly weight: number };

const identities = new Map<string, number>();
const MAX_IDENTITIES = 64;

/** Whose machine a transport key is. */
export function identityOfTransport(transportKey: Uint8Array): number | undefined {
  if (identities.size === 0)
    for (let identity = 0; identity < MAX_IDENTITIES; identity++)
      identities.set(peerIdOf(identity), identity);
  return identities.get(toHexDigits(transportKey));
}

export function seatedOf(
  validators: readonly Pick<Validator, "transportKey" | "weight">[],
): readonly Seated[] {
  return validators.map(({ transportKey, weight }) => ({
    identity: identityOfTransport(transportKey) ?? -1,
    weight,
  }));
}

/** The module that decides on validators. */
export function holderOf(state: MembershipState): string | undefined {
  return readValidatorSetsPort(state).holder;
}

const MAX_ACCOUNTS = 64;

/** Accounts (hex digits) that may send transactions, by the lists of organisations; undefined: everybody may. The rule of
 * production (`permits`) reads bits by account: both ways must agree. */
export function permittedSenders(state: MembershipState): ReadonlySet<string> | undefined {
  const { version, openToAll } = readRules(state);
  if (version === 0 || openToAll) return undefined;
  const permitted = new Set<string>();
  for (const { id, standing, admin } of readOrganisations(state)) {
    if (standing !== "active") continue;
    if (admin !== undefined) permitted.add(toHexDigits(admin));
    for (const { address, roles } of readAccounts(state, id, 0, MAX_ACCOUNTS))
      if (roles.includes("sender")) permitted.add(toHexDigits(address));
  }
  return permitted;
}

/** Whether a validator is a node of an organisation that is a member and not suspended. */
export function isOfActiveMember(state: MembershipState, { transportKey }: Validator): boolean {
  const node = readNodeOfPeer(state, toHexDigits(transportKey));
  return node !== undefined && readOrganisation(state, node.organisation)?.standing === "active";
}

const MAX_STAKERS = 64;

export function allStakers(state: MembershipState): readonly StakerState[] {
  return readStakers(state, 1, MAX_STAKERS);
}

/** Whether a staker may be drawn now. */
export function stands({ isJailed, isTombstoned, hasExited }: StakerState): boolean {
  return !(isJailed || isTombstoned || hasExited);
}
