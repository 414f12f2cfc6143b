import type { Parameter } from "./database.ts";
import { bytes } from "./database.ts";
import { list, object, page, reference } from "./json-schema.ts";
import { readPage } from "./page-query.ts";
import { positionOf } from "./position.ts";
import { badRequest, notFound } from "./problem.ts";
import type { RestBlock, RestTransactionDetail } from "./rest-types.ts";
import type { RestServices, Route, RouteInput } from "./route.ts";
import {
  BLOCK_COLUMNS,
  blockOfRow,
  CALL_COLUMNS,
  CALL_FROM,
  callOfRow,
  LOG_COLUMNS,
  LOG_FROM,
  logOfRow,
  TRANSACTION_COLUMNS,
  TRANSACTION_FROM,
  TRANSFER_COLUMNS,
  TRANSFER_FROM,
  transactionOfRow,
  transferOfRow,
} from "./row-shapes.ts";
import { hex } from "./unwind.ts";

const PAGING = { limit: "limit", cursor: "cursor" } as const;
/** Of one transaction's answer; more of them come by pages. */
const MAX_LOGS = 1_000;
const DEFAULT_LEADS = 1_000;
const MAX_LEADS = 100_000;
const STEPS: readonly number[] = [60, 3_600, 86_400];
const MAX_POINTS = 1_500;
const DEFAULT_POINTS = 120;

async function readBlock({ database }: RestServices, asked: string): Promise<RestBlock> {
  const isHash = asked.startsWith("0x");
  const [row] = await database.query({
    text: `SELECT ${BLOCK_COLUMNS} FROM blocks b WHERE ${isHash ? "b.hash = $1::bytea" : "b.number = $1::bigint"}`,
    parameters: [isHash ? bytes(asked) : asked],
  });
  if (row === undefined) throw notFound(`block ${asked} is not in the index`);
  return blockOfRow(row);
}

async function readTransaction(
  { database, status }: RestServices,
  hash: string,
): Promise<RestTransactionDetail> {
  const [row] = await database.query({
    text: `SELECT ${TRANSACTION_COLUMNS}, ${hex("x.input")} AS input FROM ${TRANSACTION_FROM} WHERE x.hash = $1::bytea`,
    parameters: [bytes(hash)],
  });
  if (row === undefined) throw notFound(`transaction ${hash} is not in the index`);
  const parameters = [String(row["position"])];
  const all = await database.transaction([
    {
      text: `SELECT ${LOG_COLUMNS} FROM ${LOG_FROM} WHERE l.position = $1::bigint ORDER BY l.log_index LIMIT ${MAX_LOGS}`,
      parameters,
    },
    {
      text: `SELECT ${TRANSFER_COLUMNS} FROM ${TRANSFER_FROM} WHERE f.position = $1::bigint ORDER BY f.log_index, f.item LIMIT ${MAX_LOGS}`,
      parameters,
    },
    {
      text: `SELECT ${CALL_COLUMNS} FROM ${CALL_FROM} WHERE c.position = $1::bigint ORDER BY c.ordinal LIMIT ${MAX_LOGS}`,
      parameters,
    },
  ]);
  const transaction = transactionOfRow(row);
  const isTraced = (status().traced ?? -1) >= transaction.blockNumber;
  return {
    ...transaction,
    input: row["input"] as `0x${string}`,
    logs: all[0]!.map(logOfRow),
    transfers: all[1]!.map(transferOfRow),
    internal: isTraced ? all[2]!.map(callOfRow) : null,
  };
}

async function listTransactions(services: RestServices, { values }: RouteInput): Promise<unknown> {
  const { block, limit, cursor } = values;
  const number = block === undefined ? undefined : (await readBlock(services, block)).number;
  const range: readonly Parameter[] =
    number === undefined ? [] : [positionOf(number, 0), positionOf(number + 1, 0)];
  return readPage(services.database, {
    select: TRANSACTION_COLUMNS,
    from: TRANSACTION_FROM,
    where: number === undefined ? [] : ["x.position >= $1::bigint AND x.position < $2::bigint"],
    parameters: range,
    keys: [{ column: "x.position", type: "bigint" }],
    // In a block as they were executed.
    order: number === undefined ? "descending" : "ascending",
    limit,
    cursor,
    item: transactionOfRow,
  });
}

function listLogs({ database }: RestServices, { values }: RouteInput): Promise<unknown> {
  const { address, topic0, limit, cursor } = values;
  if (address === undefined) throw badRequest("address: it is needed");
  return readPage(database, {
    select: LOG_COLUMNS,
    from: LOG_FROM,
    where: ["l.address = $1::bytea", ...(topic0 === undefined ? [] : ["l.topics[1] = $2::bytea"])],
    parameters: [bytes(address), ...(topic0 === undefined ? [] : [bytes(topic0)])],
    keys: [
      { column: "l.position", type: "bigint" },
      { column: "l.log_index", type: "integer" },
    ],
    order: "descending",
    limit,
    cursor,
    item: logOfRow,
  });
}

