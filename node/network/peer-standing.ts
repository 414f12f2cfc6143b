import type { NetworkGroup } from "./network-group.ts";
import type { PeerId } from "./types.ts";

/** Whom an offence is held against: the key it came under, the machine, and the network group, because keys cost nothing. */
export type Offender = {
  readonly peerId: PeerId;
  /** From `machineOf`; undefined if it is not known. */
  readonly machine: string | undefined;
  readonly group: NetworkGroup | undefined;
};

/** What stands against somebody; points wear off. */
export type StandingRecord = {
  readonly subject: string;
  readonly points: number;
  /** When the points were these. */
  readonly atMs: number;
  readonly bannedUntilMs: number;
  /** Bans so far: each is twice as long as the one before. */
  readonly bans: number;
};

/** Points of an offence. A ban comes at BAN_POINTS.peer of one key. */
export const OFFENCE_POINTS: {
  /** What no honest node does: a forged record, a wrong block. */
  readonly breach: number;
  /** What an honest one does now and then: too many questions, nothing where it promised something. */
  readonly nuisance: number;
} = { breach: 100, nuisance: 20 };

/** Several keys of one machine add up, and several machines of one group, at a higher price for whoever lives beside them. */
const BAN_POINTS = { peer: 100, machine: 200, group: 800 } as const;
const MINUTE_MS = 60_000;
const HALF_LIFE_MS = 60 * MINUTE_MS;
const FIRST_BAN_MS = 10 * MINUTE_MS;
const MAX_BAN_MS = 24 * 60 * MINUTE_MS;
/** Bans are forgotten so long after the last. */
const FORGET_BANS_MS = 48 * 60 * MINUTE_MS;
const MAX_SUBJECTS = 4_096;
/** So many are left when there were too many: making room costs a look at all of them. */
const KEPT_SUBJECTS = 3_584;
const NEGLIGIBLE_POINTS = 1;

type Scope = keyof typeof BAN_POINTS;

/** Who has behaved how, and who is shunned until when. Pure: time is given. */
export class PeerStanding {
  readonly #records = new Map<string, StandingRecord>();

  /** Holds something against somebody. @returns whether this brought a ban. */
  blame(offender: Offender, points: number, nowMs: number): boolean {
    let isBanned = false;
    for (const [scope, subject] of subjectsOf(offender)) {
      const before = this.#records.get(subject);
      const total = pointsNow(before, nowMs) + points;
      const isOver = total >= BAN_POINTS[scope];
      const bans = (before?.bans ?? 0) + (isOver ? 1 : 0);
      const banMs = Math.min(MAX_BAN_MS, FIRST_BAN_MS * 2 ** (bans - 1));
      isBanned ||= isOver;
      // Inserted anew, so that the oldest are found first.
      this.#records.delete(subject);
      this.#records.set(subject, {
        subject,
        points: isOver ? 0 : total,
        atMs: nowMs,
        bannedUntilMs: Math.max(before?.bannedUntilMs ?? 0, isOver ? nowMs + banMs : 0),
        bans,
      });
    }
    if (this.#records.size > MAX_SUBJECTS) this.#forget(nowMs);
    return isBanned;
  }

  isBanned(offender: Offender, nowMs: number): boolean {
    return subjectsOf(offender).some(
      ([, subject]) => (this.#records.get(subject)?.bannedUntilMs ?? 0) > nowMs,
    );
  }

  /** What stands against a key: of peers that are equal otherwise, the one with less is better. */
  pointsOf(peerId: PeerId, nowMs: number): number {
    return pointsNow(this.#records.get(`peer:${peerId}`), nowMs);
  }

  snapshot(nowMs: number): readonly StandingRecord[] {
    this.#wearOff(nowMs);
    return [...this.#records.values()];
  }

  restore(records: readonly StandingRecord[]): void {
    for (const record of records.slice(-MAX_SUBJECTS)) this.#records.set(record.subject, record);
  }

  /** Those that matter least, oldest first, until there is room. Bans in force are the last to go. */
  #forget(nowMs: number): void {
    this.#wearOff(nowMs);
    for (const isBanKept of [true, false]) {
      for (const [subject, { bannedUntilMs }] of this.#records) {
        if (this.#records.size <= KEPT_SUBJECTS) return;
        if (!isBanKept || bannedUntilMs <= nowMs) this.#records.delete(subject);
      }
    }
  }

  #wearOff(nowMs: number): void {
    for (const [subject, record] of this.#records) {
      const isOver = record.bannedUntilMs <= nowMs && pointsNow(record, nowMs) < NEGLIGIBLE_POINTS;
      const isForgotten = record.bans === 0 || nowMs - record.bannedUntilMs > FORGET_BANS_MS;
      if (isOver && isForgotten) this.#records.delete(subject);
    }
  }
}

function subjectsOf({ peerId, machine, group }: Offender): readonly (readonly [Scope, string])[] {
  const subjects: [Scope, string][] = [["peer", `peer:${peerId}`]];
  if (machine !== undefined) subjects.push(["machine", `machine:${machine}`]);
  if (group !== undefined) subjects.push(["group", `group:${group}`]);
  return subjects;
}

function pointsNow(record: StandingRecord | undefined, nowMs: number): number {
  if (record === undefined) return 0;
  // The clock may have been set back.
  const elapsedMs = Math.max(0, nowMs - record.atMs);
  return record.points * 2 ** (-elapsedMs / HALF_LIFE_MS);
}
