import { assert } from "@ostrom/base";

/** What a node counts, and where: each series has its place in an array of numbers that is laid out alike in every thread. */
export type Metric = {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Place of its first number; -1 if it is not counted but computed when somebody asks. */
  readonly slot: number;
  /** How many numbers it has. */
  readonly slots: number;
  /** Its one label, if it has one: all values that it can have. Those of counters end with that of what is not foreseen. */
  readonly label: { readonly name: string; readonly values: readonly string[] } | undefined;
  /** Of a histogram: upper bounds of its buckets, ascending. */
  readonly bounds: readonly number[];
  /** Each thread is a series of its own, with the label `thread`. */
  readonly isOfThread: boolean;
  /** The label's values are the methods of JSON-RPC, which the server names when it starts. */
  readonly isOfMethod: boolean;
};

/** A metric of one value of its label. */
export type LabelledMetric = Metric & { readonly places: ReadonlyMap<string, number> };

/** The value of a label for what has no value of its own: so many series there are, and no more. */
export const OTHER = "other";

/** Methods of JSON-RPC that have series of their own. */
export const MAX_METHODS = 256;

const NOTHING_MORE = {
  slots: 1,
  label: undefined,
  bounds: [],
  isOfThread: false,
  isOfMethod: false,
} as const;

/** Takes places one after another. Modules that define metrics by it do so in the same order in all threads. */
export class MetricCatalog {
  readonly #metrics: Metric[] = [];
  #slots = 0;

  get metrics(): readonly Metric[] {
    return this.#metrics;
  }

  /** Numbers of one thread. */
  get slots(): number {
    return this.#slots;
  }

  counter(name: string, help: string): Metric {
    return this.#add({ ...NOTHING_MORE, name, kind: "counter", help });
  }

  gauge(name: string, help: string): Metric {
    return this.#add({ ...NOTHING_MORE, name, kind: "gauge", help });
  }

  /** @param values without OTHER, which is added. */
  counters(name: string, help: string, label: string, values: readonly string[]): LabelledMetric {
    return this.#labelled({ ...NOTHING_MORE, name, kind: "counter", help }, label, [...values, OTHER]);
  }

  /** @param values all that there are. */
  gauges(name: string, help: string, label: string, values: readonly string[]): LabelledMetric {
    return this.#labelled({ ...NOTHING_MORE, name, kind: "gauge", help }, label, values);
  }

  histogram(name: string, help: string, bounds: readonly number[]): Metric {
    // The buckets, what is above all of them, and the sum.
    const slots = bounds.length + 2;
    return this.#add({ ...NOTHING_MORE, name, kind: "histogram", help, bounds, slots });
  }

  /** One series for each thread. */
  ofThread(name: string, kind: "counter" | "gauge", help: string): Metric {
    return this.#add({ ...NOTHING_MORE, name, kind, help, isOfThread: true });
  }

  /** One series for each method of JSON-RPC. */
  ofMethod(name: string, help: string): Metric {
    return this.#add({
      ...NOTHING_MORE,
      name,
      kind: "counter",
      help,
      slots: MAX_METHODS + 1,
      isOfMethod: true,
    });
  }

  /** What is found out when somebody asks, by whoever answers. */
  computed(name: string, kind: "counter" | "gauge", help: string): Metric {
    const metric: Metric = { ...NOTHING_MORE, name, kind, help, slot: -1, slots: 0 };
    this.#metrics.push(metric);
    return metric;
  }

  #labelled(definition: Omit<Metric, "slot">, name: string, values: readonly string[]): LabelledMetric {
    const metric = this.#add({ ...definition, slots: values.length, label: { name, values } });
    const places = new Map(values.map((value, index) => [value, metric.slot + index]));
    return Object.assign(metric, { places });
  }

  #add(definition: Omit<Metric, "slot">): Metric {
    const isNew = this.#metrics.every(({ name }) => name !== definition.name);
    assert(isNew, `a metric has one definition: ${definition.name}`);
    const metric: Metric = { ...definition, slot: this.#slots };
    this.#metrics.push(metric);
    this.#slots += definition.slots;
    return metric;
  }
}
