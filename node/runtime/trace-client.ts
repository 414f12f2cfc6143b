import { fail, type Result } from "@ostrom/base";
import type { TraceFailure, TracePort, TraceRequest } from "@ostrom/rpc";
import { CONTRACT_STACK_MB } from "./installed-engine.ts";
import type { Log } from "./ports.ts";
import { QuestionThread, TIMED_OUT } from "./question-thread.ts";
import type { TraceWorkerOptions, TraceWorkerVocabulary } from "./trace-worker.ts";

/** Questions that may wait for the thread; more are refused. Each may take seconds. */
const MAX_WAITING_TRACES = 64;
/** Of the thread's heap. */
const HEAP_MB = 1_024;
/** As Node says it. */
const OUT_OF_MEMORY = "memory limit";

type Answer = Result<string, TraceFailure>;

/** Runs transactions again in a thread of its own, which starts with the first question: debug_trace* of a hostile transaction holds up neither
 * blocks nor eth_call. A question that takes longer than it may, or more memory, is ended with its thread; the next one gets a new
 * thread. */
export class TraceClient implements TracePort {
  readonly #thread: QuestionThread<TraceWorkerVocabulary>;
  #waiting = 0;
  #line: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  /** @param heapMb what the thread may hold in V8's heap, in megabytes: a trace that takes more ends its thread, and nothing else. */
  constructor(options: TraceWorkerOptions, log: Log, heapMb: number = HEAP_MB) {
    const { databasePath, historyBlocks, rules, engine, program, epochs } = options;
    this.#thread = new QuestionThread(new URL("./trace-worker.ts", import.meta.url), {
      name: "traces",
      open: { databasePath, historyBlocks, rules, engine, program, epochs },
      limits: { stackSizeMb: CONTRACT_STACK_MB, maxOldGenerationSizeMb: heapMb },
      log,
    });
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
    await this.#thread.end("the node is stopping");
  }

  async #serve(request: TraceRequest, since: number): Promise<Answer> {
    if (this.#isStopped) throw new Error("the node is stopping");
    const left = request.timeoutMs - (performance.now() - since);
    if (left <= 0) return fail("rpc/busy", "other traces took all the time that this one had; try again");
    try {
      return await this.#thread.ask("trace", request, left);
    } catch (error) {
      if (error === TIMED_OUT)
        return fail("rpc/timeout", `the trace took longer than ${request.timeoutMs} ms`);
      if (String(error).includes(OUT_OF_MEMORY))
        return fail("execution/trace-too-large", "the trace takes more memory than this node gives to one");
      throw error;
    }
  }
}
