import type { Hash } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import { MAX_RANGE_BYTES } from "../types.ts";
import { dagDigest, dagSigningBytes, encodeSignedDagBlock } from "./dag-block.ts";
import { placed } from "./graph.ts";
import {
  type AcceptedBlock,
  change,
  type Draft,
  emit,
  fault,
  find,
  gcRound,
  isUnordered,
  type KeyedReference,
  keyOf,
  type MysticetiState,
  referencesOf,
  type WaitingBlock,
  weightOf,
} from "./state.ts";
import {
  type BlockReference,
  type DagBlock,
  MAX_BLOCKS_PER_SLOT,
  MAX_REQUESTED_BLOCKS,
  MAX_ROUNDS_AHEAD,
  MAX_WAITING_PER_AUTHOR,
  Round,
  type SignedDagBlock,
} from "./types.ts";

/** A block that was asked for so often in vain is no longer kept by the others: they have ordered what it is needed for. */
const MAX_ASKED = 8;

/** A block arrived: unasked, from its author, or asked for. */
export function onBlock(draft: Draft, from: ValidatorIndex, signed: SignedDagBlock, isAsked: boolean): void {
  const { state } = draft;
  const { block } = signed;
  const { config } = state;
  if (block.epoch !== config.validators.epoch || block.round <= gcRound(state)) return;
  if (!isAsked && from !== block.author) {
    fault(draft, from, "mysticeti/wrong-sender", `a block of validator ${block.author}`);
    return;
  }
  const wrong = malformed(state, block);
  if (wrong !== undefined) {
    fault(draft, from, "mysticeti/bad-block", wrong);
    return;
  }
  const digest = dagDigest(config.domain, block);
  const key = keyOf(digest);
  const isMissing = state.missing.has(key);
  if (isKnown(state, block, key) || (isAsked && !isMissing)) return;
  if (!isMissing && isTooMuch(draft, from, block)) return;
  const author = config.validators.validators[block.author]!;
  const message = dagSigningBytes(config.domain, digest);
  if (!config.domain.signatures.verifyOne(author.consensusKey, message, signed.signature)) {
    fault(draft, from, "mysticeti/bad-signature", `of a block of round ${block.round}`);
    return;
  }
  accuse(draft, signed, key);
  keepWaiting(draft, { signed, digest, key, references: referencesOf(block), from, isValid: false });
  emit(draft, { kind: "checkBlock", block, digest });
}

/** The runtime has checked what consensus cannot. */
export function onVerdict(draft: Draft, digest: Hash, isValid: boolean): void {
  const key = keyOf(digest);
  const waiting = draft.state.waiting.get(key);
  if (waiting === undefined) return;
  if (isValid) change(draft, { waiting: new Map(draft.state.waiting).set(key, { ...waiting, isValid }) });
  else reject(draft, waiting);
}

/** Accepts what has become complete, lowest rounds first, and takes note of what is missing (rule M4). */
export function acceptDue(draft: Draft): void {
  for (let goesOn = true; goesOn; ) {
    goesOn = false;
    const lowestFirst = [...draft.state.waiting.values()].toSorted(
      (a, b) => a.signed.block.round - b.signed.block.round,
    );
    for (const waiting of lowestFirst) {
      if (!waiting.isValid || absent(draft.state, waiting).length > 0) continue;
      accept(draft, waiting.signed, waiting.digest);
      goesOn = true;
    }
  }
  noteMissing(draft);
}

/** A block whose history is here, as far as it is kept. */
export function accept(draft: Draft, signed: SignedDagBlock, digest: Hash): AcceptedBlock {
  const { state } = draft;
  const { round, author } = signed.block;
  const block = placed(state, signed, digest);
  const layer = new Map(state.graph.get(round));
  layer.set(author, [...(layer.get(author) ?? []), block]);
  const waiting = new Map(state.waiting);
  waiting.delete(block.key);
  change(draft, {
    graph: new Map(state.graph).set(round, layer),
    highest: round > state.highest ? round : state.highest,
    unordered: state.unordered + (isUnordered(block) ? 1 : 0),
    waiting,
  });
  if (author !== state.config.own) emit(draft, { kind: "persist", signed });
  return block;
}

