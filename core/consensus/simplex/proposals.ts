import { type Bytes, EMPTY_BYTES, equalBytes, must, type View } from "@ostrom/base";
import { isSameCertificate, orderDigest } from "../block.ts";
import { verifyStateCertificate, verifyVote } from "../certificates.ts";
import { isHeightOfEpoch } from "../epoch-heights.ts";
import { continues } from "../sync.ts";
import {
  MAX_PAYLOAD_BYTES,
  type OrderedBlock,
  type SignedVote,
  type StateCertificate,
  type ValidatorIndex,
} from "../types.ts";
import { chooseParent, findParent } from "./ancestry.ts";
import { currentDeltaMs } from "./delta.ts";
import {
  broadcast,
  changeBlock,
  changeState,
  changeView,
  type Draft,
  emit,
  fault,
  isSealing,
  type KnownBlock,
  keyOf,
  makeVote,
  type ParentBlock,
  persistBlock,
  setTimer,
  viewState,
} from "./state.ts";
import type { Input } from "./types.ts";
import { addVote, countVotes, maySign, nullify, reportIfInvalid, signNotarize } from "./voting.ts";

/** Proposals of views this far above our own are kept: each may hold MAX_PAYLOAD_BYTES. */
export const PROPOSAL_WINDOW_VIEWS = 4;

/** So many sealing blocks follow each other at once. Then each waits for half of a Delta that grows: where a third of the weight
 * holds back what would make them final, they must not come at the speed of the network. */
const SEALING_AT_ONCE = 4;

const BLOCK_REQUEST_PREFIX = "block/";

/** Rule S2: the leader asks for a payload as soon as it has a parent, once a view. */
export function buildIfLeader(draft: Draft): void {
  const { config, view, building } = draft.state;
  const known = viewState(draft, view);
  if (known.leader !== config.own || building !== undefined || !maySign(draft, view)) return;
  if (known.own.nullify || known.own.notarize !== undefined) return;
  const lookup = chooseParent(draft, view);
  if (lookup.kind !== "found") return;
  const { parent, ancestors } = lookup;
  changeState(draft, { building: parent });
  if (isSealing(draft.state, parent.height + 1)) {
    const isPaused = parent.height + 1 > config.lastHeight + SEALING_AT_ONCE;
    if (isPaused) setTimer(draft, "seal", Math.floor(currentDeltaMs(draft.state) / 2));
    else seal(draft);
    return;
  }
  const notBeforeMs = parent.timestampMs + config.minBlockIntervalMs;
  const waitsForWork = !finalityIsSlow(draft, parent, view);
  emit(draft, {
    kind: "buildPayload",
    view,
    height: nextHeight(parent),
    parent: parent.digest,
    parentTimestampMs: parent.timestampMs,
    notBeforeMs,
    emptyNotBeforeMs: waitsForWork ? parent.timestampMs + config.emptyBlockIntervalMs : notBeforeMs,
    ancestors,
    parentStateCertificate: parent.stateCertificate,
  });
}

/** The runtime's answer: the block is logged and the leader votes for it; the proposal leaves when the vote is signed. */
export function onPayload(draft: Draft, input: Extract<Input, { kind: "payload" }>): void {
  const { config, view, building } = draft.state;
  const known = viewState(draft, view);
  if (input.view !== view || building === undefined || config.own === undefined || !maySign(draft, view))
    return;
  if (known.own.nullify || known.own.notarize !== undefined || input.payload.length > MAX_PAYLOAD_BYTES)
    return;
  propose(draft, building, input);
}

/** Rule E2: proposes the sealing block of a view that this validator leads. */
export function seal(draft: Draft): void {
  const { view, building } = draft.state;
  const { own } = viewState(draft, view);
  if (building === undefined || !isSealing(draft.state, building.height + 1)) return;
  if (own.nullify || own.notarize !== undefined || !maySign(draft, view)) return;
  propose(draft, building, { timestampMs: 0, payload: EMPTY_BYTES, stateCertificate: undefined });
}

/** Logs and votes for the block of a view that this validator leads. */
function propose(
  draft: Draft,
  parent: ParentBlock,
  made: Pick<OrderedBlock, "timestampMs" | "payload" | "stateCertificate">,
): void {
  const { config, view } = draft.state;
  const block: OrderedBlock = {
    epoch: config.validators.epoch,
    view,
    height: nextHeight(parent),
    parent: parent.digest,
    parentView: parent.view,
    timestampMs: Math.max(made.timestampMs, parent.timestampMs + 1),
    proposer: must(config.own, "only a validator proposes"),
    stateCertificate: newestFor(parent, made.stateCertificate),
    payload: made.payload,
  };
  if (whyWrongAtBounds(draft, parent, block) !== undefined) return;
  const digest = orderDigest(config.domain, block);
  persistBlock(draft, { block, digest, persisted: false, valid: true });
  signNotarize(draft, view, makeVote(draft, "notarize", view, digest));
}

