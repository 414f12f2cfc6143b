import type { OperatorAct } from "./operator-log-format.ts";
import type { Log } from "./ports.ts";

/** What the node's own log says that belongs into the operator log too: message -> act. */
const NOTED: Readonly<Record<string, string>> = {
  "a peer broke the protocol": "peer.banned",
  "a stranger is banned": "peer.banned",
  "a peer's certificate is refused": "peer.certificate-refused",
  "this node will stop: the chain needs what its program lacks": "module.missing",
  "a module is active from this block on": "module.active",
  "a module decides who validates from the next epoch on": "module.decides-validators",
  "what a module says of the next validators cannot be a set": "module.refused-set",
  "this node is no validator any more: it follows, and signs nothing": "validator.left",
};

/** Of each kind of act in an hour: hostile peers must not fill the operator log. */
const MAX_IN_AN_HOUR = 30;
const HOUR_MS = 3_600_000;
/** What comes before the operator log is open. */
const MAX_WAITING = 100;

/** Finds, in what the node logs, what its operators must be able to look up later. */
export class NotedWarnings {
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, { sinceMs: number; count: number }>();
  #waiting: OperatorAct[] = [];
  #note: ((act: OperatorAct) => void) | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A log that is listened to. */
  watch(log: Log): Log {
    return (level, message, fields) => {
      log(level, message, fields);
      const act = Object.hasOwn(NOTED, message) ? NOTED[message] : undefined;
      if (act !== undefined) this.#found(act, message, fields);
    };
  }

  /** From now on acts go there; those of before go at once. */
  attach(note: (act: OperatorAct) => void): void {
    this.#note = note;
    for (const act of this.#waiting.splice(0)) note(act);
  }

  #found(act: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const nowMs = this.#nowMs();
    const known = this.#counts.get(act);
    const counted =
      known !== undefined && nowMs - known.sinceMs < HOUR_MS ? known : { sinceMs: nowMs, count: 0 };
    this.#counts.set(act, counted);
    counted.count += 1;
    if (counted.count > MAX_IN_AN_HOUR) return;
    const isLast = counted.count === MAX_IN_AN_HOUR;
    const details = {
      message,
      ...plain(fields),
      ...(isLast ? { moreInThisHour: "in the node's log alone" } : {}),
    };
    const found: OperatorAct = { act, actor: "node", details };
    if (this.#note !== undefined) this.#note(found);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(found);
  }
}

function plain(fields: Readonly<Record<string, unknown>>): OperatorAct["details"] {
  const text = JSON.stringify(fields, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Error ? value.message : value;
  });
  return JSON.parse(text) as OperatorAct["details"];
}
