import { equalBytes } from "@ostrom/base";
import { headerId, payloadHash } from "./header.ts";
import { entryOf } from "./sharded-map.ts";
import {
  changeState,
  type Draft,
  emit,
  fault,
  type HeaderRecord,
  headOf,
  keyOf,
  type PowState,
  recordOf,
  refOf,
  send,
} from "./state.ts";
import { ancestorAt, bestLeaf, forkOf, heavierLeaves, isAncestor } from "./tree.ts";
import type { BlockRef, PeerId, PowBlock } from "./types.ts";

/** Bodies of so many blocks above the fork are asked for ahead of execution. */
const BODY_WINDOW = 64;
/** Branches whose bodies are asked for at a time: one with withheld bodies must not hold up the next. */
const MAX_CANDIDATES = 8;
/** Most unanswered questions to one peer. */
const MAX_REQUESTS_PER_PEER = 16;

/** Answers from memory, or lets the runtime answer from its store. */
export function onGetBlock(draft: Draft, from: PeerId, block: BlockRef): void {
  const record = recordOf(draft.state, keyOf(block.id));
  const payload = draft.state.bodies.get(keyOf(block.id));
  if (record?.header !== undefined && payload !== undefined) {
    send(draft, from, { kind: "block", block: { header: record.header, payload } });
    return;
  }
  emit(draft, { kind: "serveBlock", to: from, block });
}

/** A body that was asked for, from whomever. A body that is not its header's is its sender's fault (W10). */
export function onBlock(draft: Draft, from: PeerId, block: PowBlock): void {
  const { config, requests } = draft.state;
  const key = keyOf(headerId(config.domain, block.header));
  if (!requests.has(key)) return;
  if (!isBodyOf(draft.state, block)) {
    fault(draft, from, "pow/bad-body", `the payload is not that of height ${block.header.height}`);
    return;
  }
  addBody(draft, key, block.payload);
}

export function isBodyOf(state: PowState, block: PowBlock): boolean {
  const { domain, maxPayloadBytes } = state.config;
  return (
    block.payload.length <= maxPayloadBytes &&
    equalBytes(payloadHash(domain, block.payload), block.header.payloadHash)
  );
}

export function addBody(draft: Draft, key: string, payload: Uint8Array): void {
  const { state } = draft;
  const requests = new Map(state.requests);
  requests.delete(key);
  changeState(draft, { requests });
  if (state.bodies.has(key)) return;
  // Payloads share memory with the message they came in: kept ones must not keep it.
  const bodies = new Map(state.bodies).set(key, payload.slice());
  changeState(draft, { bodies, bodyBytes: state.bodyBytes + payload.length });
  makeRoom(draft, 0);
}

export function dropBody(draft: Draft, key: string): void {
  const payload = draft.state.bodies.get(key);
  if (payload === undefined) return;
  const bodies = new Map(draft.state.bodies);
  bodies.delete(key);
  changeState(draft, { bodies, bodyBytes: draft.state.bodyBytes - payload.length });
}

/** Asks for the bodies that the best branches lack, from peers that have them. */
export function requestBodies(draft: Draft): void {
  const candidates = heavierLeaves(draft.state).slice(0, MAX_CANDIDATES);
  for (const leaf of candidates) {
    const fork = forkOf(draft.state, leaf);
    const end = Math.min(leaf.point.height, fork.point.height + windowOf(draft.state, fork));
    let isFirst = true;
    for (let height = fork.point.height + 1; height <= end; height++) {
      const record = ancestorAt(draft.state, leaf, height);
      if (record === undefined || draft.state.bodies.has(record.key)) continue;
      if (isUnderWay(draft.state, record)) {
        isFirst = false;
        continue;
      }
      // The next body of each branch is asked for whatever else is open: who withholds many must not keep others' from coming.
      if (!isFirst && !hasBudget(draft.state)) break;
      if (isFirst && isFull(draft.state)) makeRoom(draft, draft.state.config.maxPayloadBytes);
      if (isFull(draft.state)) break;
      requestBody(draft, record, []);
      isFirst = false;
    }
  }
}

/** Whether not even one payload more, as long as payloads may be, has room. */
export function isFull({ bodyBytes, config }: PowState): boolean {
  return bodyBytes + config.maxPayloadBytes > config.maxBodyBytes;
}

