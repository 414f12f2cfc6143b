import type { View } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import { weightOf } from "../validator-set.ts";
import { currentDeltaMs } from "./delta.ts";
import {
  changeState,
  changeView,
  type Draft,
  EMPTY_TALLIES,
  emit,
  notarizationOf,
  setTimer,
  viewState,
} from "./state.ts";
import { nullify, VOTE_WINDOW_VIEWS } from "./voting.ts";

/** Timeouts in multiples of Delta: until the leader's proposal is here, and until the view is over.
 * Source: commonware simplex, t_l and t_a. */
const LEADER_TIMEOUT_DELTAS = 2;
const ADVANCE_TIMEOUT_DELTAS = 3;

/** A leader unheard for this many rounds of leaders is not waited for, while a quorum is heard (rule S13). */
const ABSENT_AFTER_ROUNDS = 2;
const ABSENT_AFTER_VIEWS_AT_LEAST = 8;

/** Rule S7: a certificate of the view before admits to a view; timers begin. */
export function enterAdmittedView(draft: Draft): void {
  const { admittedView, view, poolPending, config } = draft.state;
  if (admittedView <= view) return;
  const isIdle = !poolPending && !isEpochFull(draft);
  changeState(draft, { view: admittedView, building: undefined, idlePacing: isIdle });
  forgetOldVotes(draft);
  // Kept from the beginning, so that its leader is worked out once.
  changeView(draft, admittedView, {});
  armTimers(draft, isIdle ? config.emptyBlockIntervalMs : config.minBlockIntervalMs);
  setTimer(draft, "standstill", config.standstillMs);
  if (isLeaderAbsent(draft)) nullify(draft);
}

/** Rule S17: the pool of this validator got its first transaction, or lost its last: a leader that now hesitates is late. */
export function onWork(draft: Draft, pending: boolean): void {
  const { config, view, idlePacing } = draft.state;
  changeState(draft, { poolPending: pending });
  if (!pending || !idlePacing || viewState(draft, view).proposal !== undefined) return;
  changeState(draft, { idlePacing: false });
  armTimers(draft, config.minBlockIntervalMs);
}

/** Remembers of which view a validator was last heard. */
export function hear(draft: Draft, from: ValidatorIndex, view: View): void {
  const known = draft.state.lastHeard.get(from);
  const heard = view > draft.state.view ? draft.state.view : view;
  if (known !== undefined && known >= heard) return;
  changeState(draft, { lastHeard: new Map(draft.state.lastHeard).set(from, heard) });
}

/** Starts both timeouts of the current view. @param pacingMs how long an honest leader may hold its proposal back. */
function armTimers(draft: Draft, pacingMs: number): void {
  const deltaMs = currentDeltaMs(draft.state);
  const { proposal } = viewState(draft, draft.state.view);
  if (proposal === undefined) setTimer(draft, "leader", LEADER_TIMEOUT_DELTAS * deltaMs + pacingMs);
  else emit(draft, { kind: "cancelTimer", id: "leader" });
  setTimer(draft, "advance", ADVANCE_TIMEOUT_DELTAS * deltaMs + pacingMs);
}

/** Whether an epoch's last block is notarized: what can follow is a sealing block, for which no leader waits (rule E2). */
function isEpochFull(draft: Draft): boolean {
  const { blocks, views, config } = draft.state;
  for (const { block } of blocks.values()) {
    if (block.height >= config.lastHeight && notarizationOf(views.get(block.view)) !== undefined) return true;
  }
  return false;
}

/** Rule S10: of views long past only certificates, bodies and the own word are kept, however many of them nothing became final in. */
function forgetOldVotes(draft: Draft): void {
  const { views, view } = draft.state;
  for (const [past, { tallies, ignored }] of views) {
    if (past + VOTE_WINDOW_VIEWS >= view || (tallies === EMPTY_TALLIES && ignored.size === 0)) continue;
    changeView(draft, past, { tallies: EMPTY_TALLIES, ignored: new Set() });
  }
}

function isLeaderAbsent(draft: Draft): boolean {
  const { config, view, lastHeard, quorum } = draft.state;
  const { validators } = config.validators;
  const patience = Math.max(ABSENT_AFTER_ROUNDS * validators.length, ABSENT_AFTER_VIEWS_AT_LEAST);
  const isHeard = (validator: ValidatorIndex): boolean =>
    validator === config.own || (lastHeard.get(validator) ?? 0) + patience >= view;
  const { leader } = viewState(draft, view);
  const everybody = validators.map((_, index) => index as ValidatorIndex);
  if (isHeard(leader)) return false;
  return weightOf(config.validators, everybody.filter(isHeard)) >= quorum;
}
