import { assert, equalBytes } from "@ostrom/base";
import {
  addBody,
  isBodyOf,
  onBlock,
  onGetBlock,
  reassignRequests,
  repeatBodyRequests,
  requestBodies,
} from "./bodies.ts";
import { follow, mine, onConnected, onDisconnected, onRejected, tellFinalized } from "./following.ts";
import { headerBytes, headerId } from "./header.ts";
import {
  forgetPeer,
  greet,
  onAnnounce,
  onChainPoint,
  onGetHeaders,
  onHeaders,
  onInventory,
  repeatHeaderQuestions,
  takeHeader,
} from "./headers.ts";
import { shardedMap, withEntry } from "./sharded-map.ts";
import { changeState, type Draft, emit, keyOf, NEW_PEER, type PowState } from "./state.ts";
import { addRecord, prune } from "./tree.ts";
import {
  MAX_HEADERS_PER_MESSAGE,
  type PeerId,
  type PowBlock,
  type PowConfig,
  type PowEffect,
  type PowInput,
  type PowMessage,
  type RecoveredChain,
} from "./types.ts";

export type PowStep = { readonly state: PowState; readonly effects: readonly PowEffect[] };

/** Starts or restarts a node on its executed chain. Peers are heard as they connect. */
export function startPow(config: PowConfig, recovered: RecoveredChain, nowMs: number): PowStep {
  assertConfig(config);
  const draft: Draft = { state: restore(config, recovered), effects: [], nowMs };
  for (const { header, executedHash } of recovered.blocks) {
    const record = addRecord(draft, header, headerId(config.domain, header));
    assert(record.parentKey === draft.state.headKey, "the executed chain must be given without gaps");
    changeState(draft, {
      headKey: record.key,
      peakHeight: record.point.height,
      peakWork: record.point.totalWork,
      executed: withEntry(draft.state.executed, record.key, executedHash),
    });
  }
  prune(draft);
  tellFinalized(draft);
  emit(draft, { kind: "setTimer", delayMs: config.fetchRetryMs });
  mine(draft);
  return draft;
}

/** The whole protocol: what follows from one input. Pure; never changes the state it is given. */
export function stepPow(state: PowState, input: PowInput): PowStep {
  const draft: Draft = { state, effects: [], nowMs: input.nowMs };
  switch (input.kind) {
    case "peer-connected":
      changeState(draft, { peers: new Map(state.peers).set(input.peer, NEW_PEER) });
      greet(draft, input.peer);
      break;
    case "peer-disconnected":
      forgetPeer(draft, input.peer);
      reassignRequests(draft, input.peer);
      break;
    case "message":
      if (state.peers.has(input.from)) onMessage(draft, input.from, input.message);
      break;
    case "timer":
      repeatHeaderQuestions(draft);
      repeatBodyRequests(draft);
      emit(draft, { kind: "setTimer", delayMs: state.config.fetchRetryMs });
      break;
    case "connected":
      onConnected(draft, input.id, input.executedHash);
      break;
    case "rejected":
      onRejected(draft, input.id, input.reason);
      break;
    case "disconnected":
      onDisconnected(draft, input.id, input.payload);
      break;
    case "mined":
      onMined(draft, input.block);
      break;
    case "pool":
      changeState(draft, { poolRound: state.poolRound + 1 });
      break;
    case "chain-point":
      onChainPoint(draft, input.block, input.point);
      break;
    default:
      input satisfies never;
  }
  settle(draft);
  return draft;
}

/** Applies every rule whose conditions may have become true. */
function settle(draft: Draft): void {
  follow(draft);
  prune(draft);
  if (draft.state.halted === undefined) requestBodies(draft);
  mine(draft);
}

function onMessage(draft: Draft, from: PeerId, message: PowMessage): void {
  switch (message.kind) {
    case "inventory":
      onInventory(draft, from, message);
      return;
    case "announce":
      onAnnounce(draft, from, message.headers);
      return;
    case "get-headers":
      onGetHeaders(draft, from, message.locator);
      return;
    case "headers":
      onHeaders(draft, from, message.headers);
      return;
    case "get-block":
      onGetBlock(draft, from, message.block);
      return;
    case "block":
      onBlock(draft, from, message.block);
      return;
    default:
      message satisfies never;
  }
}

/** An own block goes the way of everybody's; a miner that errs harms nobody. */
function onMined(draft: Draft, block: PowBlock): void {
  const { domain } = draft.state.config;
  const { header } = block;
  const bytes = headerBytes(domain, header);
  const id = domain.hash(bytes);
  const outcome = isBodyOf(draft.state, block) ? takeHeader(draft, { header, bytes, id }, undefined) : "bad";
  if (outcome === "added") addBody(draft, keyOf(id), block.payload);
  else {
    const reason = `the own miner's block does not count: ${outcome}`;
    emit(draft, { kind: "invalid", block: { height: block.header.height, id }, reason });
  }
}

function restore(config: PowConfig, { base, baseExecutedHash, older }: RecoveredChain): PowState {
  const isGenesis = equalBytes(base.id, config.domain.genesisHash);
  assert(isGenesis === (base.height === 0), "genesis, and nothing else, has height 0");
  const key = keyOf(base.id);
  const record = {
    key,
    point: base,
    header: undefined,
    parentKey: undefined,
    skipKey: undefined,
    order: 0,
  };
  return {
    config,
    records: shardedMap([[key, record]]),
    baseKey: key,
    baseHeight: base.height,
    older,
    leaves: new Map([[key, record]]),
    invalid: new Set(),
    executed: shardedMap([[key, baseExecutedHash]]),
    headKey: key,
    peakHeight: base.height,
    peakWork: base.totalWork,
    committedKey: undefined,
    pending: undefined,
    bodies: new Map(),
    bodyBytes: 0,
    requests: new Map(),
    peers: new Map(),
    claimedSinceMs: new Map(),
    announcedKey: undefined,
    finalized: undefined,
    poolRound: 0,
    mining: undefined,
    halted: undefined,
    nextOrder: 1,
  };
}

function assertConfig(config: PowConfig): void {
  assert(config.targetIntervalMs > 0 && config.halflifeMs > 0, "difficulty needs an interval and a halflife");
  assert(
    config.finalityDepth >= 1 && config.maxReorgDepth >= config.finalityDepth,
    "what is told to be final must be at least one block deep, and reorganisations end no sooner",
  );
  assert(
    config.maxSideHeaders >= MAX_HEADERS_PER_MESSAGE,
    "the longest branch that may be followed must fit beside the best chain",
  );
  assert(config.maxHeadersAhead >= 2 * MAX_HEADERS_PER_MESSAGE, "headers must be able to run ahead");
  assert(config.maxBodyBytes >= 4 * config.maxPayloadBytes, "a few bodies must fit into memory");
  assert(config.fetchRetryMs > 0 && config.clockToleranceMs >= 0, "nothing is repeated without a pause");
}
