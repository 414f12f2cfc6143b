import { Height } from "@ostrom/base";
import type { Certificate, Message, ValidatorIndex } from "../types.ts";
import { chooseParent, findParent, holdersOf, type Need } from "./ancestry.ts";
import { blockRequestKey } from "./proposals.ts";
import {
  broadcast,
  changeState,
  type Draft,
  emit,
  keyOf,
  type RequestProgress,
  setTimer,
  viewState,
} from "./state.ts";
import { maySign } from "./voting.ts";

/** Most requests sent at one time (rule S12: bounded egress). */
const MAX_REQUESTS_AT_ONCE = 16;

/** A finalization this far above the tip is no race with the bodies: block sync begins at once. */
const SYNC_GAP_VIEWS = 4;

/** So often the next blocks of a trail are asked for. */
const MAX_TRAIL_ATTEMPTS = 3;

/** Retries of one request are at most this many fetch timers apart. */
const MAX_TICKS_BETWEEN_RETRIES = 16;

type Request = {
  readonly key: string;
  /** Whether to ask now, and not only when it has not come by itself until the fetch timer runs out. */
  readonly isUrgent: boolean;
  readonly send: (draft: Draft, attempt: number) => void;
};

/** Asks for what is missing and was not asked for yet, and keeps the fetch timer running while anything is. */
export function requestMissing(draft: Draft): void {
  const { requests: before, fetchArmed } = draft.state;
  const wanted = missingNow(draft);
  if (before.size === 0 && wanted.length === 0) return;
  const after = new Map<string, RequestProgress>();
  for (const request of wanted) {
    const progress = before.get(request.key) ?? { ticks: 0, sent: 0 };
    const isDue = request.isUrgent && progress.sent === 0 && progress.ticks === 0;
    after.set(request.key, isDue ? ask(draft, request, progress) : progress);
  }
  changeState(draft, { requests: after });
  if (wanted.length > 0 && !fetchArmed) armFetch(draft);
}

/** Rule E5: who is in a later epoch holds all blocks of this one. */
export function hearLaterEpoch(draft: Draft, from: ValidatorIndex): void {
  if (!draft.state.ended && !draft.state.ahead.has(from))
    changeState(draft, { ahead: new Set(draft.state.ahead).add(from) });
}

/** Asks again, others than before, ever more rarely. */
export function onFetchTimer(draft: Draft): void {
  const after = new Map(draft.state.requests);
  for (const request of missingNow(draft)) {
    const { ticks, sent } = after.get(request.key) ?? { ticks: 0, sent: 0 };
    const progress = { ticks: ticks + 1, sent };
    after.set(request.key, isTickOfRetry(progress.ticks) ? ask(draft, request, progress) : progress);
  }
  changeState(draft, { requests: after, fetchArmed: false });
}

/** Ticks 1, 2, 4, 8, 16, then every sixteenth. */
function isTickOfRetry(ticks: number): boolean {
  return ticks < MAX_TICKS_BETWEEN_RETRIES
    ? (ticks & (ticks - 1)) === 0
    : ticks % MAX_TICKS_BETWEEN_RETRIES === 0;
}

function ask(draft: Draft, request: Request, { ticks, sent }: RequestProgress): RequestProgress {
  request.send(draft, sent);
  return { ticks, sent: sent + 1 };
}

/** Answers with what is at hand; the finalization of the tip stands for everything below it. */
export function onCertificateRequest(
  draft: Draft,
  from: ValidatorIndex,
  request: Extract<Message, { kind: "certificate-request" }>,
): void {
  const { config, tip, views } = draft.state;
  if (request.epoch !== config.validators.epoch) return;
  if (request.view <= tip.view) {
    sendCertificate(draft, from, tip.finalization);
    return;
  }
  const { notarization, nullification, finalization } = views.get(request.view)?.certificates ?? {};
  if (request.want !== "nullification") sendCertificate(draft, from, finalization ?? notarization);
  if (request.want !== "notarization" && request.want !== "finalization")
    sendCertificate(draft, from, nullification);
}

/** Answers with the body; with the tip's finalization if the block may be final and forgotten here. */
export function onBlockRequest(
  draft: Draft,
  from: ValidatorIndex,
  request: Extract<Message, { kind: "block-request" }>,
): void {
  const { config, tip, blocks } = draft.state;
  if (request.epoch !== config.validators.epoch) return;
  const known = blocks.get(keyOf(request.digest));
  if (known !== undefined) {
    emit(draft, { kind: "send", to: from, message: { kind: "block", block: known.block } });
  } else if (request.view <= tip.view) {
    sendCertificate(draft, from, tip.finalization);
  }
}

/** Sends a certificate to one validator, if there is one. */
export function sendCertificate(
  draft: Draft,
  to: ValidatorIndex,
  certificate: Certificate | undefined,
): void {
  if (certificate !== undefined)
    emit(draft, { kind: "send", to, message: { kind: "certificate", certificate } });
}

