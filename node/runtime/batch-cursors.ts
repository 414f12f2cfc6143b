import type { Bytes } from "@ostrom/base";
import type { OrderedBlock } from "@ostrom/consensus";
import {
  advanceCursors,
  type CertifiedBatch,
  type Cursors,
  decodeCursors,
  decodeOrderedPayload,
  hasBatches,
} from "@ostrom/dissemination";

/** Heights whose cursors are remembered. */
const KEPT_HEIGHTS = 256;

type CursorsAt = { readonly epoch: number; readonly cursors: Cursors };

const NO_CURSORS: Cursors = new Map();

/** Where each author's batches stand after the newest final blocks (rule D5). */
export class BatchCursors {
  /** By height. */
  readonly #after = new Map<number, CursorsAt>();
  #height: number;

  /** @param stored of the newest executed block, as the store has it. */
  constructor(height: number, stored: Bytes | undefined) {
    this.#height = height;
    const read = stored === undefined ? undefined : decodeCursors(stored);
    if (read?.ok === true) this.#after.set(height, read.value);
  }

  /** Newest final height that this node knows. */
  get height(): number {
    return this.#height;
  }

  get size(): number {
    return this.#after.size;
  }

  /** After the newest final block. */
  newest(epoch: number): Cursors {
    return this.#at(this.#height, epoch);
  }

  /** Of what a block builds on; undefined if that cannot be. @param ancestors between the final blocks and it. */
  before(
    block: { readonly height: number; readonly epoch: number },
    ancestors: readonly OrderedBlock[],
  ): Cursors | undefined {
    const first = ancestors[0]?.height ?? block.height;
    let cursors = this.#at(first - 1, block.epoch);
    for (const ancestor of ancestors) {
      if (ancestor.epoch !== block.epoch) continue;
      const after = advanceCursors(cursors, ancestor, batchesOf(ancestor.payload));
      if (!after.ok) return undefined;
      cursors = after.value;
    }
    return cursors;
  }

  /** Takes note of a final block, which a quorum has checked. @returns the cursors after it. */
  finalized(block: OrderedBlock, batches: readonly CertifiedBatch[]): Cursors {
    const before = this.#at(block.height - 1, block.epoch);
    const after = advanceCursors(before, block, batches);
    const cursors = after.ok ? after.value : before;
    this.#after.set(block.height, { epoch: block.epoch, cursors });
    for (const height of this.#after.keys()) {
      if (this.#after.size <= KEPT_HEIGHTS) break;
      this.#after.delete(height);
    }
    this.#height = Math.max(this.#height, block.height);
    return cursors;
  }

  #at(height: number, epoch: number): Cursors {
    // Blocks before the node's start, of which only the newest has left a record, changed nothing since.
    const found = this.#after.get(height) ?? [...this.#after].findLast(([other]) => other <= height)?.[1];
    return found?.epoch === epoch ? found.cursors : NO_CURSORS;
  }
}

/** What a payload refers to; nothing, if it cannot be read. */
export function batchesOf(payload: Bytes): readonly CertifiedBatch[] {
  if (!hasBatches(payload)) return [];
  const read = decodeOrderedPayload(payload);
  return read.ok ? read.value.batches : [];
}
