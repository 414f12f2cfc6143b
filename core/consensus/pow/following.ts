import { assert, equalBytes, type Hash, Height, must } from "@ostrom/base";
import { addBody, dropBody, isFull } from "./bodies.ts";
import { earliestTimestampMs, nextTarget } from "./chain-point.ts";
import { entryOf, withEntry, withoutEntry } from "./sharded-map.ts";
import {
  changeState,
  type Draft,
  emit,
  type HeaderRecord,
  headOf,
  keyOf,
  lowestFork,
  type PowState,
  recordOf,
  refOf,
  send,
} from "./state.ts";
import { ancestorAt, forkOf, heavierLeaves, isAncestor, markInvalid } from "./tree.ts";
import { type ChainPoint, MAX_HEADERS_PER_MESSAGE } from "./types.ts";

/** A branch to follow now, and where it leaves the executed chain. */
type Target = { readonly leaf: HeaderRecord; readonly fork: HeaderRecord };

/** A leaf is announced before it is executed if it is no more than this above the fork: a node that catches up announces nothing. */
const MAX_ANNOUNCED_AHEAD = 64;

/** So many repetitions of its question is a peer waited for that claims to have more work. */
const PATIENCE_REPETITIONS = 4;

/** Takes the next step towards the best chain whose bodies are here, if execution is free (W9). */
export function follow(draft: Draft): void {
  while (draft.state.pending === undefined && draft.state.halted === undefined) {
    const target = findTarget(draft);
    if (target === undefined || draft.state.halted !== undefined) return;
    announce(draft, target);
    const head = headOf(draft.state);
    if (target.fork.key !== head.key) {
      changeState(draft, { pending: { kind: "disconnect", key: head.key } });
      emit(draft, { kind: "disconnect", block: refOf(head.point) });
      return;
    }
    const next = must(
      ancestorAt(draft.state, target.leaf, head.point.height + 1),
      "a leaf above the head descends from it",
    );
    connect(draft, next);
  }
}

/** Answers `connect`: the block is the head now. */
export function onConnected(draft: Draft, id: Hash, executedHash: Hash): void {
  const { state } = draft;
  const { key } = takePending(draft, "connect", id);
  const record = must(recordOf(state, key), "what is being connected stays in the tree");
  dropBody(draft, key);
  changeState(draft, {
    headKey: key,
    executed: withEntry(state.executed, key, executedHash),
    peakHeight: Height(Math.max(state.peakHeight, record.point.height)),
    peakWork: record.point.totalWork > state.peakWork ? record.point.totalWork : state.peakWork,
  });
  tellFinalized(draft);
}

/** Answers `connect`: the block and all that build on it are invalid (W9). */
export function onRejected(draft: Draft, id: Hash, reason: string): void {
  const { key } = takePending(draft, "connect", id);
  rejectBlock(draft, must(recordOf(draft.state, key), "what is being connected stays in the tree"), reason);
}

/** Answers `disconnect`: the parent is the head now. */
export function onDisconnected(draft: Draft, id: Hash, payload: Uint8Array | undefined): void {
  const { state } = draft;
  const { key } = takePending(draft, "disconnect", id);
  const parentKey = must(recordOf(state, key)?.parentKey, "what is disconnected is above the base");
  changeState(draft, { headKey: parentKey, executed: withoutEntry(state.executed, key) });
  if (payload !== undefined) addBody(draft, key, payload);
}

/** Asks for a block on the head, whenever the head or the pool is another and nothing is on its way (W12). */
export function mine(draft: Draft): void {
  const { state } = draft;
  if (state.pending !== undefined || state.halted !== undefined) return;
  const wanted = `${state.headKey}/${state.poolRound}`;
  if (state.mining === wanted) return;
  const { point } = headOf(state);
  changeState(draft, { mining: wanted });
  emit(draft, {
    kind: "mine",
    parent: refOf(point),
    parentExecutedHash: must(entryOf(state.executed, state.headKey), "the head is executed"),
    height: Height(point.height + 1),
    target: nextTarget(state.config, point),
    earliestTimestampMs: earliestTimestampMs(point),
  });
}

/** Tells what is D below the head, when that is another block than before and no lower. */
export function tellFinalized(draft: Draft): void {
  const { state } = draft;
  const head = headOf(state);
  const height = head.point.height - state.config.finalityDepth;
  if (height < (state.finalized?.height ?? 1)) return;
  const record = ancestorAt(state, head, height);
  if (record === undefined) return;
  const block = refOf(record.point);
  if (state.finalized !== undefined && equalBytes(state.finalized.id, block.id)) return;
  changeState(draft, { finalized: block });
  emit(draft, { kind: "finalized", block });
}

/** Stops following: which chain is the right one is for people to say (W11). */
export function haltFor(draft: Draft, point: ChainPoint, which: string): void {
  if (draft.state.halted !== undefined) return;
  const { point: head } = headOf(draft.state);
  const reason = "pow/reorganisation-too-deep";
  changeState(draft, { halted: reason, mining: undefined });
  emit(draft, { kind: "stopMining" });
  emit(draft, {
    kind: "halt",
    reason,
    message:
      `${which}, to height ${point.height} (${keyOf(point.id)}), has more work than the own chain of height ${head.height} ` +
      `(${keyOf(head.id)}): ${point.totalWork} against ${head.totalWork}; at most ${draft.state.config.maxReorgDepth} blocks are replaced without an operator`,
  });
}

/** The leaf with the most work to which there is a way. A lesser one is followed only while the best one cannot be, and not by a node
 * that is on its way to the best (W9): it would be led astray, or back. */
