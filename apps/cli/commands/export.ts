import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { type Command, UsageError } from "../command.ts";
import {
  addBlock,
  type BlockAnswer,
  columnsOf,
  emptyRows,
  type ReceiptAnswer,
  TABLE_NAMES,
  type TableRows,
} from "../parquet-tables.ts";
import { startProgress } from "../progress-bar.ts";
import { ask, askMany, DEFAULT_RPC_URL } from "../rpc-client.ts";

const MANIFEST_FILE = "export.json";
/** Blocks asked for at once. */
const BATCH_BLOCKS = 50;
/** A part ends with the block that brings it here: what is held in memory, and what is done anew after a kill. */
const PART_BLOCKS = 20_000;
const PART_TRANSACTIONS = 100_000;
/** As DuckDB reads them in parallel. */
const ROW_GROUP_ROWS = 50_000;
const NUMBER_DIGITS = 10;

type Part = {
  readonly from: number;
  readonly to: number;
  readonly transactions: number;
  readonly logs: number;
};
type Manifest = {
  readonly format: 1;
  readonly chainId: number;
  readonly genesis: string;
  readonly parts: readonly Part[];
};

export const exportChain: Command = {
  name: "export",
  summary: "write finalized blocks, transactions and logs as Parquet files, for DuckDB and the like",
  usage: "--parquet DIR [--from N] [--to N]",
  flags: [
    {
      name: "parquet",
      kind: "text",
      placeholder: "DIR",
      help: "the folder; an export that is there already goes on where it ended",
    },
    { name: "from", kind: "number", help: "first block of a new export", default: 0 },
    { name: "to", kind: "number", help: "last block (default: the newest finalized one)" },
    {
      name: "rpc",
      kind: "text",
      placeholder: "URL",
      help: "the node to read from",
      default: DEFAULT_RPC_URL,
    },
  ],
  examples: [
    "ostrom export --parquet chain-data",
    "ostrom export --parquet chain-data --from 1000 --to 1999 --rpc http://127.0.0.1:8546",
    "duckdb -c \"SELECT sender, count(*) FROM 'chain-data/transactions/*.parquet' GROUP BY sender\"",
  ],
  run: async ({ values, given }) => {
    if (typeof values["parquet"] !== "string")
      throw new UsageError("say where the files go: --parquet DIR", { code: "usage", exitCode: 2 });
    const directory = resolve(values["parquet"]);
    const rpc = String(values["rpc"]);
    const manifest = await openExport(directory, rpc);
    const last = manifest.parts.at(-1);
    const first = last === undefined ? (values["from"] as number) : last.to + 1;
    if (last !== undefined && given.has("from") && values["from"] !== manifest.parts[0]!.from)
      throw new UsageError(
        `the export in ${directory} begins with block ${manifest.parts[0]!.from}: leave --from out, or name another folder`,
        { code: "export/other-range" },
      );
    const to = await lastBlock(rpc, values["to"] as number | undefined);
    const isJson = values["json"] === true;
    const written = await exportBlocks({ directory, rpc, first, to, manifest, isJson });
    const blocks = written.reduce((sum, part) => sum + part.to - part.from + 1, 0);
    const transactions = written.reduce((sum, part) => sum + part.transactions, 0);
    const logs = written.reduce((sum, part) => sum + part.logs, 0);
    if (isJson) console.log(JSON.stringify({ directory, from: first, to, blocks, transactions, logs }));
    else if (blocks === 0) console.log(`Nothing new: ${directory} has all blocks up to ${first - 1}.`);
    else
      console.log(
        `Blocks ${first} to ${to}: ${transactions} transactions, ${logs} logs in ${directory}\n` +
          `Read them: duckdb -c "SELECT * FROM '${join(directory, "transactions/*.parquet")}' LIMIT 10"`,
      );
    return 0;
  },
};

