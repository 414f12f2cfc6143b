import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { must } from "@ostrom/base";
import { CHAIN, PROCESS, STORAGE } from "./metrics-catalog.ts";
import { type MetricsPage, readSeats } from "./metrics-counters.ts";
import { type MetricsServer, startMetricsServer } from "./metrics-server.ts";
import { type ComputedSamples, type Sample, sumOf } from "./metrics-text.ts";
import { joinMetrics, uptimeSeconds } from "./metrics-thread.ts";
import { connectWorker } from "./worker-calls.ts";

export type MetricsWorkerOptions = {
  readonly page: MetricsPage;
  readonly host: string;
  readonly port: number;
  /** Of the node's data. */
  readonly folder: string;
  /** Labels of ostrom_build_info and ostrom_chain_info. */
  readonly build: Readonly<Record<string, string>>;
  readonly chain: Readonly<Record<string, string>>;
};

export type MetricsWorkerVocabulary = {
  readonly start: { readonly argument: MetricsWorkerOptions; readonly answer: { readonly port: number } };
  readonly stop: { readonly argument: undefined; readonly answer: undefined };
};

/** How long what the disk said is good for: somebody may ask often. */
const DISK_FRESH_SECONDS = 15;
const OPEN_FILES = "/proc/self/fd";

let server: MetricsServer | undefined;
let scrapes = 0;

joinMetrics();
connectWorker<MetricsWorkerVocabulary, Record<never, never>>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    start: async (options) => {
      const disk = new DiskUse(options.folder);
      server = await startMetricsServer({
        ...options,
        uptimeSeconds,
        compute: () => compute(options, disk),
      });
      return { port: server.port };
    },
    stop: async () => {
      await server?.stop();
      return undefined;
    },
  },
);

async function compute(
  { page, build, chain }: MetricsWorkerOptions,
  disk: DiskUse,
): Promise<ComputedSamples> {
  scrapes += 1;
  const { user, system } = process.cpuUsage();
  const startedSeconds = Date.now() / 1_000 - uptimeSeconds();
  const lastBlock = sumOf(readSeats(page), CHAIN.lastBlock.slot);
  const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
  const samples: [string, readonly Sample[]][] = [
    [CHAIN.sinceLastBlock.name, one(Math.max(0, Date.now() / 1_000 - Math.max(lastBlock, startedSeconds)))],
    [PROCESS.cpu.name, one((user + system) / 1_000_000)],
    [PROCESS.resident.name, one(process.memoryUsage.rss())],
    [PROCESS.started.name, one(startedSeconds)],
    [PROCESS.build.name, [{ labels: build, value: 1 }]],
    [PROCESS.chain.name, [{ labels: chain, value: 1 }]],
    [PROCESS.scrapes.name, one(scrapes)],
    ...(await disk.samples()),
  ];
  // Other systems than Linux do not tell.
  const files = await readdir(OPEN_FILES).catch(() => undefined);
  if (files !== undefined) samples.push([PROCESS.files.name, one(files.length)]);
  return new Map(samples);
}

/** What the node's data take up, looked at now and then. */
class DiskUse {
  readonly #folder: string;
  #samples: readonly [string, readonly Sample[]][] = [];
  #seenAt = Number.NEGATIVE_INFINITY;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async samples(): Promise<readonly [string, readonly Sample[]][]> {
    if (uptimeSeconds() - this.#seenAt < DISK_FRESH_SECONDS) return this.#samples;
    this.#seenAt = uptimeSeconds();
    const parts = await readdir(this.#folder).catch(() => []);
    const sizes = await Promise.all(parts.map((part) => sizeOf(join(this.#folder, part))));
    const byPart = new Map<string, number>();
    parts.forEach((part, index) => {
      const label = KNOWN_PARTS.includes(part) ? part : "other";
      byPart.set(label, (byPart.get(label) ?? 0) + sizes[index]!);
    });
    const { bavail, bsize } = await statfs(this.#folder);
    this.#samples = [
      [STORAGE.bytes.name, [...byPart].map(([part, value]) => ({ labels: { part }, value }))],
      [STORAGE.free.name, [{ labels: {}, value: bavail * bsize }]],
    ];
    return this.#samples;
  }
}

/** Folders of a node's data. */
const KNOWN_PARTS: readonly string[] = ["chain", "log"];

/** Files come and go while they are looked at. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  const names = await readdir(path).catch(() => []);
  const sizes = await Promise.all(names.map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
