import { CHAIN, NETWORK, PROCESS, THREAD } from "./metrics-catalog.ts";
import type { Seat } from "./metrics-counters.ts";
import { READY_CONDITIONS, type ReadyCondition } from "./metrics-labels.ts";

/** One thing that a node must do or have, and whether it does. */
export type Check = { readonly name: string; readonly isGood: boolean; readonly detail: string };

/** What is answered to who asks after a node. */
export type HealthAnswer = { readonly isGood: boolean; readonly body: string };

/** Threads without which a node is none. Others come and go. */
const NEEDED_THREADS: readonly string[] = ["main", "execution", "signatures", "json-rpc"];

/** A thread whose event loop has not turned for so long is stuck: the longest block takes a fraction of it. */
export const SILENT_SECONDS = 30;
/** What the main thread has said of the node counts for so long. */
export const REPORT_SECONDS = 10;

/** Whether the process answers and its threads do. What it says is read from their memory: no thread is asked.
 * @param isStarted before that, threads that have not begun yet are not missed. */
export function judgeHealth(seats: readonly Seat[], uptimeSeconds: number): readonly Check[] {
  const isStarted = conditionOf(seats, "started");
  return NEEDED_THREADS.map((name) => {
    const silent = silenceOf(seats, name, uptimeSeconds);
    if (silent === undefined)
      return { name, isGood: !isStarted, detail: isStarted ? "does not run" : "has not begun yet" };
    return { name, isGood: silent <= SILENT_SECONDS, detail: `last turned ${silent.toFixed(1)} s ago` };
  });
}

/** Whether the node should be given work: what its main thread said last, if that is not long ago. */
export function judgeReadiness(seats: readonly Seat[], uptimeSeconds: number): readonly Check[] {
  const silent = silenceOf(seats, "main", uptimeSeconds) ?? Number.POSITIVE_INFINITY;
  const value = ({ slot }: { readonly slot: number }): number =>
    seats.reduce((sum, { values }) => sum + values[slot]!, 0);
  const details: Readonly<Record<ReadyCondition, string>> = {
    started: "the node takes part",
    synced: `block ${value(CHAIN.head)}, others are believed to have ${value(CHAIN.heard)}`,
    linked: `${value(NETWORK.peers)} peers, ${(100 * value(NETWORK.weight)).toFixed(0)}% of the validators' weight`,
    disk: "there is room on the disk",
    modules: "the program has what the chain needs",
  };
  return [
    {
      name: "answers",
      isGood: silent <= REPORT_SECONDS,
      detail: `the main thread last turned ${silent.toFixed(1)} s ago`,
    },
    ...READY_CONDITIONS.map((name) => ({
      name,
      isGood: conditionOf(seats, name),
      detail: details[name],
    })),
  ];
}

/** What is sent: status 200 or 503 by `isGood`. */
export function describeChecks(kind: "live" | "ready", checks: readonly Check[]): HealthAnswer {
  const isGood = checks.every((check) => check.isGood);
  const failing = checks.filter((check) => !check.isGood).map(({ name }) => name);
  const body = {
    status: isGood ? kind : `not ${kind}`,
    failing,
    checks: Object.fromEntries(checks.map(({ name, isGood: ok, detail }) => [name, { ok, detail }])),
  };
  return { isGood, body: `${JSON.stringify(body, null, 2)}\n` };
}

function conditionOf(seats: readonly Seat[], name: ReadyCondition): boolean {
  const place = PROCESS.ready.places.get(name)!;
  return seats.some(({ values }) => values[place] === 1);
}

/** Of several threads of one name, of which some may have ended, the one that spoke last counts: the node ends when one that it needs dies. */
function silenceOf(seats: readonly Seat[], name: string, uptimeSeconds: number): number | undefined {
  const beats = seats.filter((seat) => seat.name === name).map(({ values }) => values[THREAD.beat.slot]!);
  return beats.length === 0 ? undefined : Math.max(0, uptimeSeconds - Math.max(...beats));
}
