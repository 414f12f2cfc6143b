import { bytes } from "./database.ts";
import { list, object, page, reference, TEXT } from "./json-schema.ts";
import { readPage } from "./page-query.ts";
import { badRequest, notFound } from "./problem.ts";
import type { RestContract, RestSearchResult, VerificationRequest } from "./rest-types.ts";
import type { RestServices, Route } from "./route.ts";
import { CONTRACT_COLUMNS, CONTRACT_FROM, contractOfRow } from "./row-shapes.ts";
import { readSource } from "./source-reader.ts";

const PAGING = { limit: "limit", cursor: "cursor" } as const;
const MAX_FOUND = 10;

/** @returns null for an address of which the index knows no contract. */
export async function findContract(
  { database }: RestServices,
  address: string,
): Promise<RestContract | null> {
  const [row] = await database.query({
    text: `SELECT ${CONTRACT_COLUMNS} FROM ${CONTRACT_FROM} WHERE c.address = $1::bytea`,
    parameters: [bytes(address)],
  });
  return row === undefined ? null : contractOfRow(row);
}

async function search(services: RestServices, query: string): Promise<readonly RestSearchResult[]> {
  const { database, source } = services;
  const text = query.trim().toLowerCase();
  if (/^0x[0-9a-f]{64}$/.test(text)) return searchHash(services, text);
  if (/^0x[0-9a-f]{40}$/.test(text)) {
    const code = await source.ask<string>("eth_getCode", [text, "latest"]).catch(() => "0x");
    const contract = await findContract(services, text);
    const name = contract?.verified?.name ?? null;
    return [
      {
        kind: "address",
        address: text as `0x${string}`,
        isContract: code !== "0x" || contract !== null,
        name,
      },
    ];
  }
  const results: RestSearchResult[] = [];
  if (/^[0-9]{1,15}$/.test(text)) {
    const [row] = await database.query({
      text: "SELECT number::text, '0x' || encode(hash, 'hex') AS hash FROM blocks WHERE number = $1::bigint",
      parameters: [text],
    });
    if (row !== undefined)
      results.push({ kind: "block", number: Number(row["number"]), hash: row["hash"] as `0x${string}` });
  }
  return [...results, ...(await searchNames(services, text))];
}

async function searchHash({ database }: RestServices, hash: string): Promise<readonly RestSearchResult[]> {
  const [blocks, transactions] = await database.transaction([
    { text: "SELECT number::text FROM blocks WHERE hash = $1::bytea", parameters: [bytes(hash)] },
    {
      text: "SELECT (position / 1048576)::text AS number FROM transactions WHERE hash = $1::bytea LIMIT 1",
      parameters: [bytes(hash)],
    },
  ]);
  const known = hash as `0x${string}`;
  return [
    ...blocks!.map(({ number }) => ({ kind: "block" as const, number: Number(number), hash: known })),
    ...transactions!.map(({ number }) => ({
      kind: "transaction" as const,
      hash: known,
      blockNumber: Number(number),
    })),
  ];
}

async function searchNames({ database }: RestServices, text: string): Promise<readonly RestSearchResult[]> {
  const [tokens, contracts] = await database.transaction([
    {
      text: `SELECT '0x' || encode(address, 'hex') AS address, kind, name, symbol FROM tokens
        WHERE position($1::text in lower(coalesce(name, '') || ' ' || coalesce(symbol, ''))) > 0
        ORDER BY transfer_count DESC, address LIMIT ${MAX_FOUND}`,
      parameters: [text],
    },
    {
      text: `SELECT '0x' || encode(address, 'hex') AS address, name FROM sources WHERE position($1::text in lower(name)) > 0
        ORDER BY verified_at DESC, address LIMIT ${MAX_FOUND}`,
      parameters: [text],
    },
  ]);
  return [
    ...tokens!.map((row) => ({
      kind: "token" as const,
      address: row["address"] as `0x${string}`,
      name: row["name"] as string | null,
      symbol: row["symbol"] as string | null,
      tokenKind: row["kind"] as "erc20" | "erc721" | "erc1155",
    })),
    ...contracts!.map((row) => ({
      kind: "address" as const,
      address: row["address"] as `0x${string}`,
      isContract: true,
      name: String(row["name"]),
    })),
  ];
}

