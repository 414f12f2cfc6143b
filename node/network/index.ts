export { AddressBook, DEFAULT_BOOK_LIMITS, type KnownPeer } from "./address-book.ts";
export { type CertificateRefusal, refuseCertificate } from "./certificate-check.ts";
export { Discovery } from "./discovery.ts";
export { type DiscoveryMessage, decodeDiscovery, encodeDiscovery } from "./discovery-codec.ts";
export { formatSnapshot, readSnapshot } from "./discovery-snapshot.ts";
export type {
  BootstrapAddress,
  DiscoveryPorts,
  DiscoverySettings,
  DiscoverySnapshot,
  StrangerPolicy,
} from "./discovery-types.ts";
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
export { createIdentity, type Identity, type IdentityFailure, identityFromPem } from "./identity.ts";
export { type IdentityKey, signRaw } from "./identity-keys.ts";
export {
  IDENTITY_KINDS,
  type IdentityKind,
  isPeerId,
  kindOfPeerId,
  lengthsOf,
  shortPeerId,
} from "./identity-kinds.ts";
export { DEFAULT_LINK_LIMITS, type LinkLimits } from "./limits.ts";
export { createLinks, type Links, type LinksOptions, type LinksStatistics, NetworkError } from "./links.ts";
export { groupOf, type HostPort, isRoutable, type NetworkGroup } from "./network-group.ts";
export {
  isRecordSigned,
  type NodeRecord,
  type NodeRole,
  type SignedRecord,
  signRecord,
} from "./node-record.ts";
export type { PeerStatistics } from "./peer.ts";
export { DEFAULT_SLOT_LIMITS, type LinkedStranger, type SlotLimits } from "./peer-selection.ts";
export { OFFENCE_POINTS, PeerStanding } from "./peer-standing.ts";
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
