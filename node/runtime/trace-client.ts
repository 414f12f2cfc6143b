import { Worker } from "node:worker_threads";
import { fail, type Result } from "@ostrom/base";
import type { TraceFailure, TracePort, TraceRequest } from "@ostrom/rpc";
import type { ExecutionWorkerEvents } from "./execution-port.ts";
import { CONTRACT_STACK_MB } from "./installed-engine.ts";
import { logOfThread } from "./log.ts";
import type { Log } from "./ports.ts";
import type { TraceWorkerOptions, TraceWorkerVocabulary } from "./trace-worker.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** Questions that may wait for the thread; more are refused. Each may take seconds. */
const MAX_WAITING_TRACES = 64;
/** Of the thread's heap. */
const HEAP_MB = 1_024;
const TIMED_OUT: unique symbol = Symbol("timed out");
/** As Node says it. */
const OUT_OF_MEMORY = "memory limit";

type Answer = Result<string, TraceFailure>;

type Running = {
  readonly worker: Worker;
  readonly peer: Peer<TraceWorkerVocabulary, ExecutionWorkerEvents, object>;
  readonly ready: Promise<unknown>;
};

/** Runs transactions again in a thread of its own, which starts with the first question: debug_trace* of a hostile transaction holds up neither
 * blocks nor eth_call. A question that takes longer than it may, or more memory, is ended with its thread; the next one gets a new
 * thread. */
export class TraceClient implements TracePort {
  readonly #options: TraceWorkerOptions;
  readonly #log: Log;
  readonly #heapMb: number;
  #running: Running | undefined;
  #waiting = 0;
  #line: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  /** @param heapMb what the thread may hold in V8's heap, in megabytes: a trace that takes more ends its thread, and nothing else. */
  constructor(options: TraceWorkerOptions, log: Log, heapMb: number = HEAP_MB) {
    const { databasePath, historyBlocks, rules, engine, program, epochs } = options;
    this.#options = { databasePath, historyBlocks, rules, engine, program, epochs };
    this.#log = log;
    this.#heapMb = heapMb;
  }

  readonly trace: TracePort["trace"] = (request) => {
    if (this.#waiting >= MAX_WAITING_TRACES) {
      return Promise.resolve(fail("rpc/busy", "too many traces are waiting; try again in a moment"));
    }
    this.#waiting++;
    const since = performance.now();
    const answer = this.#line.then(() => this.#serve(request, since));
    this.#line = answer.catch(() => undefined);
    return answer.finally(() => {
      this.#waiting--;
    });
  };

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#end("the node is stopping");
  }

  async #serve(request: TraceRequest, since: number): Promise<Answer> {
    if (this.#isStopped) throw new Error("the node is stopping");
    const left = request.timeoutMs - (performance.now() - since);
    if (left <= 0) return fail("rpc/busy", "other traces took all the time that this one had; try again");
    try {
      return await this.#run(request, left);
    } catch (error) {
      if (error === TIMED_OUT)
        return fail("rpc/timeout", `the trace took longer than ${request.timeoutMs} ms`);
      if (String(error).includes(OUT_OF_MEMORY))
        return fail("execution/trace-too-large", "the trace takes more memory than this node gives to one");
      throw error;
    }
  }

  /** Rejects with TIMED_OUT, and ends the thread. */
  async #run(request: TraceRequest, timeoutMs: number): Promise<Answer> {
    const { peer, ready } = this.#worker();
    await ready;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(TIMED_OUT);
        void this.#end("the trace took too long");
      }, timeoutMs);
    });
    const answer = peer.call("trace", request);
    // If the timeout wins, the worker's end rejects this one: that is expected.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #worker(): Running {
    if (this.#running !== undefined) return this.#running;
    const worker = new Worker(new URL("./trace-worker.ts", import.meta.url), {
      name: "traces",
      resourceLimits: { stackSizeMb: CONTRACT_STACK_MB, maxOldGenerationSizeMb: this.#heapMb },
    });
    const peer: Running["peer"] = connectWorker(worker, {});
    const log = logOfThread(this.#log, "traces");
    peer.on("log", ({ level, message, fields }) => log(level, message, fields));
    const forget = (): void => {
      if (this.#running?.worker === worker) this.#running = undefined;
    };
    watchWorker(worker, "trace", peer, forget);
    const ready = peer.call("open", this.#options);
    // The next one may find what this one missed.
    ready.catch(forget);
    this.#running = { worker, peer, ready };
    return this.#running;
  }

  async #end(reason: string): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.peer.close(reason);
    await running?.worker.terminate();
  }
}
