import {
  type Bytes,
  bigintToMinimalBytes,
  bytesToBigint,
  concatBytes,
  type Failure,
  fail,
  ok,
  type Result,
} from "@ostrom/base";

/** Recursive Length Prefix: byte strings and lists of them, one encoding for each value.
 * Source: Ethereum Yellow Paper, appendix B. */
export type RlpItem = Bytes | readonly RlpItem[];

export type RlpErrorCode =
  | "rlp/truncated"
  | "rlp/trailing-bytes"
  | "rlp/non-canonical"
  | "rlp/too-deep"
  | "rlp/too-many-items"
  | "rlp/wrong-shape";

/** Deeper lists than any format of ours has; bounds the decoder's recursion. */
export const MAX_RLP_DEPTH = 1024;

const STRING_OFFSET = 0x80;
const LONG_STRING_OFFSET = 0xb7;
const LIST_OFFSET = 0xc0;
const LONG_LIST_OFFSET = 0xf7;
const MAX_SHORT_LENGTH = 55;
/** Integers are taken apart by as much as a number holds exactly. */
const LIMB_BYTES = 6;
const LIMB_BITS = 48n;
const MAX_LIMB = 2n ** LIMB_BITS - 1n;
/** Most integers are small. Nobody may change what an encoder is given. */
const SMALL_INTEGERS: readonly Bytes[] = Array.from({ length: 128 }, (_, value) =>
  bigintToMinimalBytes(BigInt(value)),
);

