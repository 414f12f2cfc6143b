import { parentPort, threadId } from "node:worker_threads";
import { compareBytes, must, wordToBytes } from "@ostrom/base";
import { workHash } from "@ostrom/crypto";
import { joinMetrics } from "./metrics-thread.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import type { MiningJob } from "./pow-miner.ts";
import type { MinerEvents, MinerOrders } from "./pow-miner-threads.ts";
import { connectWorker } from "./worker-calls.ts";

/** A search looks up from its hashes about so often: to hear of another job, to rest, to say how far it is. */
const SLICE_MS = 20;
const MS_PER_SECOND = 1_000;
const NONCE_BYTES = 8;
const MAX_BATCH = 8_192;

joinMetrics();
installNativeCrypto();

let current: { readonly name: number; readonly job: MiningJob } | undefined;
let maxHashesPerSecond = 0;
let isRunning = false;

const node = connectWorker<Record<never, never>, Record<never, never>, MinerEvents, MinerOrders>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {},
);
node.on("limit", (limit) => {
  maxHashesPerSecond = limit.maxHashesPerSecond;
});
node.on("search", (order) => {
  current = order;
  if (!isRunning) void run();
});
node.on("pause", () => {
  current = undefined;
});

/** Searches until there is nothing to search. */
async function run(): Promise<void> {
  isRunning = true;
  while (current !== undefined) await search(current.name, current.job);
  isRunning = false;
}

/** Searches one job until another takes its place, or the nonce is found. */
async function search(name: number, job: MiningJob): Promise<void> {
  const hash = workHash(job.hash);
  const target = wordToBytes(job.target);
  const header = job.header.slice();
  const nonce = new DataView(header.buffer, header.byteOffset + header.length - NONCE_BYTES, NONCE_BYTES);
  // Threads of a node search one header: each begins elsewhere.
  nonce.setUint32(0, threadId);
  let low = 0;
  let batch = 1;
  while (current?.name === name) {
    const startMs = performance.now();
    let found = false;
    let done = 0;
    for (; done < batch && !found; done++) {
      nonce.setUint32(NONCE_BYTES / 2, low);
      low = (low + 1) >>> 0;
      found = compareBytes(hash(header), target) <= 0;
    }
    const workedMs = performance.now() - startMs;
    node.emit("searched", { hashes: done });
    if (found) {
      node.emit("found", { name, nonce: nonce.getBigUint64(0) });
      if (current?.name === name) current = undefined;
      return;
    }
    const paceMs = maxHashesPerSecond === 0 ? 0 : (MS_PER_SECOND * done) / maxHashesPerSecond;
    // As long as a slice is short enough to be polite, the next may be longer.
    if (Math.max(workedMs, paceMs) < SLICE_MS) batch = Math.min(MAX_BATCH, 2 * batch);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, paceMs - workedMs)));
  }
}
