import { Worker } from "node:worker_threads";
import type { ExecutedHead, Execution, ExecutionWorkerVocabulary } from "./execution-port.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** Starts the execution worker on a database. Rejects with the worker's own error if it cannot open it.
 * @param onFailure the worker died: the node must stop; what was executed is on disk. */
export async function startExecutionWorker(
  options: ExecutionWorkerVocabulary["open"]["argument"],
  onFailure: (error: Error) => void,
): Promise<Execution & { readonly head: ExecutedHead }> {
  const worker = new Worker(new URL("./execution-worker.ts", import.meta.url), { name: "execution" });
  const peer: Peer<ExecutionWorkerVocabulary, object, object> = connectWorker(worker, {});
  watchWorker(worker, "execution", peer, onFailure);
  const stop = async (): Promise<void> => {
    await peer.call("close", undefined).catch(() => undefined);
    peer.close("the node is stopping");
    await worker.terminate();
  };
  try {
    const head = await peer.call("open", options);
    return { head, execute: (input) => peer.call("execute", input), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
