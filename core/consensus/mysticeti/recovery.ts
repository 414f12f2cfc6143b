import { assert } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import { quorumWeight, totalWeight } from "../validator-set.ts";
import { dagDigest } from "./dag-block.ts";
import { placed } from "./graph.ts";
import {
  type AcceptedBlock,
  change,
  type Draft,
  emit,
  isUnordered,
  keyOf,
  type MysticetiState,
  type Slot,
} from "./state.ts";
import {
  type BlockReference,
  type Commit,
  type MysticetiConfig,
  Round,
  type SignedDagBlock,
} from "./types.ts";

/** What is durably ordered: where a restarted validator begins again. */
export type CommitFloor = {
  /** Of the newest commit that was ordered durably. */
  readonly index: number;
  readonly leaderRound: Round;
  /** The first slot that is not decided by it. */
  readonly next: Slot;
  /** What it and the commits before it have ordered, above what is forgotten. */
  readonly committed: readonly BlockReference[];
};

export const FIRST_FLOOR: CommitFloor = {
  index: 0,
  leaderRound: Round(0),
  next: { round: Round(1), offset: 0 },
  committed: [],
};

/** The floor after one more commit. */
export function raiseFloor(
  floor: CommitFloor,
  { index, leader, offset, blocks }: Commit,
  config: MysticetiConfig,
): CommitFloor {
  assert(index === floor.index + 1, "commits are ordered one after the other");
  const ordered = blocks.map((block) => ({
    round: block.round,
    author: block.author,
    digest: dagDigest(config.domain, block),
  }));
  return {
    index,
    leaderRound: leader.round,
    next: { round: leader.round, offset: offset + 1 },
    committed: [...floor.committed, ...ordered].filter(({ round }) => round > leader.round - config.gcDepth),
  };
}

/** The state of a validator that begins, or begins again.
 * @param records accepted and own blocks of this epoch, in the order in which they were written; those at or below the floor's forgotten rounds may
 * be there or not. */
export function restore(
  config: MysticetiConfig,
  floor: CommitFloor,
  records: readonly SignedDagBlock[],
): MysticetiState {
  let state: MysticetiState = {
    config,
    quorum: quorumWeight(config.validators),
    graph: new Map(),
    orderedBefore: new Set(floor.committed.map(({ digest }) => keyOf(digest))),
    highest: floor.leaderRound,
    next: floor.next,
    commits: floor.index,
    leaderRound: floor.leaderRound,
    unordered: 0,
    waiting: new Map(),
    missing: new Map(),
    rejected: new Map(),
    accused: new Set(),
    last: undefined,
    signing: undefined,
    building: undefined,
    leaderTimer: Round(0),
    waitedFor: Round(0),
    fetchArmed: false,
    poolPending: false,
    abstainThrough: Round(0),
    reports: config.lostLog && config.validators.validators.length > 1 ? new Map() : undefined,
  };
  for (const signed of records) state = withRecord(state, signed);
  return state;
}

function withRecord(state: MysticetiState, signed: SignedDagBlock): MysticetiState {
  const { block } = signed;
  if (block.epoch !== state.config.validators.epoch) return state;
  const digest = dagDigest(state.config.domain, block);
  const accepted: AcceptedBlock = placed(state, signed, digest);
  const isOwn = block.author === state.config.own;
  const isNewestOwn = isOwn && block.round > (state.last?.signed.block.round ?? 0);
  const last = isNewestOwn ? accepted : state.last;
  const isForgotten = block.round <= state.leaderRound - state.config.gcDepth;
  if (isForgotten) return { ...state, last };
  const layer = new Map(state.graph.get(block.round));
  layer.set(block.author, [...(layer.get(block.author) ?? []), accepted]);
  return {
    ...state,
    last,
    graph: new Map(state.graph).set(block.round, layer),
    highest: block.round > state.highest ? block.round : state.highest,
    unordered: state.unordered + (isUnordered(accepted) ? 1 : 0),
  };
}

/** A validator without its log asks the others before it makes a block (rule M13). */
export function askForRounds(draft: Draft): void {
  const { reports, config } = draft.state;
  if (reports === undefined) return;
  emit(draft, {
    kind: "broadcast",
    message: { kind: "dag-round-request", epoch: config.validators.epoch },
  });
}

/** Who asks itself does not answer: what it knows may be less than what it has built on. */
export function onRoundRequest(draft: Draft, from: ValidatorIndex): void {
  const { reports, config, highest, abstainThrough, last } = draft.state;
  const isAbstaining = abstainThrough > (last?.signed.block.round ?? 0);
  if (config.own === undefined || reports !== undefined || isAbstaining) return;
  const { epoch } = config.validators;
  emit(draft, { kind: "send", to: from, message: { kind: "dag-round-report", epoch, round: highest } });
}

export function onRoundReport(draft: Draft, from: ValidatorIndex, round: Round): void {
  const { reports, config, quorum } = draft.state;
  if (reports === undefined) return;
  const known = new Map(reports).set(from, round);
  const total = totalWeight(config.validators);
  const faulty = Math.ceil(total / 3) - 1;
  const weight = [...known.keys()].reduce(
    (sum, index) => sum + (config.validators.validators[index]?.weight ?? 0),
    0,
  );
  if (weight < total + faulty - quorum + 1) {
    change(draft, { reports: known });
    return;
  }
  change(draft, {
    reports: undefined,
    abstainThrough: Round(Math.min(Math.max(...known.values()) + 1, Number.MAX_SAFE_INTEGER)),
  });
}
