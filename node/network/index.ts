export {
  createTransactionGossip,
  DEFAULT_GOSSIP_LIMITS,
  type GossipErrorCode,
  type GossipedTransaction,
  type GossipLimits,
  type GossipOptions,
  type GossipStatistics,
  type TransactionGossip,
} from "./gossip.ts";
export {
  createIdentity,
  type Identity,
  type IdentityFailure,
  identityFromPem,
  isPeerId,
} from "./identity.ts";
export { DEFAULT_LINK_LIMITS, type LinkLimits } from "./limits.ts";
export { createLinks, type Links, type LinksOptions, type LinksStatistics, NetworkError } from "./links.ts";
export type { PeerStatistics } from "./peer.ts";
export {
  CHANNELS,
  type Channel,
  type Clock,
  type Entropy,
  type Log,
  type Network,
  type NetworkHandlers,
  type PeerAddress,
  type PeerId,
} from "./types.ts";
