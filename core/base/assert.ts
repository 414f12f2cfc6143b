/** A broken invariant: a bug of ours, never bad input. It stops the worker and is never swallowed. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Checks an invariant, in production too.
 * @param why says in a whole sentence what must hold. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new InvariantError(why);
}

/** Takes a value that cannot be undefined where it stands (an index just bounded, a key just set). */
export function must<T>(value: T | undefined, why: string): T {
  if (value === undefined) throw new InvariantError(why);
  return value;
}
