import { isMainThread, threadId, threadName } from "node:worker_threads";
import { assert, must } from "@ostrom/base";
import { CATALOG, THREAD } from "./metrics-catalog.ts";
import { type LabelledMetric, MAX_METHODS, type Metric, OTHER } from "./metrics-definition.ts";

/** One node's metrics: memory that its threads share. Each thread counts in a place of its own, without locks or messages, and whoever is asked
 * for the metrics reads all places: no thread is disturbed by that. A number is written by one thread; what is read may be a moment old. */
export type MetricsPage = SharedArrayBuffer;

/** What a thread has counted. */
export type Seat = {
  /** As the thread calls itself; `main` for the first. */
  readonly name: string;
  readonly values: Float64Array;
};

/** Threads that can have a place, those that have ended included until one of the same name takes their place. Further ones count for nobody. */
export const MAX_SEATS = 32;
const MAIN = "main";
/** A thread whose loop has not turned for so long is taken to have ended, if another one of its name starts. */
const STALE_SECONDS = 5;

/** The page: how many bytes of methods' names there are; for each seat its thread (id + 1, 0: free) and its name; the methods' names, a line
 * each; the numbers of each seat. */
const NAME_BYTES = 56;
const METHOD_BYTES: number = 64 * MAX_METHODS;
const THREADS_AT = 8;
const NAMES_AT: number = THREADS_AT + 4 * MAX_SEATS;
const METHODS_AT: number = NAMES_AT + NAME_BYTES * MAX_SEATS;
const VALUES_AT: number = METHODS_AT + METHOD_BYTES;
const NUMBER_BYTES = 8;

/** Until the thread joins a node's page, what it counts is read by nobody. */
let values: Float64Array = new Float64Array(CATALOG.slots);
const methodPlaces = new Map<string, number>();

/** Adds to a counter of this thread. */
export function count({ slot }: Metric, by: number = 1): void {
  values[slot] = values[slot]! + by;
}

/** Adds to the counter of one value of its label. */
export function countOf({ places }: LabelledMetric, value: string, by: number = 1): void {
  const slot = places.get(value) ?? places.get(OTHER)!;
  values[slot] = values[slot]! + by;
}

/** Adds to the counter of a method of JSON-RPC. */
export function countMethod({ slot }: Metric, method: string, by: number = 1): void {
  const place = slot + (methodPlaces.get(method) ?? MAX_METHODS);
  values[place] = values[place]! + by;
}

/** Sets a gauge, or a counter that somebody else keeps. */
export function gauge({ slot }: Metric, value: number): void {
  values[slot] = value;
}

export function gaugeOf({ places }: LabelledMetric, of: string, value: number): void {
  values[must(places.get(of), "a gauge's labels are known")] = value;
}

/** Puts a value into its bucket. */
export function observe({ slot, bounds }: Metric, value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
  values[slot + bucket] = values[slot + bucket]! + 1;
  const sum = slot + bounds.length + 1;
  values[sum] = values[sum]! + value;
}

/** A page on which nobody has counted. */
export function createMetricsPage(): MetricsPage {
  return new SharedArrayBuffer(VALUES_AT + MAX_SEATS * CATALOG.slots * NUMBER_BYTES);
}

/** From now on this thread counts on the page. @returns false if the page has no seat left: it goes on counting for nobody. */
export function takeSeat(page: MetricsPage, uptimeSeconds: number): boolean {
  const name = isMainThread ? MAIN : threadName || `thread-${threadId}`;
  const threads = new Int32Array(page, THREADS_AT, MAX_SEATS);
  for (let seat = 0; seat < MAX_SEATS; seat++) {
    const holder = Atomics.load(threads, seat);
    const isFree =
      holder === 0 || (nameAt(page, seat) === name && isStale(valuesAt(page, seat), uptimeSeconds));
    if (!isFree || Atomics.compareExchange(threads, seat, holder, threadId + 1) !== holder) continue;
    const taken = valuesAt(page, seat);
    // What an earlier thread has counted stays; what it said of itself does not.
    for (const { kind, slot, slots } of CATALOG.metrics)
      if (kind === "gauge" && slot >= 0) taken.fill(0, slot, slot + slots);
    taken[THREAD.beat.slot] = uptimeSeconds;
    writeText(new Uint8Array(page, NAMES_AT + seat * NAME_BYTES, NAME_BYTES), name);
    // What it had counted for nobody so far.
    if (!isOnPage()) for (const [slot, value] of values.entries()) taken[slot] = taken[slot]! + value;
    values = taken;
    return true;
  }
  return false;
}

/** This thread counts for nobody again. */
export function leaveSeat(): void {
  values = new Float64Array(CATALOG.slots);
}

function isOnPage(): boolean {
  return values.buffer instanceof SharedArrayBuffer;
}

/** Names the methods that have series of their own; others are counted together. To be called once for a page. */
export function nameMethods(page: MetricsPage, methods: readonly string[]): void {
  methodPlaces.clear();
  let text = "";
  for (const method of methods.slice(0, MAX_METHODS)) {
    assert(/^[\w.-]+$/.test(method), "a method's name needs no escape");
    if (text.length + method.length + 1 > METHOD_BYTES) break;
    methodPlaces.set(method, methodPlaces.size);
    text += `${method}\n`;
  }
  writeText(new Uint8Array(page, METHODS_AT, METHOD_BYTES), text);
  Atomics.store(new Int32Array(page, 0, 1), 0, text.length);
}

/** All that was counted: one entry for each thread, also for those that have ended. */
export function readSeats(page: MetricsPage): readonly Seat[] {
  const threads = new Int32Array(page, THREADS_AT, MAX_SEATS);
  const seats: Seat[] = [];
  for (let seat = 0; seat < MAX_SEATS; seat++) {
    const name = nameAt(page, seat);
    if (Atomics.load(threads, seat) !== 0 && name !== "") seats.push({ name, values: valuesAt(page, seat) });
  }
  return seats;
}

export function readMethods(page: MetricsPage): readonly string[] {
  const length = Atomics.load(new Int32Array(page, 0, 1), 0);
  return readText(new Uint8Array(page, METHODS_AT, length))
    .split("\n")
    .filter((name) => name !== "");
}

function isStale(seat: Float64Array, uptimeSeconds: number): boolean {
  return uptimeSeconds - seat[THREAD.beat.slot]! > STALE_SECONDS;
}

function valuesAt(page: MetricsPage, seat: number): Float64Array {
  return new Float64Array(page, VALUES_AT + seat * CATALOG.slots * NUMBER_BYTES, CATALOG.slots);
}

function nameAt(page: MetricsPage, seat: number): string {
  return readText(new Uint8Array(page, NAMES_AT + seat * NAME_BYTES, NAME_BYTES));
}

function writeText(place: Uint8Array, text: string): void {
  const bytes = new TextEncoder().encode(text).subarray(0, place.length);
  place.fill(0);
  place.set(bytes);
}

/** Text decoders do not read shared memory. */
function readText(place: Uint8Array): string {
  const end = place.indexOf(0);
  return new TextDecoder().decode(place.slice(0, end < 0 ? place.length : end));
}
