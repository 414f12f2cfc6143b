import { type BatchHeader, type CertifiedBatch, type Cursors, sameHeader } from "@ostrom/dissemination";

/** Certified batches that no final block has, by author, in ascending order of their numbers. */
export class CertifiedBatches {
  readonly #batches = new Map<number, readonly CertifiedBatch[]>();

  get size(): number {
    let count = 0;
    for (const batches of this.#batches.values()) count += batches.length;
    return count;
  }

  countOf(author: number): number {
    return this.#batches.get(author)?.length ?? 0;
  }

  of(header: BatchHeader): CertifiedBatch | undefined {
    return this.#batches.get(header.author)?.find((known) => sameHeader(known.header, header));
  }

  has({ header }: Pick<CertifiedBatch, "header">): boolean {
    return this.of(header) !== undefined;
  }

  add(certified: CertifiedBatch): void {
    const { author } = certified.header;
    const batches = [...(this.#batches.get(author) ?? []), certified];
    batches.sort((a, b) => a.header.sequence - b.header.sequence);
    this.#batches.set(author, batches);
  }

  /** Those above the cursors that a block may have, as far as `isUsable` says. */
  above(
    cursors: Cursors,
    isUsable: (certified: CertifiedBatch) => boolean,
  ): ReadonlyMap<number, readonly CertifiedBatch[]> {
    const found = new Map<number, readonly CertifiedBatch[]>();
    for (const [author, batches] of this.#batches) {
      const left = batches.filter((one) => isAbove(one.header, cursors) && isUsable(one));
      if (left.length > 0) found.set(author, left);
    }
    return found;
  }

  /** Forgets what no block may refer to any more. */
  keep(isLive: (header: BatchHeader) => boolean): void {
    for (const [author, batches] of this.#batches) {
      const left = batches.filter(({ header }) => isLive(header));
      if (left.length === 0) this.#batches.delete(author);
      else if (left.length < batches.length) this.#batches.set(author, left);
    }
  }

  clear(): void {
    this.#batches.clear();
  }
}

/** Whether a block with these cursors before it may refer to a batch. */
export function isAbove({ author, sequence }: BatchHeader, cursors: Cursors): boolean {
  return sequence > (cursors.get(author) ?? 0);
}
