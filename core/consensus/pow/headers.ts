import { type Bytes, type Hash, must } from "@ostrom/base";
import { checkHeader, pointAfter } from "./chain-point.ts";
import { haltFor } from "./following.ts";
import { headerBytes, headerId } from "./header.ts";
import {
  baseOf,
  changePeer,
  changeState,
  type Draft,
  emit,
  fault,
  type HeaderRecord,
  headOf,
  keyOf,
  NEW_PEER,
  type PeerState,
  type PowState,
  recordOf,
  refOf,
  send,
} from "./state.ts";
import { addRecord, ancestorAt, bestLeaf, isAncestor, makeLocator } from "./tree.ts";
import {
  type BlockRef,
  type ChainPoint,
  MAX_HEADERS_PER_MESSAGE,
  MAX_LOCATOR_ENTRIES,
  type PeerId,
  type PowHeader,
  type PowMessage,
} from "./types.ts";

/** A peer's claims are waited for anew after so many repetitions of questions. */
const CLAIM_RENEWAL_REPETITIONS = 256;

type MessageOf<Kind extends PowMessage["kind"]> = Extract<PowMessage, { kind: Kind }>;

/** What became of a header: `early` is ahead of the clock, `full` too far ahead of execution; both may come again. */
export type HeaderOutcome = "known" | "added" | "orphan" | "early" | "full" | "bad";

/** A header, what is hashed of it, and its id. */
export type HashedHeader = { readonly header: PowHeader; readonly bytes: Bytes; readonly id: Hash };

/** What this node shows: the newest leaf whose bodies it has, or its head. */
export function shownTip(state: PowState): HeaderRecord {
  const { announcedKey } = state;
  const announced = announcedKey === undefined ? undefined : recordOf(state, announcedKey);
  const head = headOf(state);
  const isBetter = announced !== undefined && announced.point.totalWork > head.point.totalWork;
  return isBetter && !state.invalid.has(announced.key) ? announced : head;
}

/** A link is up: both ends say what they have (W7). */
export function greet(draft: Draft, peer: PeerId): void {
  const { point } = shownTip(draft.state);
  send(draft, peer, { kind: "inventory", tip: refOf(point), totalWork: point.totalWork });
}

export function onInventory(draft: Draft, from: PeerId, message: MessageOf<"inventory">): void {
  const { tip, totalWork } = message;
  const record = recordOf(draft.state, keyOf(tip.id));
  if (record !== undefined) {
    credit(draft, from, record);
    changePeer(draft, from, { claim: undefined });
    return;
  }
  believe(draft, from, tip, totalWork);
  if (totalWork > headOf(draft.state).point.totalWork) askHeaders(draft, from);
}

export function onAnnounce(draft: Draft, from: PeerId, headers: readonly PowHeader[]): void {
  const first = headers[0];
  const last = headers.at(-1);
  if (first === undefined || last === undefined) return;
  const { deep } = draft.state.peers.get(from) ?? NEW_PEER;
  if (deep !== undefined && keyOf(first.parent) === keyOf(deep.id)) {
    followDeep(draft, from, deep, headers);
    return;
  }
  const outcome = takeHeaders(draft, from, headers);
  if (outcome === "orphan" || outcome === "early" || outcome === "full") {
    const tip = { height: last.height, id: headerId(draft.state.config.domain, last) };
    // The announcement says nothing of the work below it, so that it counts as more than the own head's.
    const totalWork = headOf(draft.state).point.totalWork + 1n;
    believe(draft, from, tip, totalWork);
  }
  if (outcome === "orphan") askHeaders(draft, from);
}

/** Notes what a peer says to have. Who says ever more, or says it on ever new links, is not waited for any longer than who says it
 * once: it could keep a node that is behind from following anybody (W7). */
function believe(draft: Draft, from: PeerId, tip: BlockRef, totalWork: bigint): void {
  const { config, claimedSinceMs } = draft.state;
  const renewalMs = CLAIM_RENEWAL_REPETITIONS * config.fetchRetryMs;
  const recent = new Map([...claimedSinceMs].filter(([, sinceMs]) => draft.nowMs - sinceMs < renewalMs));
  const sinceMs = recent.get(from) ?? draft.nowMs;
  changeState(draft, { claimedSinceMs: recent.set(from, sinceMs) });
  changePeer(draft, from, { claim: { tip, totalWork, sinceMs } });
}

/** Puts one question to a peer at a time.
 * @param tip of the chain whose continuation is asked for; the best one without. */
