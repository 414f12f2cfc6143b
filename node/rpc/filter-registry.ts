import { randomBytes } from "node:crypto";
import { toHex } from "@ostrom/base";
import type { ChainReads, EventListener } from "./backend.ts";
import type { BlockReader } from "./block-reader.ts";
import type { Json } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { getLogs, type LogFilter, searchLogs } from "./log-search.ts";
import { limitExceeded, serverError } from "./rpc-error.ts";

type Filter = {
  readonly kind: "block" | "pending" | "log";
  readonly logFilter: LogFilter | undefined;
  /** The first block number, or sequence number of a pending transaction, that was not told yet. */
  next: number;
  /** Polls of one filter run one after the other, so that none tells twice. */
  tail: Promise<unknown>;
  lastUsedMs: number;
};

const ID_BYTES = 16;
/** Hashes that one poll of a block filter answers, the newest ones: a development chain makes four billion blocks in a moment. */
const MAX_POLLED_BLOCKS = 10_000;

/** Polling filters (eth_newFilter and its like). A filter remembers how far its client has read, not what it has not
 * read, so that a forgotten one costs nothing until it expires. */
export class FilterRegistry {
  /** In the order of last use, so that the expired ones stand first. */
  readonly #filters = new Map<string, Filter>();
  readonly #pending: PendingLog;
  readonly #chain: Pick<ChainReads, "header" | "logIndex">;
  readonly #blocks: BlockReader;
  readonly #limits: RpcLimits;
  readonly #nowMs: () => number;

  constructor(
    chain: Pick<ChainReads, "header" | "logIndex">,
    blocks: BlockReader,
    limits: RpcLimits,
    nowMs: () => number,
  ) {
    this.#chain = chain;
    this.#blocks = blocks;
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#pending = createPendingLog(limits.pendingHashes);
  }

  readonly listener: EventListener = {
    onPendingTransactions: (hashes) => this.#pending.append(hashes.map((hash) => toHex(hash))),
  };

  /** Tells the blocks from this number on again, because others took their place. */
  rewind(blockNumber: number): void {
    for (const filter of this.#filters.values()) {
      if (filter.kind !== "pending" && filter.next > blockNumber) filter.next = blockNumber;
    }
  }

  installBlockFilter(): string {
    return this.#install("block", this.#blocks.heads().latest + 1);
  }

  installPendingFilter(): string {
    return this.#install("pending", this.#pending.end());
  }

  installLogFilter(filter: LogFilter): string {
    const from = filter.fromBlock?.kind === "number" ? filter.fromBlock.number : 0;
    return this.#install("log", Math.max(this.#blocks.heads().latest + 1, from), filter);
  }

  uninstall(id: string): boolean {
    return this.#filters.delete(id);
  }

  /** What is new since the last poll. Throws "filter not found". */
  changes(id: string, deadlineMs: number): Promise<Json> {
    const filter = this.#find(id);
    const poll = async (): Promise<Json> => {
      if (filter.logFilter !== undefined) return this.#newLogs(filter, filter.logFilter, deadlineMs);
      return filter.kind === "block" ? this.#newBlocks(filter) : this.#newPending(filter);
    };
    const result = filter.tail.then(poll, poll);
    filter.tail = result.catch(() => undefined);
    return result;
  }

  /** All of a log filter's logs. Throws "filter not found", for filters of other kinds too. */
  async allLogs(id: string, deadlineMs: number): Promise<Json> {
    const { logFilter } = this.#find(id);
    if (logFilter === undefined) throw serverError("filter not found");
    return getLogs(this.#chain, this.#blocks, logFilter, this.#limits, deadlineMs);
  }

  #install(kind: Filter["kind"], next: number, logFilter?: LogFilter): string {
    this.#expire();
    const limit = this.#limits.filters;
    if (this.#filters.size >= limit) throw limitExceeded("too many filters are installed", limit);
    // Unguessable, because whoever knows an id can take its news away.
    const id = toHex(randomBytes(ID_BYTES));
    this.#filters.set(id, { kind, logFilter, next, tail: Promise.resolve(), lastUsedMs: this.#nowMs() });
    return id;
  }

  #find(id: string): Filter {
    this.#expire();
    const filter = this.#filters.get(id);
    if (filter === undefined) throw serverError("filter not found");
    this.#filters.delete(id);
    this.#filters.set(id, filter);
    filter.lastUsedMs = this.#nowMs();
    return filter;
  }

  #expire(): void {
    const oldest = this.#nowMs() - this.#limits.filterIdleMs;
    for (const [id, filter] of this.#filters) {
      if (filter.lastUsedMs >= oldest) break;
      this.#filters.delete(id);
    }
  }

  async #newLogs(filter: Filter, { criteria, toBlock }: LogFilter, deadlineMs: number): Promise<Json> {
    const { logRangeBlocks, logResults } = this.#limits;
    const latest = this.#blocks.heads().latest;
    const end = toBlock?.kind === "number" ? Math.min(toBlock.number, latest) : latest;
    // What one poll may not look through, the next one does.
    const last = Math.min(end, filter.next + logRangeBlocks - 1);
    const range = { fromBlock: filter.next, toBlock: last, maxResults: logResults };
    const found = await searchLogs(this.#chain, this.#blocks, criteria, range, deadlineMs);
    filter.next = Math.max(filter.next, found.nextBlock);
    return found.logs;
  }

  #newBlocks(filter: Filter): Json {
    const { latest } = this.#blocks.heads();
    const most = Math.min(this.#limits.logRangeBlocks, MAX_POLLED_BLOCKS);
    const first = Math.max(filter.next, latest - most + 1);
    const hashes: string[] = [];
    for (let number = first; number <= latest; number++) {
      const header = this.#chain.header(number);
      if (header !== undefined) hashes.push(toHex(header.hash));
    }
    filter.next = latest + 1;
    return hashes;
  }

  #newPending(filter: Filter): Json {
    const { hashes, end } = this.#pending.since(filter.next);
    filter.next = end;
    return hashes;
  }
}

type PendingLog = {
  readonly append: (hashes: readonly string[]) => void;
  /** The sequence number that the next hash will have. */
  readonly end: () => number;
  readonly since: (sequence: number) => { readonly hashes: readonly string[]; readonly end: number };
};

/** The newest hashes of pending transactions, numbered. At least `capacity` are kept, at most twice as many. */
function createPendingLog(capacity: number): PendingLog {
  let kept: string[] = [];
  let first = 0;
  const end = (): number => first + kept.length;
  return {
    append: (hashes) => {
      for (const hash of hashes) kept.push(hash);
      if (kept.length <= 2 * capacity) return;
      first += kept.length - capacity;
      kept = kept.slice(-capacity);
    },
    end,
    since: (sequence) => ({ hashes: kept.slice(Math.max(0, sequence - first)), end: end() }),
  };
}
