import type { Bytes } from "@ostrom/base";
import { keyedNumber } from "./address-table.ts";
import type { NetworkGroup } from "./network-group.ts";
import type { PeerId } from "./types.ts";

/** How many strangers a node is linked with. Places of validators, and of peers that node.json names, are others: strangers never
 * take them. */
export type SlotLimits = {
  /** Strangers that this node chose itself. */
  readonly maxOutbound: number;
  /** Handshakes at a time that only see whether somebody is there. */
  readonly maxFeelers: number;
  readonly maxInbound: number;
  readonly maxInboundPerGroup: number;
  readonly maxInboundPerMachine: number;
  /** Outbound peers of one group. */
  readonly maxOutboundPerGroup: number;
};

export const DEFAULT_SLOT_LIMITS: SlotLimits = {
  maxOutbound: 8,
  maxFeelers: 2,
  maxInbound: 64,
  maxInboundPerGroup: 8,
  maxInboundPerMachine: 2,
  maxOutboundPerGroup: 1,
};

/** A stranger that has a place here. */
export type LinkedStranger = {
  readonly peerId: PeerId;
  readonly isOutbound: boolean;
  readonly group: NetworkGroup;
  readonly machine: string;
  readonly sinceMs: number;
  /** When it last told or gave this node something that was new and true; 0 if never. */
  readonly lastUsefulMs: number;
};

export type Admission =
  | { readonly kind: "admitted"; readonly evicted: PeerId | undefined }
  | { readonly kind: "refused"; readonly reason: string };

/** Inbound peers of so many different groups are never evicted: which, a secret decides, so that nobody can aim at it. */
const PROTECTED_GROUPS = 4;
/** Inbound peers that were useful last. */
const PROTECTED_USEFUL = 8;
/** Of those that are left, the part that has been here longest. */
const PROTECTED_OLDEST_PERCENT = 50;

/** Whether a stranger that dialed this node gets a place, and who gives his up. Whoever was of use, has been here long, or is of a rare group
 * stays; of those that are left, the group with most of them loses its youngest. So whoever fills all places pushes out his own.
 * Source: the eviction of Bitcoin's inbound connections; Heilman et al. 2015. */
export function admitInbound(
  newcomer: Pick<LinkedStranger, "group" | "machine">,
  linked: readonly LinkedStranger[],
  limits: SlotLimits,
  key: Bytes,
): Admission {
  const inbound = linked.filter(({ isOutbound }) => !isOutbound);
  const ofMachine = inbound.filter(({ machine }) => machine === newcomer.machine).length;
  const ofGroup = inbound.filter(({ group }) => group === newcomer.group).length;
  if (ofMachine >= limits.maxInboundPerMachine)
    return { kind: "refused", reason: "network/too-many-from-machine" };
  if (ofGroup >= limits.maxInboundPerGroup) return { kind: "refused", reason: "network/too-many-from-group" };
  if (inbound.length < limits.maxInbound) return { kind: "admitted", evicted: undefined };
  const evicted = whoToEvict(inbound, key);
  return evicted === undefined
    ? { kind: "refused", reason: "network/no-place" }
    : { kind: "admitted", evicted: evicted.peerId };
}

function whoToEvict(inbound: readonly LinkedStranger[], key: Bytes): LinkedStranger | undefined {
  const kept = new Set<LinkedStranger>();
  const ranked = [...new Set(inbound.map(({ group }) => group))]
    .map((group) => ({ group, rank: keyedNumber(key, 2 ** 32, "protected", group) }))
    .toSorted((a, b) => a.rank - b.rank);
  for (const { group } of ranked.slice(0, PROTECTED_GROUPS)) {
    const [oldest] = inbound.filter((peer) => peer.group === group).toSorted(byAge);
    if (oldest !== undefined) kept.add(oldest);
  }
  const useful = inbound
    .filter(({ lastUsefulMs }) => lastUsefulMs > 0)
    .toSorted((a, b) => b.lastUsefulMs - a.lastUsefulMs);
  for (const peer of useful.slice(0, PROTECTED_USEFUL)) kept.add(peer);
  const rest = inbound.filter((peer) => !kept.has(peer)).toSorted(byAge);
  const left = rest.slice(Math.floor((rest.length * PROTECTED_OLDEST_PERCENT) / 100));
  const sizes = new Map<NetworkGroup, number>();
  for (const { group } of inbound) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const size = ({ group }: LinkedStranger): number => sizes.get(group) ?? 0;
  return left.toSorted((a, b) => size(b) - size(a) || byAge(b, a))[0];
}

/** The oldest first. */
function byAge(a: LinkedStranger, b: LinkedStranger): number {
  return a.sinceMs - b.sinceMs;
}

/** Whether an outbound link with a peer of this group would add to what this node sees. */
export function isNewGroup(
  group: NetworkGroup,
  outbound: readonly { readonly group: NetworkGroup }[],
  { maxOutboundPerGroup }: SlotLimits,
): boolean {
  return outbound.filter((peer) => peer.group === group).length < maxOutboundPerGroup;
}

/** The outbound peer that is of least use: one that has had its time and gave nothing new for longest. undefined while all are young. */
export function leastUsefulOutbound(
  linked: readonly LinkedStranger[],
  nowMs: number,
  graceMs: number,
): LinkedStranger | undefined {
  return linked
    .filter(({ isOutbound, sinceMs }) => isOutbound && nowMs - sinceMs >= graceMs)
    .toSorted((a, b) => a.lastUsefulMs - b.lastUsefulMs || b.sinceMs - a.sinceMs)[0];
}
