import { MAX_PAYLOAD_TRANSACTIONS } from "@ostrom/execution";
import { referenceLength } from "./payload.ts";
import { BATCH_LIFETIME_BLOCKS, type BatchHeader, type CertifiedBatch, type Cursors } from "./types.ts";

/** What a payload may still hold. */
export type BatchRoom = {
  /** Batches of other epochs are passed over; if absent, all are of the block's. */
  readonly epoch?: number;
  readonly height: number;
  readonly gas: bigint;
  /** Of the batches themselves. */
  readonly bytes: number;
  readonly count: number;
  /** Beside those that stand in the payload; as many as a payload may have if absent. */
  readonly transactions?: number;
  /** Of the references to the batches; boundless if absent. */
  readonly payloadBytes?: number;
};

type Queue = { readonly batches: readonly CertifiedBatch[]; next: number };

/** Chooses batches for a payload: of each author in the order of sequence numbers, the authors in turn, so that no author crowds out the others.
 * What is passed over is lost for its author (rule D5), so after one of an author does not fit, none of its later ones is taken. What comes out is
 * what `advanceCursors` takes: of two batches of one number (rule D7) the first.
 * @param certified of each author, in ascending order of sequence numbers.
 * @param cursors of the blocks that the new one builds on.
 * @param firstAuthor whose turn is first. */
export function selectBatches(
  certified: ReadonlyMap<number, readonly CertifiedBatch[]>,
  cursors: Cursors,
  room: BatchRoom,
  firstAuthor: number,
): readonly CertifiedBatch[] {
  const waiting = [...certified].sort(([a], [b]) => a - b);
  const start = Math.max(
    0,
    waiting.findIndex(([author]) => author >= firstAuthor),
  );
  let open = [...waiting.slice(start), ...waiting.slice(0, start)].map(
    ([author, batches]): Queue => ({ batches: selectable(batches, cursors.get(author) ?? 0, room), next: 0 }),
  );
  const left = new Room(room);
  const chosen: CertifiedBatch[] = [];
  while (open.length > 0) {
    open = open.filter((queue) => {
      const batch = queue.batches[queue.next];
      if (batch === undefined || !left.take(batch)) return false;
      chosen.push(batch);
      queue.next++;
      return true;
    });
  }
  return chosen;
}

/** Those that the block may refer to, each above the one before it. */
function selectable(
  batches: readonly CertifiedBatch[],
  cursor: number,
  room: BatchRoom,
): readonly CertifiedBatch[] {
  let last = cursor;
  return batches.filter(({ header }) => {
    if (header.sequence <= last || !isTimely(header, room)) return false;
    last = header.sequence;
    return true;
  });
}

function isTimely({ epoch, expiryHeight }: BatchHeader, room: BatchRoom): boolean {
  const isOfEpoch = room.epoch === undefined || epoch === room.epoch;
  return isOfEpoch && expiryHeight >= room.height && expiryHeight <= room.height + BATCH_LIFETIME_BLOCKS;
}

class Room {
  #gas: bigint;
  #bytes: number;
  #count: number;
  #transactions: number;
  #payloadBytes: number;

  constructor({ gas, bytes, count, transactions, payloadBytes }: BatchRoom) {
    this.#gas = gas;
    this.#bytes = bytes;
    this.#count = count;
    this.#transactions = transactions ?? MAX_PAYLOAD_TRANSACTIONS;
    this.#payloadBytes = payloadBytes ?? Number.POSITIVE_INFINITY;
  }

  /** @returns false if it does not fit. */
  take(batch: CertifiedBatch): boolean {
    const { gasLimit, byteLength, count } = batch.header;
    const isRoomy =
      this.#count > 0 && gasLimit <= this.#gas && byteLength <= this.#bytes && count <= this.#transactions;
    if (!isRoomy) return false;
    const payloadBytes = referenceLength(batch);
    if (payloadBytes > this.#payloadBytes) return false;
    this.#gas -= gasLimit;
    this.#bytes -= byteLength;
    this.#count--;
    this.#transactions -= count;
    this.#payloadBytes -= payloadBytes;
    return true;
  }
}
