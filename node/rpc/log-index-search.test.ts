import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, type Hash, hashFromWord } from "@ostrom/base";
import { createBlockReader } from "./block-reader.ts";
import type { JsonObject } from "./json.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { logCursor, logPage } from "./log-pages.ts";
import { createCriteria, getLogs, type LogFilter, searchLogs } from "./log-search.ts";
import type { RpcError } from "./rpc-error.ts";
import { createSparseChain, type SparseLog } from "./testing/sparse-chain.ts";

const MILLION = 1_000_000;
const NEVER = Number.POSITIVE_INFINITY;
const addressOf = (n: number): Address => Address(new Uint8Array(20).fill(n));
const [TOKEN, RARE, OTHER] = [addressOf(1), addressOf(2), addressOf(3)];
const [MOVED, FROM, TO, OTHER_TOPIC] = [1n, 2n, 3n, 99n].map(hashFromWord) as [Hash, Hash, Hash, Hash];

/** Blocks from one move of the token to the next. */
const EVERY = 250;

/** A token that moves in every so many blocks, between two particular holders in a few of them. */
function tokenLogs(): Map<number, SparseLog[]> {
  const logs = new Map<number, SparseLog[]>();
  for (let block = EVERY; block < MILLION; block += EVERY)
    logs.set(block, [{ address: TOKEN, topics: [MOVED, hashFromWord(BigInt(block))] }]);
  for (const block of [10_000, 500_000, 999_750])
    logs.get(block)!.push({ address: TOKEN, topics: [MOVED, FROM, TO] });
  for (const block of [7, 123_456, 999_999]) logs.set(block, [{ address: RARE, topics: [] }]);
  return logs;
}

function filterOf(
  addresses: readonly Address[],
  topics: readonly (readonly Hash[])[],
  fromBlock = 0,
  toBlock = MILLION,
): LogFilter {
  return {
    criteria: createCriteria(addresses, topics),
    blockHash: undefined,
    fromBlock: { kind: "number", number: fromBlock },
    toBlock: { kind: "number", number: toBlock },
  };
}

const blocksOf = (logs: readonly JsonObject[]): number[] =>
  logs.map(({ blockNumber }) => Number(blockNumber));

test("a rare log is found among a million blocks by reading its blocks alone", async () => {
  const { chain, counts } = createSparseChain(MILLION, tokenLogs(), 0);
  const blocks = createBlockReader(chain, DEFAULT_LIMITS);
  const found = await getLogs(chain, blocks, filterOf([RARE], []), DEFAULT_LIMITS, NEVER);
  assert.deepEqual(blocksOf(found), [7, 123_456, 999_999]);
  assert.deepEqual(counts, { headers: 0, blocks: 3, indexEntries: 3, lookups: 0 });
});

test("a filter costs what its rarest part costs, wherever that part stands", async () => {
  const { chain, counts } = createSparseChain(MILLION, tokenLogs(), 0);
  const blocks = createBlockReader(chain, DEFAULT_LIMITS);
  const filter = filterOf([TOKEN], [[MOVED], [], [TO]]);
  const found = await getLogs(chain, blocks, filter, DEFAULT_LIMITS, NEVER);
  assert.deepEqual(blocksOf(found), [10_000, 500_000, 999_750]);
  assert.equal(counts.blocks, 3);
  // One part of each of the three groups, and a look for each leading height past those parts.
  assert.ok(counts.indexEntries <= 2 * 256 + 3, String(counts.indexEntries));
  assert.ok(counts.lookups <= 6, String(counts.lookups));
});

test("a log that nobody wrote costs one look at the index, not a scan", async () => {
  const { chain, counts } = createSparseChain(MILLION, tokenLogs(), 0);
  const blocks = createBlockReader(chain, DEFAULT_LIMITS);
  assert.deepEqual(await getLogs(chain, blocks, filterOf([OTHER], []), DEFAULT_LIMITS, NEVER), []);
  assert.deepEqual(counts, { headers: 0, blocks: 0, indexEntries: 0, lookups: 0 });
});

