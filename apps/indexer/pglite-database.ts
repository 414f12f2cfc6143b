import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { type Database, DatabaseError, type Row, type Statement } from "./database.ts";
import type { PgliteAnswer, PgliteRequest } from "./pglite-worker.ts";

type Waiting = {
  readonly resolve: (rows: readonly (readonly Row[])[]) => void;
  readonly reject: (error: DatabaseError) => void;
};
/** Without the number by which its answer is told from others. */
type Asked<Request> = Request extends unknown ? Omit<Request, "id"> : never;

/** Opens PostgreSQL embedded in a thread of this process; its files lie in the folder. The first time takes seconds.
 * Rejects with DatabaseError. */
export async function openPglite(folder: string): Promise<Database> {
  mkdirSync(dirname(folder), { recursive: true });
  const worker = new Worker(join(import.meta.dirname, "pglite-worker.ts"), { workerData: { folder } });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let failure: DatabaseError | undefined;
  const fail = (message: string): void => {
    failure ??= new DatabaseError(message);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  };
  worker.on("error", (error: Error) => fail(`the embedded database failed: ${error.message}`));
  worker.on("exit", () => fail("the embedded database is closed"));
  worker.on("message", (answer: PgliteAnswer) => {
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) asker?.reject(new DatabaseError(answer.error.message, answer.error.code));
    else asker?.resolve(answer.rows as readonly (readonly Row[])[]);
  });
  await new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
  const ask = (request: Asked<PgliteRequest>): Promise<readonly (readonly Row[])[]> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...request });
    });
  const transaction = (statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> =>
    ask({ kind: "transaction", statements });
  return {
    kind: "pglite",
    query: async (statement) => (await transaction([statement]))[0]!,
    transaction,
    execute: async (sql) => {
      await ask({ kind: "execute", sql });
    },
    close: async () => {
      await ask({ kind: "close" }).catch(() => undefined);
      await worker.terminate();
    },
  };
}
