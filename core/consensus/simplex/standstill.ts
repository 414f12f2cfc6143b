import { View } from "@ostrom/base";
import type { Certificate, Message, ValidatorIndex } from "../types.ts";
import { totalWeight, weightOf } from "../validator-set.ts";
import { sendCertificate } from "./fetching.ts";
import { broadcast, changeState, type Draft, fault, keyOf, type SimplexState, setTimer } from "./state.ts";
import { onCertificate } from "./voting.ts";

/** Newest views whose votes and certificates are resent: what is older can be asked for (rule S12). */
const RESENT_VIEWS = 8;

/** A vote this far below our view comes from a peer that lags, and not from one that is merely last. */
const LAG_VIEWS = 2;

/** Rule S12: says again what may have been lost, as long as the view does not end. */
export function onStandstill(draft: Draft): void {
  resend(draft);
  setTimer(draft, "standstill", draft.state.config.standstillMs);
}

/** The newest finalization, the certificates that admit to the view, own votes, and the own proposal: enough for anybody
 * to come to this view and to vote in it. */
export function resend(draft: Draft): void {
  const { state } = draft;
  const own = state.config.own;
  const { finalization } = state.tip;
  if (finalization !== undefined) broadcast(draft, { kind: "certificate", certificate: finalization });
  const oldest = Math.max(state.tip.view + 1, state.view - RESENT_VIEWS + 1);
  for (let view = oldest; view <= state.view; view++) {
    const known = state.views.get(view as View);
    if (known === undefined) continue;
    for (const certificate of Object.values(known.certificates))
      broadcast(draft, { kind: "certificate", certificate });
    if (own === undefined) continue;
    for (const tally of Object.values(known.tallies)) {
      const entry = tally.get(own);
      if (entry === undefined) continue;
      const { statement: vote, signature } = entry;
      broadcast(draft, { kind: "vote", vote: { vote, signer: own, signature } });
    }
    if (view === state.view && known.leader === own) resendProposal(draft, known.proposal);
  }
}

/** A peer whose vote is of a view long past gets what admits it to ours, once while we are in it. */
export function helpLagging(draft: Draft, from: ValidatorIndex, view: View): void {
  const { state } = draft;
  if (view + LAG_VIEWS > state.view || (state.helped.get(from) ?? -1) >= state.view) return;
  changeState(draft, { helped: new Map(state.helped).set(from, state.view) });
  sendCertificate(draft, from, admittingCertificate(state));
}

/** What proves that the current view could be entered; undefined in the first view. */
export function admittingCertificate({ views, view, tip }: SimplexState): Certificate | undefined {
  const { finalization, nullification, notarization } = views.get(View(view - 1))?.certificates ?? {};
  return finalization ?? nullification ?? notarization ?? tip.finalization;
}

/** Rule S14: a validator that may be told knows its view, and proves it. One that lost its own log does not know how far it was
 * until it is past all that it abstains from: before, its answer would be too low (found by the model, recovery.pml). */
export function onViewRequest(draft: Draft, from: ValidatorIndex, epoch: number): void {
  const { config, view, viewReports, abstainThrough } = draft.state;
  if (epoch !== config.validators.epoch || viewReports !== undefined || view <= abstainThrough) return;
  const certificate = admittingCertificate(draft.state);
  const message: Message = { kind: "view-report", epoch: config.validators.epoch, view, certificate };
  draft.effects.push({ kind: "send", to: from, message });
}

/** Weight of others that shares an honest validator, beside this one, with every quorum it was in: those without it weigh W - own at
 * most, so R + (q - own) - (W - own) must exceed f, the most that may be Byzantine. At W = 3f + 1 that is q. */
function reportWeight({ config, quorum }: SimplexState): number {
  const total = totalWeight(config.validators);
  const byzantine = Math.floor((total - 1) / 3);
  return total + byzantine - quorum + 1;
}

/** Rule S14: enough of the others said how far they are. One of every quorum that ever admitted this validator to a
 * view is honest and among them, so it never voted above their maximum plus one. */
export function onViewReport(
  draft: Draft,
  from: ValidatorIndex,
  report: Extract<Message, { kind: "view-report" }>,
): void {
  const { config, tip, viewReports } = draft.state;
  if (viewReports === undefined || report.epoch !== config.validators.epoch) return;
  const { certificate, view } = report;
  const isProven =
    certificate === undefined
      ? view <= tip.view + 1
      : certificate.view + 1 >= view && onCertificate(draft, from, certificate);
  if (!isProven) {
    fault(draft, from, "consensus/bad-certificate", `nothing proves that it is in view ${view}`);
    return;
  }
  const reports = new Map(viewReports).set(from, view);
  const isEnough = weightOf(config.validators, [...reports.keys()]) >= reportWeight(draft.state);
  changeState(draft, { viewReports: isEnough ? undefined : reports });
  if (isEnough) changeState(draft, { abstainThrough: View(Math.max(...reports.values(), tip.view + 1) + 1) });
}

function resendProposal(
  draft: Draft,
  proposal: { digest: Parameters<typeof keyOf>[0]; signature: Uint8Array } | undefined,
): void {
  const known = proposal === undefined ? undefined : draft.state.blocks.get(keyOf(proposal.digest));
  if (proposal === undefined || known === undefined) return;
  broadcast(draft, { kind: "proposal", block: known.block, signature: proposal.signature });
}
