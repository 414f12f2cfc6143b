const MS_PER_SECOND = 1_000;

/** Lets steps of inbound handshakes be computed one in a turn of the event loop, and so many in a second: who only begins handshakes takes a bounded
 * share of the processor, and links that stand go on in between. What waits is bounded by the gate before it: each connection waits once. */
export class HandshakeLine {
  readonly #stepsPerSecond: number;
  readonly #waiting = new Set<() => void>();
  #allowance: number;
  #isScheduled = false;

  constructor(stepsPerSecond: number) {
    this.#stepsPerSecond = stepsPerSecond;
    this.#allowance = 2 * stepsPerSecond;
  }

  /** Runs a step when its turn comes, never within this call. @returns a function that takes it out of the line. */
  add(step: () => void): () => void {
    this.#waiting.add(step);
    this.#schedule();
    return () => {
      this.#waiting.delete(step);
    };
  }

  tick(elapsedMs: number): void {
    const earned = (this.#stepsPerSecond * elapsedMs) / MS_PER_SECOND;
    this.#allowance = Math.min(2 * this.#stepsPerSecond, this.#allowance + earned);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0 || this.#allowance < 1) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const [step] = this.#waiting;
      if (step === undefined) return;
      this.#waiting.delete(step);
      this.#allowance -= 1;
      this.#schedule();
      step();
    });
  }
}
