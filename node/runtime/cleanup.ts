import type { Log } from "./ports.ts";

/** Things to close, the last opened first. */
export class Cleanup {
  readonly #steps: (() => Promise<unknown> | unknown)[] = [];

  add(step: () => Promise<unknown> | unknown): void {
    this.#steps.unshift(step);
  }

  /** Runs each step once, the others too if one fails. */
  async run(log: Log): Promise<void> {
    for (const step of this.#steps.splice(0)) {
      try {
        await step();
      } catch (error) {
        log("error", "closing failed", { error });
      }
    }
  }
}
