import { type Address, type Hash, hashFromWord, hex, toHexDigits, unwrap } from "@ostrom/base";
import { decodeSignedTransaction, logsBloom, type Receipt } from "@ostrom/execution";
import type { BlockHeader, ChainReads, LogIndexReads, LogTerm } from "../backend.ts";
import { createFakeBackend } from "./fake-backend.ts";
import { transfer } from "./raw-transactions.ts";

/** A log as a test names it. */
export type SparseLog = { readonly address: Address; readonly topics: readonly Hash[] };

/** What was read of a chain. */
export type ReadCounts = { headers: number; blocks: number; indexEntries: number; lookups: number };

/** A chain as long as one likes of which only some blocks have logs, one transaction each, and that counts what is read of it.
 * @param indexedFrom undefined: it has no index. */
export function createSparseChain(
  latest: number,
  logs: ReadonlyMap<number, readonly SparseLog[]>,
  indexedFrom: number | undefined,
): { readonly chain: ChainReads; readonly counts: ReadCounts; readonly replaced: Set<number> } {
  const counts: ReadCounts = { headers: 0, blocks: 0, indexEntries: 0, lookups: 0 };
  /** Blocks whose hash is another one now. */
  const replaced = new Set<number>();
  const { header: template } = createFakeBackend().chain.header(0)!;
  const transaction = unwrap(decodeSignedTransaction(hex(transfer(0).raw)));
  const known = new Map<number, readonly Receipt[]>();
  const receiptsOf = (number: number): readonly Receipt[] => {
    const receipts = known.get(number) ?? makeReceipts(number);
    known.set(number, receipts);
    return receipts;
  };
  const makeReceipts = (number: number): readonly Receipt[] => {
    const own = (logs.get(number) ?? []).map(({ address, topics }) => ({
      address,
      topics,
      data: new Uint8Array(0),
    }));
    if (own.length === 0) return [];
    const gas = { cumulativeGasUsed: 21_000n, gasUsed: 21_000n, effectiveGasPrice: 1n };
    const bloom = logsBloom(own);
    return [{ type: 2, succeeded: true, ...gas, bloom, contractAddress: undefined, logs: own }];
  };
  const headerOf = (number: number): BlockHeader => {
    const [receipt] = receiptsOf(number);
    const header = { ...template, number, logsBloom: receipt?.bloom ?? template.logsBloom };
    return { hash: hashFromWord(BigInt(number) + (replaced.has(number) ? 2n ** 200n : 0n)), header };
  };
  const chain: ChainReads = {
    heads: () => ({ latest, certified: latest, earliest: 0 }),
    header: (number) => {
      counts.headers++;
      return number <= latest ? headerOf(number) : undefined;
    },
    block: (number) => {
      counts.blocks++;
      if (number > latest) return undefined;
      return { ...headerOf(number), transactions: receiptsOf(number).map(() => transaction) };
    },
    receipts: (number) => (number <= latest ? receiptsOf(number) : undefined),
    blockNumberOf: (hash) => Number(BigInt(`0x${toHexDigits(hash)}`)),
    transactionLocation: () => undefined,
    dropReason: () => undefined,
    stateAt: () => ({ ok: false, error: { code: "rpc/state-too-old", message: "it has no state" } }),
    ...(indexedFrom === undefined ? {} : { logIndex: indexOf(logs, indexedFrom, counts) }),
  };
  return { chain, counts, replaced };
}

function nameOf(term: LogTerm | undefined): string {
  return term === undefined ? "any" : `${term.position} ${toHexDigits(term.value)}`;
}

function indexOf(
  logs: ReadonlyMap<number, readonly SparseLog[]>,
  start: number,
  counts: ReadCounts,
): LogIndexReads {
  const heights = new Map<string, number[]>();
  const add = (term: LogTerm | undefined, height: number): void => {
    const name = nameOf(term);
    const own = heights.get(name) ?? [];
    if (own.at(-1) !== height) own.push(height);
    heights.set(name, own);
  };
  for (const [height, own] of [...logs].sort(([a], [b]) => a - b)) {
    if (height < start) continue;
    for (const { address, topics } of own) {
      add(undefined, height);
      add({ position: 0, value: address }, height);
      topics.forEach((value, i) => {
        add({ position: (i + 1) as LogTerm["position"], value }, height);
      });
    }
  }
  return {
    start: () => start,
    heights: async (term, from, to, limit) => {
      const own = heights.get(nameOf(term)) ?? [];
      const first = own.findIndex((height) => height >= from);
      const found = first < 0 ? [] : own.slice(first, first + limit).filter((height) => height <= to);
      counts.indexEntries += found.length;
      return found;
    },
    has: (term, height) => {
      counts.lookups++;
      return heights.get(nameOf(term))?.includes(height) === true;
    },
  };
}
