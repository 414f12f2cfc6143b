import { parentPort } from "node:worker_threads";
import { must } from "@ostrom/base";
import { findTicket } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";

/** What the worker is to look for; a later one takes its place. */
export type TicketSearch = {
  readonly id: number;
  readonly preimage: Uint8Array;
  readonly target: bigint;
  readonly from: bigint;
};
export type FoundTicket = { readonly id: number; readonly nonce: bigint };

/** Some milliseconds: after each of them a newer search is looked for. */
const TRIES_AT_ONCE = 5_000;

const port = must(parentPort ?? undefined, "this file runs in a worker");
let search: TicketSearch | undefined;
let isRunning = false;

installNativeCrypto();
port.on("message", (next: TicketSearch) => {
  search = next;
  if (!isRunning) run();
});

/** One ticket a search: who asked hands it in before it asks for the next one. */
function run(): void {
  isRunning = search !== undefined;
  if (search === undefined) return;
  const { id, preimage, target, from } = search;
  const nonce = findTicket(preimage, target, from, TRIES_AT_ONCE);
  search = nonce === undefined ? { ...search, from: from + BigInt(TRIES_AT_ONCE) } : undefined;
  if (nonce !== undefined) port.postMessage({ id, nonce } satisfies FoundTicket);
  setImmediate(run);
}
