import type { ConsensusParameters } from "@ostrom/execution";
import { idealFinalityMs, type LatencyName, oneWayMs } from "./latency.ts";
import { SimulatedNetwork } from "./network.ts";
import { MEASURED_COSTS } from "./signatures.ts";

export type MeasurementOptions = {
  readonly validators: number;
  readonly latency: LatencyName;
  /** Validators without power, from the beginning. */
  readonly dead: number;
  /** Final blocks that are measured. */
  readonly blocks: number;
  readonly seed?: number;
  readonly consensus?: Partial<ConsensusParameters>;
};

export type Measurement = {
  readonly validators: number;
  readonly latency: LatencyName;
  readonly dead: number;
  readonly blocks: number;
  /** From when a proposal leaves its leader until a validator knows that it is final; over blocks and validators. */
  readonly finalityMs: { readonly p50: number; readonly p99: number };
  /** The same in units of a third of what latency alone would take: 3 is the protocol's own bound. */
  readonly messageDelays: { readonly p50: number; readonly p99: number };
  readonly idealFinalityMs: number;
  /** Between one final block and the next, at one validator. */
  readonly intervalMs: { readonly p50: number; readonly p99: number; readonly longest: number };
  readonly blocksPerSecond: number;
  /** Sent by a validator for one block, on average. */
  readonly bytesPerValidatorPerBlock: number;
  readonly viewsPerBlock: number;
};

/** As in production, but for a block interval that lets the network show its own pace. */
const MEASURED_TIMES: Readonly<Record<LatencyName, Partial<ConsensusParameters>>> = {
  wan: {
    minBlockIntervalMs: 100,
    emptyBlockIntervalMs: 5_000,
    deltaMs: 500,
    maxDeltaMs: 10_000,
    standstillMs: 1_000,
    fetchRetryMs: 500,
  },
  lan: {
    minBlockIntervalMs: 100,
    emptyBlockIntervalMs: 5_000,
    deltaMs: 250,
    maxDeltaMs: 10_000,
    standstillMs: 1_000,
    fetchRetryMs: 500,
  },
};

const WARM_UP_BLOCKS = 5;
const LIMIT_MS = 600_000;
const LOAD = { burstEveryMs: 40, burstSize: 4 };
const JITTER_MS = 0.5;
/** A gigabit a second. */
const BYTES_PER_MS = 125_000;

/** Measures full nodes, execution and write-ahead log included, whose cryptography and message handling cost what they cost natively. */
export async function measureConsensus(options: MeasurementOptions): Promise<Measurement> {
  const { validators, latency, dead, blocks } = options;
  const latencyMs = (from: number, to: number): number => oneWayMs(latency, from, to);
  const network = new SimulatedNetwork({
    seed: options.seed ?? 1,
    weights: Array.from({ length: validators }, () => 1),
    costs: MEASURED_COSTS,
    latencyMs,
    conditions: { jitterMs: JITTER_MS, bytesPerMs: BYTES_PER_MS },
    limits: { rotateAtRecords: 4_096 },
    genesis: { consensus: { ...MEASURED_TIMES[latency], ...options.consensus } },
    keepsTrace: false,
  });
  const watch = new FinalityWatch(network);
  // The last ones: leaders of all views are drawn alike.
  const alive = network.machines.slice(0, validators - dead);
  for (const machine of alive) machine.start();
  network.keepBusy(LOAD);
  const isReached = (height: number) => (): boolean => alive.every((machine) => machine.height >= height);
  await network.runUntil(isReached(WARM_UP_BLOCKS), LIMIT_MS);
  const sentBefore = sentBytes(network);
  const heightBefore = network.highest;
  const startMs = network.clock.timeMs;
  watch.begin();
  await network.runUntil(isReached(heightBefore + blocks), LIMIT_MS);
  if (network.invariants.violations.length > 0)
    throw new Error(`an invariant is broken: ${JSON.stringify(network.invariants.violations[0])}`);
  const made = network.highest - heightBefore;
  const quorum = validators - Math.ceil(validators / 3) + 1;
  const ideals = new Map<number, readonly number[]>();
  const idealOf = (leader: number): readonly number[] => {
    const known =
      ideals.get(leader) ??
      idealFinalityMs(latencyMs, { leader, alive: alive.map(({ index }) => index), quorum });
    ideals.set(leader, known);
    return known;
  };
  const finality: number[] = [];
  const delays: number[] = [];
  const ideal: number[] = [];
  for (const { leader, machine, tookMs } of watch.finalities()) {
    const best = idealOf(leader)[machine]!;
    finality.push(tookMs);
    ideal.push(best);
    delays.push((3 * tookMs) / best);
  }
  const intervals = watch.intervals(0);
  return {
    validators,
    latency,
    dead,
    blocks: made,
    finalityMs: { p50: quantile(finality, 0.5), p99: quantile(finality, 0.99) },
    messageDelays: { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) },
    idealFinalityMs: quantile(ideal, 0.5),
    intervalMs: {
      p50: quantile(intervals, 0.5),
      p99: quantile(intervals, 0.99),
      longest: quantile(intervals, 1),
    },
    blocksPerSecond: rounded((made * 1_000) / (network.clock.timeMs - startMs)),
    bytesPerValidatorPerBlock: Math.round((sentBytes(network) - sentBefore) / alive.length / made),
    viewsPerBlock: rounded(watch.viewsPerBlock()),
  };
}

