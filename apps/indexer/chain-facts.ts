import { decodeAbiParameters, encodeFunctionData, keccak256, parseAbi } from "viem";
import type { Answer, ChainSource } from "./chain-source.ts";
import { bytes, bytesArray, type Database, plainArray, storable, textArray } from "./database.ts";
import { hex } from "./unwind.ts";

/** What tokens say of themselves and what code contracts have: asked of the node after the blocks, a few at a time. */

const AT_ONCE = 50;
const MAX_TEXT = 200;
const MAX_DECIMALS = 255n;
const ABI = parseAbi([
  "function name() view returns (string)",
  "function symbol() view returns (string)",
  "function decimals() view returns (uint8)",
  "function totalSupply() view returns (uint256)",
]);
const QUESTIONS = ["name", "symbol", "decimals", "totalSupply"] as const;

/** Asks for the facts that are missing or may have changed. @returns whether there may be more of them. */
export async function learnFacts(database: Database, source: ChainSource): Promise<boolean> {
  const tokens = await learnTokens(database, source);
  const contracts = await learnContracts(database, source);
  return tokens === AT_ONCE || contracts === AT_ONCE;
}

async function learnTokens(database: Database, source: ChainSource): Promise<number> {
  const rows = await database.query({
    text: `SELECT ${hex("address")} AS address FROM tokens WHERE is_stale LIMIT ${AT_ONCE}`,
  });
  if (rows.length === 0) return 0;
  const addresses = rows.map(({ address }) => String(address));
  const answers = await source.askMany(
    addresses.flatMap((to) =>
      QUESTIONS.map((functionName) => ({
        method: "eth_call",
        params: [{ to, data: encodeFunctionData({ abi: ABI, functionName }) }, "latest"],
      })),
    ),
  );
  const facts = addresses.map((_, index) => factsOf(answers.slice(4 * index, 4 * index + 4)));
  await database.query({
    text: `UPDATE tokens AS t SET name = g.name, symbol = g.symbol, decimals = g.decimals, total_supply = g.total_supply, is_stale = false
      FROM unnest($1::bytea[], $2::text[], $3::text[], $4::smallint[], $5::numeric[]) AS g (address, name, symbol, decimals, total_supply)
      WHERE t.address = g.address`,
    parameters: [
      bytesArray(addresses),
      textArray(facts.map(({ name }) => name)),
      textArray(facts.map(({ symbol }) => symbol)),
      plainArray(facts.map(({ decimals }) => decimals)),
      plainArray(facts.map(({ totalSupply }) => totalSupply)),
    ],
  });
  return rows.length;
}

function factsOf(answers: readonly Answer[]): {
  readonly name: string | null;
  readonly symbol: string | null;
  readonly decimals: bigint | null;
  readonly totalSupply: bigint | null;
} {
  const [name, symbol, decimals, totalSupply] = answers.map(({ result }) => String(result ?? "0x"));
  const places = readNumber(decimals!);
  return {
    name: readText(name!),
    symbol: readText(symbol!),
    decimals: places === null || places > MAX_DECIMALS ? null : places,
    totalSupply: readNumber(totalSupply!),
  };
}

/** Some early tokens answer bytes32. */
function readText(data: string): string | null {
  try {
    const isWord = data.length === 66;
    const text = isWord
      ? Buffer.from(data.slice(2), "hex").toString("utf8").replace(/\0+$/, "")
      : decodeAbiParameters([{ type: "string" }], data as `0x${string}`)[0];
    return text === "" ? null : storable(text.slice(0, MAX_TEXT));
  } catch {
    return null;
  }
}

function readNumber(data: string): bigint | null {
  return data.length === 66 ? BigInt(data) : null;
}

async function learnContracts(database: Database, source: ChainSource): Promise<number> {
  const rows = await database.query({
    text: `SELECT ${hex("address")} AS address FROM contracts WHERE code_hash IS NULL LIMIT ${AT_ONCE}`,
  });
  if (rows.length === 0) return 0;
  const addresses = rows.map(({ address }) => String(address));
  const answers = await source.askMany(
    addresses.map((address) => ({ method: "eth_getCode", params: [address, "latest"] })),
  );
  await database.transaction(
    addresses.flatMap((address, index) => {
      const code = answers[index]?.result;
      if (typeof code !== "string") return [];
      return [
        {
          text: "UPDATE contracts SET code_hash = $2::bytea WHERE address = $1::bytea",
          parameters: [bytes(address), bytes(keccak256(code as `0x${string}`))],
        },
      ];
    }),
  );
  return rows.length;
}
