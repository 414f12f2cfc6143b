import type { CheapClient, HttpAnswer } from "./cheap-http.ts";
import type { LoadBatch } from "./signed-load.ts";
import { submitWhole } from "./submission-answers.ts";

/** A transaction that a node said it has, and when it was offered first. */
export type Accepted = { readonly hash: string; readonly at: number };

/** Between attempts at a node that is down. */
const DOWN_PAUSE_MS = 200;

/** Offers one connection's transactions at a steady pace, and goes on where it was when its node comes back. */
export class SteadyLane {
  readonly #client: CheapClient;
  readonly #url: string;
  readonly #batches: readonly LoadBatch[];
  readonly #isIncluded: (hash: string) => boolean;
  readonly #waiting: LoadBatch[] = [];
  #mustOfferAgain = false;
  busy = 0;
  offeredAgain = 0;
  readonly accepted: Accepted[] = [];

  constructor(
    client: CheapClient,
    url: string,
    batches: readonly LoadBatch[],
    isIncluded: (hash: string) => boolean,
  ) {
    this.#client = client;
    this.#url = url;
    this.#batches = batches;
    this.#isIncluded = isIncluded;
  }

  /** The node was killed, and with it went what it had not passed on. */
  offerAgain(): void {
    this.#mustOfferAgain = true;
  }

  async run({ pauseMs, deadline }: { readonly pauseMs: number; readonly deadline: number }): Promise<void> {
    let dueAt = performance.now();
    for (const batch of this.#batches) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
      if (performance.now() >= deadline) break;
      await this.#offerWaiting();
      const at = performance.now();
      await this.#submit(batch);
      for (const hash of batch.hashes) this.accepted.push({ hash, at });
      this.#waiting.push(batch);
      dueAt += pauseMs;
    }
    await this.#offerWaiting();
  }

  /** After a restart, all that is in no block; else nothing. */
  async #offerWaiting(): Promise<void> {
    while (this.#waiting[0]?.hashes.every((hash) => this.#isIncluded(hash))) this.#waiting.shift();
    if (!this.#mustOfferAgain) return;
    this.#mustOfferAgain = false;
    for (const batch of this.#waiting) {
      this.offeredAgain += batch.hashes.length;
      await this.#submit(batch);
    }
  }

  async #submit(batch: LoadBatch): Promise<void> {
    await submitWhole(
      (body) => this.#post(body),
      batch,
      (transactions) => {
        this.busy += transactions;
      },
    );
  }

  async #post(body: Buffer): Promise<HttpAnswer> {
    for (;;) {
      try {
        return await this.#client.post(this.#url, body);
      } catch (error) {
        // Its node is down: it is started again, or the whole run fails.
        if (!(error instanceof Error && "code" in error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, DOWN_PAUSE_MS));
      }
    }
  }
}
