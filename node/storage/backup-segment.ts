import { type Bytes, type Failure, fail, ok, type Result } from "@ostrom/base";

/** A part of a database's backup: entries one after another, each [length of key (2 bytes), length of value (4 bytes), key, value], lengths
 * big-endian, in the order of the keys. What guards the bytes is the manifest's SHA-256 of the whole file. */
export type BackupEntry = readonly [key: Bytes, value: Bytes];

const HEAD_BYTES = 6;
const MAX_KEY_BYTES = 0xffff;

/** Gathers entries until a segment is as large as asked. */
export class SegmentWriter {
  readonly #targetBytes: number;
  #buffer: Uint8Array;
  #length = 0;

  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes;
    this.#buffer = new Uint8Array(targetBytes);
  }

  /** Copies the entry. @returns whether the segment is full: take it. */
  add(key: Bytes, value: Bytes): boolean {
    if (key.length > MAX_KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes`);
    const end = this.#length + HEAD_BYTES + key.length + value.length;
    if (end > this.#buffer.length) this.#grow(end);
    const view = new DataView(this.#buffer.buffer, this.#length, HEAD_BYTES);
    view.setUint16(0, key.length);
    view.setUint32(2, value.length);
    this.#buffer.set(key, this.#length + HEAD_BYTES);
    this.#buffer.set(value, this.#length + HEAD_BYTES + key.length);
    this.#length = end;
    return end >= this.#targetBytes;
  }

  isEmpty(): boolean {
    return this.#length === 0;
  }

  /** The segment so far; the next begins empty, in the same memory: use this one before the next `add`. */
  take(): Bytes {
    const segment = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return segment;
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(bytes, 2 * this.#buffer.length));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Reads a segment. The entries share memory with it. Errors: `backup/damaged`. */
export function decodeSegment(segment: Bytes): Result<readonly BackupEntry[], Failure<"backup/damaged">> {
  const entries: BackupEntry[] = [];
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  let offset = 0;
  while (offset < segment.length) {
    if (offset + HEAD_BYTES > segment.length) return fail("backup/damaged", "a segment ends inside an entry");
    const keyEnd = offset + HEAD_BYTES + view.getUint16(offset);
    const valueEnd = keyEnd + view.getUint32(offset + 2);
    if (valueEnd > segment.length) return fail("backup/damaged", "a segment ends inside an entry");
    entries.push([segment.subarray(offset + HEAD_BYTES, keyEnd), segment.subarray(keyEnd, valueEnd)]);
    offset = valueEnd;
  }
  return ok(entries);
}
