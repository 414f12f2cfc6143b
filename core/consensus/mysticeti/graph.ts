import type { Hash } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import { leadersOf } from "./slots.ts";
import { type AcceptedBlock, find, keyOf, type MysticetiState, referencesOf, weightOf } from "./state.ts";
import { Round, type SignedDagBlock } from "./types.ts";

type Graph = MysticetiState["graph"];

/** The round in which blocks vote for the leaders of a round (rule M7). */
export function votingRound(state: Pick<MysticetiState, "config">, leaderRound: Round): Round {
  return Round(leaderRound + state.config.waveLength - 2);
}

/** The round in which blocks certify the leaders of a round. */
export function certifyingRound(state: Pick<MysticetiState, "config">, leaderRound: Round): Round {
  return Round(leaderRound + state.config.waveLength - 1);
}

/** A block with what is asked of it again and again. Its history must be in the graph, as far as it is kept. */
export function placed(state: MysticetiState, signed: SignedDagBlock, digest: Hash): AcceptedBlock {
  const { block } = signed;
  const below = new Map<ValidatorIndex, string>();
  const references = referencesOf(block);
  for (const { author, round, key } of references) if (round === block.round - 1) below.set(author, key);
  const key = keyOf(digest);
  const bare = { signed, digest, key, references, below, isCommitted: state.orderedBefore.has(key) };
  return { ...bare, certifies: certifiedBy(state, { ...bare, certifies: new Set() }) };
}

/** The key of the block of a slot that a later block supports: the first that a search in depth comes to (rule M7). */
export function supportedBy(
  graph: Graph,
  block: AcceptedBlock,
  round: Round,
  leader: ValidatorIndex,
): string | undefined {
  const below = block.signed.block.round - 1;
  if (below < round) return undefined;
  if (below === round) return block.below.get(leader);
  for (const [author, key] of block.below) {
    const parent = find(graph, Round(below), author, key);
    const found = parent === undefined ? undefined : supportedBy(graph, parent, round, leader);
    if (found !== undefined) return found;
  }
  return undefined;
}

function certifiedBy(state: MysticetiState, block: AcceptedBlock): ReadonlySet<string> {
  const { config, graph, quorum } = state;
  const leaderRound = block.signed.block.round - config.waveLength + 1;
  const certified = new Set<string>();
  if (leaderRound < 1) return certified;
  const voting = votingRound(state, Round(leaderRound));
  for (const leader of leadersOf(config, Round(leaderRound))) {
    const voters = new Map<string, ValidatorIndex[]>();
    for (const [author, key] of block.below) {
      const vote = find(graph, voting, author, key);
      const choice = vote === undefined ? undefined : supportedBy(graph, vote, Round(leaderRound), leader);
      if (choice !== undefined) voters.set(choice, [...(voters.get(choice) ?? []), author]);
    }
    for (const [key, authors] of voters) if (weightOf(config, authors) >= quorum) certified.add(key);
  }
  return certified;
}

/** A block's history down to a round, itself included, as far as it is in the graph.
 * @param leavesOut blocks that are not entered. */
export function historyOf(
  graph: Graph,
  top: AcceptedBlock,
  lowest: Round,
  leavesOut: (block: AcceptedBlock) => boolean = () => false,
): readonly AcceptedBlock[] {
  const seen = new Set<string>([top.key]);
  const history = [top];
  for (let index = 0; index < history.length; index++) {
    for (const { round, author, key } of history[index]!.references) {
      if (round < lowest || seen.has(key)) continue;
      seen.add(key);
      const block = find(graph, round, author, key);
      if (block !== undefined && !leavesOut(block)) history.push(block);
    }
  }
  return history;
}
