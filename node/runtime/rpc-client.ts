import { Worker } from "node:worker_threads";
import { logOfThread } from "./log.ts";
import type { Log } from "./ports.ts";
import type {
  RpcNodeEvents,
  RpcNodeVocabulary,
  RpcWorkerEvents,
  RpcWorkerOptions,
  RpcWorkerVocabulary,
} from "./rpc-port.ts";
import { connectWorker, type Handlers, watchWorker } from "./worker-calls.ts";

/** The JSON-RPC server in its thread. */
export type RpcClient = {
  readonly port: number;
  readonly tell: <Name extends keyof RpcNodeEvents & string>(name: Name, news: RpcNodeEvents[Name]) => void;
  readonly stop: () => Promise<void>;
};

/** Rejects with the server's own message if it cannot listen.
 * @param onFailure the worker died later: the node must stop. */
export async function startRpcWorker(
  options: RpcWorkerOptions,
  handlers: Handlers<RpcNodeVocabulary>,
  log: Log,
  onFailure: (error: Error) => void,
): Promise<RpcClient> {
  const worker = new Worker(new URL("./rpc-worker.ts", import.meta.url), { name: "json-rpc" });
  const peer = connectWorker<RpcNodeVocabulary, RpcWorkerVocabulary, RpcNodeEvents, RpcWorkerEvents>(
    worker,
    handlers,
  );
  const ofThread = logOfThread(log, "json-rpc");
  peer.on("log", ({ level, message, fields }) => ofThread(level, message, fields));
  watchWorker(worker, "JSON-RPC", peer, onFailure);
  const stop = async (): Promise<void> => {
    await peer.call("stop", undefined).catch(() => undefined);
    peer.close("the node is stopping");
    await worker.terminate();
  };
  try {
    const { port } = await peer.call("start", options);
    return { port, tell: peer.emit, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
