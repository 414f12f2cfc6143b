// The thread of the embedded database: its server runs in WebAssembly and takes the thread while it works.
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import type { Statement } from "./database.ts";

/** What the thread is asked, and what it answers. */
export type PgliteRequest =
  | { readonly id: number; readonly kind: "transaction"; readonly statements: readonly Statement[] }
  | { readonly id: number; readonly kind: "execute"; readonly sql: string }
  | { readonly id: number; readonly kind: "close" };
export type PgliteAnswer =
  | { readonly id: number; readonly rows: readonly (readonly object[])[] }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string | undefined } };

const port = parentPort;
if (port === null) throw new Error("pglite-worker.ts runs as a worker thread");
const { folder } = workerData as { readonly folder: string };
/** Of bytes: they come in PostgreSQL's own notation, as to a server. */
const BYTEA = 17;
const database = await PGlite.create(folder, {
  relaxedDurability: true,
  serializers: { [BYTEA]: (value: string) => value },
});
// What a power cut takes is followed again: waiting for the disk would only take it from the nodes beside.
await database.exec("SET synchronous_commit TO off");
/** One request after the other: each is a transaction, and the database has one session. */
let last: Promise<void> = Promise.resolve();

port.on("message", (request: PgliteRequest) => {
  last = last.then(async () => {
    try {
      port.postMessage({ id: request.id, rows: await perform(request) } satisfies PgliteAnswer);
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: string };
      port.postMessage({ id: request.id, error: { message, code } } satisfies PgliteAnswer);
    }
    if (request.kind === "close") port.close();
  });
});
port.postMessage({ id: 0, rows: [] } satisfies PgliteAnswer);

async function perform(request: PgliteRequest): Promise<readonly (readonly object[])[]> {
  switch (request.kind) {
    case "transaction":
      return runAll(request.statements);
    case "execute":
      await database.transaction((transaction) => transaction.exec(request.sql));
      return [];
    case "close":
      await database.close();
      return [];
    default:
      return request satisfies never;
  }
}

async function runAll(statements: readonly Statement[]): Promise<readonly (readonly object[])[]> {
  const [only] = statements;
  if (statements.length === 1 && only !== undefined) {
    return [(await database.query<object>(only.text, [...(only.parameters ?? [])])).rows];
  }
  return database.transaction(async (transaction) => {
    const all: object[][] = [];
    for (const { text, parameters = [] } of statements)
      all.push((await transaction.query<object>(text, [...parameters])).rows);
    return all;
  });
}