/** Requests that were not answered go to another peer; when all have been tried, round again. */
export function repeatBodyRequests(draft: Draft): void {
  const { config } = draft.state;
  for (const [key, request] of draft.state.requests) {
    if (draft.nowMs - request.askedAtMs < config.fetchRetryMs) continue;
    forgetRequest(draft, key);
    const record = recordOf(draft.state, key);
    if (record === undefined || !isWanted(draft.state, record)) continue;
    const tried = [...request.tried, request.peer];
    if (!requestBody(draft, record, tried)) requestBody(draft, record, []);
  }
}

/** What was asked of a peer that is gone is asked of another. */
export function reassignRequests(draft: Draft, gone: PeerId): void {
  for (const [key, request] of draft.state.requests) {
    if (request.peer !== gone) continue;
    forgetRequest(draft, key);
    const record = recordOf(draft.state, key);
    if (record !== undefined) requestBody(draft, record, request.tried);
  }
}

function requestBody(draft: Draft, record: HeaderRecord, tried: readonly PeerId[]): boolean {
  const { state } = draft;
  const peer = findSource(state, record, tried);
  if (peer === undefined) return false;
  const requests = new Map(state.requests);
  requests.set(record.key, { peer, askedAtMs: draft.nowMs, tried });
  changeState(draft, { requests });
  send(draft, peer, { kind: "get-block", block: refOf(record.point) });
  return true;
}

/** The peer with the fewest open questions among those that have the block. */
function findSource(state: PowState, record: HeaderRecord, tried: readonly PeerId[]): PeerId | undefined {
  const open = new Map<PeerId, number>();
  for (const { peer } of state.requests.values()) open.set(peer, (open.get(peer) ?? 0) + 1);
  let source: PeerId | undefined;
  let fewest = MAX_REQUESTS_PER_PEER;
  for (const [peer, { bestKey }] of state.peers) {
    const count = open.get(peer) ?? 0;
    if (count >= fewest || bestKey === undefined || tried.includes(peer)) continue;
    const best = recordOf(state, bestKey);
    if (best === undefined || !isAncestor(state, record, best)) continue;
    source = peer;
    fewest = count;
  }
  return source;
}

function isUnderWay(state: PowState, { key }: HeaderRecord): boolean {
  return state.requests.has(key) || state.pending?.key === key;
}

function isWanted(state: PowState, record: HeaderRecord): boolean {
  return (
    !state.invalid.has(record.key) &&
    !state.bodies.has(record.key) &&
    entryOf(state.executed, record.key) === undefined
  );
}

/** A branch that replaces blocks is needed whole before it is followed; one that only adds, piece by piece. */
function windowOf(state: PowState, fork: HeaderRecord): number {
  return BODY_WINDOW + headOf(state).point.height - fork.point.height;
}

/** Room for what is asked for already and one payload more, as long as payloads may be. */
function hasBudget(state: PowState): boolean {
  const { maxPayloadBytes, maxBodyBytes } = state.config;
  return state.bodyBytes + (state.requests.size + 1) * maxPayloadBytes <= maxBodyBytes;
}

function forgetRequest(draft: Draft, key: string): void {
  const requests = new Map(draft.state.requests);
  requests.delete(key);
  changeState(draft, { requests });
}

/** Drops bodies until so many bytes more have room: of branches that are not the best first, and of these those of least work. Those of
 * the best go only if there are too many already, the farthest from execution first. */
function makeRoom(draft: Draft, bytes: number): void {
  const { state } = draft;
  const { maxBodyBytes } = state.config;
  if (state.bodyBytes + bytes <= maxBodyBytes) return;
  const best = bestLeaf(state);
  const ranked = [...state.bodies.keys()].map((key) => {
    const record = recordOf(state, key);
    const isBest = record !== undefined && isAncestor(state, record, best);
    return { key, isBest, height: record?.point.height ?? 0, work: record?.point.totalWork ?? 0n };
  });
  ranked.sort((a, b) => {
    if (a.isBest !== b.isBest) return a.isBest ? 1 : -1;
    if (a.isBest) return b.height - a.height;
    return a.work === b.work ? 0 : a.work < b.work ? -1 : 1;
  });
  for (const { key, isBest } of ranked) {
    if (draft.state.bodyBytes + (isBest ? 0 : bytes) <= maxBodyBytes) return;
    dropBody(draft, key);
  }
}
