import { type Hash, toHexDigits } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import {
  type BlockReference,
  type DagBlock,
  type DagEffect,
  type DagFaultCode,
  type MysticetiConfig,
  Round,
  type SignedDagBlock,
} from "./types.ts";

/** What a block builds on, with its key in maps. */
export type KeyedReference = BlockReference & { readonly key: string };

/** A block of which the whole history is here, as far as any commit may still need it. */
export type AcceptedBlock = {
  readonly signed: SignedDagBlock;
  readonly digest: Hash;
  readonly key: string;
  readonly references: readonly KeyedReference[];
  /** The blocks of the round before that it builds on, its author's own included: author -> key. */
  readonly below: ReadonlyMap<ValidatorIndex, string>;
  /** Keys of leaders' blocks that it certifies (rule M7). */
  readonly certifies: ReadonlySet<string>;
  readonly isCommitted: boolean;
};

/** Of one round: most authors have one block there; equivocators have more, in the order in which they came. */
export type Layer = ReadonlyMap<ValidatorIndex, readonly AcceptedBlock[]>;

/** A block whose history or verdict is missing. */
export type WaitingBlock = {
  readonly signed: SignedDagBlock;
  readonly digest: Hash;
  readonly key: string;
  readonly references: readonly KeyedReference[];
  readonly from: ValidatorIndex;
  readonly isValid: boolean;
};

/** A block that others build on and that is not here. */
export type MissingBlock = { readonly reference: BlockReference; readonly asked: number };

/** Which leaders are decided: all slots before this one, in the order of rounds and, in a round, of leaders. */
export type Slot = { readonly round: Round; readonly offset: number };

/** Everything a validator remembers of an epoch's DAG. Plain data, never mutated. */
export type MysticetiState = {
  readonly config: MysticetiConfig;
  /** q of the set. */
  readonly quorum: number;
  readonly graph: ReadonlyMap<Round, Layer>;
  /** Keys of blocks that were ordered before this life began: they may still come, as others' ancestors. */
  readonly orderedBefore: ReadonlySet<string>;
  /** The highest round of an accepted block. */
  readonly highest: Round;
  /** The first slot that is not decided. */
  readonly next: Slot;
  readonly commits: number;
  /** Of the newest commit. */
  readonly leaderRound: Round;
  /** Accepted blocks with a payload that no commit has yet. */
  readonly unordered: number;
  readonly waiting: ReadonlyMap<string, WaitingBlock>;
  readonly missing: ReadonlyMap<string, MissingBlock>;
  /** Found invalid: round -> keys. */
  readonly rejected: ReadonlyMap<Round, ReadonlySet<string>>;
  /** Authors of two blocks in one round. */
  readonly accused: ReadonlySet<ValidatorIndex>;
  /** The newest own block, accepted. */
  readonly last: AcceptedBlock | undefined;
  /** The own block that is being signed and written. */
  readonly signing: { readonly block: DagBlock; readonly digest: Hash } | undefined;
  readonly building: { readonly round: Round; readonly isUrgent: boolean } | undefined;
  /** The round whose wait for leaders has been set a timer, and the one whose wait is over. */
  readonly leaderTimer: Round;
  readonly waitedFor: Round;
  readonly fetchArmed: boolean;
  readonly poolPending: boolean;
  /** No own block of a round up to this one (rule M13). */
  readonly abstainThrough: Round;
  /** Reports of the others' rounds while the log is lost; undefined if it is not. */
  readonly reports: ReadonlyMap<ValidatorIndex, Round> | undefined;
};

/** The state and the effects of a step while it is being made. Only the holder of a draft changes it. */
export type Draft = { state: MysticetiState; readonly effects: DagEffect[] };

/** Whether a block waits to be ordered, and has something that is worth a hurry. */
export function isUnordered({ signed, isCommitted }: AcceptedBlock): boolean {
  return !isCommitted && signed.block.payload.length > 0;
}

/** The key of a digest in maps. */
export function keyOf(digest: Hash): string {
  return toHexDigits(digest);
}

export function change(draft: Draft, changes: Partial<MysticetiState>): void {
  draft.state = { ...draft.state, ...changes };
}

export function emit(draft: Draft, effect: DagEffect): void {
  draft.effects.push(effect);
}

export function fault(draft: Draft, peer: ValidatorIndex, code: DagFaultCode, message: string): void {
  emit(draft, { kind: "fault", peer, code, message });
}

/** Blocks of this round and below are in no commit any more, and are not kept (rule M9). */
export function gcRound({ leaderRound, config }: Pick<MysticetiState, "leaderRound" | "config">): Round {
  return Round(Math.max(0, leaderRound - config.gcDepth));
}

export function find(
  graph: MysticetiState["graph"],
  round: Round,
  author: ValidatorIndex,
  key: string,
): AcceptedBlock | undefined {
  return graph
    .get(round)
    ?.get(author)
    ?.find((block) => block.key === key);
}

/** What a block builds on, its author's own block first. */
export function referencesOf({ author, round, previous, parents }: DagBlock): readonly KeyedReference[] {
  const below = Round(round - 1);
  const others = parents.map((parent) => ({ ...parent, round: below, key: keyOf(parent.digest) }));
  return previous === undefined ? others : [{ ...previous, author, key: keyOf(previous.digest) }, ...others];
}

/** Weight of the authors that are given; each counts once. */
export function weightOf({ validators }: MysticetiConfig, authors: Iterable<ValidatorIndex>): number {
  let sum = 0;
  for (const author of new Set(authors)) sum += validators.validators[author]?.weight ?? 0;
  return sum;
}
