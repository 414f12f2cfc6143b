import type { Bytes, Hash } from "@ostrom/base";
import { BATCH_LIFETIME_BLOCKS, type BatchAuthors, type BatchEvidence } from "@ostrom/dissemination";
import type { SignatureCheck } from "@ostrom/execution";
import type { Network, PeerId } from "@ostrom/network";
import type { Store } from "@ostrom/storage";
import type { TransactionPool } from "@ostrom/txpool";
import type { Clock, Log } from "./ports.ts";
import type { SignatureChecker } from "./signature-checker.ts";

/** How a node takes part in batches. A simulator has smaller ones, so that rare ways are taken often. */
export type BatchLimits = {
  /** As many transactions of own clients within a window are passed on by themselves, and go inline: fewer delays than a batch. */
  readonly lightLoad: number;
  readonly windowMs: number;
  /** How long the first transaction of a batch waits for company. */
  readonly fillMs: number;
  readonly maxTransactions: number;
  readonly maxBytes: number;
  /** An author's batches that no final block has, at this node: what exceeds it is not taken, or not made. */
  readonly maxUnorderedBytes: number;
  readonly maxUnorderedBatches: number;
  /** An own batch is sent again to who has not answered, and a missing one is asked for again. */
  readonly retryMs: number;
  /** Blocks that own batches may wait to be ordered, half of it from the newest executed one: never more than the rule's lifetime (D4). */
  readonly lifetimeBlocks: number;
  /** Bytes of batches that one peer is sent in a second because it asks. */
  readonly maxServedBytesPerSecond: number;
};

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_BATCH_LIMITS: BatchLimits = {
  lightLoad: 32,
  windowMs: 50,
  fillMs: 25,
  maxTransactions: 512,
  maxBytes: 256 * KIB,
  maxUnorderedBytes: 8 * MIB,
  maxUnorderedBatches: 64,
  retryMs: 500,
  lifetimeBlocks: BATCH_LIFETIME_BLOCKS,
  maxServedBytesPerSecond: 32 * MIB,
};

/** The key that a node is known by on links, as far as batches need it. */
export type TransportKey = {
  readonly sign: (message: Bytes) => Bytes;
  /** Of any key of that kind. False for anything malformed. */
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
};

/** What the current epoch means for batches. */
export type BatchEpoch = {
  readonly authors: BatchAuthors;
  /** Index of this node; undefined: it follows. */
  readonly own: number | undefined;
  /** False for who may have made batches in this epoch and does not know any more which. */
  readonly mayAuthor: boolean;
  /** By index. */
  readonly peerIds: readonly PeerId[];
};

export type BatchDeskPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly network: Network;
  readonly store: Store;
  readonly pool: TransactionPool;
  readonly checkBatch: NonNullable<SignatureChecker["checkBatch"]>;
  readonly transport: TransportKey;
  readonly genesisHash: Hash;
  readonly hash: (data: Bytes) => Hash;
  readonly mode: SignatureCheck;
  readonly limits: BatchLimits;
  readonly blockGasLimit: bigint;
  /** Base fee of the next block. */
  readonly baseFee: () => bigint;
  /** Names under which the pool has transactions of ordered blocks that are not executed. */
  readonly unexecuted: () => readonly string[];
  /** There is more to propose. */
  readonly changed: () => void;
  readonly evidence: (evidence: BatchEvidence, peerId: PeerId | undefined) => void;
  readonly fault: (peerId: PeerId | undefined, code: string, message: string) => void;
  readonly failed: (error: unknown) => void;
};
