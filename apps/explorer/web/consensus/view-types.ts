/** What `ostrom_getViews` answers, and what the subscription `views` tells in lists. Times of steps are milliseconds after `startedAt`, which is
 * milliseconds since 1970; null: the node has not seen that. */
export type ViewsAnswer = {
  readonly engine: "simplex" | "pow" | "instant";
  readonly capacity: number;
  readonly oldest: number;
  readonly next: number;
  readonly views: readonly ViewRecord[];
};

export type ViewRecord = SimplexView | BlockRecord;

export const STEPS = [
  "entered",
  "proposed",
  "notarized",
  "nullified",
  "finalized",
  "executed",
  "certified",
  "leaderTimeout",
  "advanceTimeout",
] as const;
export type Step = (typeof STEPS)[number];

export const VOTES = ["notarize", "nullify", "finalize", "executed"] as const;
export type VoteKind = (typeof VOTES)[number];

export type SimplexView = {
  readonly number: number;
  readonly engine: "simplex";
  readonly epoch: number;
  readonly view: number;
  readonly leader: number;
  readonly validators: number;
  readonly startedAt: number;
  readonly steps: Readonly<Record<Step, number | null>>;
  readonly payloadBytes: number | null;
  readonly height: number | null;
  readonly transactions: number | null;
  readonly gasUsed: number | null;
  readonly votes: Readonly<Record<VoteKind, readonly (number | null)[]>>;
  readonly signers: Readonly<Record<"notarization" | "nullification" | "finalization", string | null>>;
};

export type BlockRecord = {
  readonly number: number;
  readonly engine: "pow" | "instant";
  readonly height: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly startedAt: number;
  readonly finalized: number | null;
  readonly unwound: number | null;
  readonly transactions: number;
  readonly gasUsed: number;
  readonly coinbase: string | null;
  readonly difficulty: string | null;
};
