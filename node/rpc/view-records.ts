import type { Address, Bytes, Hash } from "@ostrom/base";

/** What a node saw of how blocks were agreed on: the newest views, or blocks, that it still remembers. Read from memory that the node's
 * threads share; reading disturbs nobody. */
export type ViewReads = {
  readonly engine: "simplex" | "pow" | "instant";
  /** Records that are kept at most. */
  readonly capacity: () => number;
  /** Number of the next record: they are counted from 1 since the node has started. */
  readonly next: () => number;
  /** Those of the numbers from `from` on that are kept, at most `count`, in ascending order. */
  readonly read: (from: number, count: number) => readonly ViewRecord[];
  /** Raised by each change of any record. */
  readonly changes: () => number;
  /** Records changed after `changes()` was `since`, in ascending order, the newest `count` of them. */
  readonly changedSince: (since: number, count: number) => readonly ViewRecord[];
};

/** One step of an engine. Another kind of engine adds its own kind of record. */
export type ViewRecord = SimplexViewRecord | BlockRecord;

/** One view of simplex as one node saw it. Times of steps are milliseconds after `startedAtMs`; undefined: it has not seen that. */
export type SimplexViewRecord = {
  readonly engine: "simplex";
  readonly number: number;
  readonly epoch: number;
  readonly view: number;
  /** Index in the set of the epoch, as everywhere here. */
  readonly leader: number;
  /** Validators of the epoch. */
  readonly validators: number;
  /** Milliseconds since 1970 when this node first heard of the view, or entered it. */
  readonly startedAtMs: number;
  readonly steps: ViewSteps;
  /** The leader's block, once it is here. */
  readonly proposal: { readonly payloadBytes: number } | undefined;
  /** Of the block that became final. */
  readonly height: number | undefined;
  readonly executed: { readonly transactions: number; readonly gasUsed: number } | undefined;
  /** When each validator's vote was first heard on its own link, by index; `executed` is what it signed of the block's result. */
  readonly votes: Readonly<Record<RecordedVote, readonly (number | undefined)[]>>;
  /** Bitmaps of certificates: validator i is bit i%8 of byte floor(i/8). */
  readonly signers: Readonly<Partial<Record<RecordedCertificate, Bytes>>>;
};

export type ViewSteps = {
  /** The node came to this view. */
  readonly entered: number | undefined;
  /** The proposal came, or left, if this node leads. */
  readonly proposed: number | undefined;
  readonly notarized: number | undefined;
  readonly nullified: number | undefined;
  /** The block became final, by a certificate of its own view or of a later one. */
  readonly finalized: number | undefined;
  readonly executed: number | undefined;
  /** Its result, or a later block's, has a state certificate. */
  readonly certified: number | undefined;
  /** The timers of this node ran out: no proposal came in time; the view did not end in time. */
  readonly leaderTimeout: number | undefined;
  readonly advanceTimeout: number | undefined;
};

export type RecordedVote = "notarize" | "nullify" | "finalize" | "executed";
export type RecordedCertificate = "notarization" | "nullification" | "finalization";

/** A block of a chain without votes, as one node saw it come and, in a reorganisation, go. */
export type BlockRecord = {
  readonly engine: "pow" | "instant";
  readonly number: number;
  readonly height: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Milliseconds since 1970 when it was executed here. */
  readonly startedAtMs: number;
  /** Milliseconds after that. */
  readonly finalized: number | undefined;
  readonly unwound: number | undefined;
  readonly transactions: number;
  readonly gasUsed: number;
  /** From the block's header; undefined where only its hash is known yet. */
  readonly mined: { readonly coinbase: Address; readonly difficulty: bigint } | undefined;
};
