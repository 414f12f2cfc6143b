import { fail } from "@ostrom/base";
import type { Executor, Simulation } from "@ostrom/rpc";
import { CONTRACT_STACK_MB } from "./installed-engine.ts";
import type { Log } from "./ports.ts";
import type { Query, QueryAnswer, QueryWorkerVocabulary } from "./query-worker.ts";
import { QuestionThread, TIMED_OUT } from "./question-thread.ts";

/** Queries that may wait for the worker; more are refused. */
const MAX_WAITING_QUERIES = 256;
/** Queries in one message to it. */
const MAX_QUERIES_AT_ONCE = 32;

type Waiting = {
  readonly query: Query;
  /** Ran with others when time was up: it runs alone. */
  readonly isSuspect: boolean;
  readonly resolve: (answer: QueryAnswer) => void;
  readonly reject: (error: unknown) => void;
};

/** Runs eth_call and its like in a thread of its own, which starts with the first of them. One that takes longer than it may is
 * ended with its thread; the next one gets a new thread. */
export class QueryClient implements Executor {
  readonly #thread: QuestionThread<QueryWorkerVocabulary>;
  readonly #line: Waiting[] = [];
  #isRunning = false;

  constructor({ databasePath, rules, engine, program }: QueryWorkerVocabulary["open"]["argument"], log: Log) {
    this.#thread = new QuestionThread(new URL("./query-worker.ts", import.meta.url), {
      name: "queries",
      open: { databasePath, rules, engine, program },
      limits: { stackSizeMb: CONTRACT_STACK_MB },
      log,
    });
  }

  readonly call: Executor["call"] = (simulation) => this.#ask("call", simulation);
  readonly estimateGas: Executor["estimateGas"] = (simulation) => this.#ask("estimateGas", simulation);
  readonly createAccessList: Executor["createAccessList"] = (simulation) =>
    this.#ask("createAccessList", simulation);

  async stop(): Promise<void> {
    const stopping = "the node is stopping";
    for (const { reject } of this.#line.splice(0)) reject(new Error(stopping));
    await this.#thread.end(stopping);
  }

  #ask<Kind extends Query["kind"]>(kind: Kind, simulation: Simulation): ReturnType<Executor[Kind]> {
    const answer = new Promise<QueryAnswer>((resolve, reject) => {
      if (this.#line.length >= MAX_WAITING_QUERIES) {
        resolve(fail("rpc/busy", "too many calls are waiting; try again in a moment"));
        return;
      }
      this.#line.push({ query: { kind, simulation }, isSuspect: false, resolve, reject });
      if (!this.#isRunning) void this.#serveLine();
    });
    // The worker answers each kind of query with what belongs to it.
    return answer as ReturnType<Executor[Kind]>;
  }

  /** Asks for those that wait, as many at once as came while others ran, until nobody waits. */
  async #serveLine(): Promise<void> {
    this.#isRunning = true;
    while (this.#line.length > 0) {
      const isAlone = this.#line[0]!.isSuspect;
      const end = isAlone ? 1 : this.#line.findIndex(({ isSuspect }) => isSuspect);
      const batch = this.#line.splice(0, Math.min(end < 0 ? MAX_QUERIES_AT_ONCE : end, MAX_QUERIES_AT_ONCE));
      try {
        const timeoutMs = Math.max(...batch.map(({ query }) => query.simulation.timeoutMs));
        const queries = batch.map(({ query }) => query);
        const answers = await this.#thread.ask("run", queries, timeoutMs);
        batch.forEach(({ resolve }, index) => {
          resolve(answers[index]!);
        });
      } catch (error) {
        if (error === TIMED_OUT && batch.length > 1) {
          // One of them took all the time: each gets its own, alone.
          this.#line.unshift(...batch.map((waiting) => ({ ...waiting, isSuspect: true })));
        } else this.#refuse(batch, error);
      }
    }
    this.#isRunning = false;
  }

  #refuse(batch: readonly Waiting[], error: unknown): void {
    for (const { query, resolve, reject } of batch) {
      if (error !== TIMED_OUT) reject(error);
      else resolve(fail("rpc/timeout", `execution took longer than ${query.simulation.timeoutMs} ms`));
    }
  }
}