export function askHeaders(draft: Draft, peer: PeerId, tip?: HeaderRecord): void {
  const { state, nowMs } = draft;
  const known = state.peers.get(peer);
  if (known === undefined || known.headersAskedAtMs !== undefined) return;
  const deep = known.deep === undefined ? [] : [refOf(known.deep)];
  const locator = makeLocator(state, tip ?? bestLeaf(state), MAX_LOCATOR_ENTRIES - deep.length);
  changePeer(draft, peer, { headersAskedAtMs: nowMs });
  send(draft, peer, { kind: "get-headers", locator: [...deep, ...locator] });
}

/** Answers from the tree, or lets the runtime answer from its store. */
export function onGetHeaders(draft: Draft, from: PeerId, locator: readonly BlockRef[]): void {
  const { state } = draft;
  const tip = shownTip(state);
  for (const { id } of locator) {
    const record = recordOf(state, keyOf(id));
    if (record === undefined || !isAncestor(state, record, tip)) continue;
    const end = Math.min(tip.point.height, record.point.height + MAX_HEADERS_PER_MESSAGE);
    send(draft, from, { kind: "headers", headers: headersBetween(state, tip, record.point.height, end) });
    return;
  }
  emit(draft, { kind: "serveHeaders", to: from, locator });
}

/** The answer to a get-headers. What nobody asked for is not read. */
export function onHeaders(draft: Draft, from: PeerId, headers: readonly PowHeader[]): void {
  const peer = draft.state.peers.get(from);
  if (peer?.headersAskedAtMs === undefined) return;
  changePeer(draft, from, { headersAskedAtMs: undefined, isStreaming: false });
  const first = headers[0];
  if (first === undefined) {
    changePeer(draft, from, { claim: undefined });
    return;
  }
  const outcome = takeHeaders(draft, from, headers);
  if (outcome === "bad") return;
  if (outcome === "orphan") {
    onDeepHeaders(draft, from, peer, headers);
    return;
  }
  const isFull = headers.length === MAX_HEADERS_PER_MESSAGE;
  if (outcome === "added" && isFull) {
    const last = recordOf(draft.state, keyOf(headerIdOf(draft.state, headers.at(-1))));
    changePeer(draft, from, { isStreaming: true });
    askHeaders(draft, from, must(last, "what was added is in the tree"));
  } else if (!isFull && (outcome === "added" || outcome === "known")) {
    changePeer(draft, from, { claim: undefined });
  }
}

/** Answers `readChainPoint`. */
export function onChainPoint(draft: Draft, block: BlockRef, point: ChainPoint | undefined): void {
  for (const [peer, { deepHeaders }] of draft.state.peers) {
    const first = deepHeaders[0];
    if (first === undefined || keyOf(first.parent) !== keyOf(block.id)) continue;
    changePeer(draft, peer, { deepHeaders: [] });
    if (point === undefined) changePeer(draft, peer, { claim: undefined });
    else followDeep(draft, peer, point, deepHeaders);
  }
}

/** Questions that were not answered, and those that were put off. */
export function repeatHeaderQuestions(draft: Draft): void {
  const { config } = draft.state;
  for (const [peer, known] of draft.state.peers) {
    const askedAtMs = known.headersAskedAtMs;
    if (askedAtMs !== undefined && draft.nowMs - askedAtMs < config.fetchRetryMs) continue;
    if (askedAtMs !== undefined) {
      changePeer(draft, peer, { headersAskedAtMs: undefined, isStreaming: false });
    }
    const { claim } = known;
    if (claim === undefined) continue;
    const record = recordOf(draft.state, keyOf(claim.tip.id));
    if (record !== undefined) {
      credit(draft, peer, record);
      changePeer(draft, peer, { claim: undefined });
    } else if (claim.totalWork > headOf(draft.state).point.totalWork && hasRoom(draft.state)) {
      askHeaders(draft, peer);
    }
  }
}

/** Takes consecutive headers as far as possible. @returns what became of the last that was looked at. */
function takeHeaders(draft: Draft, from: PeerId, headers: readonly PowHeader[]): HeaderOutcome {
  let outcome: HeaderOutcome = "known";
  const { domain } = draft.state.config;
  let lastId: Hash | undefined;
  for (const header of headers) {
    if (lastId !== undefined && keyOf(header.parent) !== keyOf(lastId)) {
      fault(draft, from, "pow/bad-sequence", `height ${header.height} does not follow the header before it`);
      return "bad";
    }
    const bytes = headerBytes(domain, header);
    lastId = domain.hash(bytes);
    outcome = takeHeader(draft, { header, bytes, id: lastId }, from);
    if (outcome !== "known" && outcome !== "added") return outcome;
  }
  return outcome;
}

