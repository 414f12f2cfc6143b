import { type Hash, Height, View } from "@ostrom/base";
import { orderDigest } from "../block.ts";
import { assertSchemeOfSet } from "../signatures.ts";
import type { SignedVote, ValidatorIndex } from "../types.ts";
import { quorumWeight } from "../validator-set.ts";
import {
  changeBlock,
  changeState,
  changeView,
  type Draft,
  keyOf,
  nextView,
  type SimplexState,
  viewState,
} from "./state.ts";
import type { FinalizedTip, LogRecord, SimplexConfig } from "./types.ts";
import { addVote, recordCertificate } from "./voting.ts";

/** The tip of a chain that has only its genesis. */
export function genesisTip(config: SimplexConfig, timestampMs: number): FinalizedTip {
  return {
    epoch: config.validators.epoch,
    view: View(0),
    height: Height(0),
    digest: config.domain.genesisHash,
    timestampMs,
    stateCertificate: undefined,
    finalization: undefined,
  };
}

/** Whether a log record still matters once a block of this view is durable in the store: compaction keeps those. */
export function isRecordLive(durableTip: Pick<FinalizedTip, "epoch" | "view">, record: LogRecord): boolean {
  const { epoch, view } = subjectOf(record);
  return epoch > durableTip.epoch || (epoch === durableTip.epoch && view > durableTip.view);
}

/** The state before anything happened, with what the log knows put back in. The view is entered by the step that follows. */
export function restore(
  config: SimplexConfig,
  tip: FinalizedTip,
  records: readonly LogRecord[],
): SimplexState {
  assertSchemeOfSet(config.domain, config.validators);
  const draft: Draft = { state: emptyState(config, tip), effects: [] };
  if (tip.finalization !== undefined && tip.finalization.view > tip.view)
    recordCertificate(draft, tip.finalization);
  for (const record of records) {
    const { epoch, view } = subjectOf(record);
    if (epoch === config.validators.epoch && view > tip.view) replay(draft, record);
  }
  rememberOwnProposal(draft);
  abstainBelowOldestVote(draft);
  const { admittedView } = draft.state;
  const everybody = config.validators.validators.map((_, index) => index as ValidatorIndex);
  changeState(draft, { lastHeard: new Map(everybody.map((validator) => [validator, admittedView])) });
  return draft.state;
}

function emptyState(config: SimplexConfig, tip: FinalizedTip): SimplexState {
  return {
    config,
    quorum: quorumWeight(config.validators),
    view: tip.view,
    admittedView: nextView(tip.view),
    fetchArmed: false,
    tip,
    ended: false,
    ahead: new Set(),
    syncPeer: undefined,
    trail: undefined,
    views: new Map(),
    blocks: new Map(),
    poolPending: false,
    idlePacing: true,
    building: undefined,
    pendingFinalization: undefined,
    requests: new Map(),
    checkedStateCertificate: undefined,
    lastHeard: new Map(),
    helped: new Map(),
    abstainThrough: View(0),
    viewReports: config.lostLog ? new Map() : undefined,
  };
}

function replay(draft: Draft, record: LogRecord): void {
  switch (record.kind) {
    case "block": {
      const digest = orderDigest(draft.state.config.domain, record.block);
      changeBlock(draft, { block: record.block, digest, persisted: true, valid: undefined });
      return;
    }
    case "certificate":
      recordCertificate(draft, record.certificate);
      return;
    case "vote":
      replayOwnVote(draft, record.vote);
      return;
    default:
      record satisfies never;
  }
}

/** Own votes bind as if they had just been cast, Nullify above all (rule S4 to S6 across restarts). */
function replayOwnVote(draft: Draft, signed: SignedVote): void {
  const { vote, signer } = signed;
  if (signer !== draft.state.config.own) return;
  const { own } = viewState(draft, vote.view);
  const cast = vote.kind === "notarize" ? { notarize: vote.digest } : { [vote.kind]: true };
  changeView(draft, vote.view, { own: { ...own, ...cast } });
  addVote(draft, signed, true);
  if (vote.view > draft.state.admittedView) changeState(draft, { admittedView: vote.view });
}

/** Rule S14 outlives the next restart without a record of its own: votes below the oldest one in the log may have been lost
 * with an earlier log, so nothing is signed there any more. All it costs is a Finalize of a view left long ago. */
function abstainBelowOldestVote(draft: Draft): void {
  const votedIn = [...draft.state.views]
    .filter(([, { own }]) => own.notarize !== undefined || own.nullify || own.finalize)
    .map(([view]) => view);
  if (votedIn.length > 0) changeState(draft, { abstainThrough: View(Math.min(...votedIn) - 1) });
}

/** A leader that voted for its own block in the view it is in sends that block again, never another. */
function rememberOwnProposal(draft: Draft): void {
  const { config } = draft.state;
  for (const [view, { leader, own, tallies }] of draft.state.views) {
    if (leader !== config.own || own.notarize === undefined) continue;
    const signature = tallies.notarize.get(leader)?.signature;
    if (signature === undefined || !draft.state.blocks.has(keyOf(own.notarize))) continue;
    changeView(draft, view, { proposal: { digest: own.notarize as Hash, signature } });
  }
}

function subjectOf(record: LogRecord): Pick<FinalizedTip, "epoch" | "view"> {
  switch (record.kind) {
    case "block":
      return record.block;
    case "certificate":
      return record.certificate;
    case "vote":
      return record.vote.vote;
    default:
      return record satisfies never;
  }
}
