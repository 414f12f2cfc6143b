import type { Bytes, Hash } from "@ostrom/base";
import type { HostPort, NetworkGroup } from "./network-group.ts";
import type { NodeRecord, NodeRole, SignedRecord } from "./node-record.ts";
import type { SlotLimits } from "./peer-selection.ts";
import type { StandingRecord } from "./peer-standing.ts";
import type { Entropy, Log, PeerAddress, PeerId } from "./types.ts";

/** An address where a node begins to look for others; who is there it may not know. */
export type BootstrapAddress = HostPort & { readonly peerId?: PeerId | undefined };

/** What a node keeps of its peers over a restart. */
export type DiscoverySnapshot = {
  /** 32 bytes; whoever knows them can aim at buckets of the address book. */
  readonly key: Bytes;
  /** Of this node's newest record. */
  readonly sequence: number;
  /** Outbound peers that were linked longest: dialed first, so that a restart is no chance for others. */
  readonly anchors: readonly PeerAddress[];
  readonly standing: readonly StandingRecord[];
  readonly peers: readonly StoredPeer[];
};

export type StoredPeer = {
  readonly peerId: PeerId;
  readonly address: HostPort;
  readonly record: SignedRecord | undefined;
  readonly source: NetworkGroup;
  readonly isTried: boolean;
  readonly failures: number;
  readonly lastAttemptMs: number;
  readonly lastSuccessMs: number;
};

export type DiscoverySettings = {
  readonly peerId: PeerId;
  readonly genesisHash: Hash;
  /** Where others reach this node; none if they cannot. */
  readonly addresses: readonly HostPort[];
  readonly bootstrap: readonly BootstrapAddress[];
  readonly slots?: Partial<SlotLimits>;
  /** Addresses of this machine and of local networks count too. */
  readonly allowsLocal: boolean;
  /** A node to which no peer gave anything new for so long looks for others; but not sooner than after a minute and a half. */
  readonly starvedAfterMs?: number;
  /** For simulations. */
  readonly groupOf?: (address: HostPort) => NetworkGroup;
};

/** What discovery asks of the world. */
export type DiscoveryPorts = {
  readonly clock: { readonly nowMs: () => number };
  readonly entropy: Entropy;
  readonly log: Log;
  readonly sign: (record: NodeRecord) => SignedRecord;
  readonly isSigned: (record: SignedRecord) => boolean;
  /** Sends a frame on the channel `discovery`. */
  readonly send: (peerId: PeerId, payload: Bytes) => boolean;
  /** Shakes hands with whoever is there, and leaves. Answers once, later. @param found undefined if nobody of this chain is there. */
  readonly probe: (address: HostPort, answer: (found: PeerId | undefined) => void) => void;
  /** Whom to link with has changed. */
  readonly changed: () => void;
  readonly roles: () => readonly NodeRole[];
  /** Whether a peer has a place that strangers do not compete for: a validator, or one that node.json names. */
  readonly isReserved: (peerId: PeerId) => boolean;
  /** Whether strangers may be linked at all, as of now. */
  readonly isOpen: () => boolean;
  /** A peer says up to where it can serve. */
  readonly heard: (peerId: PeerId, height: number) => void;
};

/** How links and strangers come together. Everything is told from the event loop. */
export type StrangerPolicy = {
  /** Whom this node wants to be linked with, of its own choice. */
  readonly wanted: () => readonly PeerAddress[];
  /** Whether a stranger has a place here now. */
  readonly holds: (peerId: PeerId) => boolean;
  /** One that is no validator and not named has dialed. @returns why it gets no place, or undefined. */
  readonly admit: (peerId: PeerId, host: string) => string | undefined;
  readonly onUp: (peerId: PeerId, link: { readonly host: string; readonly isDialed: boolean }) => void;
  readonly onDown: (peerId: PeerId, reason: string) => void;
  /** An attempt to dial it failed. */
  readonly onUnreached: (peerId: PeerId, reason: string) => void;
  readonly onFrame: (peerId: PeerId, payload: Bytes) => void;
  /** It broke the protocol of links, or said what no honest peer says. */
  readonly onBreach: (peerId: PeerId, reason: string) => void;
};
