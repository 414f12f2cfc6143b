import { Worker } from "node:worker_threads";
import type { MetricsWorkerOptions, MetricsWorkerVocabulary } from "./metrics-worker.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** The server of metrics and health, in its thread: it answers though the others are busy. */
export type MetricsClient = { readonly port: number; readonly stop: () => Promise<void> };

/** JavaScript memory of the thread: whoever asks too much ends it, not the node. */
const MAX_HEAP_MB = 64;

/** Rejects with `metrics/port-taken`, `metrics/cannot-listen`.
 * @param onLost the thread died later: the node goes on without it. */
export async function startMetricsWorker(
  options: MetricsWorkerOptions,
  onLost: (error: Error) => void,
): Promise<MetricsClient> {
  const worker = new Worker(new URL("./metrics-worker.ts", import.meta.url), {
    name: "metrics",
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const peer: Peer<MetricsWorkerVocabulary, object, object> = connectWorker(worker, {});
  watchWorker(worker, "metrics", peer, onLost);
  const stop = async (): Promise<void> => {
    await peer.call("stop", undefined).catch(() => undefined);
    peer.close("the node is stopping");
    await worker.terminate();
  };
  try {
    const { port } = await peer.call("start", options);
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
