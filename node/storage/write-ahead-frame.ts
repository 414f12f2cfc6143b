import { crc32 } from "node:zlib";
import {
  assert,
  type Bytes,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  ok,
  type Result,
  utf8,
} from "@ostrom/base";

/** The bytes of one segment of the write-ahead log; integers are big-endian.
 *
 *   segment   header frame*
 *   header    "OSTROWAL" version:u32 number:u32 salt:8 crc:u32                 28 bytes
 *   frame     length:u32 index:u32 crc:u32 payload[length]
 *   payload   (length:u32 record[length])*
 *
 * A frame is what one sync made durable: it is written only after the frame before it was synced. Hence a write that was
 * cut off can only be the last frame, and anything whole after a broken frame means that synced bytes have changed.
 * Frames count from 0; the first holds what the segment replaces and was synced before the segment got its name. The
 * checksum (CRC-32) covers number, salt, length, index and payload: the random salt keeps others, whose bytes may lie in a
 * record, from making something there that looks like a frame. */
export const SEGMENT_HEADER_BYTES = 28;
export const FRAME_HEADER_BYTES = 12;
export const SALT_BYTES = 8;
/** Larger than any proposal. */
export const MAX_RECORD_BYTES: number = 32 * 1024 * 1024;
export const MAX_FRAME_BYTES: number = 64 * 1024 * 1024;

const MAGIC = utf8("OSTROWAL");
const FORMAT_VERSION = 1;
const RECORD_HEADER_BYTES = 4;

export type Segment = { readonly number: number; readonly salt: Bytes };

export function encodeSegmentHeader(segment: Segment): Bytes {
  const header = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION);
  view.setUint32(12, segment.number);
  header.set(segment.salt, 16);
  view.setUint32(24, crc32(header.subarray(0, 24)));
  return header;
}

/** How many bytes a record takes in a frame. */
export function recordSize(record: Bytes): number {
  return RECORD_HEADER_BYTES + record.length;
}

export function encodeFrame(segment: Segment, index: number, records: readonly Bytes[]): Bytes {
  let length = 0;
  for (const record of records) length += recordSize(record);
  assert(length <= MAX_FRAME_BYTES, "the records of one frame must fit into it");
  const frame = new Uint8Array(FRAME_HEADER_BYTES + length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, length);
  view.setUint32(4, index);
  let offset = FRAME_HEADER_BYTES;
  for (const record of records) {
    view.setUint32(offset, record.length);
    frame.set(record, offset + RECORD_HEADER_BYTES);
    offset += recordSize(record);
  }
  view.setUint32(8, frameChecksum(segment, frame, 0, length));
  return frame;
}

function frameChecksum(segment: Segment, bytes: Bytes, offset: number, length: number): number {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, segment.number);
  const own = crc32(bytes.subarray(offset, offset + 8), crc32(concatBytes(number, segment.salt)));
  return crc32(bytes.subarray(offset + FRAME_HEADER_BYTES, offset + FRAME_HEADER_BYTES + length), own);
}

export type ReadSegment = {
  readonly segment: Segment;
  /** Copies: they do not share memory with what was read. */
  readonly records: readonly Bytes[];
  readonly frameCount: number;
  /** Where the last whole frame ends; what follows was cut off while it was written. */
  readonly wholeLength: number;
};

export type SegmentErrorCode = "segment/damaged" | "segment/unknown-version";

/** Reads a segment that has its name.
 * Errors: `segment/damaged`: bytes that had been synced have changed or are gone, as far as that can be told: a last frame
 * that is damaged looks like one that was cut off. `segment/unknown-version`. */
export function decodeSegment(bytes: Bytes, number: number): Result<ReadSegment, Failure<SegmentErrorCode>> {
  const header = decodeSegmentHeader(bytes, number);
  if (!header.ok) return header;
  const segment = header.value;
  const records: Bytes[] = [];
  let [index, offset] = [0, SEGMENT_HEADER_BYTES];
  while (offset < bytes.length) {
    const length = wholeFrameAt(bytes, offset, segment, index, index);
    if (length === undefined) break;
    for (const record of recordsOf(bytes, offset, length)) records.push(record);
    offset += FRAME_HEADER_BYTES + length;
    index += 1;
  }
  if (index === 0) return fail("segment/damaged", `the first frame, at byte ${offset}, is damaged`);
  const later = findLaterFrame(bytes, offset, segment, index);
  if (later !== undefined) {
    return fail(
      "segment/damaged",
      `the frame at byte ${offset} is damaged or gone although a later one stands at byte ${later}`,
    );
  }
  return ok({ segment, records, frameCount: index, wholeLength: offset });
}

function decodeSegmentHeader(bytes: Bytes, number: number): Result<Segment, Failure<SegmentErrorCode>> {
  if (bytes.length < SEGMENT_HEADER_BYTES) return fail("segment/damaged", "the header is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES);
  const isIntact =
    view.getUint32(24) === crc32(bytes.subarray(0, 24)) && equalBytes(bytes.subarray(0, 8), MAGIC);
  if (!isIntact || view.getUint32(12) !== number) return fail("segment/damaged", "the header is damaged");
  const version = view.getUint32(8);
  if (version !== FORMAT_VERSION) return fail("segment/unknown-version", `format ${version} is not known`);
  return ok({ number, salt: bytes.slice(16, 16 + SALT_BYTES) });
}

/** @returns the length of the payload of a whole frame whose index lies in [lowest, highest], or undefined. */
function wholeFrameAt(
  bytes: Bytes,
  offset: number,
  segment: Segment,
  lowest: number,
  highest: number,
): number | undefined {
  if (offset + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_HEADER_BYTES);
  const index = view.getUint32(4);
  if (index < lowest || index > highest) return undefined;
  const length = view.getUint32(0);
  if (length > MAX_FRAME_BYTES || offset + FRAME_HEADER_BYTES + length > bytes.length) return undefined;
  return view.getUint32(8) === frameChecksum(segment, bytes, offset, length) ? length : undefined;
}

function findLaterFrame(bytes: Bytes, from: number, segment: Segment, index: number): number | undefined {
  const highest = index + Math.floor((bytes.length - from) / FRAME_HEADER_BYTES);
  for (let offset = from; offset + FRAME_HEADER_BYTES <= bytes.length; offset++) {
    if (wholeFrameAt(bytes, offset, segment, index, highest) !== undefined) return offset;
  }
  return undefined;
}

function* recordsOf(bytes: Bytes, offset: number, length: number): Generator<Bytes, void, undefined> {
  const end = offset + FRAME_HEADER_BYTES + length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = offset + FRAME_HEADER_BYTES; at < end; ) {
    const size = view.getUint32(at);
    assert(at + RECORD_HEADER_BYTES + size <= end, "a frame whose checksum is right has whole records");
    yield bytes.slice(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + size);
    at += RECORD_HEADER_BYTES + size;
  }
}
