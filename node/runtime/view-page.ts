import type { Bytes } from "@ostrom/base";

/** Records of fixed size in memory that threads share: a ring of the newest ones. One thread writes, others read whenever they like. A number is
 * written whole; a record that is overwritten while it is read is recognized by its number and left out. */
export type ViewPage = {
  readonly memory: SharedArrayBuffer;
  readonly engine: "simplex" | "pow" | "instant";
  /** Records. */
  readonly capacity: number;
  /** Validators whose votes a record has room for. */
  readonly seats: number;
};

/** Numbers of a record. `number` is 0 while nobody may read it. */
export const FIELD = {
  number: 0,
  /** Value of the page's counter of changes when the record changed last. */
  change: 1,
  epoch: 2,
  view: 3,
  height: 4,
  leader: 5,
  validators: 6,
  startedAtMs: 7,
  entered: 8,
  proposed: 9,
  notarized: 10,
  nullified: 11,
  finalized: 12,
  executed: 13,
  certified: 14,
  leaderTimeout: 15,
  advanceTimeout: 16,
  payloadBytes: 17,
  transactions: 18,
  gasUsed: 19,
  unwound: 20,
  /** Whether `text` has what stands in a mined block's header. */
  isMined: 21,
} as const;

export type Field = keyof typeof FIELD;

const FIELD_COUNT: number = Object.keys(FIELD).length;
const NUMBER_BYTES = 8;
const TIME_BYTES = 4;
/** Kinds of votes of a validator in one view. */
export const VOTE_ROWS = { notarize: 0, nullify: 1, finalize: 2, executed: 3 } as const;
const VOTE_ROW_COUNT = 4;
/** Bitmaps of certificates in one view. */
export const BITMAP_ROWS = { notarization: 0, nullification: 1, finalization: 2 } as const;
const BITMAP_ROW_COUNT = 3;
/** Hash, hash of the parent, coinbase and difficulty of a block. */
export const TEXT = {
  hash: { at: 0, length: 32 },
  parentHash: { at: 32, length: 32 },
  coinbase: { at: 64, length: 20 },
  difficulty: { at: 84, length: 32 },
} as const;
const TEXT_BYTES = 120;

/** The page begins with the counter of changes (4 bytes) and, 8 bytes on, the number of the next record. */
const HEADER_BYTES = 16;
const MAX_PAGE_BYTES: number = 2 * 1024 * 1024;
const MAX_RECORDS = 1_024;
const MIN_RECORDS = 64;
const BITS = 8;

/** One record as parts of the page's memory. */
export type Slot = {
  readonly fields: Float64Array;
  /** Milliseconds after the record's start of the votes of a kind, a validator each; NaN: not heard. */
  readonly votes: readonly Float32Array[];
  readonly bitmaps: readonly Uint8Array[];
  readonly text: Uint8Array;
};

/** Memory for the newest views of a chain. @param seats validators of its set; 0 where nobody votes. */
export function createViewPage(engine: ViewPage["engine"], seats: number): ViewPage {
  const stride = strideOf(seats);
  const fitting = Math.floor((MAX_PAGE_BYTES - HEADER_BYTES) / stride);
  const capacity = Math.max(MIN_RECORDS, Math.min(MAX_RECORDS, fitting));
  const memory = new SharedArrayBuffer(HEADER_BYTES + capacity * stride);
  new Float64Array(memory, NUMBER_BYTES, 1)[0] = 1;
  return { memory, engine, capacity, seats };
}

function strideOf(seats: number): number {
  const bytes =
    FIELD_COUNT * NUMBER_BYTES +
    TEXT_BYTES +
    VOTE_ROW_COUNT * TIME_BYTES * seats +
    BITMAP_ROW_COUNT * bitmapBytes(seats);
  return Math.ceil(bytes / NUMBER_BYTES) * NUMBER_BYTES;
}

function bitmapBytes(seats: number): number {
  return Math.ceil(seats / BITS);
}

/** All records of a page, by place. */
export function slotsOf({ memory, capacity, seats }: ViewPage): readonly Slot[] {
  const stride = strideOf(seats);
  return Array.from({ length: capacity }, (_, place) => {
    let at = HEADER_BYTES + place * stride;
    const fields = new Float64Array(memory, at, FIELD_COUNT);
    at += FIELD_COUNT * NUMBER_BYTES;
    const text = new Uint8Array(memory, at, TEXT_BYTES);
    at += TEXT_BYTES;
    const votes = Array.from(
      { length: VOTE_ROW_COUNT },
      (_, row) => new Float32Array(memory, at + row * TIME_BYTES * seats, seats),
    );
    at += VOTE_ROW_COUNT * TIME_BYTES * seats;
    const bitmaps = Array.from(
      { length: BITMAP_ROW_COUNT },
      (_, row) => new Uint8Array(memory, at + row * bitmapBytes(seats), bitmapBytes(seats)),
    );
    return { fields, votes, bitmaps, text };
  });
}

/** Counts of a page. */
export type PageCounts = {
  /** Of changes; wraps at 32 bits. */
  readonly changes: () => number;
  readonly next: () => number;
  /** Counts a change. @returns the counter. */
  readonly change: () => number;
  readonly advance: () => number;
};

export function countsOf({ memory }: ViewPage): PageCounts {
  const changes = new Int32Array(memory, 0, 1);
  const next = new Float64Array(memory, NUMBER_BYTES, 1);
  return {
    changes: () => Atomics.load(changes, 0),
    next: () => next[0]!,
    change: () => Atomics.add(changes, 0, 1) + 1,
    advance: () => {
      const number = next[0]!;
      next[0] = number + 1;
      return number;
    },
  };
}

/** The writer's side of a page. */
export class ViewPageWriter {
  readonly page: ViewPage;
  readonly #slots: readonly Slot[];
  readonly #counts: PageCounts;

  constructor(page: ViewPage) {
    this.page = page;
    this.#slots = slotsOf(page);
    this.#counts = countsOf(page);
  }

  /** Takes the oldest record's place. @param forget is told of the record that gives way, before it does.
   * @returns the new record, which has nothing but a number and its start. */
  claim(startedAtMs: number, forget: (slot: Slot) => void): Slot {
    const number = this.#counts.next();
    const slot = this.#slots[number % this.page.capacity]!;
    if (slot.fields[FIELD.number] !== 0) forget(slot);
    slot.fields[FIELD.number] = 0;
    slot.fields.fill(Number.NaN, 1);
    for (const row of slot.votes) row.fill(Number.NaN);
    for (const row of slot.bitmaps) row.fill(0);
    slot.fields[FIELD.startedAtMs] = startedAtMs;
    slot.fields[FIELD.change] = this.#counts.change();
    slot.fields[FIELD.number] = number;
    this.#counts.advance();
    return slot;
  }

  /** Says that a record has changed. */
  changed(slot: Slot): void {
    slot.fields[FIELD.change] = this.#counts.change();
  }
}

/** Copies bytes out of shared memory, which decoders do not take. */
export function copied(shared: Uint8Array, from: number, length: number): Bytes {
  return Uint8Array.from(shared.subarray(from, from + length));
}