function findTarget(draft: Draft): Target | undefined {
  const { state } = draft;
  const head = headOf(state);
  let best: HeaderRecord | undefined;
  for (const leaf of heavierLeaves(state)) {
    const fork = forkOf(state, leaf);
    if (fork.point.height < lowestFork(state)) {
      // Being behind on a better chain is no reason to halt for a lesser one.
      if (best !== undefined) continue;
      haltFor(draft, leaf.point, `a branch that forks at height ${fork.point.height}`);
      return undefined;
    }
    const isBest = best === undefined;
    best ??= leaf;
    if (isBest && isLearning(draft, leaf)) return undefined;
    if (hasWay(state, { leaf, fork })) return { leaf, fork };
    if (isBest && mustGoPiecemeal(state, { leaf, fork })) {
      changeState(draft, { committedKey: leaf.key });
      return { leaf, fork };
    }
    if (isBest && fork.key === head.key && (isFarAhead(state, leaf) || isCommitted(state, leaf))) {
      return undefined;
    }
  }
  return undefined;
}

/** There is a way if the next block is here, and, where blocks must be taken off first, so much that it outweighs them. */
function hasWay(state: PowState, { leaf, fork }: Target): boolean {
  const head = headOf(state);
  for (let height = fork.point.height + 1; height <= leaf.point.height; height++) {
    const record = ancestorAt(state, leaf, height);
    if (record === undefined || !state.bodies.has(record.key)) return false;
    if (fork.key === head.key || record.point.totalWork > head.point.totalWork) return true;
  }
  return false;
}

/** Whether memory is full of a branch's first bodies: the branch could never be here whole. */
function mustGoPiecemeal(state: PowState, { leaf, fork }: Target): boolean {
  const first = ancestorAt(state, leaf, fork.point.height + 1);
  return first !== undefined && state.bodies.has(first.key) && isFull(state);
}

/** Farther than a reorganisation may lead back, or than one answer of headers reaches. */
function isFarAhead(state: PowState, leaf: HeaderRecord): boolean {
  const ahead = leaf.point.height - headOf(state).point.height;
  return ahead >= Math.min(state.config.maxReorgDepth, MAX_HEADERS_PER_MESSAGE);
}

/** Whether the node is on its way to this branch or one that it grew to, having left a better one. */
function isCommitted(state: PowState, leaf: HeaderRecord): boolean {
  const { committedKey, peakWork } = state;
  const committed = committedKey === undefined ? undefined : recordOf(state, committedKey);
  const isMidway = headOf(state).point.totalWork < peakWork;
  return isMidway && committed !== undefined && isAncestor(state, committed, leaf);
}

/** A node that is far behind first hears what all its peers have: executing a branch deeper than it could leave again, only because its
 * headers came first, would halt it. Who claims more work than it shows is waited for a few repetitions long (W7). */
function isLearning(draft: Draft, leaf: HeaderRecord): boolean {
  const { config, peers } = draft.state;
  if (!isFarAhead(draft.state, leaf)) return false;
  for (const { bestKey, isStreaming, claim } of peers.values()) {
    if (isStreaming && bestKey === leaf.key) return true;
    const isOpen =
      claim !== undefined && draft.nowMs - claim.sinceMs < PATIENCE_REPETITIONS * config.fetchRetryMs;
    if (isOpen && claim.totalWork > leaf.point.totalWork) return true;
  }
  return false;
}

/** The parent's executed hash that a block commits to is checked here, all else by execution (W9). */
function connect(draft: Draft, record: HeaderRecord): void {
  const { state } = draft;
  const header = must(record.header, "only the base may lack its header");
  const payload = must(state.bodies.get(record.key), "a block with a way is here");
  const executedHash = must(entryOf(state.executed, state.headKey), "the head is executed");
  if (!equalBytes(header.parentExecutedHash, executedHash)) {
    rejectBlock(draft, record, "it commits to another executed hash of its parent");
    return;
  }
  changeState(draft, { pending: { kind: "connect", key: record.key } });
  emit(draft, { kind: "connect", block: { header, payload }, point: record.point });
}

/** Nobody is blamed: who passes a block on need not have executed it, and its work was real. */
function rejectBlock(draft: Draft, record: HeaderRecord, reason: string): void {
  markInvalid(draft, record.key);
  dropInvalid(draft);
  emit(draft, { kind: "invalid", block: refOf(record.point), reason });
}

function dropInvalid(draft: Draft): void {
  const { bodies, requests, invalid } = draft.state;
  for (const key of bodies.keys()) if (invalid.has(key)) dropBody(draft, key);
  changeState(draft, { requests: new Map([...requests].filter(([key]) => !invalid.has(key))) });
}

/** Tells peers of a leaf whose bodies are all here, before it is executed: its work vouches for it. */
function announce(draft: Draft, { leaf, fork }: Target): void {
  const { state } = draft;
  if (leaf.key === state.announcedKey || leaf.header === undefined) return;
  if (leaf.point.height - fork.point.height > MAX_ANNOUNCED_AHEAD) return;
  for (let height = fork.point.height + 1; height <= leaf.point.height; height++) {
    const record = ancestorAt(state, leaf, height);
    if (record === undefined || !state.bodies.has(record.key)) return;
  }
  changeState(draft, { announcedKey: leaf.key });
  for (const [peer, { bestKey }] of state.peers) {
    const best = bestKey === undefined ? undefined : recordOf(state, bestKey);
    if (best !== undefined && isAncestor(state, leaf, best)) continue;
    send(draft, peer, { kind: "announce", headers: [leaf.header] });
  }
}

function takePending(
  draft: Draft,
  kind: "connect" | "disconnect",
  id: Hash,
): NonNullable<PowState["pending"]> {
  const { pending } = draft.state;
  assert(
    pending !== undefined && pending.kind === kind && pending.key === keyOf(id),
    "execution answers what it was asked",
  );
  changeState(draft, { pending: undefined });
  return pending;
}
