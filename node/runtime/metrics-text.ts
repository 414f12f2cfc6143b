import { CATALOG, THREAD } from "./metrics-catalog.ts";
import type { Seat } from "./metrics-counters.ts";
import { MAX_METHODS, type Metric, OTHER } from "./metrics-definition.ts";

/** One number of a metric, with its labels. */
export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** What is found out when somebody asks, by the metric's name. */
export type ComputedSamples = ReadonlyMap<string, readonly Sample[]>;

/** Threads that have ended are shown for so long. */
const SHOWN_SECONDS = 300;

/** A scrape's text. Source: Prometheus, "Text-based format" (version 0.0.4).
 * @param uptimeSeconds age of the process. @param methods of JSON-RPC, in the order of their places. */
export function describeMetrics(
  seats: readonly Seat[],
  methods: readonly string[],
  computed: ComputedSamples,
  uptimeSeconds: number,
): string {
  const threads = nameThreads(seats, uptimeSeconds);
  const lines = CATALOG.metrics.flatMap((metric) => [
    `# HELP ${metric.name} ${metric.help}.`,
    `# TYPE ${metric.name} ${metric.kind}`,
    ...(metric.kind === "histogram"
      ? histogramLines(metric, seats)
      : samplesOf(metric, { seats, methods, computed, threads, uptimeSeconds }).map(
          ({ labels, value }) => `${metric.name}${labelText(labels)} ${value}`,
        )),
  ]);
  return `${lines.join("\n")}\n`;
}

/** Sums what all threads have at one place. */
export function sumOf(seats: readonly Seat[], slot: number): number {
  return seats.reduce((sum, { values }) => sum + values[slot]!, 0);
}

type Sources = {
  readonly seats: readonly Seat[];
  readonly methods: readonly string[];
  readonly computed: ComputedSamples;
  readonly threads: readonly (Seat & { readonly label: string })[];
  readonly uptimeSeconds: number;
};

function samplesOf(metric: Metric, sources: Sources): readonly Sample[] {
  const { slot, label, isOfThread, isOfMethod } = metric;
  const { seats, methods, computed, threads, uptimeSeconds } = sources;
  if (slot < 0) return computed.get(metric.name) ?? [];
  if (isOfThread) {
    return threads.map(({ label: thread, values }) => {
      const value = values[slot]!;
      const shown = metric === THREAD.beat ? Math.max(0, uptimeSeconds - value) : value;
      return { labels: { thread }, value: shown };
    });
  }
  if (isOfMethod) {
    const names = [...methods, OTHER];
    const placeOf = (index: number): number => slot + (index === methods.length ? MAX_METHODS : index);
    const samples = names.map((method, index) => {
      return { labels: { method }, value: sumOf(seats, placeOf(index)) };
    });
    // Most methods are never called.
    return samples.filter(({ labels, value }) => value > 0 || labels.method === OTHER);
  }
  if (label === undefined) return [{ labels: {}, value: sumOf(seats, slot) }];
  return label.values.map((value, index) => {
    return { labels: { [label.name]: value }, value: sumOf(seats, slot + index) };
  });
}

function histogramLines({ name, slot, bounds }: Metric, seats: readonly Seat[]): readonly string[] {
  let total = 0;
  const buckets = [...bounds.map(String), "+Inf"].map((bound, index) => {
    total += sumOf(seats, slot + index);
    return `${name}_bucket{le="${bound}"} ${total}`;
  });
  return [...buckets, `${name}_sum ${sumOf(seats, slot + bounds.length + 1)}`, `${name}_count ${total}`];
}

/** Threads of one name are told apart by a number. */
function nameThreads(seats: readonly Seat[], uptimeSeconds: number): Sources["threads"] {
  const seen = new Map<string, number>();
  return seats
    .map((seat) => {
      const number = (seen.get(seat.name) ?? 0) + 1;
      seen.set(seat.name, number);
      return { ...seat, label: number === 1 ? seat.name : `${seat.name}-${number}` };
    })
    .filter(({ values }) => uptimeSeconds - values[THREAD.beat.slot]! < SHOWN_SECONDS);
}

function labelText(labels: Sample["labels"]): string {
  const entries = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return entries.length === 0 ? "" : `{${entries.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
