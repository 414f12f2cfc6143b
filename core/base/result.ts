/** The outcome of reading or checking something that came from outside.
 * `error` has a stable `code`; see each function's docstring for its codes. */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** An error with a stable machine-readable code and a message for people. */
export type Failure<Code extends string = string> = {
  readonly code: Code;
  readonly message: string;
};

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/** Shorthand for `err({ code, message })`. */
export function fail<Code extends string>(
  code: Code,
  message: string,
): { readonly ok: false; readonly error: Failure<Code> } {
  return { ok: false, error: { code, message } };
}

/** Takes the value out, or throws: for results that the caller has just made certain of, and for tests. */
export function unwrap<T, E>(result: Result<T, E>): T {
  if (result.ok) return result.value;
  throw new Error(`unwrap of an error: ${describeError(result.error)}`);
}

function describeError(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error) {
    const { code, message } = error as { code: unknown; message?: unknown };
    return `${String(code)}: ${String(message ?? "")}`;
  }
  return String(error);
}
