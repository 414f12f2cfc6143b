/** Performs effects one after another, in the order in which they were given, and survives being given more while one is
 * under way. `perform` takes as many effects from the head of the list as it can do at once, and says how many. */
export class EffectQueue<Effect> {
  readonly #perform: (effects: readonly Effect[]) => Promise<number> | number;
  readonly #onFailure: (error: unknown) => void;
  #waiting: Effect[] = [];
  #running = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(
    perform: (effects: readonly Effect[]) => Promise<number> | number,
    onFailure: (error: unknown) => void,
  ) {
    this.#perform = perform;
    this.#onFailure = onFailure;
  }

  push(effects: readonly Effect[]): void {
    if (this.#stopped || effects.length === 0) return;
    this.#waiting.push(...effects);
    if (!this.#running) void this.#run();
  }

  /** Drops what is waiting; what is under way ends by itself. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    if (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting.length > 0) {
        const performed = this.#perform(this.#waiting);
        const count = typeof performed === "number" ? performed : await performed;
        this.#waiting.splice(0, count);
      }
    } catch (error) {
      this.#stopped = true;
      this.#waiting = [];
      this.#onFailure(error);
    } finally {
      this.#running = false;
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}
