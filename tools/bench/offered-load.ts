import type { CheapClient, HttpAnswer } from "./cheap-http.ts";
import type { LoadBatch } from "./signed-load.ts";
import { type Heard, readAnswers } from "./submission-answers.ts";

/** Of a lane, at once: more would only wait in the client. */
export const OPEN_REQUESTS = 16;
/** An answer later than this counts as none. */
const TIMEOUT_MS = 10_000;

/** What a load that does not care about the answers has heard. */
export class OfferedLoad {
  /** Transactions that were offered, each time counted. */
  offered = 0;
  /** Transactions that could not even be offered: all connections waited for answers. */
  held = 0;
  /** Transactions by what was said of them: `taken`, or JSON-RPC's code and reason, or what became of the connection. */
  readonly answers: Map<string, number> = new Map();
  readonly takenMs: number[] = [];
  readonly refusedMs: number[] = [];
  timeouts = 0;

  hear(heard: Heard, tookMs: number): void {
    if (heard.taken > 0) this.#count("taken", heard.taken);
    for (const [reason, times] of heard.refusals) this.#count(reason, times);
    (heard.busy.length === 0 ? this.takenMs : this.refusedMs).push(tookMs);
    if (tookMs > TIMEOUT_MS) this.timeouts++;
  }

  lose(error: unknown, transactions: number): void {
    this.#count(String((error as NodeJS.ErrnoException).code ?? error), transactions);
  }

  #count(what: string, by: number): void {
    this.answers.set(what, (this.answers.get(what) ?? 0) + by);
  }
}

/** Offers one lane's batches at a steady pace until the deadline, whether or not earlier ones are answered, and whatever the answer says of
 * when to come again: what was refused comes first again. @returns whether none was left before the deadline. */
export async function offer(
  client: CheapClient,
  url: string,
  batches: readonly LoadBatch[],
  pace: { readonly firstAt: number; readonly pauseMs: number; readonly deadline: number },
  load: OfferedLoad,
): Promise<boolean> {
  const refused: LoadBatch[] = [];
  const open = new Set<Promise<void>>();
  const post = async (batch: LoadBatch): Promise<void> => {
    const at = performance.now();
    const count = batch.hashes.length;
    load.offered += count;
    let answer: HttpAnswer;
    try {
      answer = await client.post(url, batch.body);
    } catch (error) {
      load.lose(error, count);
      refused.push(batch);
      return;
    }
    const heard = readAnswers(answer, count);
    load.hear(heard, performance.now() - at);
    if (heard.taken < count) refused.push(batch);
  };
  let next = 0;
  for (let dueAt = pace.firstAt; ; dueAt += pace.pauseMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
    if (performance.now() >= pace.deadline) break;
    const batch = open.size >= OPEN_REQUESTS ? undefined : (refused.shift() ?? batches[next++]);
    if (open.size >= OPEN_REQUESTS) {
      load.held += batches[0]?.hashes.length ?? 0;
      continue;
    }
    // All that is signed is under way: what of it is refused is offered again.
    if (batch === undefined) {
      if (open.size === 0) break;
      continue;
    }
    const posted = post(batch).finally(() => open.delete(posted));
    open.add(posted);
  }
  await Promise.all(open);
  return next > batches.length;
}
