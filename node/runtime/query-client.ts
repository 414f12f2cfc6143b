import { Worker } from "node:worker_threads";
import { fail, type Result } from "@ostrom/base";
import type { Executor, Simulation, SimulationFailure } from "@ostrom/rpc";
import type { ExecutionWorkerEvents } from "./execution-port.ts";
import { CONTRACT_STACK_MB } from "./installed-engine.ts";
import type { Log } from "./ports.ts";
import type { QueryWorkerVocabulary } from "./query-worker.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** Messages that may wait for the worker; more are refused. */
const MAX_WAITING_QUERIES = 256;

type Running = {
  readonly worker: Worker;
  readonly peer: Peer<QueryWorkerVocabulary, ExecutionWorkerEvents, object>;
  readonly ready: Promise<unknown>;
};

/** Runs eth_call and its like in a thread of its own, which starts with the first of them. One that takes longer than it may is
 * ended with its thread; the next one gets a new thread. */
export class QueryClient implements Executor {
  readonly #options: QueryWorkerVocabulary["open"]["argument"];
  readonly #log: Log;
  #running: Running | undefined;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ databasePath, rules, engine, program }: QueryWorkerVocabulary["open"]["argument"], log: Log) {
    this.#options = { databasePath, rules, engine, program };
    this.#log = log;
  }

  readonly call: Executor["call"] = (simulation) => this.#ask("call", simulation);
  readonly estimateGas: Executor["estimateGas"] = (simulation) => this.#ask("estimateGas", simulation);
  readonly createAccessList: Executor["createAccessList"] = (simulation) =>
    this.#ask("createAccessList", simulation);

  async stop(): Promise<void> {
    await this.#end("the node is stopping");
  }

  #ask<Method extends "call" | "estimateGas" | "createAccessList">(
    method: Method,
    simulation: Simulation,
  ): Promise<QueryWorkerVocabulary[Method]["answer"]> {
    type Answer = QueryWorkerVocabulary[Method]["answer"];
    if (this.#waiting >= MAX_WAITING_QUERIES) {
      const busy: Result<never, SimulationFailure> = fail(
        "rpc/busy",
        "too many calls are waiting; try again in a moment",
      );
      return Promise.resolve(busy as Answer);
    }
    this.#waiting++;
    const turn = this.#last.then(() => this.#run(method, simulation));
    this.#last = turn.catch(() => undefined);
    return turn.finally(() => {
      this.#waiting--;
    });
  }

  async #run<Method extends "call" | "estimateGas" | "createAccessList">(
    method: Method,
    simulation: Simulation,
  ): Promise<QueryWorkerVocabulary[Method]["answer"]> {
    type Answer = QueryWorkerVocabulary[Method]["answer"];
    const { peer, ready } = this.#worker();
    await ready;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => {
        const late: Result<never, SimulationFailure> = fail(
          "rpc/timeout",
          `execution took longer than ${simulation.timeoutMs} ms`,
        );
        resolve(late as Answer);
        void this.#end("the call took too long");
      }, simulation.timeoutMs);
    });
    const answer = peer.call(method, simulation);
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
    const worker = new Worker(new URL("./query-worker.ts", import.meta.url), {
      name: "queries",
      resourceLimits: { stackSizeMb: CONTRACT_STACK_MB },
    });
    const peer: Running["peer"] = connectWorker(worker, {});
    peer.on("log", ({ level, message, fields }) => this.#log(level, message, fields));
    const forget = (): void => {
      if (this.#running?.worker === worker) this.#running = undefined;
    };
    watchWorker(worker, "query", peer, forget);
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
