import { type Failure, fail, ok, type Result } from "@ostrom/base";
import type {
  BlockPlan,
  InstantEffect,
  InstantErrorCode,
  InstantInput,
  InstantState,
  MiningInterval,
} from "./types.ts";

/** A chain that makes a block for each transaction, by the clock's time. */
export const INITIAL_INSTANT_STATE: InstantState = {
  isAutomining: true,
  interval: undefined,
  offset: 0,
  nextTimestamp: undefined,
  timestampInterval: undefined,
  nextBaseFee: undefined,
  nextPrevRandao: undefined,
  allowsEqualTimestamps: false,
};

export type InstantStep = { readonly state: InstantState; readonly effects: readonly InstantEffect[] };

/** What the engine does with an input: one validator, whose blocks are final as soon as it has made them.
 * Errors: `instant/timestamp-too-low`. Source: what evm_ methods do in Hardhat Network and anvil. */
export function step(
  state: InstantState,
  input: InstantInput,
): Result<InstantStep, Failure<InstantErrorCode>> {
  switch (input.kind) {
    case "transaction":
      return done(state, state.isAutomining ? [{ kind: "make-block" }] : []);
    case "timer":
      return done(state, [{ kind: "make-block" }, timerOf(state.interval, input.chance)]);
    case "set-automining":
      return done({ ...state, isAutomining: input.isOn });
    case "set-interval":
      return done({ ...state, interval: input.interval }, [timerOf(input.interval, input.chance)]);
    case "increase-time":
      return done({ ...state, offset: state.offset + input.seconds });
    case "set-time":
      return done({ ...state, offset: input.timestamp - input.now, nextTimestamp: undefined });
    case "set-next-timestamp":
      return setNextTimestamp(state, input.timestamp, input.parentTimestamp);
    case "set-timestamp-interval":
      return done({ ...state, timestampInterval: input.seconds });
    case "set-next-base-fee":
      return done({ ...state, nextBaseFee: input.baseFeePerGas });
    case "set-next-prev-randao":
      return done({ ...state, nextPrevRandao: input.prevRandao });
    case "seal":
      return seal(state, input);
    default:
      return input satisfies never;
  }
}

/** The time of a block that were made now. @param now the clock's. */
export function nextTimestamp(state: InstantState, now: number, parentTimestamp: number): number {
  if (state.nextTimestamp !== undefined) return state.nextTimestamp;
  if (state.timestampInterval !== undefined) return parentTimestamp + state.timestampInterval;
  return Math.max(now + state.offset, leastTimestamp(state, parentTimestamp));
}

function done(state: InstantState, effects: readonly InstantEffect[] = []): Result<InstantStep, never> {
  return ok({ state, effects });
}

function timerOf(interval: MiningInterval | undefined, chance: number): InstantEffect {
  if (interval === undefined) return { kind: "set-timer", afterMs: undefined };
  const { minMs, maxMs } = interval;
  return { kind: "set-timer", afterMs: minMs + Math.floor((maxMs - minMs + 1) * chance) };
}

function leastTimestamp({ allowsEqualTimestamps }: InstantState, parentTimestamp: number): number {
  return allowsEqualTimestamps ? parentTimestamp : parentTimestamp + 1;
}

function setNextTimestamp(
  state: InstantState,
  timestamp: number,
  parentTimestamp: number,
): Result<InstantStep, Failure<InstantErrorCode>> {
  const refused = tooLow(state, timestamp, parentTimestamp);
  return refused ?? done({ ...state, nextTimestamp: timestamp });
}

function tooLow(
  state: InstantState,
  timestamp: number,
  parentTimestamp: number,
): Result<never, Failure<InstantErrorCode>> | undefined {
  if (timestamp >= leastTimestamp(state, parentTimestamp)) return undefined;
  const relation = state.allowsEqualTimestamps ? "lower than" : "lower than or equal to";
  return fail(
    "instant/timestamp-too-low",
    `Timestamp ${timestamp} is ${relation} the previous block's timestamp ${parentTimestamp}`,
  );
}

/** A time that was asked for moves the chain's clock with it: the blocks after this one go on from there. */
function seal(
  state: InstantState,
  { now, parentTimestamp, timestamp: asked }: Extract<InstantInput, { readonly kind: "seal" }>,
): Result<InstantStep, Failure<InstantErrorCode>> {
  const refused = asked === undefined ? undefined : tooLow(state, asked, parentTimestamp);
  if (refused !== undefined) return refused;
  const timestamp = asked ?? nextTimestamp(state, now, parentTimestamp);
  const isFixed = asked !== undefined || state.nextTimestamp !== undefined;
  const isForced = timestamp > now + state.offset;
  const plan: BlockPlan = {
    timestamp,
    baseFeePerGas: state.nextBaseFee,
    prevRandao: state.nextPrevRandao,
  };
  const next: InstantState = {
    ...state,
    offset: isFixed || isForced ? timestamp - now : state.offset,
    nextTimestamp: undefined,
    nextBaseFee: undefined,
    nextPrevRandao: undefined,
  };
  return done(next, [{ kind: "sealed", plan }]);
}
