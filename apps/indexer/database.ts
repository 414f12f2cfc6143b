/** What the index asks of a database: PostgreSQL's SQL, embedded (PGlite) or over a connection. */
export type Database = {
  readonly kind: "pglite" | "postgresql";
  /** Rejects with DatabaseError. */
  readonly query: (statement: Statement) => Promise<readonly Row[]>;
  /** All of them or none, in order. @returns the rows of each. */
  readonly transaction: (statements: readonly Statement[]) => Promise<readonly (readonly Row[])[]>;
  /** Several commands without parameters, as one transaction. */
  readonly execute: (sql: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Parameters are text (arrays too, in PostgreSQL's own notation), numbers, booleans or null: what both drivers read alike. */
export type Parameter = string | number | boolean | null;

export type Statement = { readonly text: string; readonly parameters?: readonly Parameter[] };

/** Columns hold text, numbers, booleans and null: bytes and big numbers are selected as text. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** What a database refused. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** SQLSTATE, where it said one. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** SQLSTATE of `expect_tip` (migrations/0001): somebody else moves the index. */
export const TIP_MOVED = "OS001";

/** A column of a bulk insert: PostgreSQL's array notation. Numbers and words need no quotes. */
export function plainArray(values: readonly (string | number | bigint | boolean | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : String(value))).join(",")}}`;
}

/** The same of bytes, each 0x-prefixed hex or null. */
export function bytesArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : `"\\\\x${value.slice(2)}"`)).join(",")}}`;
}

/** The same of free text. A zero byte, which PostgreSQL's text cannot hold, becomes the replacement character. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : `"${escapeText(value)}"`)).join(",")}}`;
}

function escapeText(value: string): string {
  return storable(value).replace(/["\\]/g, "\\$&");
}

/** Text without the zero byte, which PostgreSQL's cannot hold. */
export function storable(value: string): string {
  return value.replaceAll("\u0000", "\ufffd");
}

/** One value of bytes as a parameter: 0x-prefixed hex. */
export function bytes(hex: string): string {
  return `\\x${hex.slice(2)}`;
}
