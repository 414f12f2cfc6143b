import type { MembershipState } from "./layout.ts";
import { certificateAuthoritiesOf, readNodeOfPeer } from "./nodes.ts";
import { readRules } from "./organisations.ts";

/** What a peer may do over a link.
 * - full: all that any node may.
 * - observer: ask for blocks.
 * - filtered-observer: get no blocks over links, only what its filter lets through by JSON-RPC. */
export type LinkKind = "full" | "observer" | "filtered-observer";

/** Whether nodes of nobody may be linked. @returns undefined where membership was never activated: as it is without it. */
export function admitsStrangers(state: MembershipState): boolean | undefined {
  const { version, openToAll } = readRules(state);
  return version === 0 ? undefined : openToAll;
}

/** Whether a peer is a node of a member that is not suspended. Nodes of the validator set of the epoch that runs have to be let in all the
 * same: a member that is suspended leaves with the next set, and before that the others may need its votes.
 * @param peerId the raw transport key in hex digits. */
export function isMemberPeer(state: MembershipState, peerId: string): boolean {
  return readNodeOfPeer(state, peerId)?.isActive === true;
}

/** What a peer may do. Where strangers see everything and may come to validate, nobody is held to less.
 * @returns undefined for a peer that is nobody's node. */
export function linkKindOf(state: MembershipState, peerId: string): LinkKind | undefined {
  if (readRules(state).openToAll) return "full";
  const node = readNodeOfPeer(state, peerId);
  if (node === undefined) return undefined;
  if (node.role === "validator") return "full";
  return node.filter === undefined ? "observer" : "filtered-observer";
}

/** What node/runtime asks about links; each of the newest executed block's state. */
export const linkRules: {
  readonly admitsStrangers: typeof admitsStrangers;
  readonly isMemberPeer: typeof isMemberPeer;
  readonly linkKindOf: typeof linkKindOf;
  readonly certificateAuthoritiesOf: typeof certificateAuthoritiesOf;
} = { admitsStrangers, isMemberPeer, linkKindOf, certificateAuthoritiesOf };
