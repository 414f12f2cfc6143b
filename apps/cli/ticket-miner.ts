import { Worker } from "node:worker_threads";
import type { FoundTicket, TicketSearch } from "./work-worker.ts";

/** A thread that looks for tickets, one at a time. */
export type TicketMiner = {
  /** @returns the nonce of the next ticket, or undefined once `signal` ends the search. */
  readonly find: (search: Omit<TicketSearch, "id">, signal: AbortSignal) => Promise<bigint | undefined>;
  readonly stop: () => Promise<void>;
};

/** @throws (rejecting `find`) what ends the thread. */
export function startTicketMiner(): TicketMiner {
  const worker = new Worker(new URL("./work-worker.ts", import.meta.url));
  let newest = 0;
  return {
    find: (search, signal) =>
      new Promise((resolve, reject) => {
        const id = ++newest;
        const end = (nonce: bigint | undefined): void => {
          worker.off("message", hear);
          worker.off("error", reject);
          signal.removeEventListener("abort", abort);
          resolve(nonce);
        };
        const hear = (found: FoundTicket): void => {
          if (found.id === id) end(found.nonce);
        };
        const abort = (): void => end(undefined);
        worker.on("message", hear);
        worker.once("error", reject);
        signal.addEventListener("abort", abort, { once: true });
        if (signal.aborted) return abort();
        worker.postMessage({ ...search, id } satisfies TicketSearch);
      }),
    stop: async () => {
      await worker.terminate();
    },
  };
}