/** What is there already, or the beginnings of an export. */
async function openExport(directory: string, rpc: string): Promise<Manifest> {
  const chainId = Number(await ask<string>(rpc, "eth_chainId"));
  const { hash: genesis } = await ask<{ readonly hash: string }>(rpc, "eth_getBlockByNumber", ["0x0", false]);
  const path = join(directory, MANIFEST_FILE);
  if (!existsSync(path)) {
    for (const table of TABLE_NAMES) mkdirSync(join(directory, table), { recursive: true });
    return { format: 1, chainId, genesis, parts: [] };
  }
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  if (manifest.format !== 1 || manifest.genesis !== genesis)
    throw new UsageError(
      `${directory} holds an export of another chain (block 0 ${manifest.genesis}): name another folder`,
      {
        code: "export/other-chain",
      },
    );
  return manifest;
}

/** Only what is final is exported: files of blocks that are undone later would be wrong for ever. */
async function lastBlock(rpc: string, asked: number | undefined): Promise<number> {
  const block = await ask<{ readonly number: string }>(rpc, "eth_getBlockByNumber", ["finalized", false]);
  const finalized = Number(block.number);
  if (asked !== undefined && asked > finalized)
    throw new UsageError(`--to: block ${finalized} is the newest that is final, ${asked} is not yet`, {
      code: "export/not-final",
    });
  return asked ?? finalized;
}

async function exportBlocks(work: {
  readonly directory: string;
  readonly rpc: string;
  readonly first: number;
  readonly to: number;
  readonly manifest: Manifest;
  readonly isJson: boolean;
}): Promise<readonly Part[]> {
  const { directory, rpc, first, to, manifest, isJson } = work;
  const progress = startProgress({
    label: "export",
    total: to - first + 1,
    unit: "blocks",
    isSilent: isJson,
  });
  const written: Part[] = [];
  let rows = emptyRows();
  let from = first;
  try {
    for (let next = first; next <= to; ) {
      const count = Math.min(BATCH_BLOCKS, to - next + 1);
      await readBlocks(rpc, next, count, rows);
      next += count;
      progress.update(next - first, `${rows.transactions.length} transactions in this part`);
      const isFull = rows.transactions.length >= PART_TRANSACTIONS || next - from >= PART_BLOCKS;
      if (!isFull && next <= to) continue;
      const part = { from, to: next - 1, transactions: rows.transactions.length, logs: rows.logs.length };
      writePart(directory, part, rows);
      written.push(part);
      writeDurably(
        join(directory, MANIFEST_FILE),
        `${JSON.stringify({ ...manifest, parts: [...manifest.parts, ...written] }, undefined, 2)}\n`,
      );
      [rows, from] = [emptyRows(), next];
    }
  } finally {
    progress.end();
  }
  return written;
}

async function readBlocks(rpc: string, first: number, count: number, rows: TableRows): Promise<void> {
  const tags = Array.from({ length: count }, (_, index) => `0x${(first + index).toString(16)}`);
  const answers = await askMany(rpc, [
    ...tags.map((tag) => ({ method: "eth_getBlockByNumber", params: [tag, true] })),
    ...tags.map((tag) => ({ method: "eth_getBlockReceipts", params: [tag] })),
  ]);
  for (let index = 0; index < count; index++) {
    const block = answerOf<BlockAnswer>(answers[index], first + index);
    addBlock(rows, block, answerOf<readonly ReceiptAnswer[]>(answers[count + index], first + index));
  }
}

function answerOf<T>(
  answer: { readonly result?: unknown; readonly error?: { readonly message: string } } | undefined,
  height: number,
): T {
  if (answer?.error !== undefined || answer?.result == null)
    throw new UsageError(
      `block ${height} cannot be read: ${answer?.error?.message ?? "the node does not have it"}. A node of mode archive or full has all of them`,
      { code: "export/no-block" },
    );
  return answer.result as T;
}

/** The tables of one part, each in its folder; the manifest names the part after all of it is there. */
function writePart(directory: string, { from, to }: Part, rows: TableRows): void {
  const digits = (height: number): string => String(height).padStart(NUMBER_DIGITS, "0");
  for (const table of TABLE_NAMES) {
    const bytes = parquetWriteBuffer({
      columnData: columnsOf(table, rows[table]),
      rowGroupSize: ROW_GROUP_ROWS,
      codec: "SNAPPY",
    });
    writeDurably(join(directory, table, `${digits(from)}-${digits(to)}.parquet`), new Uint8Array(bytes));
  }
}

function writeDurably(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content, { flush: true });
  renameSync(`${path}.part`, path);
}