export const contractRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/contracts",
    summary: "Contracts, those with verified sources (verified=true) or all, newest first.",
    parameters: { verified: "flag", ...PAGING },
    answer: page("Contract"),
    isOfTip: false,
    run: ({ database }, { values }) =>
      readPage(database, {
        select: CONTRACT_COLUMNS,
        from: CONTRACT_FROM,
        where: values["verified"] === "true" ? ["s.address IS NOT NULL"] : [],
        parameters: [],
        keys: [
          { column: "coalesce(c.position, -1)", type: "bigint" },
          { column: "c.address", type: "bytea" },
        ],
        order: "descending",
        limit: values["limit"],
        cursor: values["cursor"],
        item: contractOfRow,
      }),
  },
  {
    method: "GET",
    path: "/contracts/{address}",
    summary: "Who made a contract, when, and whether its source is verified.",
    parameters: { address: "address" },
    answer: reference("Contract"),
    isOfTip: false,
    run: async (services, { values }) => {
      const contract = await findContract(services, values["address"]!);
      if (contract === null) throw notFound(`the index knows no contract at ${values["address"]}`);
      return contract;
    },
  },
  {
    method: "GET",
    path: "/contracts/{address}/source",
    summary: "Its verified sources, ABI and settings.",
    parameters: { address: "address" },
    answer: reference("Source"),
    isOfTip: false,
    run: async ({ database }, { values }) => {
      const source = await readSource(database, values["address"]!);
      if (source === undefined) throw notFound(`nobody has shown the source of ${values["address"]}`);
      return source;
    },
  },
  {
    method: "GET",
    path: "/search",
    summary:
      "Blocks, transactions and addresses by number, hash or address; tokens and verified contracts by name.",
    parameters: { q: "text" },
    answer: reference("Search"),
    isOfTip: false,
    run: async (services, { values }) => {
      const { q } = values;
      if (q === undefined) throw badRequest("q: it is needed");
      return { query: q, results: await search(services, q) };
    },
  },
  {
    method: "GET",
    path: "/signatures/{selector}",
    summary:
      "Functions, errors (4 bytes) or events (32 bytes) of verified contracts that have this selector.",
    parameters: { selector: "selector" },
    answer: reference("Signatures"),
    isOfTip: false,
    run: async ({ database }, { values }) => {
      const rows = await database.query({
        text: `SELECT signature FROM signatures WHERE selector = $1::bytea ORDER BY signature LIMIT ${MAX_FOUND}`,
        parameters: [bytes(values["selector"]!)],
      });
      return { selector: values["selector"], signatures: rows.map(({ signature }) => String(signature)) };
    },
  },
  {
    method: "GET",
    path: "/verification/compilers",
    summary: "Compilers that can verify here.",
    parameters: {},
    answer: list(reference("Compiler")),
    isOfTip: false,
    run: async ({ verification }) => verification.compilers.list(),
  },
  {
    method: "POST",
    path: "/verification",
    summary: "Begin to verify the source of a contract; answers 202. Ask /verification/{id} how it went.",
    parameters: {},
    body: object({ address: TEXT, compiler: TEXT }),
    answer: reference("Verification"),
    isOfTip: false,
    run: async ({ verification }, { body }) => {
      if (typeof body !== "object" || body === null) throw badRequest("the body: expected a JSON object");
      return verification.submit(body as VerificationRequest);
    },
  },
  {
    method: "GET",
    path: "/verification/{id}",
    summary: "How a verification goes.",
    parameters: { id: "text" },
    answer: reference("Verification"),
    isOfTip: false,
    run: async ({ verification }, { values }) => {
      const found = verification.find(values["id"]!);
      if (found === undefined)
        throw notFound("there is no such verification (they are forgotten after a while)");
      return found;
    },
  },
];
