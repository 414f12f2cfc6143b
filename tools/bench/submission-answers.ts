import type { HttpAnswer } from "./cheap-http.ts";
import type { LoadBatch } from "./signed-load.ts";

/** What a batch of eth_sendRawTransaction heard. */
export type Heard = {
  /** Calls whose transaction the peer has now. */
  readonly taken: number;
  /** Calls that it would take later, by their place in the batch, and when. */
  readonly busy: readonly number[];
  readonly retryAfterMs: number;
  /** The first refusal that is for good. */
  readonly failure: string | undefined;
  /** Number of refusals by JSON-RPC's code and stable reason, or by HTTP's status. */
  readonly refusals: ReadonlyMap<string, number>;
};

type RpcError = {
  readonly code: number;
  readonly data?: { readonly reason?: string; readonly retryAfterMs?: number };
};
type Answer = { readonly id: number | null; readonly error?: RpcError };

const LIMIT_EXCEEDED = -32005;
const HTTP_OK = 200;
const HTTP_TOO_MANY_REQUESTS = 429;
const HTTP_UNAVAILABLE = 503;
/** Where the peer does not say when to come again. */
const DEFAULT_RETRY_MS = 250;
/** The peer has the transaction, or it is in a block already: an earlier attempt was taken after all. */
const TAKEN = /already known|nonce too low|already imported/i;

/** @param calls number of calls in the batch that was posted; their ids are 0 and up. */
export function readAnswers({ status, text }: HttpAnswer, calls: number): Heard {
  if (status !== HTTP_OK) return refusedWhole(status, text, calls);
  if (!text.includes('"error"')) {
    return { taken: calls, busy: [], retryAfterMs: 0, failure: undefined, refusals: new Map() };
  }
  const parsed = JSON.parse(text) as readonly Answer[] | Answer;
  // One answer for the whole batch, or one for each call in any order.
  const answers = Array.isArray(parsed)
    ? (parsed as readonly Answer[])
    : Array.from({ length: calls }, (_, id) => ({ ...(parsed as Answer), id }));
  const busy: number[] = [];
  const refusals = new Map<string, number>();
  let retryAfterMs = 0;
  let failure: string | undefined;
  let taken = 0;
  for (const { id, error } of answers) {
    const isTaken = error === undefined || TAKEN.test(JSON.stringify(error));
    if (isTaken) {
      taken++;
      continue;
    }
    const reason = `${error.code} ${error.data?.reason ?? ""}`.trim();
    refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    if (error.code === LIMIT_EXCEEDED && error.data?.retryAfterMs !== undefined) {
      busy.push(id ?? 0);
      retryAfterMs = Math.max(retryAfterMs, error.data.retryAfterMs);
    } else {
      failure ??= JSON.stringify(error);
    }
  }
  return { taken, busy, retryAfterMs, failure, refusals };
}

function refusedWhole(status: number, text: string, calls: number): Heard {
  const isBusy = status === HTTP_UNAVAILABLE || status === HTTP_TOO_MANY_REQUESTS;
  return {
    taken: 0,
    busy: isBusy ? Array.from({ length: calls }, (_, index) => index) : [],
    retryAfterMs: DEFAULT_RETRY_MS,
    failure: isBusy ? undefined : `HTTP ${status}: ${text.slice(0, 300)}`,
    refusals: new Map([[`HTTP ${status}`, calls]]),
  };
}

/** The body that offers some calls of a batch again, with ids from 0. */
export function bodyOf(body: Buffer, indices: readonly number[]): Buffer {
  const calls = JSON.parse(body.toString("latin1")) as readonly object[];
  if (indices.length === calls.length) return body;
  return Buffer.from(JSON.stringify(indices.map((index, id) => ({ ...calls[index]!, id }))), "latin1");
}

/** Posts a batch again and again until all of it is taken, each time after as long as the peer says.
 * @param onBusy told how many were refused for now. @throws at a refusal for good. */
export async function submitWhole(
  post: (body: Buffer) => Promise<HttpAnswer>,
  batch: LoadBatch,
  onBusy: (transactions: number) => void,
): Promise<void> {
  let body = batch.body;
  let calls = batch.hashes.length;
  for (;;) {
    const { busy, retryAfterMs, failure } = readAnswers(await post(body), calls);
    if (failure !== undefined) throw new Error(`a transaction was refused: ${failure}`);
    if (busy.length === 0) return;
    onBusy(busy.length);
    body = bodyOf(body, busy);
    calls = busy.length;
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
  }
}