function sentBytes(network: SimulatedNetwork): number {
  return network.links.sentBytes.reduce(
    (sum, { consensus, sync, transactions }) => sum + consensus + sync + transactions,
    0,
  );
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

type Finality = { readonly leader: number; readonly machine: number; readonly tookMs: number };

/** Notes when proposals leave, and when each machine first passes on the finalization of their view. */
class FinalityWatch {
  readonly #proposals = new Map<string, { readonly leader: number; readonly atMs: number }>();
  readonly #finalities = new Map<string, Finality>();
  readonly #finalAt: number[][] = [];
  #fromMs: number = Number.POSITIVE_INFINITY;
  readonly #views = new Set<string>();

  constructor(network: SimulatedNetwork) {
    network.onSaid = (machine, message) => {
      const atMs = Math.max(network.clock.timeMs, machine.sendsAtMs());
      if (message.kind === "proposal") {
        const { epoch, view } = message.block;
        const name = `${epoch}/${view}`;
        if (atMs >= this.#fromMs && !this.#proposals.has(name))
          this.#proposals.set(name, { leader: machine.index, atMs });
      }
      if (message.kind === "certificate") this.#certificate(machine.index, atMs, message.certificate);
    };
  }

  begin(): void {
    this.#fromMs = 0;
  }

  #certificate(
    machine: number,
    atMs: number,
    { kind, epoch, view }: { readonly kind: string; readonly epoch: number; readonly view: number },
  ): void {
    const name = `${epoch}/${view}`;
    if (this.#fromMs === 0) this.#views.add(name);
    const proposal = this.#proposals.get(name);
    const key = `${name} ${machine}`;
    if (kind !== "finalization" || proposal === undefined || this.#finalities.has(key)) return;
    this.#finalities.set(key, { leader: proposal.leader, machine, tookMs: atMs - proposal.atMs });
    this.#finalAt[machine] ??= [];
    this.#finalAt[machine]!.push(atMs);
  }

  finalities(): readonly Finality[] {
    return [...this.#finalities.values()];
  }

  intervals(machine: number): readonly number[] {
    const times = this.#finalAt[machine] ?? [];
    return times.slice(1).map((atMs, index) => atMs - times[index]!);
  }

  /** Views that ended for each that became final. */
  viewsPerBlock(): number {
    return this.#views.size / Math.max(1, (this.#finalAt[0] ?? []).length);
  }
}
