import type { Address, Bytes, Hash, Height } from "@ostrom/base";
import type { WorkHashName } from "@ostrom/crypto";
import type { ConsensusDomain } from "../types.ts";

/** Most headers in one message. */
export const MAX_HEADERS_PER_MESSAGE = 512;
/** Most entries of a locator. */
export const MAX_LOCATOR_ENTRIES = 64;
/** So many blocks' times, the newest first, decide the least time that the next block may have. */
export const MEDIAN_TIME_BLOCKS = 11;

/** The function whose outputs are compared with targets. Fixed by genesis. */
export type WorkHash = {
  readonly name: WorkHashName;
  /** 32 bytes, read as a big-endian number. */
  readonly hash: (data: Bytes) => Bytes;
};

/** Binds every header to one chain and its choice of functions. `hash` makes ids, `workHash` makes work. */
export type PowDomain = Pick<ConsensusDomain, "genesisHash" | "hashId" | "hash"> & {
  readonly workHash: WorkHash;
};

/** What is mined. */
export type PowHeader = {
  /** Id of the block before it; the genesis hash for height 1. */
  readonly parent: Hash;
  readonly height: Height;
  /** Milliseconds since 1970, as the miner has it; above the median of the last MEDIAN_TIME_BLOCKS. */
  readonly timestampMs: number;
  /** Greatest work hash, as a number, that this block may have: in [1, 2^256). */
  readonly target: bigint;
  /** Hash (the domain's `hash`) of the payload. */
  readonly payloadHash: Hash;
  /** Hash of the executed block of the parent (of genesis for height 1). */
  readonly parentExecutedHash: Hash;
  /** Receives the reward and the fees. */
  readonly miner: Address;
  /** In [0, 2^64). */
  readonly nonce: bigint;
};

export type PowBlock = { readonly header: PowHeader; readonly payload: Bytes };

/** All times in milliseconds. All fields but the last five are the chain's, from genesis. */
export type PowConfig = {
  readonly domain: PowDomain;
  readonly genesis: { readonly timestampMs: number; readonly executedHash: Hash };
  readonly targetIntervalMs: number;
  readonly halflifeMs: number;
  /** Target of block 1, and the greatest of any block. */
  readonly initialTarget: bigint;
  /** The block so far below the executed head is told to clients as final. */
  readonly finalityDepth: number;
  /** A heavier branch that forks deeper than this below the head halts the engine. At least finalityDepth. */
  readonly maxReorgDepth: number;
  /** How far a header's time may be ahead of the clock of who checks it. */
  readonly clockToleranceMs: number;
  readonly maxPayloadBytes: number;
  /** A request that is not answered for so long goes to another peer. */
  readonly fetchRetryMs: number;
  /** Headers that may be held beside the best chain, beyond a branch of maxReorgDepth. */
  readonly maxSideHeaders: number;
  /** Headers that may be held above the executed head. */
  readonly maxHeadersAhead: number;
  /** Bytes of bodies that may be held. At least 4 payloads. */
  readonly maxBodyBytes: number;
};

/** One's own name for the other end of a link; the engine only compares it. */
export type PeerId = string;

export type BlockRef = { readonly height: Height; readonly id: Hash };

/** What miners and nodes say to each other. Times and works in them are claims. */
export type PowMessage =
  /** Said first on every link, by both ends: the newest block whose body, and whose ancestors' bodies, the sender has. */
  | { readonly kind: "inventory"; readonly tip: BlockRef; readonly totalWork: bigint }
  /** A new best block (or a few, consecutive): the sender has the bodies. */
  | { readonly kind: "announce"; readonly headers: readonly PowHeader[] }
  /** Asks for the headers after the first entry that is on the receiver's chain. Newest first, genesis last. */
  | { readonly kind: "get-headers"; readonly locator: readonly BlockRef[] }
  /** The answer: consecutive, at most MAX_HEADERS_PER_MESSAGE; fewer mean that there are no more. */
  | { readonly kind: "headers"; readonly headers: readonly PowHeader[] }
  | { readonly kind: "get-block"; readonly block: BlockRef }
  | { readonly kind: "block"; readonly block: PowBlock };

export type PowMessageKind = PowMessage["kind"];

/** A block of the chain, as much of it as what is built on it is checked against. */
export type ChainPoint = BlockRef & {
  /** Of genesis: the configuration's. */
  readonly timestampMs: number;
  /** Of genesis: initialTarget. */
  readonly target: bigint;
  /** Of all blocks from 1 to this one; 0 for genesis. */
  readonly totalWork: bigint;
  /** Time of block 1 of this chain, from which difficulty's schedule runs; undefined for genesis. */
  readonly anchorTimestampMs: number | undefined;
  /** Of this block and those before it, newest first, at most MEDIAN_TIME_BLOCKS; genesis counts. */
  readonly recentTimestampsMs: readonly number[];
};

