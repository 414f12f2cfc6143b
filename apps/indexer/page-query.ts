import type { Database, Parameter, Row } from "./database.ts";
import type { Page } from "./rest-types.ts";
import { DEFAULT_PAGE, decodeCursor, encodeCursor } from "./route.ts";

/** One column that a list is ordered by. Together they name one row, so that a page begins exactly where the last one ended, whatever came
 * meanwhile. */
export type Key = {
  readonly column: string;
  /** The cursor's key is of this SQL type. */
  readonly type: "bigint" | "integer" | "numeric" | "bytea";
};

export type PageQuery<Item> = {
  readonly select: string;
  readonly from: string;
  /** Rows of one of the tables in `from` for which either condition holds: each is found in its own index's order, a page of them. */
  readonly eitherOf?: {
    readonly table: string;
    readonly alias: string;
    readonly conditions: readonly string[];
  };
  /** Conditions, with $1, $2... for `parameters`. */
  readonly where: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly keys: readonly Key[];
  readonly order: "ascending" | "descending";
  readonly limit: string | undefined;
  readonly cursor: string | undefined;
  readonly item: (row: Row) => Item;
};

const KEY_PATTERNS: Readonly<Record<Key["type"], RegExp>> = {
  bigint: /^-?[0-9]{1,18}$/,
  integer: /^[0-9]{1,9}$/,
  numeric: /^-?[0-9]{1,90}$/,
  bytea: /^[0-9a-f]{0,64}$/,
};

/** Reads a page of a list: rows after those of the cursor, found by an index over the keys. */
export async function readPage<Item>(database: Database, query: PageQuery<Item>): Promise<Page<Item>> {
  const { keys, order } = query;
  const limit = Number(query.limit ?? DEFAULT_PAGE);
  const direction = order === "ascending" ? "ASC" : "DESC";
  const after = afterCursor(query);
  const where = [...query.where, ...after.where];
  const ordered = `ORDER BY ${keys.map(({ column }) => `${column} ${direction}`).join(", ")} LIMIT ${limit + 1}`;
  const rows = await database.query({
    text: `${eitherText(query, after.where, ordered)} SELECT ${query.select}, ${keys.map(keyText).join(", ")} FROM ${query.from}
      ${where.length === 0 ? "" : `WHERE ${where.join(" AND ")}`}
      ${ordered}`,
    parameters: [...query.parameters, ...after.parameters],
  });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return {
    items: shown.map(query.item),
    next: hasMore ? encodeCursor(keys.map((_, index) => String(last[`key${index}`]))) : null,
  };
}

/** A table expression of the table's own name, which what follows reads in its stead. What is in several branches comes once (UNION). */
function eitherText(
  { eitherOf }: Pick<PageQuery<unknown>, "eitherOf">,
  after: readonly string[],
  ordered: string,
): string {
  if (eitherOf === undefined) return "";
  const { table, alias, conditions } = eitherOf;
  const branches = conditions.map(
    (condition) =>
      `(SELECT ${alias}.* FROM ${table} ${alias} WHERE ${[condition, ...after].join(" AND ")} ${ordered})`,
  );
  return `WITH ${table} AS (${branches.join(" UNION ")})`;
}

function keyText({ column, type }: Key, index: number): string {
  return `${type === "bytea" ? `encode(${column}, 'hex')` : `${column}::text`} AS key${index}`;
}

function afterCursor({ keys, order, cursor, parameters }: PageQuery<unknown>): {
  readonly where: readonly string[];
  readonly parameters: readonly Parameter[];
} {
  if (cursor === undefined) return { where: [], parameters: [] };
  const values = decodeCursor(
    cursor,
    keys.map(({ type }) => KEY_PATTERNS[type]),
  );
  const places = keys.map(({ type }, index) => `$${parameters.length + index + 1}::${type}`);
  const sign = order === "ascending" ? ">" : "<";
  return {
    where: [`(${keys.map(({ column }) => column).join(", ")}) ${sign} (${places.join(", ")})`],
    parameters: values.map((value, index) => (keys[index]!.type === "bytea" ? `\\x${value}` : value)),
  };
}
