import { Worker } from "node:worker_threads";
import type { ExecutedHead, Execution, ExecutionWorkerVocabulary } from "./execution-port.ts";
import { connectWorker, type Peer } from "./worker-calls.ts";

/** Starts the execution worker on a database.
 * @param onFailure the worker died: the node must stop; what was executed is on disk. */
export async function startExecutionWorker(
  options: ExecutionWorkerVocabulary["open"]["argument"],
  onFailure: (error: Error) => void,
): Promise<Execution & { readonly head: ExecutedHead }> {
  const worker = new Worker(new URL("./execution-worker.ts", import.meta.url), { name: "execution" });
  const peer: Peer<ExecutionWorkerVocabulary, object, object> = connectWorker(worker, {});
  worker.on("error", (error) => {
    const failure = new Error(`the execution worker failed: ${(error as Error).message}`);
    peer.close(failure.message);
    onFailure(failure);
  });
  const head = await peer.call("open", options);
  return {
    head,
    execute: (input) => peer.call("execute", input),
    stop: async () => {
      await peer.call("close", undefined).catch(() => undefined);
      peer.close("the node is stopping");
      await worker.terminate();
    },
  };
}
