import { maxDiscoveryBytes } from "./discovery-codec.ts";
import type { IdentityKind } from "./identity-kinds.ts";
import type { LinkChannel } from "./types.ts";

/** Every bound of validator links, so that no peer and no stranger can make a node hold or do more than this. */
export type LinkLimits = {
  /** Longest payload of one frame. */
  readonly maxFrameBytes: Readonly<Record<LinkChannel, number>>;
  /** Payloads that wait for one peer, all channels together. When they are more, the least urgent are dropped. */
  readonly maxQueuedBytes: number;
  /** What one peer may send before its connection is paused; frames count at least FRAME_COST_BYTES each. */
  readonly inboundBytesPerSecond: number;
  /** From the first byte of a connection until both sides know each other. */
  readonly handshakeTimeoutMs: number;
  /** A peer from which nothing came for so long is gone. Pings go out often enough to make it answer. */
  readonly idleTimeoutMs: number;
  /** A peer that has taken nothing for so long is gone. */
  readonly stallTimeoutMs: number;
  /** Inbound connections that are not authenticated yet: all together, and from one address. */
  readonly maxPending: number;
  readonly maxPendingPerAddress: number;
  /** New inbound connections from one address in a minute; twice as many may come at once after a quiet time. */
  readonly maxConnectionsPerMinute: number;
  /** Steps of inbound handshakes that this program computes itself, in a second; twice as many may come at once after a quiet time. Those above
   * wait in line until their time is out. Handshakes of TLS are not counted. */
  readonly maxHandshakeStepsPerSecond: number;
  /** Waiting time before a peer is dialed again: doubles from the first to the last, half of it random. */
  readonly minRedialMs: number;
  readonly maxRedialMs: number;
  /** How long a peer that broke the protocol is shunned: doubles with each time, forgotten after a while. */
  readonly minBanMs: number;
  readonly maxBanMs: number;
  readonly forgiveAfterMs: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LINK_LIMITS: LinkLimits = {
  maxFrameBytes: {
    // The longest message of consensus (MAX_MESSAGE_BYTES of core/consensus).
    consensus: 12 * MIB,
    // An answer to a request for batches (MAX_FETCHED_BATCHES of MAX_BATCH_BYTES of core/dissemination).
    batches: 9 * MIB,
    sync: 12 * MIB,
    transactions: MIB,
    discovery: maxDiscoveryBytes("ed25519"),
  },
  maxQueuedBytes: 32 * MIB,
  inboundBytesPerSecond: 128 * MIB,
  handshakeTimeoutMs: 5_000,
  idleTimeoutMs: 15_000,
  stallTimeoutMs: 15_000,
  maxPending: 64,
  maxPendingPerAddress: 16,
  maxConnectionsPerMinute: 240,
  maxHandshakeStepsPerSecond: 200,
  minRedialMs: 100,
  maxRedialMs: 5_000,
  minBanMs: 1_000,
  maxBanMs: 60_000,
  forgiveAfterMs: 600_000,
};

/** The limits of a node whose identity is of that kind: its records are as long as its keys and signatures. */
export function linkLimitsOf(kind: IdentityKind, given: Partial<LinkLimits> = {}): LinkLimits {
  const { maxFrameBytes } = DEFAULT_LINK_LIMITS;
  return {
    ...DEFAULT_LINK_LIMITS,
    maxFrameBytes: { ...maxFrameBytes, discovery: maxDiscoveryBytes(kind) },
    ...given,
  };
}

/** What handling a frame costs besides its bytes, in bytes: a flood of empty frames meets the limit too. */
export const FRAME_COST_BYTES = 128;
