import type { ChainSource } from "./chain-source.ts";
import type { Database } from "./database.ts";
import type { Schema } from "./json-schema.ts";
import { badRequest } from "./problem.ts";
import type { IndexStatus } from "./rest-types.ts";
import type { Verification } from "./verification.ts";

/** What routes answer from. */
export type RestServices = {
  readonly database: Database;
  readonly source: ChainSource;
  readonly status: () => IndexStatus;
  readonly verification: Verification;
};

/** One route of the interface: what it does, and all that its description says of it. */
export type Route = {
  readonly method: "GET" | "POST";
  /** Below /api/v1: /blocks/{block}. */
  readonly path: string;
  readonly summary: string;
  readonly parameters: Readonly<Record<string, ParameterKind>>;
  readonly answer: Schema;
  /** Whether what it says can change only with the newest block: then its answers have an ETag of that. */
  readonly isOfTip: boolean;
  readonly body?: Schema;
  readonly run: (services: RestServices, input: RouteInput) => Promise<unknown>;
};

/** Kinds of parameters, in the path and in the query; those in the query may be left out. */
export type ParameterKind =
  | "address"
  | "hash"
  | "block"
  | "number"
  | "amount"
  | "text"
  | "flag"
  | "limit"
  | "cursor"
  | "selector"
  | "tokenKind";

export type RouteInput = {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
};

export const MAX_PAGE = 100;
export const DEFAULT_PAGE = 25;
const MAX_TEXT = 100;

type Rule = { readonly pattern: RegExp; readonly expected: string };
const HEX_RULE = (digits: number): Rule => ({
  pattern: new RegExp(`^0x[0-9a-fA-F]{${digits}}$`),
  expected: `0x and ${digits} hexadecimal digits`,
});
export const PARAMETER_RULES: Readonly<Record<ParameterKind, Rule>> = {
  address: HEX_RULE(40),
  hash: HEX_RULE(64),
  block: { pattern: /^(?:[0-9]{1,15}|0x[0-9a-fA-F]{64})$/, expected: "a block's number or hash" },
  number: { pattern: /^[0-9]{1,15}$/, expected: "a whole number" },
  amount: { pattern: /^[0-9]{1,78}$/, expected: "a whole number" },
  text: { pattern: new RegExp(`^[^\\u0000]{1,${MAX_TEXT}}$`), expected: `1 to ${MAX_TEXT} characters` },
  flag: { pattern: /^(?:true|false)$/, expected: "true or false" },
  limit: { pattern: /^(?:[1-9][0-9]?|100)$/, expected: `1 to ${MAX_PAGE}` },
  cursor: {
    pattern: /^[A-Za-z0-9_-]{1,400}$/,
    expected: "the `next` of an answer to the same question",
  },
  selector: { pattern: /^0x(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{64})$/, expected: "4 or 32 bytes in hexadecimal" },
  tokenKind: { pattern: /^(?:erc20|erc721|erc1155)$/, expected: "erc20, erc721 or erc1155" },
};

const LOWER_CASE: ReadonlySet<ParameterKind> = new Set(["address", "hash", "block", "selector"]);

/** Reads what a route takes. @throws RestProblem naming the parameter and what was expected. */
export function readParameters(
  { parameters, path }: Route,
  inPath: Readonly<Record<string, string>>,
  query: URLSearchParams,
): Readonly<Record<string, string | undefined>> {
  for (const name of query.keys()) {
    const isKnown = Object.hasOwn(parameters, name) && !path.includes(`{${name}}`);
    if (!isKnown) throw badRequest(`there is no parameter "${name.slice(0, MAX_TEXT)}" here`);
  }
  const values: Record<string, string | undefined> = {};
  for (const [name, kind] of Object.entries(parameters)) {
    const text = inPath[name] ?? query.get(name) ?? undefined;
    if (text === undefined) continue;
    const { pattern, expected } = PARAMETER_RULES[kind];
    if (!pattern.test(text)) throw badRequest(`${name}: expected ${expected}`);
    values[name] = LOWER_CASE.has(kind) ? text.toLowerCase() : text;
  }
  return values;
}

/** A cursor: the keys of the last row of a page. */
export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString("base64url");
}

/** @param patterns what each key must look like. @throws RestProblem for what is no cursor of this list. */
export function decodeCursor(cursor: string, patterns: readonly RegExp[]): readonly string[] {
  const wrong = badRequest(`cursor: expected ${PARAMETER_RULES.cursor.expected}`);
  let keys: unknown;
  try {
    keys = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    throw wrong;
  }
  const isRight =
    Array.isArray(keys) &&
    keys.length === patterns.length &&
    patterns.every((pattern, index) => pattern.test(String(keys[index])));
  if (!isRight) throw wrong;
  return (keys as readonly unknown[]).map(String);
}