/** Thrown inside decoders and turned into a Result at their boundary by `decodeRlpWith`. */
export class RlpError extends Error {
  override readonly name = "RlpError";
  readonly code: RlpErrorCode;
  constructor(code: RlpErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function encodeRlp(item: RlpItem): Bytes {
  const out = new Uint8Array(encodedLength(item));
  writeItem(out, 0, item);
  return out;
}

/** Wraps items that are encoded already: `concat` of them becomes the payload of one list. */
export function encodeRlpListOfEncoded(items: readonly Bytes[]): Bytes {
  const payload = concatBytes(...items);
  const header = new Uint8Array(headerLength(payload.length));
  writeHeader(header, 0, payload.length, LIST_OFFSET);
  return concatBytes(header, payload);
}

/** An unsigned integer as RLP has them: big-endian without leading zeros. */
export function rlpUint(value: bigint | number): Bytes {
  if (value < SMALL_INTEGERS.length)
    return SMALL_INTEGERS[Number(value)] ?? bigintToMinimalBytes(BigInt(value));
  const integer = BigInt(value);
  const bytes = new Uint8Array(uintByteLength(integer));
  writeUintBytes(bytes, bytes.length - 1, bytes.length, integer);
  return bytes;
}

/** Bytes that a byte string takes as an item. */
export function rlpStringLength(bytes: Bytes): number {
  return encodedLength(bytes);
}

/** Bytes before the payload of a list. @param payload length of all its entries as items. */
export function rlpListHeaderLength(payload: number): number {
  return headerLength(payload);
}

/** Bytes that a list takes as an item. @param payload length of all its entries as items. */
export function rlpListLength(payload: number): number {
  return headerLength(payload) + payload;
}

/** For encoders that know what their format's items are: writes the bytes before a list's payload. @returns where that begins. */
export function writeRlpListHeader(out: Bytes, at: number, payload: number): number {
  return writeHeader(out, at, payload, LIST_OFFSET);
}

/** Writes the bytes before a byte string that is not a single byte below 0x80. @returns where it begins. */
export function writeRlpStringHeader(out: Bytes, at: number, length: number): number {
  return writeHeader(out, at, length, STRING_OFFSET);
}

/** Writes a byte string as an item. @returns where it ends. */
export function writeRlpString(out: Bytes, at: number, bytes: Bytes): number {
  return writeItem(out, at, bytes);
}

/** Bytes that an unsigned integer of at most 256 bits takes as an item. */
export function rlpUintLength(value: bigint): number {
  return value < STRING_OFFSET ? 1 : 1 + uintByteLength(value);
}

/** Writes an unsigned integer of at most 256 bits as an item, without bytes of its own. @returns where it ends. */
export function writeRlpUint(out: Bytes, at: number, value: bigint): number {
  if (value < STRING_OFFSET) {
    out[at] = value === 0n ? STRING_OFFSET : Number(value);
    return at + 1;
  }
  const length = uintByteLength(value);
  out[at] = STRING_OFFSET + length;
  writeUintBytes(out, at + length, length, value);
  return at + 1 + length;
}

/** @param last where the integer's last byte is to stand. @param length how many bytes it has. */
function writeUintBytes(out: Bytes, last: number, length: number, value: bigint): void {
  let at = last;
  let rest = value;
  for (; rest > MAX_LIMB; rest >>= LIMB_BITS) at = writeLimb(out, at, Number(rest & MAX_LIMB), LIMB_BYTES);
  writeLimb(out, at, Number(rest), length - (last - at));
}

/** Writes the low `length` bytes of a number below 2^48, the last one at `last`. @returns the place before the first. */
function writeLimb(out: Bytes, last: number, value: number, length: number): number {
  let rest = value;
  for (let i = 0; i < length; i++) {
    out[last - i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return last - length;
}

function uintByteLength(value: bigint): number {
  let length = 0;
  let rest = value;
  for (; rest > MAX_LIMB; rest >>= LIMB_BITS) length += LIMB_BYTES;
  for (let low = Number(rest); low > 0; low = Math.floor(low / 256)) length++;
  return length;
}

/** Decodes exactly one item. The byte strings in it share memory with `bytes`.
 * Errors: `rlp/truncated`, `rlp/trailing-bytes`, `rlp/non-canonical`, `rlp/too-deep`. */
export function decodeRlp(bytes: Bytes): Result<RlpItem, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => item);
}

/** Decodes one item and reads it with `read`, which may use the readers below.
 * @param maxItems byte strings and lists that there may be in all: each costs far more memory than its byte, so what comes from
 * outside and may be long needs a bound.
 * Errors: those of `decodeRlp`, `rlp/too-many-items`, and `rlp/wrong-shape` from the readers. */
export function decodeRlpWith<T>(
  bytes: Bytes,
  read: (item: RlpItem) => T,
  maxItems: number = Number.MAX_SAFE_INTEGER,
): Result<T, Failure<RlpErrorCode>> {
  try {
    const [item, end] = readItem(bytes, 0, bytes.length, 0, { left: maxItems });
    if (end !== bytes.length)
      throw new RlpError("rlp/trailing-bytes", `${bytes.length - end} bytes after the item`);
    return ok(read(item));
  } catch (error) {
    if (error instanceof RlpError) return fail(error.code, error.message);
    throw error;
  }
}

/** @param length exact count of entries, or undefined for any. */
export function readRlpList(item: RlpItem | undefined, what: string, length?: number): readonly RlpItem[] {
  if (item === undefined || item instanceof Uint8Array)
    throw new RlpError("rlp/wrong-shape", `${what}: expected a list`);
  if (length !== undefined && item.length !== length) {
    throw new RlpError("rlp/wrong-shape", `${what}: expected ${length} entries, found ${item.length}`);
  }
  return item;
}

/** A list of any length up to a limit. */
export function readRlpListUpTo(
  item: RlpItem | undefined,
  what: string,
  maxLength: number,
): readonly RlpItem[] {
  const items = readRlpList(item, what);
  if (items.length > maxLength) throw new RlpError("rlp/wrong-shape", `${what}: more than ${maxLength}`);
  return items;
}

/** @param length exact count of bytes, or undefined for any. Shares memory with what was decoded. */
export function readRlpBytes(item: RlpItem | undefined, what: string, length?: number): Bytes {
  if (!(item instanceof Uint8Array)) throw new RlpError("rlp/wrong-shape", `${what}: expected a byte string`);
  if (length !== undefined && item.length !== length) {
    throw new RlpError("rlp/wrong-shape", `${what}: expected ${length} bytes, found ${item.length}`);
  }
  return item;
}

/** Reads an unsigned integer of at most `maxBytes` bytes without leading zeros. */
export function readRlpUint(item: RlpItem | undefined, what: string, maxBytes = 32): bigint {
  const bytes = readRlpBytes(item, what);
  if (bytes.length > maxBytes)
    throw new RlpError("rlp/wrong-shape", `${what}: integer longer than ${maxBytes} bytes`);
  if (bytes[0] === 0) throw new RlpError("rlp/non-canonical", `${what}: integer with a leading zero`);
  return bytesToBigint(bytes);
}

/** Reads an unsigned integer below 2^53 as a number. */
export function readRlpCount(item: RlpItem | undefined, what: string): number {
  const value = readRlpUint(item, what, 8);
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new RlpError("rlp/wrong-shape", `${what}: integer above 2^53`);
  return Number(value);
}

function encodedLength(item: RlpItem): number {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < STRING_OFFSET) return 1;
    return headerLength(item.length) + item.length;
  }
  const payload = payloadLength(item);
  return headerLength(payload) + payload;
}

