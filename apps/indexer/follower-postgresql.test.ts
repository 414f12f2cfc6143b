import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DatabaseError } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { followerSuite } from "./testing/follower-suite.ts";
import { startPostgresql } from "./testing/postgresql-server.ts";

const server = await startPostgresql();
if (server === undefined) {
  test("postgresql", { skip: "PostgreSQL is not installed (Debian's package: postgresql)" }, () => undefined);
} else {
  const database = await openDatabase(server.url);
  after(async () => {
    await database.close();
    await server.stop();
  });
  followerSuite("postgresql", () => database);

  test("postgresql: migrations are applied once; a schema of a newer version is refused", async () => {
    const again = await openDatabase(server.url);
    await again.query({ text: "INSERT INTO migrations (version, name) VALUES (99, 'of the future')" });
    await again.close();
    await assert.rejects(openDatabase(server.url), DatabaseError);
    await database.query({ text: "DELETE FROM migrations WHERE version = 99" });
  });
}
