import { Worker } from "node:worker_threads";
import type { MiningSettings } from "./configuration.ts";
import type { Clock } from "./ports.ts";
import type { Miner, MiningJob } from "./pow-miner.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** What a miner's thread is told. `name` distinguishes searches. */
export type MinerOrders = {
  readonly limit: { readonly maxHashesPerSecond: number };
  readonly search: { readonly name: number; readonly job: MiningJob };
  readonly pause: undefined;
};

/** What a miner's thread tells. */
export type MinerEvents = {
  readonly found: { readonly name: number; readonly nonce: bigint };
  readonly searched: { readonly hashes: number };
};

/** The rate is that of so long, so that it does not jump. */
const RATE_WINDOW_MS = 4_000;
const MS_PER_SECOND = 1_000;

/** Starts threads that search nonces.
 * @param onFailure a thread died: the node must stop. */
export function startMinerThreads(
  { threads, maxHashesPerSecond }: MiningSettings,
  clock: Pick<Clock, "nowMs">,
  onFailure: (error: Error) => void,
): Miner {
  const rate = new RateMeter(clock);
  let name = 0;
  let report: ((nonce: bigint) => void) | undefined;
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL("./pow-miner-worker.ts", import.meta.url), { name: "miner" });
    const peer: Peer<Record<never, never>, MinerEvents, MinerOrders> = connectWorker(worker, {});
    watchWorker(worker, "miner", peer, onFailure);
    peer.on("searched", ({ hashes }) => rate.add(hashes));
    peer.on("found", (found) => {
      if (found.name !== name) return;
      const tell = report;
      report = undefined;
      tell?.(found.nonce);
    });
    peer.emit("limit", { maxHashesPerSecond: Math.ceil(maxHashesPerSecond / threads) });
    return { worker, peer };
  });
  return {
    search: (job, found) => {
      name++;
      report = found;
      for (const { peer } of workers) peer.emit("search", { name, job });
    },
    pause: () => {
      report = undefined;
      for (const { peer } of workers) peer.emit("pause", undefined);
    },
    hashesPerSecond: () => rate.perSecond(),
    stop: async () => {
      report = undefined;
      for (const { peer } of workers) peer.close("the node is stopping");
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}

/** Counts in two windows, of which the older one is full. */
class RateMeter {
  readonly #clock: Pick<Clock, "nowMs">;
  #startMs: number;
  #count = 0;
  #before = 0;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
  }

  add(count: number): void {
    this.#turn();
    this.#count += count;
  }

  perSecond(): number {
    const elapsedMs = this.#turn();
    return Math.round((MS_PER_SECOND * (this.#before + this.#count)) / (RATE_WINDOW_MS + elapsedMs));
  }

  /** @returns the age of the younger window. */
  #turn(): number {
    const elapsedMs = this.#clock.nowMs() - this.#startMs;
    if (elapsedMs >= 0 && elapsedMs < RATE_WINDOW_MS) return elapsedMs;
    this.#before = elapsedMs < 2 * RATE_WINDOW_MS ? this.#count : 0;
    this.#count = 0;
    this.#startMs = this.#clock.nowMs();
    return 0;
  }
}
