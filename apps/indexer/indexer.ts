import { setTimeout as sleep } from "node:timers/promises";
import { traceBlocks } from "./call-follower.ts";
import { learnFacts } from "./chain-facts.ts";
import { type ChainSource, createChainSource } from "./chain-source.ts";
import { createCompilers } from "./compiler.ts";
import type { Database } from "./database.ts";
import { type Follower, follow } from "./follower.ts";
import { openDatabase } from "./open-database.ts";
import { handleRest } from "./rest-handler.ts";
import type { IndexStatus } from "./rest-types.ts";
import type { RestServices } from "./route.ts";
import { createVerification } from "./verification.ts";

export type IndexerOptions = {
  /** JSON-RPC of nodes of one chain; the first one that answers is followed. */
  readonly nodes: readonly string[];
  /** postgres://... or the folder of an embedded database. */
  readonly database: string;
  /** Shown to the node of that number, where nodes want to know who asks. */
  readonly token?: ((index: number) => Promise<string | undefined>) | undefined;
  /** Folder of further compilers, as soljson-v0.8.28+commit.7893614a.js. */
  readonly compilers?: string | undefined;
  /** Told of what goes wrong, once for each different thing. */
  readonly onProblem?: ((problem: string) => void) | undefined;
};

/** A running index. */
export type Indexer = {
  /** Answers a request of its REST interface, `/api/...`. */
  readonly handle: (request: Request) => Promise<Response>;
  readonly progress: () => IndexStatus;
  readonly close: () => Promise<void>;
};

/** Between rounds of what lags behind the blocks. */
const FACTS_PAUSE_MS = 300;

/** Opens the database, brings its schema up to date, and follows the chain from where it was. Rejects with DatabaseError. */
export async function openIndexer(options: IndexerOptions): Promise<Indexer> {
  const database = await openDatabase(options.database);
  const source = createChainSource(options.nodes, options.token);
  const stop = new AbortController();
  const state: State = { chainId: null, traced: null, problem: undefined };
  let lastTold: string | undefined;
  const tell = (problem: string): void => {
    if (problem !== lastTold) options.onProblem?.(problem);
    lastTold = problem;
  };
  const follower = follow({ source, database, signal: stop.signal, onProblem: tell });
  const background = followFacts({ database, source, follower, state, tell, signal: stop.signal });
  const progress = (): IndexStatus => statusOf(database, follower, state);
  const services: RestServices = {
    database,
    source,
    status: progress,
    verification: createVerification(database, source, createCompilers(options.compilers)),
  };
  return {
    handle: (request) => handleRest(services, request),
    progress,
    close: async () => {
      stop.abort();
      await Promise.all([follower.ended, background]);
      await database.close();
    },
  };
}

type State = { chainId: number | null; traced: number | null; problem: string | undefined };

function statusOf({ kind }: Database, follower: Follower, { chainId, traced, problem }: State): IndexStatus {
  const { indexed, head, problem: following } = follower.progress();
  return {
    chainId,
    indexed: indexed?.number ?? null,
    indexedHash: (indexed?.hash as `0x${string}` | undefined) ?? null,
    head: head ?? null,
    traced,
    isCurrent: indexed !== undefined && indexed.number === head,
    database: kind,
    problem: following ?? problem ?? null,
  };
}

/** What lags behind: tokens' words, hashes of code, internal calls. Its failures never hold up the blocks. */
async function followFacts({
  database,
  source,
  follower,
  state,
  tell,
  signal,
}: {
  readonly database: Database;
  readonly source: ChainSource;
  readonly follower: Follower;
  readonly state: State;
  readonly tell: (problem: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  let isTracing = true;
  let seen = -1;
  while (!signal.aborted) {
    const { indexed } = follower.progress();
    try {
      let hasMore = false;
      if (indexed !== undefined) {
        state.chainId ??= Number(await source.ask<string>("eth_chainId", []));
        if (indexed.number !== seen || state.problem !== undefined)
          hasMore = await learnFacts(database, source);
        seen = hasMore ? -1 : indexed.number;
        if (isTracing) {
          const done = await traceNext(database, source, indexed.number);
          isTracing = done !== undefined;
          state.traced = done ?? null;
          hasMore ||= done !== undefined && done < indexed.number;
        }
      }
      state.problem = undefined;
      if (hasMore) continue;
    } catch (error) {
      state.problem = (error as Error).message;
      tell(state.problem);
    }
    await sleep(FACTS_PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function traceNext(
  database: Database,
  source: ChainSource,
  indexed: number,
): Promise<number | undefined> {
  const [row] = await database.query({ text: "SELECT traced::text FROM progress" });
  const traced = Number(row?.["traced"] ?? -1);
  return traced >= indexed ? traced : traceBlocks(database, source, traced, indexed);
}
