import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { must } from "@ostrom/base";
import { openLevelStore } from "@ostrom/storage";
import { type BackupRequest, makeBackup } from "./backup.ts";
import type { BackupWorkerNews } from "./backup-client.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { installNativeCrypto } from "./native-crypto.ts";

/** Copies the database of a running node in a thread of its own. */
const port = must(parentPort ?? undefined, "this file runs in a worker");
const { databasePath, request, program } = workerData as {
  readonly databasePath: string;
  readonly request: BackupRequest;
  readonly program: string;
};
const tell = (news: BackupWorkerNews): void => port.postMessage(news);

joinMetrics();
installNativeCrypto();
// On Linux a priority is of one thread, elsewhere of the whole process.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const store = await openLevelStore(databasePath, { create: false });
try {
  const outcome = await makeBackup(store, request, program, Date.now, (bytes) =>
    tell({ kind: "progress", bytes }),
  );
  tell(outcome.ok ? { kind: "done", outcome: outcome.value } : { kind: "failed", failure: outcome.error });
} catch (error) {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  const failure = { code: typeof code === "string" ? code : "backup/failed", message };
  tell({ kind: "failed", failure });
} finally {
  await store.close();
}
