import { type Bytes, concatBytes } from "@ostrom/base";

/** Tags of ITU-T X.690 that certificates and keys need. */
export const DER_TAGS: {
  readonly integer: 0x02;
  readonly bitString: 0x03;
  readonly octetString: 0x04;
  readonly objectId: 0x06;
  readonly utf8String: 0x0c;
  readonly utcTime: 0x17;
  readonly generalizedTime: 0x18;
  readonly sequence: 0x30;
  readonly set: 0x31;
  /** [1], constructed. */
  readonly context1: 0xa1;
} = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context1: 0xa1,
};

const MAX_SHORT_LENGTH = 0x7f;
const NO_UNUSED_BITS: Bytes = Uint8Array.of(0);
const SIGN_BIT = 0x80;

/** One element of DER. @param content at most 65,535 bytes. */
export function derElement(tag: number, content: Bytes): Bytes {
  // The canonical form of a length has no leading zeros.
  const size = content.length;
  const length =
    size <= MAX_SHORT_LENGTH
      ? Uint8Array.of(size)
      : size <= 0xff
        ? Uint8Array.of(0x81, size)
        : Uint8Array.of(0x82, size >> 8, size & 0xff);
  return concatBytes(Uint8Array.of(tag), length, content);
}

export function derSequence(...parts: readonly Bytes[]): Bytes {
  return derElement(DER_TAGS.sequence, concatBytes(...parts));
}

/** A BIT STRING of whole bytes. */
export function derBitString(content: Bytes): Bytes {
  return derElement(DER_TAGS.bitString, concatBytes(NO_UNUSED_BITS, content));
}

/** An INTEGER that is not negative. @param magnitude big-endian; leading zeros are left out. */
export function derInteger(magnitude: Bytes): Bytes {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const digits = magnitude.subarray(start);
  const isNegative = ((digits[0] ?? 0) & SIGN_BIT) !== 0;
  return derElement(DER_TAGS.integer, isNegative ? concatBytes(NO_UNUSED_BITS, digits) : digits);
}

export type DerElement = {
  readonly tag: number;
  /** Shares memory with what was read. */
  readonly content: Bytes;
  /** Tag, length and content. */
  readonly whole: Bytes;
};

/** Takes an encoding apart into the elements that stand in it one after another.
 * @returns undefined if the bytes are no such sequence, are cut off, or go on. Lengths above 65,535 and longer forms than needed are refused. */
export function readDer(bytes: Bytes): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const length = readLength(bytes, offset + 1);
    if (length === undefined) return undefined;
    const end = length.start + length.size;
    if (end > bytes.length) return undefined;
    elements.push({
      tag: bytes[offset] ?? 0,
      content: bytes.subarray(length.start, end),
      whole: bytes.subarray(offset, end),
    });
    offset = end;
  }
  return elements;
}

function readLength(
  bytes: Bytes,
  offset: number,
): { readonly start: number; readonly size: number } | undefined {
  const first = bytes[offset];
  if (first === undefined) return undefined;
  if (first <= MAX_SHORT_LENGTH) return { start: offset + 1, size: first };
  const [second = 0, third = 0] = bytes.subarray(offset + 1, offset + 3);
  if (first === 0x81) return second <= MAX_SHORT_LENGTH ? undefined : { start: offset + 2, size: second };
  const size = (second << 8) | third;
  return first !== 0x82 || size <= 0xff ? undefined : { start: offset + 3, size };
}
