import { bytes, type Parameter } from "./database.ts";
import { page, reference } from "./json-schema.ts";
import { readPage } from "./page-query.ts";
import { blockOf } from "./position.ts";
import type { RestAddress } from "./rest-types.ts";
import type { RestServices, Route } from "./route.ts";
import { findContract } from "./routes-contract.ts";
import { findToken } from "./routes-token.ts";
import {
  CALL_COLUMNS,
  CALL_FROM,
  callOfRow,
  numberOf,
  TOKEN_COLUMNS,
  TRANSACTION_COLUMNS,
  TRANSFER_COLUMNS,
  TRANSFER_FROM,
  tokenIdOf,
  tokenOfRow,
  transactionOfRow,
  transferOfRow,
} from "./row-shapes.ts";

const OF_ADDRESS = { address: "address", limit: "limit", cursor: "cursor" } as const;
/** Counting stops there: it would take longer than anybody reads. */
const MAX_COUNTED = 10_000;

async function readAddress(services: RestServices, address: string): Promise<RestAddress> {
  const { database, source } = services;
  const parameters: readonly Parameter[] = [bytes(address)];
  const [[seen], [counted], [led]] = (await database.transaction([
    {
      text: "SELECT min(position)::text AS first, max(position)::text AS last FROM appearances WHERE address = $1::bytea",
      parameters,
    },
    {
      text: `SELECT count(*)::text AS n FROM (SELECT 1 FROM appearances WHERE address = $1::bytea LIMIT ${MAX_COUNTED + 1}) AS counted`,
      parameters,
    },
    { text: "SELECT count(*)::text AS n FROM blocks WHERE leader = $1::bytea", parameters },
  ])) as readonly [readonly [Row?], readonly [Row?], readonly [Row?]];
  const [contract, token, code] = await Promise.all([
    findContract(services, address),
    findToken(services, address),
    source.ask<string>("eth_getCode", [address, "latest"]).catch(() => undefined),
  ]);
  const count = Number(counted?.["n"] ?? 0);
  return {
    address: address as `0x${string}`,
    isContract: code === undefined ? contract !== null || token !== null : isCode(code),
    transactionCount: Math.min(count, MAX_COUNTED),
    hasMoreTransactions: count > MAX_COUNTED,
    firstSeen: blockAt(seen?.["first"]),
    lastSeen: blockAt(seen?.["last"]),
    ledCount: Number(led?.["n"] ?? 0),
    contract,
    token,
  };
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

/** An account that delegates (EIP-7702) has a mark for code, and remains an account. */
function isCode(code: string): boolean {
  return code !== "0x" && !code.startsWith("0xef0100");
}

function blockAt(position: Row[string] | undefined): number | null {
  const number = numberOf(position);
  return number === null ? null : blockOf(number);
}

export const addressRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/addresses/{address}",
    summary: "What the index knows of an address; balance, nonce and code are the node's to say.",
    parameters: { address: "address" },
    answer: reference("Address"),
    isOfTip: false,
    run: (services, { values }) => readAddress(services, values["address"]!),
  },
  {
    method: "GET",
    path: "/addresses/{address}/transactions",
    summary:
      "Transactions that it sent, that call or make it, move its tokens or in which it emits logs, newest first.",
    parameters: OF_ADDRESS,
    answer: page("Transaction"),
    isOfTip: false,
    run: ({ database }, { values }) =>
      readPage(database, {
        select: TRANSACTION_COLUMNS,
        from: "appearances a JOIN transactions x ON x.position = a.position JOIN blocks b ON b.number = a.position / 1048576",
        where: ["a.address = $1::bytea"],
        parameters: [bytes(values["address"]!)],
        keys: [{ column: "a.position", type: "bigint" }],
        order: "descending",
        limit: values["limit"],
        cursor: values["cursor"],
        item: transactionOfRow,
      }),
  },
  {
    method: "GET",
    path: "/addresses/{address}/transfers",
    summary: "Transfers of tokens from or to it, newest first.",
    parameters: OF_ADDRESS,
    answer: page("Transfer"),
    isOfTip: false,
    run: ({ database }, { values }) =>
      readPage(database, {
        select: TRANSFER_COLUMNS,
        from: TRANSFER_FROM,
        eitherOf: {
          table: "transfers",
          alias: "f",
          conditions: ["f.sender = $1::bytea", "f.recipient = $1::bytea"],
        },
        where: [],
        parameters: [bytes(values["address"]!)],
        keys: [
          { column: "f.position", type: "bigint" },
          { column: "f.log_index", type: "integer" },
          { column: "f.item", type: "integer" },
        ],
        order: "descending",
        limit: values["limit"],
        cursor: values["cursor"],
        item: transferOfRow,
      }),
  },
  {
    method: "GET",
    path: "/addresses/{address}/internal",
    summary: "Calls that contracts made from or to it, newest first.",
    parameters: OF_ADDRESS,
    answer: page("InternalCall"),
    isOfTip: false,
    run: ({ database }, { values }) =>
      readPage(database, {
        select: CALL_COLUMNS,
        from: CALL_FROM,
        eitherOf: {
          table: "internal_calls",
          alias: "c",
          conditions: ["c.sender = $1::bytea", "c.recipient = $1::bytea"],
        },
        where: [],
        parameters: [bytes(values["address"]!)],
        keys: [
          { column: "c.position", type: "bigint" },
          { column: "c.ordinal", type: "integer" },
        ],
        order: "descending",
        limit: values["limit"],
        cursor: values["cursor"],
        item: callOfRow,
      }),
  },
  {
    method: "GET",
    path: "/addresses/{address}/tokens",
    summary: "Tokens that it holds, each id of an NFT for itself, by the tokens' addresses.",
    parameters: OF_ADDRESS,
    answer: page("Holding"),
    isOfTip: false,
    run: ({ database }, { values }) =>
      readPage(database, {
        select: `${TOKEN_COLUMNS}, h.amount::text, h.token_id::text`,
        from: "balances h JOIN tokens t ON t.address = h.token",
        where: ["h.holder = $1::bytea", "h.amount > 0", "(h.token_id >= 0 OR t.kind = 'erc20')"],
        parameters: [bytes(values["address"]!)],
        keys: [
          { column: "h.token", type: "bytea" },
          { column: "h.token_id", type: "numeric" },
        ],
        order: "ascending",
        limit: values["limit"],
        cursor: values["cursor"],
        item: (row) => ({
          token: tokenOfRow(row),
          amount: String(row["amount"]),
          tokenId: tokenIdOf(row["token_id"]),
        }),
      }),
  },
];
