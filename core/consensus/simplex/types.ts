import type { Bytes, Epoch, Hash, Height, View } from "@ostrom/base";
import type {
  Certificate,
  ConsensusDomain,
  Evidence,
  Message,
  OrderedBlock,
  SealProof,
  SignedVote,
  StateCertificate,
  ValidatorIndex,
  ValidatorSet,
  Vote,
} from "../types.ts";

/** All times in milliseconds. One epoch has one configuration. */
export type SimplexConfig = {
  /** Of the set's scheme (`domainOfSet`). */
  readonly domain: ConsensusDomain;
  readonly validators: ValidatorSet;
  /** Sets of earlier epochs whose state certificates may still appear in blocks of this one. */
  readonly earlierValidators: readonly ValidatorSet[];
  /** undefined: this node follows and never votes. */
  readonly own: ValidatorIndex | undefined;
  /** Height of the epoch's last block; what is ordered above it only makes it final (rule E2). */
  readonly lastHeight: Height;
  /** The state after the block of this height, of the epoch before, named this set: a certificate of it, or of a later block, must be
   * in the epoch's first block (rule E1). 0 in the first epoch. */
  readonly leastCertified: Height;
  /** Delta: bound on one message's delay that the first timeouts assume. */
  readonly deltaMs: number;
  /** Delta of each further unfinalized view = the last * growthPercent / 100, at most maxDeltaMs. */
  readonly deltaGrowthPercent: number;
  readonly maxDeltaMs: number;
  /** A leader does not propose sooner than this after its parent's timestamp. */
  readonly minBlockIntervalMs: number;
  /** A leader with an empty pool waits this long after its parent's timestamp. At least minBlockIntervalMs. */
  readonly emptyBlockIntervalMs: number;
  /** Period of resending while a view does not end (S12), and of repeating requests that got no answer. */
  readonly standstillMs: number;
  readonly fetchRetryMs: number;
  /** True if this validator may have voted in this epoch before and its log is gone: it asks the others before it votes (S14).
   * Stays true over restarts until the log holds a vote of its own again, and holds for one more epoch (E7). A validator alone has
   * nobody to ask. */
  readonly lostLog: boolean;
};

/** The newest finalized block, as much of it as its children are checked against. */
export type FinalizedTip = {
  readonly epoch: Epoch;
  /** 0 if the tip is genesis or of an earlier epoch. */
  readonly view: View;
  readonly height: Height;
  readonly digest: Hash;
  readonly timestampMs: number;
  /** The one that the tip's block carries. */
  readonly stateCertificate: StateCertificate | undefined;
  /** Finalizes the tip or a descendant of it. undefined only where `view` is 0. */
  readonly finalization: Certificate | undefined;
};

/** `leader` and `advance` end a view, `standstill` resends, `fetch` repeats requests, `seal` ends the pause before a sealing block. */
export type TimerId = "leader" | "advance" | "standstill" | "fetch" | "seal";

export type Input =
  /** Something arrived on the authenticated link of validator `from`. All kinds of Message may be given here;
   * those that belong to certification are ignored. */
  | { readonly kind: "message"; readonly from: ValidatorIndex; readonly message: Message }
  /** Blocks that this node has asked for, from a peer that is not in this epoch's set. */
  | {
      readonly kind: "message";
      readonly from: undefined;
      readonly message: Extract<Message, { kind: "block-range" }>;
    }
  /** A timer that `setTimer` set has run out. `token` is the one it was set with: late firings are recognized by it. */
  | { readonly kind: "timer"; readonly id: TimerId; readonly token: number }
  /** Answers `buildPayload` of that view. `timestampMs` is the clock's, raised above the parent's where necessary. */
  | {
      readonly kind: "payload";
      readonly view: View;
      readonly timestampMs: number;
      readonly payload: Bytes;
      /** The newest this node holds. It is used if it is for an ancestor and newer than the parent's. */
      readonly stateCertificate: StateCertificate | undefined;
    }
  /** Answers `checkBlock`. Data missing or a timestamp ahead of the clock: answer later, when that has passed. */
  | { readonly kind: "verdict"; readonly digest: Hash; readonly valid: boolean }
  /** The pool went from having nothing to include to having something, or back. */
  | { readonly kind: "work"; readonly pending: boolean }
  /** Answers `sign`: the vote is signed, and its record is on disk, synced. */
  | { readonly kind: "signed"; readonly vote: SignedVote }
  /** The node came to a newer finalized block by other means (a snapshot), and holds it durably. */
  | { readonly kind: "synced"; readonly tip: FinalizedTip };

