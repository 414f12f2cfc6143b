import { decodeAbiParameters, encodeFunctionData, parseAbi } from "viem";
import { bytes } from "./database.ts";
import { page, reference } from "./json-schema.ts";
import { readPage } from "./page-query.ts";
import { notFound } from "./problem.ts";
import type { Hex, Page, RestToken, RestTokenId } from "./rest-types.ts";
import type { RestServices, Route, RouteInput } from "./route.ts";
import {
  TOKEN_COLUMNS,
  TRANSFER_COLUMNS,
  TRANSFER_FROM,
  textOf,
  tokenIdOf,
  tokenOfRow,
  transferOfRow,
} from "./row-shapes.ts";
import { hex } from "./unwind.ts";

const PAGING = { limit: "limit", cursor: "cursor" } as const;
const OF_TOKEN = { address: "address", ...PAGING } as const;
/** What a contract may say as the URI of one token. */
const MAX_URI_CHARACTERS = 2_000;

/** @returns null for what is no token. */
export async function findToken({ database }: RestServices, address: string): Promise<RestToken | null> {
  const [row] = await database.query({
    text: `SELECT ${TOKEN_COLUMNS} FROM tokens t WHERE t.address = $1::bytea`,
    parameters: [bytes(address)],
  });
  return row === undefined ? null : tokenOfRow(row);
}

async function requireToken(services: RestServices, address: string): Promise<RestToken> {
  const token = await findToken(services, address);
  if (token === null) throw notFound(`${address} has no transfers of tokens`);
  return token;
}

function listTokens({ database }: RestServices, { values }: RouteInput): Promise<Page<RestToken>> {
  const { kind, q, limit, cursor } = values;
  const conditions = [
    ...(kind === undefined ? [] : [{ text: "t.kind = $", value: kind }]),
    ...(q === undefined
      ? []
      : [
          {
            text: "position(lower($) in lower(coalesce(t.name, '') || ' ' || coalesce(t.symbol, ''))) > 0",
            value: q,
          },
        ]),
  ];
  return readPage(database, {
    select: TOKEN_COLUMNS,
    from: "tokens t",
    where: conditions.map(({ text }, index) => text.replace("$", `$${index + 1}::text`)),
    parameters: conditions.map(({ value }) => value),
    keys: [
      { column: "t.transfer_count", type: "bigint" },
      { column: "t.address", type: "bytea" },
    ],
    order: "descending",
    limit,
    cursor,
    item: tokenOfRow,
  });
}

async function listHolders(services: RestServices, { values }: RouteInput): Promise<unknown> {
  await requireToken(services, values["address"]!);
  return readPage(services.database, {
    select: `${hex("h.holder")} AS holder, h.amount::text, h.token_id::text`,
    from: "balances h",
    where: ["h.token = $1::bytea", "h.token_id = $2::numeric", "h.amount > 0"],
    parameters: [bytes(values["address"]!), values["tokenId"] ?? "-1"],
    keys: [
      { column: "h.amount", type: "numeric" },
      { column: "h.holder", type: "bytea" },
    ],
    order: "descending",
    limit: values["limit"],
    cursor: values["cursor"],
    item: (row) => ({
      holder: row["holder"],
      amount: String(row["amount"]),
      tokenId: tokenIdOf(row["token_id"]),
    }),
  });
}

const URI_ABI = parseAbi([
  "function tokenURI(uint256 id) view returns (string)",
  "function uri(uint256 id) view returns (string)",
]);

async function listIds(services: RestServices, { values }: RouteInput): Promise<Page<RestTokenId>> {
  const token = await requireToken(services, values["address"]!);
  const found = await readPage(services.database, {
    select: "i.token_id::text, i.supply::text, i.owner",
    from: `(SELECT token_id, sum(amount) AS supply, min(${hex("holder")}) AS owner FROM balances
      WHERE token = $1::bytea AND token_id >= 0 AND amount > 0 GROUP BY token_id) AS i`,
    where: [],
    parameters: [bytes(values["address"]!)],
    keys: [{ column: "i.token_id", type: "numeric" }],
    order: "ascending",
    limit: values["limit"],
    cursor: values["cursor"],
    item: (row) => ({
      tokenId: String(row["token_id"]),
      owner: token.kind === "erc721" ? (textOf(row["owner"]) as Hex | null) : null,
      supply: String(row["supply"]),
    }),
  });
  const uris = await readUris(
    services,
    token,
    found.items.map(({ tokenId }) => tokenId),
  );
  return { ...found, items: found.items.map((item, index) => ({ ...item, uri: uris[index] ?? null })) };
}

async function readUris(
  { source }: RestServices,
  { address, kind }: RestToken,
  ids: readonly string[],
): Promise<readonly (string | null)[]> {
  const functionName = kind === "erc721" ? "tokenURI" : "uri";
  const answers = await source
    .askMany(
      ids.map((id) => ({
        method: "eth_call",
        params: [
          { to: address, data: encodeFunctionData({ abi: URI_ABI, functionName, args: [BigInt(id)] }) },
          "latest",
        ],
      })),
    )
    .catch(() => []);
  return answers.map(({ result }) => readText(result));
}

function readText(result: unknown): string | null {
  try {
    const [text] = decodeAbiParameters([{ type: "string" }], result as Hex);
    return text.slice(0, MAX_URI_CHARACTERS);
  } catch {
    return null;
  }
}

export const tokenRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/tokens",
    summary: "Tokens, those with most transfers first; by kind, or by what their name or symbol has in it.",
    parameters: { kind: "tokenKind", q: "text", ...PAGING },
    answer: page("Token"),
    isOfTip: false,
    run: listTokens,
  },
  {
    method: "GET",
    path: "/tokens/{address}",
    summary: "One token.",
    parameters: { address: "address" },
    answer: reference("Token"),
    isOfTip: false,
    run: (services, { values }) => requireToken(services, values["address"]!),
  },
  {
    method: "GET",
    path: "/tokens/{address}/holders",
    summary: "Who holds it, most first; of an NFT by how many, or with tokenId who holds that one.",
    parameters: { ...OF_TOKEN, tokenId: "amount" },
    answer: page("Holder"),
    isOfTip: true,
    run: listHolders,
  },
  {
    method: "GET",
    path: "/tokens/{address}/transfers",
    summary: "Its transfers, newest first.",
    parameters: { ...OF_TOKEN, tokenId: "amount" },
    answer: page("Transfer"),
    isOfTip: false,
    run: ({ database }, { values }) => {
      const { address, tokenId, limit, cursor } = values;
      return readPage(database, {
        select: TRANSFER_COLUMNS,
        from: TRANSFER_FROM,
        where: ["f.token = $1::bytea", ...(tokenId === undefined ? [] : ["f.token_id = $2::numeric"])],
        parameters: [bytes(address!), ...(tokenId === undefined ? [] : [tokenId])],
        keys: [
          { column: "f.position", type: "bigint" },
          { column: "f.log_index", type: "integer" },
          { column: "f.item", type: "integer" },
        ],
        order: "descending",
        limit,
        cursor,
        item: transferOfRow,
      });
    },
  },
  {
    method: "GET",
    path: "/tokens/{address}/ids",
    summary: "Ids of an ERC-721 or ERC-1155 that somebody holds, ascending.",
    parameters: OF_TOKEN,
    answer: page("TokenId"),
    isOfTip: false,
    run: listIds,
  },
];
