import { parentPort } from "node:worker_threads";
import { type Bytes, must } from "@ostrom/base";
import type { EpochSchedule } from "@ostrom/execution";
import { openLevelStore } from "@ostrom/storage";
import { installNativeCrypto } from "./native-crypto.ts";
import { decodeSnapshotMessage, encodeSnapshotMessage, type Pin } from "./snapshot-messages.ts";
import { SnapshotServer } from "./snapshot-server.ts";
import { connectWorker } from "./worker-calls.ts";

/** What may be asked of the worker that serves snapshots. */
export type SnapshotWorkerVocabulary = {
  readonly open: {
    readonly argument: { readonly databasePath: string; readonly schedule: EpochSchedule };
    readonly answer: undefined;
  };
  /** Looks for a newer state to serve. */
  readonly refresh: { readonly argument: undefined; readonly answer: readonly Pin[] };
  /** A frame with a question, to one with its answer. */
  readonly answer: { readonly argument: Bytes; readonly answer: Bytes };
  readonly close: { readonly argument: undefined; readonly answer: undefined };
};

installNativeCrypto();
let server: SnapshotServer | undefined;
let close: () => Promise<void> = async () => undefined;

connectWorker<SnapshotWorkerVocabulary, Record<never, never>>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    open: async ({ databasePath, schedule }) => {
      const store = await openLevelStore(databasePath);
      const opened = new SnapshotServer(store, { schedule });
      server = opened;
      close = async () => {
        await opened.stop();
        await store.close();
      };
      return undefined;
    },
    refresh: () => must(server, "a worker is opened before it serves").refresh(),
    answer: (frame) => {
      const read = decodeSnapshotMessage(new Uint8Array(frame));
      const message = must(read.ok ? read.value : undefined, "only what can be read is passed on");
      const question = must(
        "question" in message ? message.question : undefined,
        "only questions are passed on",
      );
      const answer = must(server, "a worker is opened before it serves").answer(question);
      return encodeSnapshotMessage({ id: message.id, answer });
    },
    close: async () => {
      await close();
      return undefined;
    },
  },
);
