import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Database, DatabaseError } from "./database.ts";
import { openPglite } from "./pglite-database.ts";
import { openPostgresql } from "./postgresql-database.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");
const MIGRATION_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;

/** Opens the database that a person named, with the schema of this version.
 * @param place postgres://... for a server, otherwise the folder of an embedded database. Rejects with DatabaseError. */
export async function openDatabase(place: string): Promise<Database> {
  const database = /^postgres(?:ql)?:\/\//.test(place)
    ? await openPostgresql(place)
    : await openPglite(place);
  try {
    await migrate(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Brings the schema up to date, each step a transaction of its own.
 * @throws DatabaseError if the database was made by a newer version. */
export async function migrate(database: Database): Promise<void> {
  await database.execute(
    "CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  const rows = await database.query({ text: "SELECT version FROM migrations" });
  const done = new Set(rows.map(({ version }) => Number(version)));
  const known = readMigrations();
  const newest = Math.max(0, ...done);
  if (newest > known.length)
    throw new DatabaseError(
      `the index was written by a newer version (schema ${newest}, known here: ${known.length})`,
    );
  for (const { version, name, sql } of known) {
    if (done.has(version)) continue;
    await database.execute(`${sql}\nINSERT INTO migrations (version, name) VALUES (${version}, '${name}');`);
  }
}

function readMigrations(): readonly {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => MIGRATION_NAME.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      name,
      sql: readFileSync(join(MIGRATIONS, name), "utf8"),
    }));
}
