import { assert } from "@ostrom/base";
import { epochLengthOf } from "../epoch-heights.ts";
import { epochOfMessage } from "../message-epoch.ts";
import type { Message, SignedVote, ValidatorIndex } from "../types.ts";
import { onBlockRange } from "./block-ranges.ts";
import {
  hearLaterEpoch,
  onBlockRequest,
  onCertificateRequest,
  onFetchTimer,
  requestMissing,
} from "./fetching.ts";
import { finalizeDue, moveTip } from "./finality.ts";
import {
  buildIfLeader,
  checkProposal,
  onBlock,
  onPayload,
  onProposal,
  onVerdict,
  seal,
  sendProposal,
} from "./proposals.ts";
import { restore } from "./recovery.ts";
import { helpLagging, onStandstill, onViewReport, onViewRequest, resend } from "./standstill.ts";
import { broadcast, type Draft, emit, type SimplexState, viewState } from "./state.ts";
import type { Effect, FinalizedTip, Input, LogRecord, SimplexConfig, TimerId } from "./types.ts";
import { enterAdmittedView, hear, onWork } from "./views.ts";
import { addVote, countVotes, nullify, onCertificate, onVote, signDueFinalizes } from "./voting.ts";

export type SimplexStep = { readonly state: SimplexState; readonly effects: readonly Effect[] };

/** Starts or restarts a validator (or a follower) of one epoch.
 * @param tip newest finalized block that is durable in the store.
 * @param records the log's, in the order they were written; a torn tail is cut off before. */
export function recoverSimplex(
  config: SimplexConfig,
  tip: FinalizedTip,
  records: readonly LogRecord[],
): SimplexStep {
  assertConfig(config);
  assert(tip.height < config.lastHeight, "an epoch that has ended must not be begun again");
  const draft: Draft = { state: restore(config, tip, records), effects: [] };
  for (const { tallies } of draft.state.views.values()) {
    for (const tally of Object.values(tallies)) {
      for (const { statement } of tally.values()) countVotes(draft, statement);
    }
  }
  settle(draft);
  resend(draft);
  return draft;
}

/** The whole protocol: what follows from one input. Pure; never changes the state it is given. */
export function stepSimplex(state: SimplexState, input: Input): SimplexStep {
  const draft: Draft = { state, effects: [] };
  switch (input.kind) {
    case "message":
      if (input.from === undefined) onRangeOfStranger(draft, input.message);
      else onMessage(draft, input.from, input.message);
      break;
    case "timer":
      onTimer(draft, input.id, input.token);
      break;
    case "payload":
      if (!state.ended) onPayload(draft, input);
      break;
    case "verdict":
      if (!state.ended) onVerdict(draft, input);
      break;
    case "work":
      if (!state.ended) onWork(draft, input.pending);
      break;
    case "signed":
      onSigned(draft, input.vote);
      break;
    case "synced":
      if (!state.ended) moveTip(draft, input.tip);
      break;
    default:
      input satisfies never;
  }
  settle(draft);
  return draft;
}

/** Applies every rule whose conditions may have become true. */
function settle(draft: Draft): void {
  if (draft.state.ended) return;
  finalizeDue(draft);
  if (draft.state.ended) return;
  enterAdmittedView(draft);
  buildIfLeader(draft);
  checkProposal(draft);
  signDueFinalizes(draft);
  requestMissing(draft);
}

function onMessage(draft: Draft, from: ValidatorIndex, message: Message): void {
  const { config } = draft.state;
  if (from === config.own || config.validators.validators[from] === undefined) return;
  const epoch = epochOfMessage(message) ?? config.validators.epoch;
  if (epoch !== config.validators.epoch) {
    // Indices and views of another epoch mean nothing here.
    if (epoch > config.validators.epoch) hearLaterEpoch(draft, from);
    return;
  }
  if (draft.state.ended) {
    answerAfterEnd(draft, from, message);
    return;
  }
  switch (message.kind) {
    case "proposal":
      hear(draft, from, message.block.view);
      onProposal(draft, from, message.block, message.signature);
      return;
    case "vote":
      hear(draft, from, message.vote.vote.view);
      onVote(draft, from, message.vote);
      helpLagging(draft, from, message.vote.vote.view);
      return;
    case "certificate":
      onCertificate(draft, from, message.certificate);
      return;
    case "certificate-request":
      onCertificateRequest(draft, from, message);
      return;
    case "block-request":
      onBlockRequest(draft, from, message);
      return;
    case "block":
      onBlock(draft, message.block);
      return;
    case "block-range-request":
      emit(draft, { kind: "serveBlocks", to: from, fromHeight: message.fromHeight });
      return;
    case "block-range":
      onBlockRange(draft, from, message.blocks, message.finalization);
      return;
    case "view-request":
      onViewRequest(draft, from, message.epoch);
      return;
    case "view-report":
      onViewReport(draft, from, message);
      return;
    case "executed":
    case "state-certificate":
    case "state-certificate-request":
    case "checkpoint-votes":
    case "checkpoint-request":
      return;
    default:
      message satisfies never;
  }
}

/** An epoch that has ended still answers those who are behind in it. */
function answerAfterEnd(draft: Draft, from: ValidatorIndex, message: Message): void {
  if (message.kind === "certificate-request") onCertificateRequest(draft, from, message);
  else if (message.kind === "block-request") onBlockRequest(draft, from, message);
  else if (message.kind === "block-range-request")
    emit(draft, { kind: "serveBlocks", to: from, fromHeight: message.fromHeight });
  else if (message.kind === "vote") helpLagging(draft, from, message.vote.vote.view);
}

function onRangeOfStranger(draft: Draft, range: Extract<Message, { kind: "block-range" }>): void {
  if (!draft.state.ended) onBlockRange(draft, undefined, range.blocks, range.finalization);
}

function onTimer(draft: Draft, id: TimerId, token: number): void {
  if (draft.state.ended) return;
  if (id === "fetch") {
    onFetchTimer(draft);
    return;
  }
  if (token !== draft.state.view) return;
  if (id === "standstill") onStandstill(draft);
  else if (id === "seal") seal(draft);
  else if (id === "advance" || viewState(draft, draft.state.view).proposal === undefined) nullify(draft);
}

/** An own vote is on disk: now it may leave, and now it counts. */
function onSigned(draft: Draft, signed: SignedVote): void {
  const { config, tip } = draft.state;
  const { vote, signer } = signed;
  assert(signer === config.own, "only own votes are signed here");
  if (draft.state.ended) return;
  if (vote.epoch !== config.validators.epoch || vote.view <= tip.view) return;
  addVote(draft, signed, true);
  if (vote.kind === "notarize" && viewState(draft, vote.view).leader === signer) sendProposal(draft, signed);
  else broadcast(draft, { kind: "vote", vote: signed });
  countVotes(draft, vote);
}

function assertConfig(config: SimplexConfig): void {
  assert(
    config.deltaMs > 0 && config.maxDeltaMs >= config.deltaMs,
    "Delta must be positive, and at most its cap",
  );
  assert(config.deltaGrowthPercent > 100, "Delta must grow while nothing becomes final");
  assert(
    config.emptyBlockIntervalMs >= config.minBlockIntervalMs,
    "empty blocks must not be made faster than full ones",
  );
  assert(
    config.leastCertified < config.lastHeight,
    "what named the set of an epoch must lie below its last block",
  );
  assert(epochLengthOf(config) > 0, "an epoch must have heights");
  assert(config.standstillMs > 0 && config.fetchRetryMs > 0, "nothing may be repeated without a pause");
}