/** What the runtime must do, in this order. It performs the effects of one step before those of the next; later inputs
 * may be stepped while effects are being performed.
 * - `sign` is a barrier: what follows it waits until the vote's record, and all records appended before it, are synced.
 * - `persist` only appends: the next `sign` syncs it. Losing an unsynced tail is safe. */
export type Effect =
  /** Sign voteSigningBytes(domain, vote), append the record {kind: "vote"}, sync, then input `signed`. Do not send. */
  | { readonly kind: "sign"; readonly vote: Vote }
  /** Append to the log; needs no sync of its own. */
  | { readonly kind: "persist"; readonly record: LogRecord }
  /** To all other validators. */
  | { readonly kind: "broadcast"; readonly message: Message }
  | { readonly kind: "send"; readonly to: ValidatorIndex; readonly message: Message }
  /** Replaces the timer with the same id. */
  | { readonly kind: "setTimer"; readonly id: TimerId; readonly token: number; readonly delayMs: number }
  | { readonly kind: "cancelTimer"; readonly id: TimerId }
  | BuildPayload
  | CheckBlock
  /** Finalized blocks in height order, each exactly once (a restarted node begins above the tip it was given).
   * `finalization` is for this block or for a descendant: compare its digest. Store both durably; that may go on beside
   * later effects, as long as log records above the newest durable block are kept (isRecordLive). */
  | {
      readonly kind: "finalized";
      readonly block: OrderedBlock;
      readonly digest: Hash;
      readonly finalization: Certificate;
    }
  /** Send a block-range-request from this height to `peer`, when execution has room; its answer comes back as a message.
   * Repeated with another peer while it is needed. */
  | { readonly kind: "sync"; readonly peer: ValidatorIndex; readonly fromHeight: Height }
  /** Answer a block-range-request from the store: blocks of one epoch from this height, at most MAX_RANGE_BLOCKS and
   * MAX_RANGE_BYTES, ending at the newest whose own finalization certificate is stored; the epoch's last block is followed by its
   * seal proof. If there is no such block among as many as one answer may hold: all of them but the epoch's last, with the
   * certificate stored with the last of them. */
  | { readonly kind: "serveBlocks"; readonly to: ValidatorIndex; readonly fromHeight: Height }
  /** The epoch's last block is final (rule E3): nothing but answers to questions comes from here any more. `tip` is where the next
   * epoch begins. What `proof` shows must be durable before the block is. */
  | { readonly kind: "epochEnded"; readonly tip: FinalizedTip; readonly proof: SealProof }
  | { readonly kind: "evidence"; readonly evidence: Evidence }
  /** A peer broke a rule. The runtime may drop its link. */
  | {
      readonly kind: "fault";
      readonly peer: ValidatorIndex;
      readonly code: FaultCode;
      readonly message: string;
    };

/** This node leads `view`. For the epoch's first block, answer only when the newest state certificate is of `leastCertified` or above
 * (rule E1): a payload without it is dropped. Otherwise: answer with `payload` when the clock has reached `notBeforeMs`, or, with
 * nothing to include, when it has reached `emptyNotBeforeMs`; sooner if something comes in between. An answer for a view that has
 * passed is ignored; a newer buildPayload replaces an older one. */
export type BuildPayload = {
  readonly kind: "buildPayload";
  readonly view: View;
  readonly height: Height;
  readonly parent: Hash;
  readonly parentTimestampMs: number;
  readonly notBeforeMs: number;
  readonly emptyNotBeforeMs: number;
  /** Unfinalized ancestors in height order, the parent last: what the new payload must not repeat. */
  readonly ancestors: readonly OrderedBlock[];
  /** Newest state certificate that the parent carries: the new block's is no older. */
  readonly parentStateCertificate: StateCertificate | undefined;
};

/** Check what consensus cannot: static validity of the payload, the execution window, and that the timestamp is at most
 * 500 ms ahead of the clock. Leader, parent, height, monotonic time and the state certificate are checked already. */
export type CheckBlock = {
  readonly kind: "checkBlock";
  readonly digest: Hash;
  readonly block: OrderedBlock;
  /** As in BuildPayload. */
  readonly ancestors: readonly OrderedBlock[];
};

export type FaultCode =
  | "consensus/wrong-sender"
  | "consensus/wrong-leader"
  | "consensus/bad-signature"
  | "consensus/bad-certificate"
  | "consensus/bad-block"
  | "consensus/bad-segment"
  /** A quorum notarized what this node found invalid: our rules differ from theirs. Never by a peer's fault alone. */
  | "consensus/notarized-invalid";

/** What the write-ahead log holds. */
export type LogRecord =
  | { readonly kind: "vote"; readonly vote: SignedVote }
  | { readonly kind: "block"; readonly block: OrderedBlock }
  | { readonly kind: "certificate"; readonly certificate: Certificate };
