import { assert, equalBytes, View, ZERO_HASH } from "@ostrom/base";
import { verifyCertificate, verifyVote } from "../certificates.ts";
import { certificateKindOf, voteSigningBytes } from "../signing.ts";
import { countTally, withEntry } from "../tally.ts";
import type { Certificate, SignedVote, ValidatorIndex, Vote, VoteKind } from "../types.ts";
import {
  broadcast,
  changeState,
  changeView,
  type Draft,
  emit,
  fault,
  keyOf,
  makeVote,
  nextView,
  persistBlock,
  viewState,
} from "./state.ts";

/** Votes for views at most this far from our own are kept (rule S10: bounded memory). Certificates of any view above the tip are. */
export const VOTE_WINDOW_VIEWS = 32;

/** Whether this validator may sign anything about a view (rule S14). */
export function maySign(draft: Draft, view: View): boolean {
  const { config, viewReports, abstainThrough } = draft.state;
  return config.own !== undefined && viewReports === undefined && view > abstainThrough;
}

/** Rule S4: once a view. The block's body is in the log before the vote is. */
export function signNotarize(draft: Draft, view: View, vote: Vote): void {
  const { own } = viewState(draft, view);
  assert(own.notarize === undefined, "a validator must notarize only once a view");
  changeView(draft, view, { own: { ...own, notarize: vote.digest } });
  emit(draft, { kind: "sign", vote });
}

/** Rules S6 and S8: gives up the current view, unless a block in it was called final already. */
export function nullify(draft: Draft): void {
  const { view } = draft.state;
  const { own } = viewState(draft, view);
  if (!maySign(draft, view) || own.nullify || own.finalize) return;
  changeView(draft, view, { own: { ...own, nullify: true } });
  emit(draft, { kind: "sign", vote: makeVote(draft, "nullify", view) });
}

/** Rule S5: in every view that has a notarization, the block's body here, and no Nullify of ours. */
export function signDueFinalizes(draft: Draft): void {
  for (const [view, known] of draft.state.views) {
    const { notarization, finalization } = known.certificates;
    if (notarization === undefined || finalization !== undefined || !maySign(draft, view)) continue;
    if (known.own.finalize || known.own.nullify) continue;
    const block = draft.state.blocks.get(keyOf(notarization.digest));
    if (block === undefined || block.valid === false) continue;
    persistBlock(draft, block);
    changeView(draft, view, { own: { ...known.own, finalize: true } });
    emit(draft, { kind: "sign", vote: makeVote(draft, "finalize", view, notarization.digest) });
  }
}

/** A vote on the link of its signer. It stays unverified until there is a quorum of its like. */
export function onVote(draft: Draft, from: ValidatorIndex, signed: SignedVote): void {
  const { vote, signer } = signed;
  const { config, tip, view } = draft.state;
  if (signer !== from) {
    fault(draft, from, "consensus/wrong-sender", `sent a vote of validator ${signer}`);
    return;
  }
  if (vote.epoch !== config.validators.epoch || vote.view <= tip.view) return;
  if (Math.abs(vote.view - view) > VOTE_WINDOW_VIEWS) return;
  if ((vote.kind === "nullify") !== equalBytes(vote.digest, ZERO_HASH) || !addVote(draft, signed, false))
    return;
  countVotes(draft, vote);
  // The leader itself gives its view up: nothing is gained by waiting.
  if (vote.kind === "nullify" && vote.view === view && signer === viewState(draft, view).leader)
    nullify(draft);
}

/** Puts a vote into its tally, and makes evidence of it where its signer has contradicted itself.
 * @returns whether it was added. */
export function addVote(draft: Draft, signed: SignedVote, verified: boolean): boolean {
  const { vote, signer, signature } = signed;
  const known = viewState(draft, vote.view);
  if (known.ignored.has(signer)) return false;
  if (!settleContradictions(draft, signed, verified)) return false;
  const tally = viewState(draft, vote.view).tallies[vote.kind];
  const existing = tally.get(signer);
  if (existing !== undefined && (existing.verified || !verified)) return false;
  changeTally(
    draft,
    vote,
    withEntry(tally, signer, { key: keyOf(vote.digest), statement: vote, signature, verified }),
  );
  return true;
}

/** Forms the certificate that a vote may have completed (rule S9). */
export function countVotes(draft: Draft, vote: Vote): void {
  const { config, quorum } = draft.state;
  const known = viewState(draft, vote.view);
  const kind = certificateKindOf(vote.kind);
  if (known.certificates[kind] !== undefined) return;
  const { domain, validators } = config;
  const tally = known.tallies[vote.kind];
  const count = countTally(domain, validators, quorum, tally, keyOf(vote.digest), (bound) =>
    voteSigningBytes(bound, vote),
  );
  if (count.tally !== tally) changeTally(draft, vote, count.tally);
  for (const signer of count.bad) {
    ignore(draft, vote.view, signer);
    fault(
      draft,
      signer,
      "consensus/bad-signature",
      `its ${vote.kind} of view ${vote.view} is not signed by it`,
    );
  }
  if (count.aggregate === undefined) return;
  const { epoch, view, digest } = vote;
  const { schemeId } = validators;
  acceptCertificate(draft, { kind, schemeId, epoch, view, digest, ...count.aggregate });
}

