import { assert } from "@ostrom/base";
import type { ValidatorIndex } from "../types.ts";
import { acceptDue, onBlock, onFetchTimer, onRequest, onVerdict } from "./acceptance.ts";
import { commitDecided } from "./committer.ts";
import {
  armStandstill,
  onLeaderTimer,
  onPayload,
  onSigned,
  onStandstill,
  proposeIfDue,
} from "./proposing.ts";
import { askForRounds, type CommitFloor, onRoundReport, onRoundRequest, restore } from "./recovery.ts";
import { change, type Draft, emit, type MysticetiState } from "./state.ts";
import {
  type DagEffect,
  type DagInput,
  type DagMessage,
  type DagTimerId,
  MAX_REQUESTED_BLOCKS,
  type MysticetiConfig,
  Round,
  type SignedDagBlock,
} from "./types.ts";

export type MysticetiStep = { readonly state: MysticetiState; readonly effects: readonly DagEffect[] };

const LEAST_WAVE = 3;
/** Votes are searched in depth: longer waves cost the number of validators to their length. */
const MOST_WAVE = 5;

/** Starts or restarts a validator (or a follower) of one epoch.
 * @param floor what is ordered durably.
 * @param records the log's, in the order in which they were written; a torn tail is cut off before. */
export function recoverMysticeti(
  config: MysticetiConfig,
  floor: CommitFloor,
  records: readonly SignedDagBlock[],
): MysticetiStep {
  assertConfig(config);
  const draft: Draft = { state: restore(config, floor, records), effects: [] };
  const { last } = draft.state;
  if (last !== undefined) emit(draft, { kind: "broadcast", message: { kind: "dag-block", ...last.signed } });
  askForRounds(draft);
  armStandstill(draft, config.standstillMs);
  settle(draft);
  return draft;
}

/** The whole protocol: what follows from one input. Pure; never changes the state it is given. */
export function stepMysticeti(state: MysticetiState, input: DagInput): MysticetiStep {
  const draft: Draft = { state, effects: [] };
  switch (input.kind) {
    case "message":
      onMessage(draft, input.from, input.message);
      break;
    case "timer":
      onTimer(draft, input.id, input.token);
      break;
    case "payload":
      onPayload(draft, input);
      break;
    case "verdict":
      onVerdict(draft, input.digest, input.valid);
      break;
    case "work":
      change(draft, { poolPending: input.pending });
      break;
    case "signed":
      onSigned(draft, input.signed);
      break;
    default:
      input satisfies never;
  }
  settle(draft);
  return draft;
}

/** Applies every rule whose conditions may have become true. */
function settle(draft: Draft): void {
  acceptDue(draft);
  commitDecided(draft);
  proposeIfDue(draft);
}

function onMessage(draft: Draft, from: ValidatorIndex, message: DagMessage): void {
  const { config } = draft.state;
  if (from === config.own || config.validators.validators[from] === undefined) return;
  switch (message.kind) {
    case "dag-block":
      onBlock(draft, from, message, false);
      return;
    case "dag-blocks":
      for (const signed of message.blocks.slice(0, MAX_REQUESTED_BLOCKS)) {
        onBlock(draft, from, signed, true);
        // What a block builds on is asked for before the next one of the same answer is looked at: it may be that one.
        acceptDue(draft);
      }
      return;
    case "dag-request":
      if (message.epoch === config.validators.epoch) onRequest(draft, from, message.references);
      return;
    case "dag-round-request":
      if (message.epoch === config.validators.epoch) onRoundRequest(draft, from);
      return;
    case "dag-round-report":
      if (message.epoch === config.validators.epoch) onRoundReport(draft, from, message.round);
      return;
    default:
      message satisfies never;
  }
}

function onTimer(draft: Draft, id: DagTimerId, token: number): void {
  if (id === "fetch") onFetchTimer(draft);
  else if (id === "leader") onLeaderTimer(draft, Round(token));
  else if (token === (draft.state.last?.signed.block.round ?? 0)) {
    askForRounds(draft);
    onStandstill(draft);
  }
}

function assertConfig(config: MysticetiConfig): void {
  const { waveLength, leadersPerRound, gcDepth } = config;
  assert(waveLength >= LEAST_WAVE && waveLength <= MOST_WAVE, "a wave has three to five rounds");
  assert(leadersPerRound >= 1, "a round must have a leader");
  assert(gcDepth > 2 * waveLength, "a commit must reach below the leaders that it decides");
  assert(
    config.minRoundMs >= 0 && config.emptyRoundMs >= config.minRoundMs,
    "idle rounds are the slower ones",
  );
  assert(
    config.leaderTimeoutMs > 0 && config.standstillMs > 0 && config.fetchRetryMs > 0,
    "nothing may be repeated without a pause",
  );
}