/** Checks a header and keeps it, if its own work is as much as its chain demands (W2 to W5). */
export function takeHeader(
  draft: Draft,
  { header, bytes, id }: HashedHeader,
  from: PeerId | undefined,
): HeaderOutcome {
  const { state } = draft;
  const known = recordOf(state, keyOf(id));
  if (known !== undefined) {
    if (from !== undefined) credit(draft, from, known);
    return "known";
  }
  const parent = recordOf(state, keyOf(header.parent));
  if (parent === undefined) return "orphan";
  const checked = checkHeader(state.config, parent.point, header, bytes);
  if (!checked.ok) {
    if (from !== undefined) fault(draft, from, checked.error.code, checked.error.message);
    return "bad";
  }
  if (isEarly(draft, header)) return "early";
  if (header.height > headOf(state).point.height + state.config.maxHeadersAhead) return "full";
  const record = addRecord(draft, header, id);
  if (from !== undefined) credit(draft, from, record);
  return "added";
}

/** Not a fault: clocks differ (W4). */
function isEarly(draft: Draft, header: PowHeader): boolean {
  return header.timestampMs > draft.nowMs + draft.state.config.clockToleranceMs;
}

/** More headers are asked for when half of those that may be held ahead are executed. */
function hasRoom(state: PowState): boolean {
  const ahead = bestLeaf(state).point.height - headOf(state).point.height;
  return 2 * ahead <= state.config.maxHeadersAhead;
}

/** The peer has this block and all before it. What it says later counts as more at equal work, and always if the earlier turned out
 * invalid: it has turned to another branch. */
function credit(draft: Draft, peer: PeerId, record: HeaderRecord): void {
  const { state } = draft;
  const known = state.peers.get(peer);
  if (known === undefined) return;
  const best = known.bestKey === undefined ? undefined : recordOf(state, known.bestKey);
  const isBetter = best !== undefined && best.point.totalWork > record.point.totalWork;
  if (isBetter && !state.invalid.has(best.key)) return;
  changePeer(draft, peer, { bestKey: record.key });
}

/** Headers that do not follow any that is held (W8): the branch may fork below the base. */
function onDeepHeaders(draft: Draft, from: PeerId, peer: PeerState, headers: readonly PowHeader[]): void {
  const first = must(headers[0], "a batch that is followed has a first header");
  if (peer.deep !== undefined && keyOf(first.parent) === keyOf(peer.deep.id)) {
    followDeep(draft, from, peer.deep, headers);
    return;
  }
  const forkHeight = first.height - 1;
  if (forkHeight < 0 || forkHeight >= baseOf(draft.state).point.height) return;
  changePeer(draft, from, { deep: undefined, deepHeaders: headers });
  emit(draft, {
    kind: "readChainPoint",
    block: { height: forkHeight as BlockRef["height"], id: first.parent },
  });
}

/** Checks a branch below the base header by header and keeps only its end: work that is real costs no memory here, and work that
 * is not is the peer's fault. If it is heavier than the own chain, that is for the operator to decide (W11). */
function followDeep(draft: Draft, from: PeerId, start: ChainPoint, headers: readonly PowHeader[]): void {
  const { config } = draft.state;
  let point = start;
  for (const [index, header] of headers.entries()) {
    const checked = checkHeader(config, point, header);
    if (!checked.ok) {
      changePeer(draft, from, { deep: undefined });
      fault(draft, from, checked.error.code, checked.error.message);
      return;
    }
    if (isEarly(draft, header)) break;
    point = pointAfter(point, header, config.domain.hash(checked.value));
    if (recordOf(draft.state, keyOf(point.id)) === undefined) continue;
    // The branch has come to the base: what follows is held like any other.
    changePeer(draft, from, { deep: undefined });
    takeHeaders(draft, from, headers.slice(index));
    askHeaders(draft, from);
    return;
  }
  if (point.totalWork > bestLeaf(draft.state).point.totalWork) {
    haltFor(draft, point, `a branch that forks below height ${baseOf(draft.state).point.height}`);
    return;
  }
  const isFull = headers.length === MAX_HEADERS_PER_MESSAGE;
  changePeer(draft, from, isFull ? { deep: point } : { deep: point, claim: undefined });
  if (isFull) askHeaders(draft, from);
}

function headersBetween(
  state: PowState,
  tip: HeaderRecord,
  above: number,
  end: number,
): readonly PowHeader[] {
  const headers: PowHeader[] = [];
  for (let at = ancestorAt(state, tip, end); at !== undefined && at.point.height > above; ) {
    headers.push(must(at.header, "only the base may lack its header"));
    at = at.parentKey === undefined ? undefined : recordOf(state, at.parentKey);
  }
  return headers.reverse();
}

function headerIdOf(state: PowState, header: PowHeader | undefined): BlockRef["id"] {
  return headerId(state.config.domain, must(header, "a batch that is followed has a last header"));
}

/** A peer is gone: nothing is expected of it any more. */
export function forgetPeer(draft: Draft, peer: PeerId): void {
  const peers = new Map(draft.state.peers);
  peers.delete(peer);
  changeState(draft, { peers });
}