/** A certificate from outside: of any view above the tip, checked before it is believed.
 * @returns whether it was good, or known. */
export function onCertificate(draft: Draft, from: ValidatorIndex, certificate: Certificate): boolean {
  const { config, tip } = draft.state;
  if (certificate.epoch !== config.validators.epoch) return false;
  const known = draft.state.views.get(certificate.view)?.certificates[certificate.kind];
  if (certificate.view <= tip.view || known !== undefined) return true;
  const verified = verifyCertificate(config.domain, config.validators, certificate);
  if (!verified.ok) {
    fault(draft, from, "consensus/bad-certificate", verified.error.message);
    return false;
  }
  acceptCertificate(draft, certificate);
  return true;
}

/** Rule S9: whoever forms or first sees a certificate keeps it, logs it and forwards it, and enters the view after it. */
export function acceptCertificate(draft: Draft, certificate: Certificate): void {
  const { certificates } = viewState(draft, certificate.view);
  for (const known of Object.values(certificates)) assertNoConflict(known, certificate);
  recordCertificate(draft, certificate);
  reportIfInvalid(draft, certificate);
  emit(draft, { kind: "persist", record: { kind: "certificate", certificate } });
  broadcast(draft, { kind: "certificate", certificate });
}

/** Says so when a quorum notarized what this validator's own checks refuse. */
export function reportIfInvalid(draft: Draft, { kind, digest }: Certificate): void {
  const known = draft.state.blocks.get(keyOf(digest));
  if (kind !== "notarization" || known?.valid !== false) return;
  const why = `view ${known.block.view} was notarized although this node found its block invalid`;
  fault(draft, known.block.proposer, "consensus/notarized-invalid", why);
}

/** Puts a trusted certificate into the state, without any effect. */
export function recordCertificate(draft: Draft, certificate: Certificate): void {
  const { view, kind } = certificate;
  const { certificates } = viewState(draft, view);
  changeView(draft, view, { certificates: { ...certificates, [kind]: certificate } });
  const { admittedView, pendingFinalization } = draft.state;
  if (nextView(view) > admittedView) changeState(draft, { admittedView: nextView(view) });
  if (kind === "finalization" && view > (pendingFinalization?.view ?? View(0))) {
    changeState(draft, { pendingFinalization: certificate });
  }
}

/** Two blocks with a quorum in one view, or a final one that is also nullified: a third of the weight or more is
 * Byzantine, and going on could only make it worse. */
function assertNoConflict(known: Certificate, added: Certificate): void {
  const kinds = [known.kind, added.kind];
  const agree = kinds.includes("nullification")
    ? !kinds.includes("finalization")
    : equalBytes(known.digest, added.digest);
  assert(agree, `certificates of view ${added.view} must not contradict each other`);
}

/** Rule S15. @returns whether the vote may be added. */
function settleContradictions(draft: Draft, signed: SignedVote, verified: boolean): boolean {
  const { vote, signer } = signed;
  const { tallies } = viewState(draft, vote.view);
  const opposite: VoteKind | undefined =
    vote.kind === "nullify" ? "finalize" : vote.kind === "finalize" ? "nullify" : undefined;
  const candidates = [tallies[vote.kind].get(signer), opposite && tallies[opposite].get(signer)];
  for (const entry of candidates) {
    if (entry === undefined) continue;
    if (entry.statement.kind === vote.kind && entry.key === keyOf(vote.digest)) continue;
    const { domain, validators } = draft.state.config;
    const earlier: SignedVote = { vote: entry.statement, signer, signature: entry.signature };
    const [bad] = [earlier, signed].filter((one) => {
      const isChecked = one === signed ? verified : entry.verified;
      return !isChecked && !verifyVote(domain, validators, one);
    });
    ignore(draft, vote.view, signer);
    if (bad === undefined) {
      emit(draft, {
        kind: "evidence",
        evidence: { kind: "votes", validator: signer, first: earlier, second: signed },
      });
    } else {
      fault(
        draft,
        signer,
        "consensus/bad-signature",
        `its ${bad.vote.kind} of view ${vote.view} is not signed by it`,
      );
      if (bad === earlier) dropEntry(draft, entry.statement, signer);
    }
    return false;
  }
  return true;
}

function ignore(draft: Draft, view: View, signer: ValidatorIndex): void {
  changeView(draft, view, { ignored: new Set(viewState(draft, view).ignored).add(signer) });
}

function dropEntry(draft: Draft, vote: Vote, signer: ValidatorIndex): void {
  const tally = new Map(viewState(draft, vote.view).tallies[vote.kind]);
  tally.delete(signer);
  changeTally(draft, vote, tally);
}

function changeTally(draft: Draft, vote: Vote, tally: ReturnType<typeof withEntry<Vote>>): void {
  const { tallies } = viewState(draft, vote.view);
  changeView(draft, vote.view, { tallies: { ...tallies, [vote.kind]: tally } });
}