/** What a node that starts knows: its executed chain, which may be genesis alone. */
export type RecoveredChain = {
  /** A block of the executed chain, or genesis. Best maxReorgDepth below the head; forks below it cannot be followed. */
  readonly base: ChainPoint;
  readonly baseExecutedHash: Hash;
  /** The executed blocks above it, in height order; the last is the head. */
  readonly blocks: readonly { readonly header: PowHeader; readonly executedHash: Hash }[];
  /** Some blocks below the base, lowest first, ever denser upward: for locators. Genesis need not be among them. */
  readonly older: readonly BlockRef[];
};

export type PowInputKind =
  | { readonly kind: "peer-connected"; readonly peer: PeerId }
  | { readonly kind: "peer-disconnected"; readonly peer: PeerId }
  | { readonly kind: "message"; readonly from: PeerId; readonly message: PowMessage }
  /** The timer of `setTimer` has run out. */
  | { readonly kind: "timer" }
  /** Answers `connect`: the block is executed, durably. */
  | { readonly kind: "connected"; readonly id: Hash; readonly executedHash: Hash }
  /** Answers `connect`: the block is invalid (not: this node cannot execute it). Nothing of it is left. */
  | { readonly kind: "rejected"; readonly id: Hash; readonly reason: string }
  /** Answers `disconnect`: the block is off, durably. `payload`, if it is still at hand, spares fetching it again. */
  | { readonly kind: "disconnected"; readonly id: Hash; readonly payload: Bytes | undefined }
  /** The own miner found a block for the newest `mine` (or an older one). */
  | { readonly kind: "mined"; readonly block: PowBlock }
  /** The pool's content changed enough for a new template. */
  | { readonly kind: "pool" }
  /** Answers `readChainPoint`; undefined if the executed chain has no such block there. */
  | { readonly kind: "chain-point"; readonly block: BlockRef; readonly point: ChainPoint | undefined };

/** `nowMs` is the clock's. It only bounds how far headers may be ahead, and times requests. */
export type PowInput = PowInputKind & { readonly nowMs: number };

/** What the runtime must do, in this order. `connect` and `disconnect` are one at a time: the next comes after the answer to the
 * one before. Inputs may be stepped meanwhile. */
export type PowEffect =
  | { readonly kind: "send"; readonly to: PeerId; readonly message: PowMessage }
  /** Input `timer` after so long; replaces the timer before. */
  | { readonly kind: "setTimer"; readonly delayMs: number }
  /** Execute and store the block, whose parent is the executed head. Answer `connected` or `rejected`. */
  | { readonly kind: "connect"; readonly block: PowBlock; readonly point: ChainPoint }
  /** Take the executed head off. Its transactions go back to the pool. Answer `disconnected`. */
  | { readonly kind: "disconnect"; readonly block: BlockRef }
  /** The executed block of this height, and all below it, are told to clients as final. Never decreases. */
  | { readonly kind: "finalized"; readonly block: BlockRef }
  | Mine
  /** Stop the miner: there is nothing to build on until the next `mine`. */
  | { readonly kind: "stopMining" }
  /** The engine follows no chain further until an operator has decided. Once. It still answers peers. */
  | { readonly kind: "halt"; readonly reason: HaltReason; readonly message: string }
  /** Answer a get-block from the store with a `block`, if the executed chain has it; else not at all. */
  | { readonly kind: "serveBlock"; readonly to: PeerId; readonly block: BlockRef }
  /** Answer a get-headers from the store: up to MAX_HEADERS_PER_MESSAGE after the first entry that is on the executed chain
   * (genesis, of height 0, always is). */
  | { readonly kind: "serveHeaders"; readonly to: PeerId; readonly locator: readonly BlockRef[] }
  /** Look this block up in the executed chain's store; answer `chain-point`. */
  | { readonly kind: "readChainPoint"; readonly block: BlockRef }
  /** A peer broke a rule; that is proven. The runtime drops its link. */
  | {
      readonly kind: "fault";
      readonly peer: PeerId;
      readonly code: PowFaultCode;
      readonly message: string;
    }
  /** A block turned out invalid. For the log and metrics; nobody is blamed for passing it on. */
  | { readonly kind: "invalid"; readonly block: BlockRef; readonly reason: string };

/** Build a block on this parent: time = max(clock, earliestTimestampMs), payload from the pool, nonce sought by the miner. A newer
 * `mine` replaces an older one. */
export type Mine = {
  readonly kind: "mine";
  readonly parent: BlockRef;
  readonly parentExecutedHash: Hash;
  readonly height: Height;
  readonly target: bigint;
  readonly earliestTimestampMs: number;
};

export type HaltReason =
  /** More work stands on a branch that forks deeper than maxReorgDepth. */
  "pow/reorganisation-too-deep";

export type PowFaultCode =
  /** A header breaks a rule that its parent and itself decide: height, target, proof of work, median time. */
  | "pow/bad-header"
  /** Headers of one message do not follow each other, or do not follow what was asked for. */
  | "pow/bad-sequence"
  /** A body is not the header's, or too long. */
  | "pow/bad-body";
