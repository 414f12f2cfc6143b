import type { WriteOperation } from "@ostrom/state";
import type { Store } from "@ostrom/storage";

type Waiting = { readonly operations: readonly WriteOperation[]; readonly done: () => void };

/** Synced writes of the same kind that come while one is under way go together in the next: one sync for all of them. */
export class DurableWrites {
  readonly #store: Pick<Store, "write">;
  readonly #failed: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(store: Pick<Store, "write">, failed: (error: unknown) => void) {
    this.#store = store;
    this.#failed = failed;
  }

  /** @param done is called when they are on disk; never, if they cannot be written. */
  write(operations: readonly WriteOperation[], done: () => void): void {
    this.#waiting.push({ operations, done });
    this.#next();
  }

  #next(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    const together = this.#waiting.splice(0);
    this.#isWriting = true;
    this.#store
      .write(
        together.flatMap(({ operations }) => operations),
        { sync: true },
      )
      .then(() => {
        this.#isWriting = false;
        for (const { done } of together) done();
        this.#next();
      })
      .catch(this.#failed);
  }
}