async function readSeries({ database }: RestServices, { values }: RouteInput): Promise<unknown> {
  const step = Number(values["step"] ?? STEPS[0]);
  if (!STEPS.includes(step)) throw badRequest(`step: expected one of ${STEPS.join(", ")}`);
  const [newest] = await database.query({ text: "SELECT max(minute)::text AS minute FROM minutes" });
  const to = Number(values["to"] ?? (Number(newest?.["minute"] ?? 0) + 1) * 60);
  const from = Number(values["from"] ?? Math.max(0, to - DEFAULT_POINTS * step));
  if (from > to) throw badRequest("from: it is after `to`");
  if ((to - from) / step > MAX_POINTS) throw badRequest(`from: at most ${MAX_POINTS} steps before \`to\``);
  const rows = await database.query({
    text: `SELECT (minute * 60 / $3::bigint * $3::bigint)::text AS time, sum(blocks)::text AS blocks, sum(transactions)::text AS transactions,
      sum(failed)::text AS failed, sum(gas_used)::text AS gas_used, sum(fees)::text AS fees, sum(transfers)::text AS transfers
      FROM minutes WHERE minute >= $1::bigint / 60 AND minute * 60 < $2::bigint GROUP BY 1 ORDER BY min(minute)`,
    parameters: [from, to, step],
  });
  const points = rows.map((row) => ({
    time: Number(row["time"]),
    blocks: Number(row["blocks"]),
    transactions: Number(row["transactions"]),
    failed: Number(row["failed"]),
    gasUsed: String(row["gas_used"]),
    fees: String(row["fees"]),
    transfers: Number(row["transfers"]),
  }));
  return { step, points };
}

async function readStats({ database, status }: RestServices): Promise<unknown> {
  const [row] = await database.query({
    text: `SELECT (SELECT coalesce(sum(transactions), 0) FROM minutes)::text AS transactions,
      (SELECT coalesce(sum(transfers), 0) FROM minutes)::text AS transfers, (SELECT count(*) FROM contracts)::text AS contracts,
      (SELECT count(*) FROM sources)::text AS verified, (SELECT count(*) FROM tokens)::text AS tokens`,
  });
  return {
    blocks: (status().indexed ?? -1) + 1,
    transactions: Number(row?.["transactions"]),
    contracts: Number(row?.["contracts"]),
    verifiedContracts: Number(row?.["verified"]),
    tokens: Number(row?.["tokens"]),
    transfers: Number(row?.["transfers"]),
  };
}

async function listLeads({ database, status }: RestServices, { values }: RouteInput): Promise<unknown> {
  const to = Number(values["to"] ?? status().indexed ?? 0);
  const from = Number(values["from"] ?? Math.max(1, to - DEFAULT_LEADS + 1));
  if (to - from >= MAX_LEADS) throw badRequest(`from: at most ${MAX_LEADS} blocks before \`to\``);
  const rows = await database.query({
    text: `SELECT ${hex("leader")} AS leader, count(*)::text AS blocks, sum(transaction_count)::text AS transactions, sum(fees)::text AS fees
      FROM blocks WHERE number BETWEEN $1::bigint AND $2::bigint GROUP BY leader ORDER BY count(*) DESC, leader LIMIT 1000`,
    parameters: [from, to],
  });
  return {
    items: rows.map((row) => ({
      leader: row["leader"],
      blocks: Number(row["blocks"]),
      transactions: Number(row["transactions"]),
      fees: String(row["fees"]),
    })),
    next: null,
  };
}

export const chainRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/status",
    summary: "How far the index is.",
    parameters: {},
    answer: reference("IndexStatus"),
    isOfTip: false,
    run: async ({ status }) => status(),
  },
  {
    method: "GET",
    path: "/blocks",
    summary: "Blocks, newest first.",
    parameters: PAGING,
    answer: page("Block"),
    isOfTip: true,
    run: ({ database }, { values }) =>
      readPage(database, {
        select: BLOCK_COLUMNS,
        from: "blocks b",
        where: [],
        parameters: [],
        keys: [{ column: "b.number", type: "bigint" }],
        order: "descending",
        limit: values["limit"],
        cursor: values["cursor"],
        item: blockOfRow,
      }),
  },
  {
    method: "GET",
    path: "/blocks/{block}",
    summary: "One block, by number or hash.",
    parameters: { block: "block" },
    answer: reference("Block"),
    isOfTip: true,
    run: (services, { values }) => readBlock(services, values["block"]!),
  },
  {
    method: "GET",
    path: "/transactions",
    summary: "Transactions, newest first; those of one block in its order.",
    parameters: { block: "block", ...PAGING },
    answer: page("Transaction"),
    isOfTip: false,
    run: listTransactions,
  },
  {
    method: "GET",
    path: "/transactions/{hash}",
    summary: "One transaction with its logs, transfers and internal calls (the first 1,000 of each).",
    parameters: { hash: "hash" },
    answer: reference("TransactionDetail"),
    isOfTip: false,
    run: (services, { values }) => readTransaction(services, values["hash"]!),
  },
  {
    method: "GET",
    path: "/logs",
    summary: "Logs of a contract, newest first.",
    parameters: { address: "address", topic0: "hash", ...PAGING },
    answer: page("Log"),
    isOfTip: true,
    run: listLogs,
  },
  {
    method: "GET",
    path: "/stats",
    summary: "How much there is.",
    parameters: {},
    answer: reference("Stats"),
    isOfTip: false,
    run: readStats,
  },
  {
    method: "GET",
    path: "/stats/series",
    summary: "Blocks, transactions, gas and fees by minute, hour or day, oldest first.",
    parameters: { from: "number", to: "number", step: "number" },
    answer: reference("Series"),
    isOfTip: true,
    run: readSeries,
  },
  {
    method: "GET",
    path: "/leads",
    summary: "Who led the blocks of a range (the last 1,000 unless told), most first.",
    parameters: { from: "number", to: "number" },
    answer: object({ items: list(reference("Lead")), next: { type: "null" } }),
    isOfTip: true,
    run: listLeads,
  },
];