test("the index finds what looking through all blocks finds", async () => {
  const logs = new Map<number, SparseLog[]>();
  const values = [MOVED, FROM, TO];
  for (let block = 0; block < 900; block++) {
    if (block % 3 === 0) continue;
    const pick = (n: number): Hash => values[Math.floor(block / n) % 3]!;
    logs.set(block, [
      { address: addressOf(block % 7), topics: [pick(1), pick(5), pick(11)].slice(0, block % 4) },
      { address: addressOf(block % 5), topics: [pick(2)] },
    ]);
  }
  const many = Array.from({ length: 40 }, (_, n) => addressOf(n));
  let found = 0;
  const filters = [
    filterOf([], [], 0, 899),
    filterOf([addressOf(4)], [], 5, 850),
    filterOf([addressOf(4), addressOf(6)], [[MOVED]], 0, 899),
    filterOf([], [[], [FROM, TO]], 0, 899),
    filterOf([addressOf(1)], [[MOVED, FROM], [TO], [FROM]], 100, 800),
    filterOf(many, [[TO]], 0, 899),
  ];
  for (const { criteria, fromBlock, toBlock } of filters) {
    const results = [0, 300, undefined].map(async (indexedFrom) => {
      const { chain } = createSparseChain(899, logs, indexedFrom);
      const blocks = createBlockReader(chain, DEFAULT_LIMITS);
      assert.ok(fromBlock?.kind === "number" && toBlock?.kind === "number");
      const range = { fromBlock: fromBlock.number, toBlock: toBlock.number, maxResults: 100_000 };
      return (await searchLogs(chain, blocks, criteria, range, NEVER)).logs;
    });
    const [whole, part, none] = await Promise.all(results);
    found += none!.length;
    assert.deepEqual(whole, none);
    assert.deepEqual(part, none);
  }
  assert.ok(found > 500);
});

test("eth_getLogs that would look at too many blocks says which range is good and how to go on", async () => {
  const { chain, counts } = createSparseChain(MILLION, tokenLogs(), 0);
  const blocks = createBlockReader(chain, DEFAULT_LIMITS);
  const limits = { ...DEFAULT_LIMITS, logBlocks: 100 };
  await assert.rejects(getLogs(chain, blocks, filterOf([TOKEN], []), limits, NEVER), (error: RpcError) => {
    assert.equal(error.code, -32005);
    const nextBlock = `0x${(101 * EVERY).toString(16)}`;
    assert.deepEqual(error.data, { reason: "rpc/too-many-blocks", limit: 100, nextBlock });
    assert.match(error.message, /range \[0x0, 0x62a1\] and then from 0x62a2 on, or use ostrom_getLogs/);
    return true;
  });
  assert.equal(counts.blocks, 100);
  const good = await getLogs(chain, blocks, filterOf([TOKEN], [], 0, 0x62a1), limits, NEVER);
  // One of the hundred blocks has two.
  assert.equal(good.length, 101);
});

test("the index is read within its limit, too", async () => {
  const { chain, counts } = createSparseChain(MILLION, tokenLogs(), 0);
  const blocks = createBlockReader(chain, DEFAULT_LIMITS);
  // Each block has either, never both in one log: candidates without end, and no result.
  const limits = { ...DEFAULT_LIMITS, logIndexReads: 500 };
  const filter = filterOf([TOKEN], [[MOVED], [], [], [OTHER_TOPIC]]);
  assert.deepEqual(await getLogs(chain, blocks, filter, limits, NEVER), []);
  await assert.rejects(
    getLogs(chain, blocks, filterOf([TOKEN], [[MOVED]]), { ...limits, logBlocks: NEVER }, NEVER),
    (error: RpcError) => (error.data as { reason: string }).reason === "rpc/too-many-blocks",
  );
  assert.ok(counts.indexEntries < 4_000, String(counts.indexEntries));
});

