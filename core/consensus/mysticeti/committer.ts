import { must } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import { certifyingRound, historyOf, supportedBy, votingRound } from "./graph.ts";
import { leadersOf } from "./slots.ts";
import {
  type AcceptedBlock,
  change,
  type Draft,
  emit,
  gcRound,
  isUnordered,
  type Layer,
  type MysticetiState,
  type Slot,
  weightOf,
} from "./state.ts";
import { type Commit, Round } from "./types.ts";

/** What is decided about the leader of a slot. */
type Decision =
  | { readonly kind: "commit"; readonly block: AcceptedBlock }
  | { readonly kind: "skip" }
  | { readonly kind: "undecided" };

type Leader = Slot & { readonly author: ValidatorIndex };

const UNDECIDED: Decision = { kind: "undecided" };
const SKIP: Decision = { kind: "skip" };

/** Decides as many leaders as the graph allows, and orders what those that are committed bring (rules M8, M9). */
export function commitDecided(draft: Draft): void {
  for (;;) {
    const leaders = undecidedLeaders(draft.state);
    const decisions = decide(draft.state, leaders);
    const decided = decisions.findIndex(({ kind }) => kind === "undecided");
    const count = decided < 0 ? leaders.length : decided;
    // What a commit lets go is not looked at again: each is made with the graph that the one before has left.
    const commit = decisions.findIndex((decision, index) => index < count && decision.kind === "commit");
    if (commit < 0) {
      if (count > 0) change(draft, { next: after(leaders[count - 1]!) });
      return;
    }
    const decision = decisions[commit]!;
    if (decision.kind === "commit") makeCommit(draft, leaders[commit]!, decision.block);
  }
}

/** In order. */
function undecidedLeaders({ config, next, highest }: MysticetiState): readonly Leader[] {
  const leaders: Leader[] = [];
  for (let round = next.round; round <= highest; round = Round(round + 1)) {
    leadersOf(config, round).forEach((author, offset) => {
      if (round > next.round || offset >= next.offset) leaders.push({ round, offset, author });
    });
  }
  return leaders;
}

function after({ round, offset }: Slot): Slot {
  return { round, offset: offset + 1 };
}

/** The highest first: a leader that its own votes do not decide is decided by the first later one that is not skipped. */
function decide(state: MysticetiState, leaders: readonly Leader[]): readonly Decision[] {
  const decisions: Decision[] = leaders.map(() => UNDECIDED);
  for (let index = leaders.length - 1; index >= 0; index--) {
    const leader = leaders[index]!;
    const direct = decideDirectly(state, leader);
    if (direct.kind !== "undecided") {
      decisions[index] = direct;
      continue;
    }
    const firstAnchor = leader.round + state.config.waveLength;
    const anchor = leaders.findIndex(
      ({ round }, at) => round >= firstAnchor && decisions[at]!.kind !== "skip",
    );
    const decision = anchor < 0 ? UNDECIDED : decisions[anchor]!;
    if (decision.kind === "commit") decisions[index] = decideByAnchor(state, leader, decision.block);
  }
  return decisions;
}

function decideDirectly(state: MysticetiState, { round, author }: Leader): Decision {
  const { graph, config, quorum } = state;
  const voters = graph.get(votingRound(state, round));
  const blames = authorsWith(voters, (vote) => supportedBy(graph, vote, round, author) === undefined);
  if (weightOf(config, blames) >= quorum) return SKIP;
  const certifiers = graph.get(certifyingRound(state, round));
  for (const candidate of graph.get(round)?.get(author) ?? []) {
    const certified = authorsWith(certifiers, ({ certifies }) => certifies.has(candidate.key));
    if (weightOf(config, certified) >= quorum) return { kind: "commit", block: candidate };
  }
  return UNDECIDED;
}

function decideByAnchor(state: MysticetiState, { round, author }: Leader, anchor: AcceptedBlock): Decision {
  const certifying = certifyingRound(state, round);
  const certificates = historyOf(state.graph, anchor, certifying).filter(
    ({ signed }) => signed.block.round === certifying,
  );
  const candidates = state.graph.get(round)?.get(author) ?? [];
  const committed = candidates.find(({ key }) => certificates.some(({ certifies }) => certifies.has(key)));
  return committed === undefined ? SKIP : { kind: "commit", block: committed };
}

function authorsWith(
  layer: Layer | undefined,
  isSo: (block: AcceptedBlock) => boolean,
): readonly ValidatorIndex[] {
  return [...(layer ?? [])].filter(([, blocks]) => blocks.some(isSo)).map(([author]) => author);
}

function makeCommit(draft: Draft, slot: Leader, leader: AcceptedBlock): void {
  const { state } = draft;
  const { round } = leader.signed.block;
  const lowest = Round(Math.max(1, round - state.config.gcDepth + 1));
  const history = historyOf(state.graph, leader, lowest, ({ isCommitted }) => isCommitted);
  const ordered = history.toSorted(inOrder);
  const commit: Commit = {
    index: state.commits + 1,
    leader: { round, author: slot.author, digest: leader.digest },
    offset: slot.offset,
    blocks: ordered.map(({ signed }) => signed.block),
  };
  emit(draft, { kind: "committed", commit });
  change(draft, {
    ...withCommitted(state, ordered),
    commits: commit.index,
    leaderRound: round,
    next: after(slot),
  });
  forget(draft);
}

function inOrder(left: AcceptedBlock, right: AcceptedBlock): number {
  const [a, b] = [left.signed.block, right.signed.block];
  if (a.round !== b.round) return a.round - b.round;
  if (a.author !== b.author) return a.author - b.author;
  return left.key < right.key ? -1 : 1;
}

function withCommitted(
  { graph, unordered }: MysticetiState,
  blocks: readonly AcceptedBlock[],
): Pick<MysticetiState, "graph" | "unordered"> {
  const changed = new Map(graph);
  const layers = new Map<Round, Map<ValidatorIndex, readonly AcceptedBlock[]>>();
  let ordered = 0;
  for (const committed of blocks) {
    const { round, author, payload } = committed.signed.block;
    if (payload.length > 0) ordered++;
    const layer = layers.get(round) ?? new Map(must(graph.get(round), "a committed block has a layer"));
    layers.set(round, layer);
    const slot = must(layer.get(author), "a committed block has a slot");
    layer.set(
      author,
      slot.map((block) => (block.key === committed.key ? { ...block, isCommitted: true } : block)),
    );
    changed.set(round, layer);
  }
  return { graph: changed, unordered: unordered - ordered };
}

/** Lets go what no commit can have any more. */
function forget(draft: Draft): void {
  const { state } = draft;
  const bound = gcRound(state);
  const old = [...state.graph.keys()].filter((round) => round <= bound);
  let { unordered } = state;
  const graph = new Map(state.graph);
  for (const round of old) {
    for (const blocks of graph.get(round)?.values() ?? [])
      for (const block of blocks) if (isUnordered(block)) unordered--;
    graph.delete(round);
  }
  change(draft, {
    graph,
    unordered,
    rejected: new Map([...state.rejected].filter(([round]) => round > bound)),
    missing: new Map([...state.missing].filter(([, { reference }]) => reference.round > bound)),
    waiting: new Map([...state.waiting].filter(([, { signed }]) => signed.block.round > bound)),
  });
}
