import { Worker } from "node:worker_threads";
import { type Failure, fail, ok, type Result } from "@ostrom/base";
import type { BackupOutcome, BackupRequest } from "./backup.ts";

export type BackupWorkerNews =
  | { readonly kind: "progress"; readonly bytes: number }
  | { readonly kind: "done"; readonly outcome: BackupOutcome }
  | { readonly kind: "failed"; readonly failure: Failure };

export type RunningBackup = {
  readonly bytes: () => number;
  readonly finished: Promise<Result<BackupOutcome, Failure>>;
  /** Ends it; what was written stays without a manifest, and is no backup. */
  readonly stop: () => Promise<void>;
};

/** Copies the database of this process' node in a thread of its own, which ends with the backup. */
export function startBackup(databasePath: string, request: BackupRequest, program: string): RunningBackup {
  const worker = new Worker(new URL("./backup-worker.ts", import.meta.url), {
    name: "backup",
    workerData: { databasePath, request, program },
  });
  let bytes = 0;
  const finished = new Promise<Result<BackupOutcome, Failure>>((resolve) => {
    worker.on("message", (news: BackupWorkerNews) => {
      if (news.kind === "progress") bytes = news.bytes;
      else resolve(news.kind === "done" ? ok(news.outcome) : { ok: false, error: news.failure });
    });
    worker.on("error", (error: Error) => resolve(fail("backup/failed", error.message)));
    worker.on("exit", () => resolve(fail("backup/stopped", "the backup was stopped before it was finished")));
  });
  return {
    bytes: () => bytes,
    finished,
    stop: async () => {
      await worker.terminate();
    },
  };
}
