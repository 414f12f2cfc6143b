import pg from "pg";
import { type Database, DatabaseError, type Row, type Statement } from "./database.ts";

const CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 10_000;
/** No statement of the index is meant to take so long: a slow database is told of, not waited for. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** Connects to a PostgreSQL server. Rejects with DatabaseError if nobody answers there. */
export async function openPostgresql(connectionString: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: "ostrom-index",
  });
  // An idle connection that ends is made anew when it is needed.
  pool.on("error", () => undefined);
  const inTransaction = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect().catch(rethrow);
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      client.release();
      return result;
    } catch (error) {
      // A connection whose transaction may hang is not used again.
      client.release(true);
      return rethrow(error);
    }
  };
  const database: Database = {
    kind: "postgresql",
    query: async ({ text, parameters = [] }) =>
      (await pool.query<Row>(text, [...parameters]).catch(rethrow)).rows,
    transaction: (statements: readonly Statement[]) =>
      inTransaction(async (client) => {
        const all: Row[][] = [];
        for (const { text, parameters = [] } of statements)
          all.push((await client.query<Row>(text, [...parameters])).rows);
        return all;
      }),
    execute: (sql) =>
      inTransaction(async (client) => {
        await client.query(sql);
      }),
    close: () => pool.end(),
  };
  try {
    await database.query({ text: "SELECT 1" });
    return database;
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function rethrow(error: unknown): never {
  const { message, code } = error as Error & { readonly code?: string };
  throw new DatabaseError(message, code);
}
