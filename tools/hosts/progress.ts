/** One stretch without a block that was new to the quorum. */
export type Gap = { readonly fromMs: number; readonly toMs: number };

/** Follows the heights of all validators. The *quorum's height* is the highest that a quorum of them has finalized and executed; a stall is
 * a gap between two of its advances. Times are milliseconds of one clock. */
export class ProgressMonitor {
  readonly #quorum: number;
  readonly #heights: number[];
  readonly #gaps: Gap[] = [];
  /** When the quorum's height advanced last; undefined while no quorum is connected. */
  #lastAdvanceMs: number | undefined;
  /** Since when each has had no new block; undefined while it is not expected to have any. */
  readonly #silentSince: (number | undefined)[];
  #quorumHeight = 0;
  #worstSilence = { index: 0, fromMs: 0, toMs: 0 };

  constructor(validators: number, startMs: number) {
    this.#quorum = Math.floor((2 * validators) / 3) + 1;
    this.#heights = new Array<number>(validators).fill(0);
    this.#silentSince = new Array<number | undefined>(validators).fill(startMs);
    this.#lastAdvanceMs = startMs;
  }

  /** Forgets all gaps so far: what is watched begins now. */
  begin(nowMs: number): void {
    this.#gaps.length = 0;
    this.#lastAdvanceMs = nowMs;
    this.#silentSince.fill(nowMs);
    this.#worstSilence = { index: 0, fromMs: nowMs, toMs: nowMs };
  }

  get heights(): readonly number[] {
    return this.#heights;
  }

  get quorumHeight(): number {
    return this.#quorumHeight;
  }

  /** The longest time that one validator, expected to keep up, had no new block. */
  get worstSilence(): Gap & { readonly index: number } {
    return this.#worstSilence;
  }

  /** A validator has finalized and executed a block. */
  block(index: number, height: number, nowMs: number): void {
    if (height <= this.#heights[index]!) return;
    this.#heights[index] = height;
    this.#endSilence(index, nowMs);
    if (this.#silentSince[index] !== undefined) this.#silentSince[index] = nowMs;
    const reached = [...this.#heights].sort((a, b) => b - a)[this.#quorum - 1]!;
    if (reached <= this.#quorumHeight) return;
    this.#quorumHeight = reached;
    this.#endGap(nowMs);
    if (this.#lastAdvanceMs !== undefined) this.#lastAdvanceMs = nowMs;
  }

  /** Says whether a validator is expected to keep up from now on. */
  expect(index: number, isExpected: boolean, nowMs: number): void {
    this.#endSilence(index, nowMs);
    this.#silentSince[index] = isExpected ? nowMs : undefined;
  }

  /** Says whether a quorum is connected from now on: gaps count only while it is. */
  quorum(isConnected: boolean, nowMs: number): void {
    this.#endGap(nowMs);
    this.#lastAdvanceMs = isConnected ? nowMs : undefined;
  }

  hasCaughtUp(index: number): boolean {
    return this.#heights[index]! >= this.#quorumHeight;
  }

  /** The longest gap that overlaps this time, whole; one that is not over yet counts until `toMs`. */
  longestGap(fromMs: number, toMs: number): Gap {
    const open = this.#lastAdvanceMs === undefined ? [] : [{ fromMs: this.#lastAdvanceMs, toMs }];
    let longest: Gap = { fromMs, toMs: fromMs };
    for (const gap of [...this.#gaps, ...open]) {
      const overlaps = gap.toMs > fromMs && gap.fromMs < toMs;
      if (overlaps && gap.toMs - gap.fromMs > longest.toMs - longest.fromMs) longest = gap;
    }
    return longest;
  }

  #endGap(nowMs: number): void {
    if (this.#lastAdvanceMs !== undefined) this.#gaps.push({ fromMs: this.#lastAdvanceMs, toMs: nowMs });
  }

  #endSilence(index: number, nowMs: number): void {
    const fromMs = this.#silentSince[index];
    if (fromMs === undefined || nowMs - fromMs <= this.#worstSilence.toMs - this.#worstSilence.fromMs) return;
    this.#worstSilence = { index, fromMs, toMs: nowMs };
  }
}