/** Called when this validator's own Notarize of a view it leads is signed and on disk. */
export function sendProposal(draft: Draft, { vote, signature }: SignedVote): void {
  const known = draft.state.blocks.get(keyOf(vote.digest));
  if (known === undefined) return;
  changeView(draft, vote.view, { proposal: { digest: vote.digest, signature } });
  broadcast(draft, { kind: "proposal", block: known.block, signature });
}

/** A proposal on its leader's own link. The first of a view is kept; a second, different one is evidence. */
export function onProposal(draft: Draft, from: ValidatorIndex, block: OrderedBlock, signature: Bytes): void {
  const { config, tip, view } = draft.state;
  if (block.epoch !== config.validators.epoch) return;
  if (block.view <= tip.view || block.view > view + PROPOSAL_WINDOW_VIEWS) return;
  const { leader, proposal, ignored } = viewState(draft, block.view);
  if (from !== leader || block.proposer !== leader) {
    fault(draft, from, "consensus/wrong-leader", `validator ${from} does not lead view ${block.view}`);
    return;
  }
  const digest = orderDigest(config.domain, block);
  if (ignored.has(leader) || (proposal !== undefined && equalBytes(proposal.digest, digest))) return;
  const vote = makeVote(draft, "notarize", block.view, digest);
  const signed: SignedVote = { vote, signer: leader, signature };
  if (!verifyVote(config.domain, config.validators, signed)) {
    fault(draft, from, "consensus/bad-signature", `its proposal of view ${block.view} is not signed by it`);
    return;
  }
  addVote(draft, signed, true);
  if (viewState(draft, block.view).ignored.has(leader)) {
    if (block.view === view) nullify(draft);
    return;
  }
  changeView(draft, block.view, { proposal: { digest, signature } });
  rememberBlock(draft, block, digest);
  countVotes(draft, vote);
  if (block.view === view) emit(draft, { kind: "cancelTimer", id: "leader" });
}

/** Rule S3: checks the current view's proposal once everything it builds on is here. */
export function checkProposal(draft: Draft): void {
  const { view } = draft.state;
  const { proposal, checkAsked, own } = viewState(draft, view);
  if (proposal === undefined || checkAsked || own.notarize !== undefined || !maySign(draft, view)) return;
  const known = draft.state.blocks.get(keyOf(proposal.digest));
  if (known === undefined) return;
  const lookup = findParent(draft, known.block);
  if (lookup.kind === "missing") return;
  changeView(draft, view, { checkAsked: true });
  const why = lookup.kind === "impossible" ? lookup.why : whyInvalid(draft, lookup.parent, known.block);
  if (lookup.kind === "found" && why === undefined && isSealing(draft.state, known.block.height)) {
    onVerdict(draft, { kind: "verdict", digest: known.digest, valid: true });
    return;
  }
  if (lookup.kind === "found" && why === undefined) {
    emit(draft, {
      kind: "checkBlock",
      digest: known.digest,
      block: known.block,
      ancestors: lookup.ancestors,
    });
    return;
  }
  fault(draft, known.block.proposer, "consensus/bad-block", why ?? "its parent cannot be final");
  changeBlock(draft, { ...known, valid: false });
  nullify(draft);
}

/** The runtime's answer to checkBlock. */
export function onVerdict(draft: Draft, input: Extract<Input, { kind: "verdict" }>): void {
  const known = draft.state.blocks.get(keyOf(input.digest));
  if (known === undefined || known.valid !== undefined) return;
  const { view } = known.block;
  const judged = { ...known, valid: input.valid };
  changeBlock(draft, judged);
  const { proposal, own, certificates } = viewState(draft, view);
  if (certificates.notarization !== undefined) reportIfInvalid(draft, certificates.notarization);
  const isCurrent =
    view === draft.state.view && proposal !== undefined && equalBytes(proposal.digest, input.digest);
  if (!isCurrent || !maySign(draft, view)) return;
  if (!input.valid) {
    fault(draft, known.block.proposer, "consensus/bad-block", "its payload is not valid");
    nullify(draft);
    return;
  }
  if (own.notarize !== undefined) return;
  persistBlock(draft, judged);
  signNotarize(draft, view, makeVote(draft, "notarize", view, input.digest));
}

