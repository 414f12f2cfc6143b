/** A call as geth's callTracer answers it. */
export type CallFrame = {
  readonly type: string;
  readonly from: string;
  readonly to?: string;
  readonly value?: string;
  readonly gas: string;
  readonly gasUsed: string;
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly revertReason?: string;
  readonly calls?: readonly CallFrame[];
};

/** A call with its place in the tree. */
export type PlacedCall = {
  /** "0", "0.2": the third call of the first. */
  readonly path: string;
  readonly depth: number;
  readonly frame: CallFrame;
  readonly gasUsed: number;
};

/** Calls that the pages draw of one transaction. */
export const MAX_CALLS = 2_000;

/** All calls in the order in which they were made, at most `MAX_CALLS`. */
export function flattenCalls(root: CallFrame): readonly PlacedCall[] {
  const placed: PlacedCall[] = [];
  const visit = (frame: CallFrame, path: string, depth: number): void => {
    if (placed.length >= MAX_CALLS) return;
    placed.push({ path, depth, frame, gasUsed: Number.parseInt(frame.gasUsed, 16) });
    for (const [index, call] of (frame.calls ?? []).entries()) visit(call, `${path}.${index}`, depth + 1);
  };
  visit(root, "0", 0);
  return placed;
}

/** A call in a picture where width is gas: shares of the whole in [0, 1]. */
export type CallBar = PlacedCall & { readonly left: number; readonly width: number };

/** Lays calls out under one another, each below who made it, in order, as wide as its gas. */
export function layOutCalls(root: CallFrame): readonly CallBar[] {
  const whole = Math.max(1, Number.parseInt(root.gasUsed, 16));
  const bars: CallBar[] = [];
  const visit = (frame: CallFrame, path: string, depth: number, left: number): void => {
    if (bars.length >= MAX_CALLS) return;
    const gasUsed = Number.parseInt(frame.gasUsed, 16);
    bars.push({ path, depth, frame, gasUsed, left, width: gasUsed / whole });
    let start = left;
    for (const [index, call] of (frame.calls ?? []).entries()) {
      visit(call, `${path}.${index}`, depth + 1, start);
      start += Number.parseInt(call.gasUsed, 16) / whole;
    }
  };
  visit(root, "0", 0, 0);
  return bars;
}

/** The innermost call that failed, down the last failing branch: where the reason is. */
export function failingCall(root: CallFrame): CallFrame | undefined {
  if (root.error === undefined) return undefined;
  const inner = (root.calls ?? []).findLast(
    ({ error, output }) => error !== undefined && output === root.output,
  );
  return inner === undefined ? root : (failingCall(inner) ?? root);
}
