import { type ResourceLimits, Worker } from "node:worker_threads";
import type { ExecutionWorkerEvents } from "./execution-port.ts";
import { logOfThread } from "./log.ts";
import type { Log } from "./ports.ts";
import { connectWorker, type Peer, type Vocabulary, watchWorker } from "./worker-calls.ts";

/** What `ask` rejects with when the time was up. */
export const TIMED_OUT: unique symbol = Symbol("timed out");

type Running<Theirs extends Vocabulary> = {
  readonly worker: Worker;
  readonly peer: Peer<Theirs, ExecutionWorkerEvents, object>;
  readonly ready: Promise<unknown>;
};

/** A thread that answers one question at a time, in a bounded time. It starts with the first one; a question that takes longer than it may is ended
 * with its thread, and the next one gets a new thread. */
export class QuestionThread<Theirs extends Vocabulary> {
  readonly #script: URL;
  /** For the log, and for messages about its end. */
  readonly #name: string;
  readonly #open: Theirs["open"]["argument"];
  readonly #limits: ResourceLimits;
  readonly #log: Log;
  #running: Running<Theirs> | undefined;

  constructor(
    script: URL,
    parts: {
      readonly name: string;
      /** What a new thread is opened with. */
      readonly open: Theirs["open"]["argument"];
      readonly limits: ResourceLimits;
      readonly log: Log;
    },
  ) {
    this.#script = script;
    this.#name = parts.name;
    this.#open = parts.open;
    this.#limits = parts.limits;
    this.#log = logOfThread(parts.log, parts.name);
  }

  /** The time begins when the thread is open. Rejects with TIMED_OUT, and ends the thread. */
  async ask<Method extends keyof Theirs & string>(
    method: Method,
    argument: Theirs[Method]["argument"],
    timeoutMs: number,
  ): Promise<Theirs[Method]["answer"]> {
    const { peer, ready } = this.#thread();
    await ready;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(TIMED_OUT);
        void this.end("it took too long");
      }, timeoutMs);
    });
    const answer = peer.call(method, argument);
    // If the timeout wins, the worker's end rejects this one: that is expected.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What waits for its answer is rejected with the reason. */
  async end(reason: string): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.peer.close(reason);
    await running?.worker.terminate();
  }

  #thread(): Running<Theirs> {
    if (this.#running !== undefined) return this.#running;
    const worker = new Worker(this.#script, { name: this.#name, resourceLimits: this.#limits });
    const peer: Running<Theirs>["peer"] = connectWorker(worker, {});
    peer.on("log", ({ level, message, fields }) => this.#log(level, message, fields));
    const forget = (): void => {
      if (this.#running?.worker === worker) this.#running = undefined;
    };
    watchWorker(worker, this.#name, peer, forget);
    const ready = peer.call("open", this.#open);
    // The next one may find what this one missed.
    ready.catch(forget);
    this.#running = { worker, peer, ready };
    return this.#running;
  }
}
