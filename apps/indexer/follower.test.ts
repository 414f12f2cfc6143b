import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import type { Database } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { followerSuite } from "./testing/follower-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "ostrom-index-"));
let database: Database;

before(async () => {
  database = await openDatabase(join(folder, "index"));
});
after(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

followerSuite("pglite", () => database);