/** All pages, by their cursors. */
async function readPages(
  sparse: ReturnType<typeof createSparseChain>,
  filter: LogFilter,
  limit: number,
  limits = DEFAULT_LIMITS,
): Promise<readonly (readonly JsonObject[])[]> {
  const blocks = createBlockReader(sparse.chain, limits);
  const pages: (readonly JsonObject[])[] = [];
  let cursor: unknown;
  do {
    const at = cursor === undefined ? undefined : logCursor.decode(cursor);
    const page = await logPage(sparse.chain, blocks, filter, { cursor: at, limit }, limits, NEVER);
    pages.push(page.logs as readonly JsonObject[]);
    cursor = page.cursor;
  } while (cursor !== null);
  return pages;
}

test("pages have all logs once, in order, also where a block's logs fall on several pages", async () => {
  const logs = new Map<number, SparseLog[]>();
  const many = (count: number): SparseLog[] =>
    Array.from({ length: count }, (_, n) => ({ address: n % 2 === 0 ? TOKEN : OTHER, topics: [MOVED] }));
  logs.set(3, many(2)).set(400_000, many(25)).set(400_001, many(4)).set(999_999, many(6));
  for (const indexedFrom of [0, undefined]) {
    const latest = indexedFrom === undefined ? 400_100 : MILLION;
    const from = indexedFrom === undefined ? 399_000 : 0;
    const sparse = createSparseChain(latest, logs, indexedFrom);
    const filter = filterOf([TOKEN], [], from, latest);
    const pages = await readPages(sparse, filter, 4);
    const blocks = createBlockReader(sparse.chain, DEFAULT_LIMITS);
    assert.deepEqual(pages.flat(), await getLogs(sparse.chain, blocks, filter, DEFAULT_LIMITS, NEVER));
    assert.ok(pages.every((page) => page.length <= 4));
  }
});

test("a page that has looked at as much as it may ends there, with or without logs", async () => {
  const sparse = createSparseChain(MILLION, tokenLogs(), 0);
  const limits = { ...DEFAULT_LIMITS, logBlocks: 600, logIndexReads: 400 };
  const pages = await readPages(sparse, filterOf([TOKEN], []), 100_000, limits);
  assert.equal(pages.flat().length, 4_002);
  assert.ok(pages.length >= 7 && pages.length <= 21, String(pages.length));
});

test("a reorganisation between two pages is told, not passed over", async () => {
  const logs = new Map([[100, [TOKEN, TOKEN, TOKEN].map((address) => ({ address, topics: [] }))]]);
  const sparse = createSparseChain(200, logs, 0);
  const blocks = createBlockReader(sparse.chain, DEFAULT_LIMITS);
  const filter = filterOf([TOKEN], [], 0, 200);
  const page = (cursor: unknown) => {
    const at = cursor === undefined ? undefined : logCursor.decode(cursor);
    return logPage(sparse.chain, blocks, filter, { cursor: at, limit: 2 }, DEFAULT_LIMITS, NEVER);
  };
  const { cursor } = await page(undefined);
  assert.equal(((await page(cursor)).logs as unknown[]).length, 1);
  sparse.replaced.add(100);
  await assert.rejects(page(cursor), (error: RpcError) => {
    return (error.data as { reason: string }).reason === "rpc/cursor-reorganised";
  });
});

test("a cursor with an index that no block has makes nobody collect more than a page", async () => {
  const sparse = createSparseChain(MILLION, tokenLogs(), 0);
  const limits = { ...DEFAULT_LIMITS, logResults: 10 };
  const blocks = createBlockReader(sparse.chain, limits);
  const cursor = { block: 0, logIndex: 2 ** 40, blockHash: new Uint8Array(32) };
  await logPage(sparse.chain, blocks, filterOf([TOKEN], []), { cursor, limit: 10 }, limits, NEVER);
  assert.ok(sparse.counts.blocks <= 21, String(sparse.counts.blocks));
});

test("a cursor that no page ended with is refused", () => {
  for (const wrong of ["0x", "0x00", `0x${"ff".repeat(48)}`, "abc", 7]) {
    assert.throws(() => logCursor.decode(wrong), /cursor|2\^53|hex|expected/);
  }
});