/** Answers with what is here, as much as fits into a message. */
export function onRequest(draft: Draft, from: ValidatorIndex, references: readonly BlockReference[]): void {
  const { state } = draft;
  const blocks: SignedDagBlock[] = [];
  const answered = new Set<string>();
  let bytes = 0;
  for (const { round, author, digest } of references.slice(0, MAX_REQUESTED_BLOCKS)) {
    const found = find(state.graph, round, author, keyOf(digest));
    // Whoever names a block many times gets it once.
    if (found === undefined || answered.has(found.key)) continue;
    answered.add(found.key);
    bytes += encodeSignedDagBlock(found.signed).length;
    if (blocks.length > 0 && bytes > MAX_RANGE_BYTES) break;
    blocks.push(found.signed);
  }
  if (blocks.length === 0) return;
  const { epoch } = state.config.validators;
  emit(draft, { kind: "send", to: from, message: { kind: "dag-blocks", epoch, blocks } });
}

/** Asks again for what is still missing, now somebody else who must have it: the author of a block that builds on it. */
export function onFetchTimer(draft: Draft): void {
  change(draft, { fetchArmed: false });
  const missing = new Map(draft.state.missing);
  for (const [key, one] of missing) missing.set(key, { ...one, asked: one.asked + 1 });
  change(draft, { missing });
  ask(draft, [...missing.keys()]);
  const inVain = [...missing].find(([, { asked }]) => asked > 0 && asked % MAX_ASKED === 0);
  const peer = inVain === undefined ? undefined : holdersOf(draft.state, inVain[0])[0];
  if (peer !== undefined) emit(draft, { kind: "behind", peer, round: highestWaiting(draft.state) });
  armFetch(draft);
}

function malformed({ config, quorum }: MysticetiState, block: DagBlock): string | undefined {
  const { author, round, previous, parents } = block;
  const count = config.validators.validators.length;
  if (author >= count) return `there is no validator ${author}`;
  if (round === 0) return "round 0 has no blocks";
  if (previous !== undefined && (previous.round >= round || previous.round === 0))
    return "its author's block before it is not of a round below";
  if (parents.some((parent) => parent.author >= count || parent.author === author))
    return "a parent's author is none of the other validators";
  if (parents.some((parent, index) => index > 0 && parent.author <= parents[index - 1]!.author))
    return "parents are not in the order of their authors";
  if (round === 1) return parents.length === 0 ? undefined : "round 1 builds on nothing";
  const authors = parents.map((parent) => parent.author);
  if (previous?.round === round - 1) authors.push(author);
  return weightOf(config, authors) >= quorum
    ? undefined
    : "it builds on less than a quorum of the round before";
}

function isKnown(state: MysticetiState, { round, author }: DagBlock, key: string): boolean {
  const isRejected = state.rejected.get(round)?.has(key) === true;
  return isRejected || state.waiting.has(key) || find(state.graph, round, author, key) !== undefined;
}

/** Bounds what strangers to the graph may put into memory (rule M11). */
function isTooMuch(draft: Draft, from: ValidatorIndex, { round, author }: DagBlock): boolean {
  const { state } = draft;
  if (round > state.highest + MAX_ROUNDS_AHEAD) {
    emit(draft, { kind: "behind", peer: from, round });
    return true;
  }
  let ofAuthor = 0;
  let ofSlot = state.graph.get(round)?.get(author)?.length ?? 0;
  for (const { signed } of state.waiting.values()) {
    if (signed.block.author !== author) continue;
    ofAuthor++;
    if (signed.block.round === round) ofSlot++;
  }
  return ofAuthor >= MAX_WAITING_PER_AUTHOR || ofSlot >= MAX_BLOCKS_PER_SLOT;
}

/** Two blocks of one author in one round are evidence, once an author and epoch. */
function accuse(draft: Draft, second: SignedDagBlock, key: string): void {
  const { state } = draft;
  const { author, round } = second.block;
  if (state.accused.has(author)) return;
  const here = state.graph.get(round)?.get(author)?.[0]?.signed;
  const isOther = ({ signed, key: other }: WaitingBlock): boolean =>
    signed.block.author === author && signed.block.round === round && other !== key;
  const first = here ?? [...state.waiting.values()].find(isOther)?.signed;
  if (first === undefined) return;
  change(draft, { accused: new Set(state.accused).add(author) });
  emit(draft, { kind: "evidence", first, second });
}