/** A body that was asked for; another is dropped before it costs a hash. */
export function onBlock(draft: Draft, block: OrderedBlock): void {
  const { config, tip, requests } = draft.state;
  if (block.epoch !== config.validators.epoch || block.view <= tip.view) return;
  if (![...requests.keys()].some((key) => key.startsWith(BLOCK_REQUEST_PREFIX))) return;
  const digest = orderDigest(config.domain, block);
  if (draft.state.blocks.has(keyOf(digest)) || !requests.has(blockRequestKey(digest))) return;
  persistBlock(draft, { block, digest, persisted: false, valid: undefined });
}

/** Key of a request for a body. */
export function blockRequestKey(digest: KnownBlock["digest"]): string {
  return `${BLOCK_REQUEST_PREFIX}${keyOf(digest)}`;
}

function rememberBlock(draft: Draft, block: OrderedBlock, digest: KnownBlock["digest"]): void {
  if (draft.state.blocks.has(keyOf(digest))) return;
  changeBlock(draft, { block, digest, persisted: false, valid: undefined });
}

/** Height and time against the parent, and rule S16 for the state certificate. */
function whyInvalid(draft: Draft, parent: ParentBlock, block: OrderedBlock): string | undefined {
  if (!continues(parent, block)) return "height or time does not continue the parent";
  if (block.payload.length > MAX_PAYLOAD_BYTES) return "the payload is too long";
  const atBounds = whyWrongAtBounds(draft, parent, block);
  if (atBounds !== undefined) return atBounds;
  const certificate = block.stateCertificate;
  const inherited = parent.stateCertificate;
  if (certificate === undefined)
    return inherited === undefined ? undefined : "the state certificate was left out";
  if (certificate.executed.height > parent.height) return "the state certificate is not of an ancestor";
  if (inherited !== undefined && certificate.executed.height < inherited.executed.height) {
    return "the state certificate is older than the parent's";
  }
  return isStateCertificateGood(draft, certificate, inherited) ? undefined : "the state certificate is wrong";
}

/** Rules E1 and E2: the first block of an epoch proves that a quorum has agreed on its set, and above the last one there is nothing
 * but sealing blocks, of which each parent and view has one only. */
function whyWrongAtBounds(draft: Draft, parent: ParentBlock, block: OrderedBlock): string | undefined {
  const certified = block.stateCertificate?.executed.height ?? 0;
  if (parent.view === 0 && certified < draft.state.config.leastCertified)
    return "the first block of an epoch does not prove its set";
  if (!isSealing(draft.state, block.height)) return undefined;
  const isSeal = block.payload.length === 0 && block.timestampMs === parent.timestampMs + 1;
  return isSeal ? undefined : "above the last block of an epoch there are empty sealing blocks only";
}

function isStateCertificateGood(
  draft: Draft,
  certificate: StateCertificate,
  inherited: StateCertificate | undefined,
): boolean {
  const { config, checkedStateCertificate } = draft.state;
  if (isSameCertificate(certificate, inherited) || isSameCertificate(certificate, checkedStateCertificate))
    return true;
  const { epoch, height } = certificate.executed;
  const set = [config.validators, ...config.earlierValidators].find((candidate) => candidate.epoch === epoch);
  if (set === undefined || !isHeightOfEpoch(config, epoch, height)) return false;
  if (!verifyStateCertificate(config.domain, set, certificate).ok) return false;
  changeState(draft, { checkedStateCertificate: certificate });
  return true;
}

/** The certificate a child of this parent carries, given the newest that the leader holds. */
function newestFor(parent: ParentBlock, own: StateCertificate | undefined): StateCertificate | undefined {
  const inherited = parent.stateCertificate;
  if (own === undefined || own.executed.height > parent.height) return inherited;
  return own.executed.height > (inherited?.executed.height ?? -1) ? own : inherited;
}

/** Rule S17: a parent that timed out here, or after which a view was skipped, waits for a descendant to become final: then the
 * leader proposes even an empty block at once. */
function finalityIsSlow(draft: Draft, parent: ParentBlock, view: View): boolean {
  if (parent.view === draft.state.tip.view) return false;
  return parent.view + 1 < view || viewState(draft, parent.view).own.nullify;
}

function nextHeight(parent: ParentBlock): OrderedBlock["height"] {
  return (parent.height + 1) as OrderedBlock["height"];
}
