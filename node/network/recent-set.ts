/** A set of texts that remembers at least the last `capacity / 2` and at most `capacity` of them. Two generations: when the
 * younger is full, the older is forgotten. */
export class RecentSet {
  readonly #generationSize: number;
  #young = new Set<string>();
  #old: ReadonlySet<string> = new Set<string>();

  constructor(capacity: number) {
    this.#generationSize = Math.max(1, Math.floor(capacity / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(text: string): boolean {
    return this.#young.has(text) || this.#old.has(text);
  }

  /** @returns false if it was there. */
  add(text: string): boolean {
    if (this.has(text)) return false;
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(text);
    return true;
  }
}