function keepWaiting(draft: Draft, block: WaitingBlock): void {
  const missing = new Map(draft.state.missing);
  missing.delete(block.key);
  change(draft, { missing, waiting: new Map(draft.state.waiting).set(block.key, block) });
}

/** What builds on an invalid block is never complete, so it goes too; each author answers for its own. */
function reject(draft: Draft, { signed, key }: WaitingBlock): void {
  const { round, author } = signed.block;
  const { state } = draft;
  const waiting = new Map(state.waiting);
  waiting.delete(key);
  const rejected = new Map(state.rejected).set(round, new Set(state.rejected.get(round)).add(key));
  change(draft, { waiting, rejected });
  fault(draft, author, "mysticeti/bad-block", `its block of round ${round} is invalid`);
  for (const other of draft.state.waiting.values()) {
    // One that builds on it by two ways went with the other one.
    const isAbove = draft.state.waiting.has(other.key) && other.references.some((under) => under.key === key);
    if (isAbove) reject(draft, other);
  }
}

/** What a block builds on and is not accepted. What is too old to be in a commit, or was ordered before, is not needed. */
function absent(state: MysticetiState, { references }: WaitingBlock): readonly KeyedReference[] {
  const bound = gcRound(state);
  return references.filter(
    ({ round, author, key }) =>
      round > bound && !state.orderedBefore.has(key) && find(state.graph, round, author, key) === undefined,
  );
}

function noteMissing(draft: Draft): void {
  const { state } = draft;
  const missing = new Map(state.missing);
  const fresh: string[] = [];
  const needed = new Set<string>();
  for (const waiting of state.waiting.values()) {
    for (const reference of absent(state, waiting)) {
      const { key } = reference;
      needed.add(key);
      const isHere = state.waiting.has(key) || missing.has(key);
      const isInvalid = state.rejected.get(reference.round)?.has(key) === true;
      if (isHere || isInvalid) continue;
      missing.set(key, { reference, asked: 0 });
      fresh.push(key);
    }
  }
  for (const key of missing.keys()) if (!needed.has(key)) missing.delete(key);
  if (fresh.length === 0 && missing.size === state.missing.size) return;
  change(draft, { missing });
  ask(draft, fresh);
  armFetch(draft);
}

/** Each of those who must have it in turn, whoever sent what builds on it first. */
function ask(draft: Draft, keys: readonly string[]): void {
  const { missing, config } = draft.state;
  const wanted = new Map<ValidatorIndex, BlockReference[]>();
  for (const key of keys) {
    const one = missing.get(key);
    if (one === undefined) continue;
    const holders = holdersOf(draft.state, key);
    const holder = holders[one.asked % holders.length];
    if (holder === undefined) continue;
    const list = wanted.get(holder) ?? [];
    if (list.length < MAX_REQUESTED_BLOCKS) list.push(one.reference);
    wanted.set(holder, list);
  }
  const { epoch } = config.validators;
  for (const [to, references] of wanted)
    emit(draft, { kind: "send", to, message: { kind: "dag-request", epoch, references } });
}

function holdersOf({ waiting, config }: MysticetiState, key: string): readonly ValidatorIndex[] {
  const holders = new Set<ValidatorIndex>();
  for (const { signed, references, from } of waiting.values()) {
    if (!references.some((under) => under.key === key)) continue;
    holders.add(from);
    holders.add(signed.block.author);
  }
  return [...holders].filter((holder) => holder !== config.own);
}

function highestWaiting({ waiting, highest }: MysticetiState): Round {
  return Round(Math.max(highest, ...[...waiting.values()].map(({ signed }) => signed.block.round)));
}

function armFetch(draft: Draft): void {
  const { missing, fetchArmed, config } = draft.state;
  if (missing.size === 0 || fetchArmed) return;
  change(draft, { fetchArmed: true });
  emit(draft, { kind: "setTimer", id: "fetch", token: 0, delayMs: config.fetchRetryMs });
}