function payloadLength(list: readonly RlpItem[]): number {
  let length = 0;
  for (const entry of list) length += encodedLength(entry);
  return length;
}

function headerLength(payload: number): number {
  return payload <= MAX_SHORT_LENGTH ? 1 : 1 + lengthOfLength(payload);
}

function lengthOfLength(length: number): number {
  let count = 0;
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) count++;
  return count;
}

function writeHeader(out: Bytes, offset: number, length: number, base: number): number {
  if (length <= MAX_SHORT_LENGTH) {
    out[offset] = base + length;
    return offset + 1;
  }
  const count = lengthOfLength(length);
  out[offset] = base + MAX_SHORT_LENGTH + count;
  let rest = length;
  for (let i = count; i > 0; i--) {
    out[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return offset + 1 + count;
}

function writeItem(out: Bytes, offset: number, item: RlpItem): number {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < STRING_OFFSET) {
      out[offset] = item[0]!;
      return offset + 1;
    }
    const start = writeHeader(out, offset, item.length, STRING_OFFSET);
    out.set(item, start);
    return start + item.length;
  }
  let position = writeHeader(out, offset, payloadLength(item), LIST_OFFSET);
  for (const entry of item) position = writeItem(out, position, entry);
  return position;
}

function readItem(
  bytes: Bytes,
  offset: number,
  end: number,
  depth: number,
  items: { left: number },
): readonly [RlpItem, number] {
  if (items.left-- <= 0) throw new RlpError("rlp/too-many-items", "more items than this format ever has");
  if (offset >= end) throw new RlpError("rlp/truncated", "expected an item, found the end");
  const prefix = bytes[offset]!;
  if (prefix < STRING_OFFSET) return [bytes.subarray(offset, offset + 1), offset + 1];
  const isList = prefix >= LIST_OFFSET;
  const [start, length] = readHeader(bytes, offset, end, isList);
  const stop = start + length;
  if (!isList) {
    if (length === 1 && bytes[start]! < STRING_OFFSET) {
      throw new RlpError("rlp/non-canonical", "a byte below 0x80 must stand for itself");
    }
    return [bytes.subarray(start, stop), stop];
  }
  if (depth >= MAX_RLP_DEPTH)
    throw new RlpError("rlp/too-deep", `lists nested more than ${MAX_RLP_DEPTH} deep`);
  const list: RlpItem[] = [];
  let position = start;
  while (position < stop) {
    const [entry, next] = readItem(bytes, position, stop, depth + 1, items);
    list.push(entry);
    position = next;
  }
  return [list, stop];
}

function readHeader(bytes: Bytes, offset: number, end: number, isList: boolean): readonly [number, number] {
  const prefix = bytes[offset]!;
  const longOffset = isList ? LONG_LIST_OFFSET : LONG_STRING_OFFSET;
  if (prefix <= longOffset) {
    const length = prefix - (isList ? LIST_OFFSET : STRING_OFFSET);
    if (length > end - offset - 1) throw new RlpError("rlp/truncated", "an item is longer than its bytes");
    return [offset + 1, length];
  }
  const count = prefix - longOffset;
  if (count > end - offset - 1) throw new RlpError("rlp/truncated", "a length is cut off");
  if (bytes[offset + 1] === 0) throw new RlpError("rlp/non-canonical", "a length has a leading zero");
  let length = 0;
  for (let i = 1; i <= count; i++) {
    length = length * 256 + bytes[offset + i]!;
    // Refused at once, so that eight length bytes cannot leave the safe integers.
    if (length > bytes.length) throw new RlpError("rlp/truncated", "an item is longer than its bytes");
  }
  if (length <= MAX_SHORT_LENGTH) throw new RlpError("rlp/non-canonical", "a short length in the long form");
  if (length > end - offset - 1 - count)
    throw new RlpError("rlp/truncated", "an item is longer than its bytes");
  return [offset + 1 + count, length];
}
