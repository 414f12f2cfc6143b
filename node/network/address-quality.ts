import type { SignedRecord } from "./node-record.ts";

const MINUTE_MS = 60_000;
const DAY_MS: number = 24 * 60 * MINUTE_MS;
/** A record older than this is of a node that is gone. Nodes renew theirs daily. */
export const MAX_RECORD_AGE_MS: number = 30 * DAY_MS;
/** Clocks differ. */
export const MAX_RECORD_LEAD_MS: number = 10 * MINUTE_MS;
const MAX_NEW_FAILURES = 3;
export const MAX_TRIED_FAILURES = 10;
const MIN_FAILURE_MS: number = 7 * DAY_MS;
const RECENT_ATTEMPT_MS: number = 10 * MINUTE_MS;
/** Of a thousand, what each failure leaves of the chance to be chosen. */
const FAILURE_PER_MILLE = 660;
const MAX_COUNTED_FAILURES = 8;

/** What tells whether somebody is worth dialing. */
export type RatedPeer = {
  readonly record: SignedRecord | undefined;
  readonly heardMs: number;
  readonly failures: number;
  readonly lastAttemptMs: number;
  readonly lastSuccessMs: number;
};

/** Whether nothing speaks for it: it may lose its place to anybody. */
export function isHopeless(entry: RatedPeer, nowMs: number): boolean {
  if (nowMs - entry.lastAttemptMs < MINUTE_MS) return false;
  const { record, lastSuccessMs, failures } = entry;
  const saidMs = record === undefined ? entry.heardMs : record.record.timestampMs;
  if (nowMs - Math.max(saidMs, lastSuccessMs) > MAX_RECORD_AGE_MS) return true;
  if (lastSuccessMs === 0) return failures >= MAX_NEW_FAILURES;
  return nowMs - lastSuccessMs > MIN_FAILURE_MS && failures >= MAX_TRIED_FAILURES;
}

/** Of a thousand: whoever was just tried, or was not there, is chosen rarely. */
export function chancePerMille({ lastAttemptMs, failures }: RatedPeer, nowMs: number): number {
  let chance = nowMs - lastAttemptMs < RECENT_ATTEMPT_MS ? 10 : 1_000;
  for (let count = 0; count < Math.min(failures, MAX_COUNTED_FAILURES); count++)
    chance = Math.max(1, Math.floor((chance * FAILURE_PER_MILLE) / 1_000));
  return chance;
}
