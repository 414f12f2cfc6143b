import type { Bytes } from "@ostrom/base";
import type { StateCertificate, ValidatorIndex } from "../types.ts";
import { accept } from "./acceptance.ts";
import { dagDigest } from "./dag-block.ts";
import { leadersOf } from "./slots.ts";
import { type AcceptedBlock, change, type Draft, emit, type MysticetiState, weightOf } from "./state.ts";
import { type DagBlock, type Parent, Round, type SignedDagBlock } from "./types.ts";

/** Asks for a payload where a round may be begun (rules M2, M3). */
export function proposeIfDue(draft: Draft): void {
  const { state } = draft;
  const { config, building, signing, last } = state;
  if (config.own === undefined || signing !== undefined || state.reports !== undefined) return;
  const round = openRound(state);
  if (round <= (last?.signed.block.round ?? 0) || round <= state.abstainThrough) return;
  if (!hasLeadersBelow(state, round) && state.waitedFor < round) {
    waitForLeaders(draft, round);
    return;
  }
  const isUrgent = state.unordered > 0 || state.poolPending;
  if (building?.round === round && (building.isUrgent || !isUrgent)) return;
  change(draft, { building: { round, isUrgent } });
  const beforeMs = last?.signed.block.timestampMs ?? 0;
  const notBeforeMs = beforeMs + config.minRoundMs;
  const emptyNotBeforeMs = state.unordered > 0 ? notBeforeMs : beforeMs + config.emptyRoundMs;
  emit(draft, { kind: "buildPayload", round, notBeforeMs, emptyNotBeforeMs });
}

/** The payload of a block: it builds on everything of the round before that is here now. */
export function onPayload(
  draft: Draft,
  answer: {
    readonly round: Round;
    readonly timestampMs: number;
    readonly payload: Bytes;
    readonly stateCertificate: StateCertificate | undefined;
  },
): void {
  const { state } = draft;
  const { config, building, last } = state;
  const { round, timestampMs, payload, stateCertificate } = answer;
  if (config.own === undefined || building?.round !== round || state.signing !== undefined) return;
  const before = last?.signed.block;
  const block: DagBlock = {
    epoch: config.validators.epoch,
    round,
    author: config.own,
    previous:
      last === undefined || before === undefined ? undefined : { round: before.round, digest: last.digest },
    parents: parentsOf(state, round, config.own),
    timestampMs: Math.max(timestampMs, (before?.timestampMs ?? 0) + 1),
    stateCertificate,
    payload,
  };
  const digest = dagDigest(config.domain, block);
  change(draft, { building: undefined, signing: { block, digest } });
  emit(draft, { kind: "sign", block, digest });
}

/** The own block is on disk: now it may leave, and now it counts (rule M1). */
export function onSigned(draft: Draft, signed: SignedDagBlock): void {
  const { signing, config } = draft.state;
  if (signing === undefined || signing.block.round !== signed.block.round) return;
  const last = accept(draft, signed, signing.digest);
  change(draft, { signing: undefined, last });
  emit(draft, { kind: "broadcast", message: { kind: "dag-block", ...signed } });
  armStandstill(draft, config.standstillMs);
}

/** No round has begun for long: the others may not have what was said (rule M12). */
export function onStandstill(draft: Draft): void {
  const { last, config } = draft.state;
  if (last !== undefined) emit(draft, { kind: "broadcast", message: { kind: "dag-block", ...last.signed } });
  armStandstill(draft, config.standstillMs);
}

export function armStandstill(draft: Draft, delayMs: number): void {
  const token = draft.state.last?.signed.block.round ?? 0;
  emit(draft, { kind: "setTimer", id: "standstill", token, delayMs });
}

export function onLeaderTimer(draft: Draft, round: Round): void {
  change(draft, { waitedFor: round });
}

/** The highest round whose round before has a quorum here; round 1 needs none. */
function openRound({ graph, highest, config, quorum }: MysticetiState): Round {
  for (let below = highest; below > 0; below = Round(below - 1))
    if (weightOf(config, graph.get(below)?.keys() ?? []) >= quorum) return Round(below + 1);
  return Round(1);
}

function hasLeadersBelow({ config, graph }: MysticetiState, round: Round): boolean {
  if (round === 1) return true;
  const below = Round(round - 1);
  const here = graph.get(below);
  return leadersOf(config, below).every((leader) => here?.has(leader) === true);
}

function waitForLeaders(draft: Draft, round: Round): void {
  if (draft.state.leaderTimer >= round) return;
  change(draft, { leaderTimer: round });
  emit(draft, {
    kind: "setTimer",
    id: "leader",
    token: round,
    delayMs: draft.state.config.leaderTimeoutMs,
  });
}

/** Of an equivocator the block that came first. */
function parentsOf({ graph }: MysticetiState, round: Round, own: ValidatorIndex): readonly Parent[] {
  const layer: ReadonlyMap<ValidatorIndex, readonly AcceptedBlock[]> =
    graph.get(Round(round - 1)) ?? new Map();
  return [...layer]
    .filter(([author]) => author !== own)
    .toSorted(([left], [right]) => left - right)
    .map(([author, blocks]) => ({ author, digest: blocks[0]!.digest }));
}
