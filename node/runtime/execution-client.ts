import { Worker } from "node:worker_threads";
import { assert, Hash } from "@ostrom/base";
import type { EngineTiers } from "@ostrom/vm";
import type {
  ExecutedHead,
  ExecutionReport,
  ExecutionWorkerEvents,
  ExecutionWorkerVocabulary,
  OrderedInput,
  PackedReport,
} from "./execution-port.ts";
import { CONTRACT_STACK_MB } from "./installed-engine.ts";
import { logOfThread } from "./log.ts";
import { unpackBytes } from "./packed-bytes.ts";
import type { Log } from "./ports.ts";
import type { UnwindingExecution } from "./pow-execution.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

type OpenOptions = ExecutionWorkerVocabulary["open"]["argument"];

/** What runs a block again whose worker has died or failed, one after another, each in a fresh worker. */
const FALLBACKS: readonly EngineTiers[] = ["tier0", "reference"];

/** What a worker says when its machine, not the block, has failed. */
const NODE_FAULT = "vm/node-fault";

type RunningWorker = {
  readonly worker: Worker;
  readonly peer: Peer<ExecutionWorkerVocabulary, ExecutionWorkerEvents, object>;
  /** The newest block on disk, as far as its answers tell. */
  head: ExecutedHead;
};

/** Starts the execution worker on a database. Rejects with the worker's own error if it cannot open it.
 *
 * A worker that dies is replaced, because a block is on disk whole or not at all: what it had not stored runs again, by tier 0
 * and then by the reference, since what killed it may come again. A block that a third worker is lost over is rejected,
 * and so is any other failure: then the node must stop.
 * @param onWorker sees each worker that starts, for tests. */
export async function startExecutionWorker(
  options: OpenOptions,
  log: Log,
  onWorker: (worker: Worker) => void = () => undefined,
): Promise<UnwindingExecution & { readonly head: ExecutedHead }> {
  const client = new ExecutionClient(options, log, onWorker);
  const head = await client.start();
  return {
    head,
    execute: (input) => client.execute(input),
    unwind: (height) => client.unwind(height),
    stop: () => client.stop(),
  };
}

class ExecutionClient {
  readonly #options: OpenOptions;
  readonly #log: Log;
  readonly #onWorker: (worker: Worker) => void;
  #running: RunningWorker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  constructor(options: OpenOptions, log: Log, onWorker: (worker: Worker) => void) {
    this.#options = options;
    this.#log = log;
    this.#onWorker = onWorker;
  }

  async start(): Promise<ExecutedHead> {
    return (await this.#worker()).head;
  }

  /** Blocks run one after another even if they are asked for at once: a worker that dies takes one with it. */
  execute(input: OrderedInput): Promise<ExecutionReport> {
    const run = this.#last.then(() => this.#execute(input));
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** In turn with the blocks. A worker that dies over it is replaced once: no contract runs, so what killed it will hardly come again. */
  unwind(height: number): Promise<ExecutedHead> {
    const run = this.#last.then(async () => {
      const running = await this.#worker();
      try {
        return await this.#unwindIn(running, height);
      } catch (error) {
        if (!running.peer.isClosed() || this.#isStopping) throw error;
        await discard(running);
        return await this.#unwindIn(await this.#worker(), height);
      }
    });
    this.#last = run.catch(() => undefined);
    return run;
  }

  async #unwindIn(running: RunningWorker, height: number): Promise<ExecutedHead> {
    running.head = await running.peer.call("unwind", height);
    return running.head;
  }

  async #execute(input: OrderedInput): Promise<ExecutionReport> {
    const { tiers: first } = this.#options.engine;
    const attempts = [first, ...FALLBACKS.slice(FALLBACKS.indexOf(first) + 1)];
    for (const [index, tiers] of attempts.entries()) {
      try {
        return await this.#executeIn(tiers, input);
      } catch (error) {
        if (!(error instanceof LostWorkerError) || this.#isStopping) throw error;
        const next = attempts[index + 1];
        const fields = { height: input.height, tiers, next, reason: error.message };
        this.#log(next === undefined ? "error" : "warn", "the execution worker is lost", fields);
      }
    }
    throw new Error(
      `block ${input.height} could not be executed on this machine: ${attempts.length} workers were lost over it, the last one ` +
        "on the reference engine. Nothing of the block was stored. Check memory and disk of the machine, then start the node again",
    );
  }

  async #executeIn(tiers: EngineTiers, input: OrderedInput): Promise<ExecutionReport> {
    const running = await this.#worker();
    try {
      return await askFor(running, input, tiers);
    } catch (error) {
      const isLost = running.peer.isClosed() || (error as { code?: unknown }).code === NODE_FAULT;
      if (!isLost) throw error;
      await discard(running);
      throw new LostWorkerError((error as Error).message);
    }
  }

  async #worker(): Promise<RunningWorker> {
    if (this.#running !== undefined && !this.#running.peer.isClosed()) return this.#running;
    const worker = new Worker(new URL("./execution-worker.ts", import.meta.url), {
      name: "execution",
      resourceLimits: { stackSizeMb: CONTRACT_STACK_MB },
    });
    const peer: RunningWorker["peer"] = connectWorker(worker, {});
    const log = logOfThread(this.#log, "execution");
    peer.on("log", ({ level, message, fields }) => log(level, message, fields));
    // Who waits for it hears of its death; if nobody does, the next block finds it dead.
    watchWorker(worker, "execution", peer, () => undefined);
    this.#onWorker(worker);
    try {
      const running = { worker, peer, head: await peer.call("open", this.#options) };
      this.#running = running;
      return running;
    } catch (error) {
      const isLost = peer.isClosed();
      await discard({ worker, peer });
      throw isLost ? new LostWorkerError((error as Error).message) : error;
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const running = this.#running;
    if (running === undefined) return;
    await running.peer.call("close", undefined).catch(() => undefined);
    running.peer.close("the node is stopping");
    await running.worker.terminate();
  }
}

/** The worker is gone; what it was asked for may be asked of another. */
class LostWorkerError extends Error {
  override readonly name = "LostWorkerError";
}

async function discard({ worker, peer }: Pick<RunningWorker, "worker" | "peer">): Promise<void> {
  peer.close("the execution worker is given up");
  await worker.terminate();
}

/** A fresh worker may find the block on disk: then its forerunner has died between storing and telling. */
async function askFor(
  running: RunningWorker,
  input: OrderedInput,
  tiers: EngineTiers,
): Promise<ExecutionReport> {
  const { peer, head } = running;
  assert(input.height >= head.height, "blocks are executed in height order");
  const report =
    input.height === head.height
      ? await peer.call("recall", input)
      : unpackReport(await peer.call("execute", { input, tiers }));
  running.head = { height: report.height, blockHash: report.executedHash, nextBaseFee: report.nextBaseFee };
  return report;
}

function unpackReport({ included, ...report }: PackedReport): ExecutionReport {
  return { ...report, included: unpackBytes(included).map(Hash) };
}