function missingNow(draft: Draft): readonly Request[] {
  const { state } = draft;
  const found: Request[] = [];
  if (state.viewReports !== undefined) found.push(viewReportRequest(draft));
  const sync = syncRequest(draft);
  if (sync !== undefined) found.push(sync);
  const syncedThrough = state.pendingFinalization?.view ?? 0;
  const needs: Need[] = [];
  for (const [view, { certificates }] of state.views) {
    const { notarization } = certificates;
    if (notarization === undefined || view <= syncedThrough || state.blocks.has(keyOf(notarization.digest)))
      continue;
    needs.push({ kind: "block", view, digest: notarization.digest, askAmong: holdersOf(draft, view) });
  }
  needs.push(...needsOfCurrentView(draft));
  const keys = new Set<string>();
  for (const need of needs) {
    const request = needRequest(draft, need);
    if (!keys.has(request.key)) found.push(request);
    keys.add(request.key);
  }
  return found.slice(0, MAX_REQUESTS_AT_ONCE);
}

function needsOfCurrentView(draft: Draft): readonly Need[] {
  const { view, config, building, blocks } = draft.state;
  const { leader, proposal, checkAsked, own } = viewState(draft, view);
  if (!maySign(draft, view) || own.notarize !== undefined) return [];
  if (leader === config.own) {
    const lookup = building === undefined && !own.nullify ? chooseParent(draft, view) : undefined;
    return lookup?.kind === "missing" ? lookup.needs : [];
  }
  const known = proposal === undefined || checkAsked ? undefined : blocks.get(keyOf(proposal.digest));
  const lookup = known === undefined ? undefined : findParent(draft, known.block);
  return lookup?.kind === "missing" ? lookup.needs : [];
}

function viewReportRequest(draft: Draft): Request {
  const message: Message = { kind: "view-request", epoch: draft.state.config.validators.epoch };
  return { key: "views", isUrgent: true, send: (target) => broadcast(target, message) };
}

/** Rule S11: blocks above the tip, where some are known to be final and do not come by themselves, or where others are in a
 * later epoch. */
function syncRequest(draft: Draft): Request | undefined {
  const { tip, requests, pendingFinalization, ahead, trail } = draft.state;
  const view = pendingFinalization?.view ?? trail?.finalization.view;
  if (view === undefined && ahead.size === 0) return undefined;
  const holders = view === undefined ? [...ahead] : holdersOf(draft, view);
  const isUnderWay = [...requests].some(([key, { sent }]) => key.startsWith("sync/") && sent > 0);
  const end = trail?.isProven ? undefined : trail?.ends.at(-1);
  return {
    key: `sync/${(end ?? tip).height + 1}`,
    isUrgent: isUnderWay || view === undefined || view > tip.view + SYNC_GAP_VIEWS,
    send: (target, attempt) => {
      // Nobody else need have the same blocks: if it says no more, everything begins anew with another.
      const goesOn = trail !== undefined && end !== undefined && attempt < MAX_TRAIL_ATTEMPTS;
      if (!goesOn) changeState(target, { trail: trail?.isProven ? trail : undefined });
      const peer = goesOn ? trail.peer : peerFor(target, holders, attempt);
      changeState(target, { syncPeer: peer });
      const fromHeight = Height((goesOn ? end : tip).height + 1);
      if (peer !== undefined) emit(target, { kind: "sync", peer, fromHeight });
    },
  };
}

function needRequest(draft: Draft, need: Need): Request {
  const { validators } = draft.state.config;
  const { epoch } = validators;
  if (need.kind === "block") {
    const { view, digest } = need;
    const message: Message = { kind: "block-request", epoch, view, digest };
    const send: Request["send"] = (target, attempt) =>
      sendTo(target, peerFor(target, need.askAmong, attempt), message);
    return { key: blockRequestKey(digest), isUrgent: false, send };
  }
  const { view, want, askFirst } = need;
  const message: Message = { kind: "certificate-request", epoch, view, want };
  const everybody = validators.validators.map((_, index) => index as ValidatorIndex);
  return {
    key: `${want}/${view}`,
    isUrgent: true,
    send: (target, attempt) => {
      const isFirst = attempt === 0 && askFirst !== undefined;
      sendTo(target, isFirst ? askFirst : peerFor(target, everybody, attempt), message);
    },
  };
}

function sendTo(draft: Draft, to: ValidatorIndex | undefined, message: Message): void {
  if (to !== undefined && to !== draft.state.config.own) emit(draft, { kind: "send", to, message });
}

/** Walks round the candidates, beginning after this validator, so that not all ask the same one. */
function peerFor(
  draft: Draft,
  among: readonly ValidatorIndex[],
  attempt: number,
): ValidatorIndex | undefined {
  const own = draft.state.config.own ?? 0;
  const others = among.filter((peer) => peer !== draft.state.config.own);
  const start = others.findIndex((peer) => peer > own);
  return others[(Math.max(start, 0) + attempt) % others.length];
}

function armFetch(draft: Draft): void {
  setTimer(draft, "fetch", draft.state.config.fetchRetryMs);
  changeState(draft, { fetchArmed: true });
}
