/** A promise that a whole message's requests share: it comes true when their time is up. */
export type Deadline = {
  readonly atMs: number;
  readonly passed: () => Promise<typeof TIMED_OUT>;
  readonly clear: () => void;
};
export const TIMED_OUT: unique symbol = Symbol("timed out");

export function createDeadline(timeoutMs: number): Deadline {
  let timer: NodeJS.Timeout | undefined;
  let promise: Promise<typeof TIMED_OUT> | undefined;
  const atMs = performance.now() + timeoutMs;
  return {
    atMs,
    // Made when first needed: most messages are answered at once.
    passed: () => {
      promise ??= new Promise((resolve) => {
        timer = setTimeout(() => resolve(TIMED_OUT), Math.max(0, atMs - performance.now()));
      });
      return promise;
    },
    clear: () => clearTimeout(timer),
  };
}
