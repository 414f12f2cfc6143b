import { type Bytes, concatBytes, equalBytes, toHex, uint64ToBytes } from "@ostrom/base";
import type { ChainReads } from "./backend.ts";
import type { BlockReader } from "./block-reader.ts";
import { count, type Decoder, data, hash, ValueError } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import {
  budgetOf,
  type LogFilter,
  type LogLimits,
  logsOfBlock,
  resolveRange,
  searchLogs,
} from "./log-search.ts";
import { RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";

/** Where a page ends: block, index of the block's next log (8 bytes each), and the block's hash, so that a reorganisation between two
 * pages is noticed. The hash is zeros where no log of the block has been told yet. */
export type LogCursor = { readonly block: number; readonly logIndex: number; readonly blockHash: Bytes };

const HASH_START = 16;
const CURSOR_BYTES = 48;
const NO_HASH: Bytes = new Uint8Array(32);

export const logCursor: Decoder<LogCursor> = {
  type: "cursor of the page before",
  decode: (value) => {
    const bytes = data.decode(value);
    if (bytes.length !== CURSOR_BYTES) throw new ValueError("it is no cursor that a page ended with");
    return {
      block: count.decode(toQuantity(bytes.subarray(0, 8))),
      logIndex: count.decode(toQuantity(bytes.subarray(8, HASH_START))),
      blockHash: hash.decode(toHex(bytes.subarray(HASH_START))),
    };
  },
};

/** Read as a number that may be too large to be one. */
function toQuantity(bytes: Bytes): string {
  const digits = toHex(bytes).slice(2).replace(/^0+/, "");
  return `0x${digits === "" ? "0" : digits}`;
}

function cursorText({ block, logIndex, blockHash }: LogCursor): string {
  return toHex(concatBytes(uint64ToBytes(block), uint64ToBytes(logIndex), blockHash));
}

/** A page of a filter's logs, in order, and the cursor for the next one, null after the last. A page may have no logs and a cursor: the
 * search has looked at as much as one request may.
 * Throws what `getLogs` does, but for too many results or blocks; -32000 with `rpc/cursor-reorganised`.
 * @param limit of logs. */
export async function logPage(
  chain: Pick<ChainReads, "header" | "logIndex">,
  blocks: BlockReader,
  filter: LogFilter,
  page: { readonly cursor: LogCursor | undefined; readonly limit: number },
  limits: LogLimits,
  deadlineMs: number,
): Promise<JsonObject> {
  const { cursor } = page;
  if (cursor !== undefined) refuseReorganised(chain, cursor);
  const limit = Math.min(page.limit, limits.logResults);
  const skipped = cursor?.logIndex ?? 0;
  const wanted = ({ logIndex, blockNumber }: JsonObject): boolean =>
    Number(blockNumber) !== cursor?.block || Number(logIndex) >= skipped;
  if (filter.blockHash !== undefined) {
    const block = blocks.byHash(filter.blockHash);
    if (block === undefined) throw serverError("unknown block");
    return cut(logsOfBlock(block, filter.criteria).filter(wanted), limit, undefined);
  }
  const range = resolveRange(blocks, filter);
  const fromBlock = Math.max(range.fromBlock, cursor?.block ?? 0);
  if (fromBlock > range.toBlock) return { logs: [], cursor: null };
  // Logs of the first block that were told already come again; they do not count. How many they are is the client's word, and a search that
  // ends too early only makes a page shorter: each looks at a whole block at least.
  const maxResults = limit + Math.min(skipped, limits.logResults);
  const budget = budgetOf(limits, deadlineMs);
  const search = { fromBlock, toBlock: range.toBlock, maxResults };
  const found = await searchLogs(chain, blocks, filter.criteria, search, deadlineMs, budget);
  return cut(
    found.logs.filter(wanted),
    limit,
    found.nextBlock <= range.toBlock ? found.nextBlock : undefined,
  );
}

/** @param nextBlock the first that was not looked at; undefined: all were. */
function cut(logs: readonly JsonObject[], limit: number, nextBlock: number | undefined): JsonObject {
  const next = logs[limit];
  if (next !== undefined) {
    const { blockNumber, logIndex, blockHash } = next;
    return { logs: logs.slice(0, limit), cursor: cursorText(cursorAt(blockNumber, logIndex, blockHash)) };
  }
  const cursor = nextBlock === undefined ? null : { block: nextBlock, logIndex: 0, blockHash: NO_HASH };
  return { logs, cursor: cursor && cursorText(cursor) };
}

function cursorAt(
  block: Json | undefined,
  logIndex: Json | undefined,
  blockHash: Json | undefined,
): LogCursor {
  return { block: Number(block), logIndex: Number(logIndex), blockHash: hash.decode(blockHash) };
}

function refuseReorganised(chain: Pick<ChainReads, "header">, { block, blockHash }: LogCursor): void {
  if (equalBytes(blockHash, NO_HASH)) return;
  const now = chain.header(block);
  if (now !== undefined && equalBytes(now.hash, blockHash)) return;
  throw new RpcError(
    RPC_ERROR.server,
    `block ${block} has been replaced since the last page: ask again from it on, without a cursor`,
    { reason: "rpc/cursor-reorganised", block },
  );
}
