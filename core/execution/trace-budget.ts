/** A trace is larger than it may be; who asks for it must ask for less. */
export class TraceTooLarge extends Error {
  override readonly name = "TraceTooLarge";
  readonly code = "execution/trace-too-large";
  /** In bytes. */
  readonly limit: number;

  constructor(limit: number) {
    super(
      `the trace is larger than ${limit} bytes: ask for less of it (disableStack, disableStorage, no memory, limit, or another tracer)`,
    );
    this.limit = limit;
  }
}

/** Bounds what a trace holds in memory: a transaction can touch, copy and send far more than it pays for storing. */
export class TraceBudget {
  readonly #limit: number;
  #left: number;

  /** @param limit in bytes, about: what tracers keep, as they keep it. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  /** Throws TraceTooLarge when no more may be kept. */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new TraceTooLarge(this.#limit);
  }
}
