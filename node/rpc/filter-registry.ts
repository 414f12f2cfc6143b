import { randomBytes } from "node:crypto";
import { toHex } from "@ostrom/base";
import type { ChainReads, EventListener } from "./backend.ts";
import type { BlockReader } from "./block-reader.ts";
import type { Json } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { type LogFilter, resolveRange, searchLogs } from "./log-search.ts";
import { limitExceeded, serverError } from "./rpc-error.ts";

/** Polling filters (eth_newFilter and its like). A filter remembers how far its client has read, not what it has not
 * read, so that a forgotten one costs nothing until it expires. */
export type FilterRegistry = {
  readonly installBlockFilter: () => string;
  readonly installPendingFilter: () => string;
  readonly installLogFilter: (filter: LogFilter) => string;
  /** What is new since the last poll. Throws "filter not found". */
  readonly changes: (id: string, deadlineMs: number) => Promise<Json>;
  /** All of a log filter's logs. */
  readonly allLogs: (id: string, deadlineMs: number) => Promise<Json>;
  readonly uninstall: (id: string) => boolean;
  readonly listener: EventListener;
  readonly size: () => number;
};

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

export function createFilterRegistry(
  chain: Pick<ChainReads, "header">,
  blocks: BlockReader,
  limits: RpcLimits,
  nowMs: () => number,
): FilterRegistry {
  /** In the order of last use, so that the expired ones stand first. */
  const filters = new Map<string, Filter>();
  const pending = createPendingLog(limits.pendingHashes);

  const expire = (): void => {
    const oldest = nowMs() - limits.filterIdleMs;
    for (const [id, filter] of filters) {
      if (filter.lastUsedMs >= oldest) break;
      filters.delete(id);
    }
  };
  const install = (kind: Filter["kind"], next: number, logFilter?: LogFilter): string => {
    expire();
    if (filters.size >= limits.filters) throw limitExceeded("too many filters are installed", limits.filters);
    // Unguessable, because whoever knows an id can take its news away.
    const id = toHex(randomBytes(ID_BYTES));
    filters.set(id, { kind, logFilter, next, tail: Promise.resolve(), lastUsedMs: nowMs() });
    return id;
  };
  const find = (id: string): Filter => {
    expire();
    const filter = filters.get(id);
    if (filter === undefined) throw serverError("filter not found");
    filters.delete(id);
    filters.set(id, filter);
    filter.lastUsedMs = nowMs();
    return filter;
  };

  const search = (filter: LogFilter, range: { fromBlock: number; toBlock: number }, deadlineMs: number) =>
    searchLogs(chain, blocks, filter.criteria, { ...range, maxResults: limits.logResults }, deadlineMs);

  const newLogs = async (filter: Filter, logFilter: LogFilter, deadlineMs: number): Promise<Json> => {
    const latest = blocks.heads().latest;
    const end = logFilter.toBlock?.kind === "number" ? Math.min(logFilter.toBlock.number, latest) : latest;
    // What one poll may not look through, the next one does.
    const toBlock = Math.min(end, filter.next + limits.logRangeBlocks - 1);
    const found = await search(logFilter, { fromBlock: filter.next, toBlock }, deadlineMs);
    filter.next = Math.max(filter.next, found.nextBlock);
    return found.logs;
  };
  const newBlocks = (filter: Filter): Json => {
    const { latest } = blocks.heads();
    const first = Math.max(filter.next, latest - limits.logRangeBlocks + 1);
    const hashes: string[] = [];
    for (let number = first; number <= latest; number++) {
      const header = chain.header(number);
      if (header !== undefined) hashes.push(toHex(header.hash));
    }
    filter.next = latest + 1;
    return hashes;
  };

  return {
    installBlockFilter: () => install("block", blocks.heads().latest + 1),
    installPendingFilter: () => install("pending", pending.end()),
    installLogFilter: (filter) => {
      const { latest } = blocks.heads();
      const from = filter.fromBlock?.kind === "number" ? filter.fromBlock.number : 0;
      return install("log", Math.max(latest + 1, from), filter);
    },
    changes: (id, deadlineMs) => {
      const filter = find(id);
      const poll = async (): Promise<Json> => {
        if (filter.logFilter !== undefined) return newLogs(filter, filter.logFilter, deadlineMs);
        if (filter.kind === "block") return newBlocks(filter);
        const { hashes, end } = pending.since(filter.next);
        filter.next = end;
        return hashes;
      };
      const result = filter.tail.then(poll, poll);
      filter.tail = result.catch(() => undefined);
      return result;
    },
    allLogs: async (id, deadlineMs) => {
      const { logFilter } = find(id);
      if (logFilter === undefined) throw serverError("filter not found");
      const range = resolveRange(blocks, logFilter);
      if (range.toBlock - range.fromBlock >= limits.logRangeBlocks) {
        throw limitExceeded(`block range above the limit of ${limits.logRangeBlocks}`, limits.logRangeBlocks);
      }
      const found = await search(logFilter, range, deadlineMs);
      if (found.logs.length > limits.logResults) {
        throw limitExceeded(`query returned more than ${limits.logResults} results`, limits.logResults);
      }
      return found.logs;
    },
    uninstall: (id) => filters.delete(id),
    listener: {
      onBlock: ({ number }) => {
        // After a reorganisation the blocks that took others' places are told as well.
        for (const filter of filters.values()) {
          if (filter.kind !== "pending" && filter.next > number + 1) filter.next = number;
        }
      },
      onPendingTransactions: (hashes) => pending.append(hashes.map((hash) => toHex(hash))),
    },
    size: () => filters.size,
  };
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
